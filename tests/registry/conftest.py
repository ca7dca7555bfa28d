"""The portal that the catalogue is read from."""

from __future__ import annotations

from tests.exchange.conftest import portal, running_portal

__all__ = ["portal", "running_portal"]
