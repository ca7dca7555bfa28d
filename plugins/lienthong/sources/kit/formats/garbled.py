"""What can't be read as the format that it should have."""

from __future__ import annotations


class GarbledError(ValueError):
    """The content is not what it should be. The message never quotes it, and says what a person can do about it."""
