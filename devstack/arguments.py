"""Arguments that several commands take, checked where they are read."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def size(text: str) -> int:
    """A number of dossiers."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of dossiers")
    return int(text)


def month(text: str) -> str:
    """A month, YYYY-MM."""
    from lienthong.model.periods import Month

    try:
        return str(Month.parse(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def within(low: int, high: int) -> Callable[[str], int]:
    """A whole number between `low` and `high`, both included."""

    def read(text: str) -> int:
        if not text.isdigit() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text} is not a number from {low} to {high}")
        return int(text)

    return read
