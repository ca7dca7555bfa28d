"""Going down a list that moves while it is read (docs/adr/0010).

The list is sorted by modification, newest first, and can only be asked for by page. While it is read, changed dossiers
jump to its top (what is below slides down and is seen twice) and vanished ones let it slide up (what is below would be
missed). So every page begins inside what the page before covered, and is accepted only if it joins on: its first
dossier must be one that was covered. Where the list shows the date it is sorted by, that date tells (`Walk`); where it
doesn't, the dossiers that were met are remembered (`BlindWalk`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lienthong.sources.igate.client import IgateClient, SlowPageError, page_name
from lienthong.sources.igate.dating import NEVER, Item, Key
from lienthong.sources.igate.listings import WHOLE, Listing
from lienthong.sources.igate.pages import Page

#: Odd pages in a row after which a walk gives up.
MOST_ODDITIES = 6
#: Smaller pages can't both overlap and move on.
SMALLEST = 8
#: How many dossiers two neighbouring pages may share at most, as a share of the page.
_SHARED = 0.1


@dataclass
class Place:
    """Where a walk stands. `covered`: rows of the list from the top; `lowest`, `ties`: the last of them, its equals.

    `head`, `head_ties`: the first row of the list when the walk began. `fresh`: rows met for the first time.
    `least`: how many dossiers the server counted when it counted fewest. `exhausted`: it ended because the list did.
    """

    covered: int = 0
    lowest: datetime | None = None
    ties: set[Key] = field(default_factory=set)
    head: datetime | None = None
    head_ties: set[Key] = field(default_factory=set)
    fresh: int = 0
    least: int | None = None
    ended: bool = False
    exhausted: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "covered": self.covered,
            "lowest": _text(self.lowest),
            "ties": sorted(self.ties),
            "head": _text(self.head),
            "head_ties": sorted(self.head_ties),
            "fresh": self.fresh,
            "least": self.least,
            "ended": self.ended,
            "exhausted": self.exhausted,
        }

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> Place:
        return cls(
            saved["covered"],
            _instant(saved["lowest"]),
            {Key(*key) for key in saved["ties"]},
            _instant(saved["head"]),
            {Key(*key) for key in saved["head_ties"]},
            saved["fresh"],
            saved["least"],
            saved["ended"],
            saved["exhausted"],
        )


class Walk:
    """One way down the list, from `place` on. `beyond` says of an item that nothing from it on is wanted."""

    def __init__(
        self,
        client: IgateClient,
        place: Place,
        beyond: Callable[[Item], bool],
        page_rows: int,
        listing: Listing = WHOLE,
    ) -> None:
        self.place = place
        self.page_rows = page_rows
        self.listing = listing
        self._client = client
        self._beyond = beyond
        self._before: tuple[int, tuple[Key, ...]] | None = None
        self._recent: tuple[Key, ...] = ()
        self._oddities = 0
        self._retreat = 0

    def steps(self) -> Iterator[list[Item]]:
        """Page by page: the items not seen on the page before, without those that are beyond. `place` has moved by
        then. SourceAnswerError when pages repeat or leave something out again and again."""
        while not self.place.ended:
            page = self._fetch()
            if page is None:
                continue
            yield self._wanted(page)

    def _wanted(self, page: Page) -> list[Item]:
        """What a page that was taken in has brought."""
        recent = set(self._recent)
        self._recent = page.keys
        return [item for item in page.items if item.key not in recent and not self._beyond(item)]

    def _fetch(self) -> Page | None:
        """The next page that joins on, taken in; None when it didn't and has to be asked for again."""
        number, size = next_page(max(self.place.covered - self._retreat, 0), self.page_rows)
        try:
            page = self._client.search(number, size, self.listing)
        except SlowPageError:
            self.page_rows = max(self.page_rows // 2, self._client.contract.http.smallest_page)
            return None
        if page.size < size:  # the server gives no more than this
            self.page_rows = page.size
        odd = "The server gives fewer dossiers than it was asked for" if page.size < size and number else None
        odd = odd or self._oddity(page)
        if odd:
            self._oddities += 1
            self._retreat = min(size * 2 ** (self._oddities - 1) // 2 + 1, self.place.covered)
            if self._oddities >= MOST_ODDITIES:
                raise self._client.answer_error(
                    f"{odd}; it was asked for {self._oddities} times.", page_name(number, size, self.listing)
                )
            if self._oddities > 1:
                self._client.sleep(self._client.contract.http.backoff_ms / 1000)
            return None
        self._take(page)
        return page

    def _oddity(self, page: Page) -> str | None:
        """What is wrong with a page that is whole in itself, in words."""
        if not page.items:
            return None
        if self._before is not None and self._before[0] != page.start and self._before[1] == page.keys:
            return "The page repeats the page before it"
        if page.start > 0 and not self._was_covered(page.items[0]):
            return "The page leaves out dossiers between it and the page before it"
        return None

    def _was_covered(self, item: Item) -> bool:
        """Whether the list is read without a gap down to this dossier."""
        lowest = self.place.lowest
        return lowest is None or item.order > lowest or (item.order == lowest and item.key in self.place.ties)

    def _take(self, page: Page) -> None:
        place = self.place
        place.least = least_of(place.least, page.total)
        fresh = [item for item in page.items if self._is_fresh(item)]
        self._retreat = 0
        if fresh:
            self._oddities = 0
        self._before = (page.start, page.keys)
        place.fresh += len(fresh)
        place.covered = page.start + len(page.items)
        place.exhausted = page.last or not page.items
        place.ended = place.exhausted or self._is_enough(page, fresh)
        self._remember(page, fresh)

    def _is_enough(self, page: Page, fresh: list[Item]) -> bool:
        return bool(fresh) and self._beyond(fresh[-1])

    def _remember(self, page: Page, fresh: list[Item]) -> None:
        """What tells later pages that they join on."""
        place = self.place
        if page.start == 0 and place.head is None and page.items:
            place.head = page.items[0].order
            place.head_ties = {item.key for item in page.items if item.order == place.head}
        for item in fresh:
            if place.lowest is None or item.order < place.lowest:
                place.lowest, place.ties = item.order, set()
            place.ties.add(item.key)

    def _is_fresh(self, item: Item) -> bool:
        lowest = self.place.lowest
        return lowest is None or item.order < lowest or (item.order == lowest and item.key not in self.place.ties)


class Seen:
    """Which dossiers were met, and in which version. About 120 bytes for each, while its list is read."""

    def __init__(self) -> None:
        self._versions: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._versions)

    def __contains__(self, dossier_id: str) -> bool:
        return hash(dossier_id) in self._versions

    def knows(self, key: Key) -> bool:
        """Whether a dossier was met exactly as it is now."""
        return self._versions.get(hash(key.dossier_id)) == hash(key.version)

    def add(self, key: Key) -> None:
        self._versions[hash(key.dossier_id)] = hash(key.version)


class BlindWalk(Walk):
    """A walk down a list that doesn't show the date it is sorted by, if it is sorted by one at all.

    `seen`: what was met of this list so far. `enough` says of a page, and whether it brought anything, that nothing
    further is wanted; it is asked before the page is added to `seen`.
    """

    def __init__(
        self,
        client: IgateClient,
        place: Place,
        enough: Callable[[Page, bool], bool],
        page_rows: int,
        listing: Listing,
        seen: Seen,
    ) -> None:
        super().__init__(client, place, lambda item: False, page_rows, listing)
        self.seen = seen
        self._enough = enough
        self._fresh: list[Item] = []

    def _wanted(self, page: Page) -> list[Item]:
        return self._fresh

    def _was_covered(self, item: Item) -> bool:
        return item.key.dossier_id in self.seen

    def _is_fresh(self, item: Item) -> bool:
        return not self.seen.knows(item.key)

    def _is_enough(self, page: Page, fresh: list[Item]) -> bool:
        return self._enough(page, bool(fresh))

    def _remember(self, page: Page, fresh: list[Item]) -> None:
        self._fresh = fresh
        for item in fresh:
            self.seen.add(item.key)


def least_of(first: int | None, second: int | None) -> int | None:
    """The smaller of two counts, as far as there are any."""
    return min((count for count in (first, second) if count is not None), default=None)


def next_page(covered: int, page_rows: int) -> tuple[int, int]:
    """Number and size of a page that begins inside the first `covered` rows and reaches as far beyond as it can.

    Pages begin at multiples of their size, so the size is what is chosen: at most `page_rows`, at least half of it.
    """
    page_rows = max(page_rows, SMALLEST)
    if covered == 0:
        return 0, page_rows
    allowed = max(int(page_rows * _SHARED), 1)
    reach, best = 0, (0, page_rows)
    smaller, larger = range(page_rows, page_rows // 2 - 1, -1), range(page_rows + 1, 2 * page_rows)
    for size in (*smaller, *larger):
        if reach and size > page_rows:  # only where `covered` is a multiple of every smaller size
            break
        shared = (covered - 1) % size + 1
        if size - shared > reach:
            reach, best = size - shared, ((covered - shared) // size, size)
        if shared <= allowed:
            break
    return best


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _instant(text: str | None) -> datetime | None:
    moment = datetime.fromisoformat(text) if text else None
    return moment.astimezone(UTC) if moment and moment != NEVER else moment
