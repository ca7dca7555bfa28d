"""Which lists a load reads: all dossiers in one, or windows of months and the open ones by status (docs/adr/0010)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lienthong.model.codes import DossierStatus
from lienthong.model.kinds.dossier import Entity
from lienthong.sources.contract import SourceContract
from lienthong.sources.igate.dating import Item, moment_of
from lienthong.sources.igate.json_paths import find, word
from lienthong.sources.igate.mapping import paths_of

#: Nobody knows whether the server takes the end of a window with it, or cuts dates to days of another zone.
_SLACK = timedelta(days=1)
#: What ends a dossier. A word without a code may mean anything, so its dossiers are taken for open.
_ENDED = (DossierStatus.NOT_ACCEPTED, DossierStatus.WITHDRAWN, DossierStatus.STOPPED, DossierStatus.RETURNED)
_FIELDS = {"accepted": "received_at", "applied": "submitted_at"}


@dataclass(frozen=True)
class Listing:
    """One list of dossiers. `path`, `word`, `start`, `end`: what each of its dossiers should say, and where."""

    name: str
    filters: tuple[tuple[str, str], ...] = ()
    path: str = ""
    word: str = ""
    start: datetime | None = None
    end: datetime | None = None

    def strange(self, items: Sequence[Item], contract: SourceContract) -> tuple[int, int]:
        """How many of some dossiers don't belong here, and how many say whether they do."""
        if not self.path:
            return 0, 0
        path = tuple(self.path.split("."))
        told = [value for item in items if (value := find(item.data, path)) is not None]
        return sum(not self._holds(value, contract) for value in told), len(told)

    def to_json(self) -> dict[str, Any]:
        ends = {name: moment.isoformat() for name in ("start", "end") if (moment := getattr(self, name))}
        return {"name": self.name, "filters": self.filters, "path": self.path, "word": self.word, **ends}

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> Listing:
        if not saved["filters"]:
            return WHOLE
        ends = {name: datetime.fromisoformat(saved[name]) for name in ("start", "end") if name in saved}
        filters = tuple((name, value) for name, value in saved["filters"])
        return cls(saved["name"], filters, saved["path"], saved["word"], **ends)

    def _holds(self, value: object, contract: SourceContract) -> bool:
        if self.word:
            return word(value) == self.word
        moment = moment_of(value, contract.zone)
        assert self.start is not None, "a list is filtered by a word or a window"
        assert self.end is not None
        return moment is None or self.start - 2 * _SLACK <= moment <= self.end + 2 * _SLACK


WHOLE = Listing("all dossiers")


def windows(contract: SourceContract, first: datetime, last: datetime) -> list[Listing]:
    """Whole months, in the contract's zone, from the one of `first` to the one of `last`, newest first."""
    by = contract.http.window_by
    path = paths_of(contract, Entity.DOSSIER)[_FIELDS[by]]
    month, made = _month(contract, first), []
    while month <= last.astimezone(contract.zone):
        after = _month(contract, month + timedelta(days=32))
        start, end = month - _SLACK, after + _SLACK
        filters = ((f"{by}-from", _wire(start)), (f"{by}-to", _wire(end)))
        made.append(Listing(f"{by} in {month:%Y-%m}", filters, path, start=start, end=end))
        month = after
    return made[::-1]


def recent_from(contract: SourceContract, now: datetime) -> datetime:
    """Where the windows begin that every load reads."""
    month = _month(contract, now)
    for _ in range(contract.http.window_months - 1):
        month = _month(contract, month - timedelta(days=1))
    return month


def open_dossiers(contract: SourceContract, words: Iterable[str] = ()) -> list[Listing]:
    """A list per status of dossiers that may still move: those of the contract, and further `words`."""
    path = paths_of(contract, Entity.DOSSIER)["status_raw"]
    known = {status for status, code in contract.dossier.codes.status.items() if code not in _ENDED}
    wanted = sorted(known | {found for found in words if is_open(contract, found)})
    return [Listing(f"status {found}", (("dossier-status", found),), path, word=found) for found in wanted]


def is_open(contract: SourceContract, status: str) -> bool:
    """Whether dossiers of a status may still move."""
    codes = contract.dossier.codes
    return status not in codes.removed and codes.status.get(status) not in _ENDED


def listing_date(contract: SourceContract) -> tuple[str, ...]:
    """Path of the date that windows go by."""
    return tuple(paths_of(contract, Entity.DOSSIER)[_FIELDS[contract.http.window_by]].split("."))


def _month(contract: SourceContract, moment: datetime) -> datetime:
    """The beginning of a moment's month in the contract's zone."""
    return moment.astimezone(contract.zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _wire(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
