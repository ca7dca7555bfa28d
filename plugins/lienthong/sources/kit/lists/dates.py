"""Dates of the wire, one at a time: ISO with or without an offset, or the forms of Vietnamese offices."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_FORMS = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%Y%m%d%H%M%S")


def instant_of(text: str | None, zone: ZoneInfo) -> datetime | None:
    """The instant (UTC); local times are of `zone`. None when there is none."""
    text = (text or "").strip()
    moment: datetime | None = None
    try:
        moment = datetime.fromisoformat(text) if text and "/" not in text else None
    except ValueError:
        moment = None
    for form in _FORMS if moment is None and text else ():
        try:
            moment = datetime.strptime(text, form)
            break
        except ValueError:
            continue
    if moment is None:
        return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        return None
