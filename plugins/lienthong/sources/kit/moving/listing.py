"""One list of records as it is asked for, and the service that gives its pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from lienthong.sources.kit.formats.json_paths import Choose, find, word
from lienthong.sources.kit.moving.items import Item, moment_of

if TYPE_CHECKING:
    from lienthong.model.errors import SourceAnswerError
    from lienthong.sources.contract import SourceContract
    from lienthong.sources.kit.moving.pages import Page


@dataclass(frozen=True)
class Listing:
    """One list. `path`, `word`, `start`, `end`: what each of its records should say, and where."""

    name: str
    filters: tuple[tuple[str, str], ...] = ()
    path: str = ""
    word: str = ""
    start: datetime | None = None
    end: datetime | None = None

    def strange(self, items: Sequence[Item], contract: SourceContract, choose: Choose | None = None) -> tuple[int, int]:
        """How many of some records don't belong here, and how many say whether they do."""
        if not self.path:
            return 0, 0
        path = tuple(self.path.split("."))
        told = [value for item in items if (value := find(item.data, path, choose)) is not None]
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
        return moment is None or self.start - _SLACK <= moment <= self.end + _SLACK


#: Dates of a window's edge may be cut to days of another zone.
_SLACK = timedelta(days=1)
WHOLE = Listing("all records")


class ListClient(Protocol):
    """What gives the pages of a list, and says how it is to be treated."""

    contract: SourceContract
    sleep: Callable[[float], None]

    def search(self, number: int, size: int, listing: Listing = WHOLE) -> Page:
        """Page `number` of `size` records. SlowAnswerError after two timeouts when a smaller page may do."""

    def answer_error(self, what: str, key: str, next_step: str | None = None) -> SourceAnswerError:
        """What to raise when answers are well-formed but don't hang together."""


def page_name(number: int, size: int, listing: Listing) -> str:
    """What errors call a page."""
    page = f"page {number} of {size}"
    return page if listing is WHOLE else f"{page}, {listing.name}"
