"""A record of a page: which version of it, and where it stands in the list."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

#: Stands for a record that was never modified: below everything, as databases sort nothing in descending order.
NEVER = datetime.min.replace(tzinfo=UTC)


class Key(NamedTuple):
    """One version of one record, as far as the list tells: by its date, or by a hash of all that it says."""

    record: str
    version: str


class Item(NamedTuple):
    """A record of a page. `order`: when it last moved, NEVER if that is not told; `data` is the item as it came."""

    key: Key
    order: datetime
    data: dict[str, Any]


class Dates(Protocol):
    """How a system dates the records of its list. `path`: of the list's own date, for messages."""

    path: str

    @property
    def ordered(self) -> bool:
        """Whether the list shows the date that it is sorted by."""

    def item(self, record: str, raw: dict[str, Any]) -> Item:
        """A record of the list with its version and its place in time."""


def moment_of(value: Any, zone: ZoneInfo) -> datetime | None:
    """The instant in a JSON value: ISO, in `zone` if it names no offset, or milliseconds. None when there is none."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
        if not isinstance(value, str):
            return None
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=moment.tzinfo or zone).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
