"""When a dossier of the list last moved: what the list says, or the newest date inside the dossier (docs/adr/0010).

The list's own date makes an order that pages can be joined by. Where it has none, a dossier still tells when it moved
at the earliest: its newest step, reception, end or payment. What changes without one of those has no date at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from lienthong.model.kinds.dossier import Entity
from lienthong.sources.contract import SourceContract
from lienthong.sources.igate.json_paths import dump, find
from lienthong.sources.igate.mapping import TASKS, paths_of

#: Stands for a dossier that was never modified: below everything, as databases sort nothing in descending order.
NEVER = datetime.min.replace(tzinfo=UTC)

#: Dates of a dossier that only ever lie in the past: fields of the dossier, and what no field holds.
_PAST = ("submitted_at", "received_at", "finished_at")
_PAID, _TASK_MOVED = "paymentRequestData.paidDate", "updatedDate"


class Changes(StrEnum):
    """How a load finds what changed; the contract's `http.changes`."""

    UPDATED_DATE = "updated_date"
    NEWEST_TASK = "newest_task"
    WINDOWS = "windows"


class Key(NamedTuple):
    """One version of one dossier, as far as the list tells: by its date, or by a hash of all that it says."""

    dossier_id: str
    version: str


class Item(NamedTuple):
    """A dossier of a page. `order`: when it last moved, NEVER if that is not told; `data` is the item as it came."""

    key: Key
    order: datetime
    data: dict[str, Any]


class Dating:
    """Dates the dossiers of one list as its contract says."""

    def __init__(self, contract: SourceContract) -> None:
        paths, steps = paths_of(contract, Entity.DOSSIER), paths_of(contract, Entity.STEP)
        self.changes = Changes(contract.http.changes)
        #: The path of the list's own date.
        self.path = paths["source_modified_at"]
        self.zone = contract.zone
        #: Paths of dates that say something else than when the dossier was updated.
        self.known = frozenset(path for field, path in paths.items() if field.endswith("_at")) - {self.path}
        self._own = _split(self.path)
        self._past = (*(_split(paths[name]) for name in _PAST), _split(_PAID))
        self._steps = tuple({_split(steps["occurred_at"]), _split(_TASK_MOVED)})

    @property
    def ordered(self) -> bool:
        """Whether the list shows the date that it is sorted by."""
        return self.changes is Changes.UPDATED_DATE

    def item(self, dossier_id: str, raw: dict[str, Any]) -> Item:
        """A dossier of the list with its version and its place in time."""
        if self.ordered:
            own = find(raw, self._own)
            return Item(Key(dossier_id, "" if own is None else str(own)), self.own_date(raw) or NEVER, raw)
        version = blake2b(dump(raw).encode(), digest_size=8).hexdigest()
        return Item(Key(dossier_id, version), self.newest_move(raw) or NEVER, raw)

    def own_date(self, raw: dict[str, Any]) -> datetime | None:
        """What the list itself says."""
        return moment_of(find(raw, self._own), self.zone)

    def newest_move(self, raw: dict[str, Any]) -> datetime | None:
        """The newest date inside a dossier that tells that something happened."""
        return max((found for value in self._values(raw) if (found := moment_of(value, self.zone))), default=None)

    def _values(self, raw: dict[str, Any]) -> Iterator[Any]:
        for path in self._past:
            yield find(raw, path)
        tasks = raw.get(TASKS)
        for task in tasks if isinstance(tasks, list) else ():
            for path in self._steps:
                yield find(task, path)


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


def _split(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))
