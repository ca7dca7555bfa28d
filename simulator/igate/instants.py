"""iGate's dates: UTC with milliseconds, `2026-10-05T17:00:00.000+0000` for midnight in Vietnam."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from simulator.workdays import DAY, HOUR

#: Vietnam is seven hours ahead of UTC, without daylight saving.
OFFSET_S = 7 * HOUR
_ORIGIN = datetime(1970, 1, 1)
_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


def iso(moment: int, offset_s: int = 0) -> str | None:
    """A local instant (`workdays`) in iGate's words; absent (0) is None. `offset_s`: how far its clock is off."""
    if not moment:
        return None
    return (_ORIGIN + timedelta(seconds=moment - OFFSET_S + offset_s)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def parse(text: str, *, end: bool) -> int:
    """A date of a filter as a local instant: `dd/MM/yyyy` (with `end`: its last second) or ISO; else ValueError."""
    if match := _DAY.fullmatch(text):
        day, month, year = (int(part) for part in match.groups())
        moment = int((datetime(year, month, day) - _ORIGIN).total_seconds())
        return moment + DAY - 1 if end else moment
    found = datetime.fromisoformat(text)
    return int(found.replace(tzinfo=found.tzinfo or UTC).timestamp()) + OFFSET_S


def http_date(offset_s: int = 0) -> str:
    """Now, as in a `Date` header."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=offset_s), usegmt=True)
