"""Reading the lists of one load: each down to where nothing more is wanted, its top again, and what is in none."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lienthong.sources.igate.base import Expected, above_anchors, most_met
from lienthong.sources.igate.dating import NEVER, Changes, Item, Key
from lienthong.sources.igate.guard import refuse_collapse
from lienthong.sources.igate.land import LOST
from lienthong.sources.igate.listings import Listing
from lienthong.sources.igate.spool import ITEMS, Survivors, within
from lienthong.sources.igate.walk import BlindWalk, Place, Seen, Walk, least_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lienthong.sources.igate.pages import Page
    from lienthong.sources.igate.read import Read

#: Items are written down after so many pages: what a killed read has to ask for again.
PAGES_PER_PIECE = 5
#: Rounds of looking at the top of the list again; what changes after the last is the next load's.
MOST_ROUNDS = 10
#: So many pages in a row without a dossier that moved lately end a walk by the newest step. One will do where what
#: stood at the top before was met again.
QUIET_PAGES = 3
#: Dossiers of a list that are looked at before a server is said to ignore a filter, and how many must be strange.
_TELLING, _STRANGE = 20, 5
#: Dossiers asked for one by one that are written down together.
_ASKED_PER_PIECE = 50
#: Dossiers that are in no list and can't be found.
LOST_SCHEMA = pa.schema([("id", pa.string()), ("item", pa.string())])


class Lists:
    """Where the reading of a load's lists stands."""

    def __init__(self, read: Read, note: dict[str, Any] | None) -> None:
        self._read, self._plan, self._contract = read, read.plan, read.contract
        saved = note or {}
        self.place = Place.from_json(saved["place"]) if saved else Place()
        self.listed: bool = saved.get("listed", False)
        self.front: int = saved.get("front", 0)
        self.lost: list[str] = list(saved.get("lost", ()))
        #: Name and dossiers of every list that was read.
        self.tally: list[tuple[str, int]] = [(name, rows) for name, rows in saved.get("tally", ())]
        self.listings = tuple(Listing.from_json(made) for made in saved["listings"]) if saved else self._plan.listings
        self._number: int = saved.get("number", 0)
        #: First piece of items of the list that is read now, and rows of items when the first list was read down.
        self._first_piece: int = saved.get("first_piece", 0)
        self._rows_down: int | None = saved.get("rows_down")
        self._seen = self._seen_before()
        self._strange, self._told = 0, 0

    def to_json(self) -> dict[str, Any]:
        return {
            "place": self.place.to_json(),
            "listed": self.listed,
            "front": self.front,
            "lost": self.lost,
            "tally": self.tally,
            "listings": [listing.to_json() for listing in self.listings],
            "number": self._number,
            "first_piece": self._first_piece,
            "rows_down": self._rows_down,
        }

    def read(self) -> None:
        """All lists, as far as they were not read by an earlier try."""
        if self.listed:
            return
        while self._number < len(self.listings):
            listing = self.listings[self._number]
            if self._plan.blind:
                self._read_blind(listing)
            else:
                self._go_down(Walk(self._read.client, self.place, self._too_old, self._contract.read.page_rows))
                self._look_at_top_again()
                self._check_total(self.place.fresh + self.front)
                self._number += 1
        if self._plan.base is not None and self._plan.changes is Changes.WINDOWS:
            self._ask_for_missing()
        self.listed = True
        self._read.save()

    def kept(self, items: list[Item]) -> list[Item]:
        """Those of some items that are written down. SchemaDriftError when the list does not date them."""
        if self._plan.blind:
            return items
        window = self._plan.window
        for item in items:
            self._read.undated(item)
            if not item.key.version and (self._plan.since is not None or self.place.head == NEVER):
                path = self._read.client.dating.path
                self._read.drifted(
                    f"The list doesn't say when its dossiers were updated ({path}).",
                    path,
                    "set http.changes in the contract to newest_task or windows (docs/sources.md, iGate), or name the "
                    "right path as source_modified_at under fields.dossier.",
                )
        return [item for item in items if window is None or window.start <= item.order < window.end]

    def wanted(self, found: Survivors) -> Survivors:
        """Without what no load asked for: outside its window, or below all that moved lately."""
        plan, checkpoint = self._plan, self._read.checkpoint
        if not plan.blind:
            return found
        if plan.window is not None:
            return within(checkpoint, found, plan.window.start, plan.window.end)
        return within(checkpoint, found, plan.since, None, self._rows_down) if plan.since is not None else found

    def touched(self) -> frozenset[str]:
        """Dossiers that were written to since the last load though they may look as they did: their place tells."""
        base, ids = self._plan.base, list[str]()
        if base is None or self._plan.since is None:
            return frozenset()
        for piece in self._read.checkpoint.read(ITEMS, ["id"]):
            ids += map(str, piece["id"].to_pylist())
        down = ids[: self._rows_down]
        return above_anchors(down, base.anchors()) | frozenset(ids[len(down) :])

    def _go_down(self, walk: Walk) -> None:
        read = self._read
        read.respect_hours()
        for items in walk.steps():
            read.note_clock()
            read.take(items)
            self._refuse_ignored_filter(walk.listing, items)
            if len(read.waiting) >= PAGES_PER_PIECE * walk.page_rows:
                read.save()
            if walk.place.ended:
                return
            read.respect_hours()

    def _look_at_top_again(self) -> None:
        """What was changed meanwhile stands above the first dossier of the walk before."""
        head, ties = self.place.head, set(self.place.head_ties)
        self.front = 0
        for _ in range(MOST_ROUNDS):
            top = Place()
            new = 0

            def above(item: Item, head: datetime | None = head) -> bool:
                return head is not None and item.order < head

            walk = Walk(self._read.client, top, above, self._contract.read.page_rows)
            for items in walk.steps():
                changed = [item for item in items if item.key not in ties and not above(item)]
                self._read.take(changed)
                new += len(changed)
            self.place.least = least_of(self.place.least, top.least)
            self.front += new
            if not new:
                return
            head, ties = top.head, set(top.head_ties)

    def _read_blind(self, listing: Listing) -> None:
        """A list that shows no date: down, the top again until a whole page is known, and counted."""
        rows = self._contract.read.page_rows
        if not self.place.ended:
            self._go_down(BlindWalk(self._read.client, self.place, self._enough(), rows, listing, self._seen))
        if self._rows_down is None:
            self._rows_down = self._read.read_rows
        if not (self.place.exhausted and self.place.covered <= rows):  # one page is of one moment
            self._look_blindly_at_top_again(listing)
        self._check_total(len(self._seen))
        self.tally.append((listing.name, len(self._seen)))
        self._read.flush()
        self.place, self._seen, self._first_piece = Place(), Seen(), self._read.checkpoint.pieces(ITEMS)
        self._strange = self._told = 0
        self._number += 1
        self._read.save()

    def _look_blindly_at_top_again(self, listing: Listing) -> None:
        seen = self._seen

        def known(page: Page, fresh: bool) -> bool:
            return all(seen.knows(item.key) for item in page.items)

        for _ in range(MOST_ROUNDS):
            new, top = 0, Place()
            walk = BlindWalk(self._read.client, top, known, self._contract.read.page_rows, listing, Seen())
            for items in walk.steps():
                changed = [item for item in items if not seen.knows(item.key)]
                self._read.take(changed)
                for item in changed:
                    seen.add(item.key)
                new += len(changed)
            self.place.least = least_of(self.place.least, top.least)
            if not new:
                return

    def _enough(self) -> Callable[[Page, bool], bool]:
        """Says after which page nothing that moved lately is to be expected any more."""
        since, seen = self._plan.since, self._seen
        anchors = self._plan.base.anchors() if self._plan.base is not None and since is not None else ()
        quiet = 0

        def enough(page: Page, fresh: bool) -> bool:
            nonlocal quiet
            if since is None:
                return False
            if fresh:
                quiet = 0 if any(item.order >= since for item in page.items) else quiet + 1
            if quiet < (1 if anchors else QUIET_PAGES):
                return False
            here = {item.key.dossier_id for item in page.items}
            return most_met(anchors, sum(one in here or one in seen for one in anchors))

        return enough

    def _ask_for_missing(self) -> None:
        """Dossiers that the batch before had, and that no list shows: they ended, or are gone. Asked for one by one."""
        read, base = self._read, self._plan.base
        assert base is not None, "only what rests on a batch misses anything"
        read.save()
        met = {key for piece in read.checkpoint.read(ITEMS, ["id"]) for key in piece["id"].to_pylist()}
        lost, had, missing = set(self.lost), 0, list[Expected]()
        for expected in base.expected(read.began_at):
            had += 1
            if expected.dossier_id not in met and expected.dossier_id not in lost:
                missing.append(expected)
        refuse_collapse(self._contract, read.client.load, had, had - len(missing) - len(lost))
        for first in range(0, len(missing), _ASKED_PER_PIECE):
            read.respect_hours()
            self._ask_for(missing[first : first + _ASKED_PER_PIECE])
            read.client.pause()

    def _ask_for(self, missing: list[Expected]) -> None:
        nowhere: list[dict[str, str]] = []
        for expected in missing:
            code = expected.code
            found = self._read.client.by_code(code, expected.dossier_id) if code else None
            if found is not None:
                self._read.take([found])
            else:
                nowhere.append({"id": expected.dossier_id, "item": expected.item})
        if nowhere:
            self._read.checkpoint.add(LOST, pa.Table.from_pylist(nowhere, LOST_SCHEMA))
            self.lost += [row["id"] for row in nowhere]
        self._read.save()

    def _refuse_ignored_filter(self, listing: Listing, items: list[Item]) -> None:
        strange, told = listing.strange(items, self._contract)
        self._strange, self._told = self._strange + strange, self._told + told
        if self._told >= _TELLING and self._strange >= _STRANGE and 2 * self._strange > self._told:
            names = ", ".join(name for name, _ in listing.filters)
            self._read.drifted(
                f"The list ignores {names}: most dossiers of it are others than those asked for.",
                names,
                "set http.changes or http.window_by in the contract to another way (docs/sources.md, iGate).",
            )

    def _too_old(self, item: Item) -> bool:
        return self._plan.since is not None and item.order < self._plan.since

    def _check_total(self, seen: int) -> None:
        """A list read to its end must have shown as many dossiers as the server counted when it counted fewest."""
        place = self.place
        if not self._contract.http.check_total or not place.exhausted or place.least is None:
            return
        if seen < place.least:
            self._read.forget()
            raise self._read.client.answer_error(
                f"The list has {place.least} dossiers, but its pages showed only {seen} "
                "(http.check_total: false in the contract accepts that).",
                "the whole list",
                "run the load again (Airflow does so by itself): it reads the list from its beginning. If it lasts,"
                " show this to the system's operator.",
            )

    def _seen_before(self) -> Seen:
        """What an earlier try met of the list that is read now."""
        seen = Seen()
        if self._plan.blind and not self.listed:
            for piece in self._read.checkpoint.read(ITEMS, ["id", "version"], first=self._first_piece):
                for dossier_id, version in zip(piece["id"].to_pylist(), piece["version"].to_pylist(), strict=True):
                    seen.add(Key(str(dossier_id), str(version)))
        return seen
