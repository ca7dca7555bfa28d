"""Instants as people write them: on the command line, in the parameters of a run."""

from __future__ import annotations

from datetime import datetime

from lienthong.model.errors import ArgumentError
from lienthong.model.periods import BUSINESS_ZONE


def read_instant(text: str) -> datetime:
    """An aware instant: `2026-10-01` (its first moment) or `2026-10-01T08:30:00+07:00`; without an offset it is
    Vietnam's time. ArgumentError says how to write one.
    """
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ArgumentError(
            f"{text!r} is not an instant.",
            next_step="write it like 2026-10-01 or 2026-10-01T00:00:00+07:00 and try again.",
        ) from None
    return instant if instant.tzinfo else instant.replace(tzinfo=BUSINESS_ZONE)
