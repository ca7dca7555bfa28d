"""One read of an iGate: the list, its top again, and the papers; continued from where an earlier try stopped."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NoReturn

import pyarrow as pa
import pyarrow.compute as pc
from pydantic_core import from_json

from lienthong.landing import Checkpoint, LandedBatch
from lienthong.model.errors import DiskFullError, NotReadyError, SchemaDriftError
from lienthong.sources.contract import SourceContract
from lienthong.sources.igate.audit import Audit
from lienthong.sources.igate.client import IgateClient
from lienthong.sources.igate.guard import AHEAD
from lienthong.sources.igate.mapping import DOSSIER, FEE, PAPER, STRUCTURAL, TASK, TASKS
from lienthong.sources.igate.pages import NEVER, Item
from lienthong.sources.igate.papers import Children, children_table
from lienthong.sources.igate.reuse import Reused, reused, take_over
from lienthong.sources.igate.spool import ITEMS, Survivors, pieces, rows_of, survivors
from lienthong.sources.igate.walk import Place, Walk, least_of
from lienthong.sources.profile import Progress, Window

#: Items are written down after so many pages: what a killed read has to ask for again.
PAGES_PER_PIECE = 5
#: Dossiers whose papers are written down together.
DOSSIERS_PER_PIECE = 100
#: Rounds of looking at the top of the list again; what changes after the last is the next load's.
MOST_ROUNDS = 10


@dataclass
class Read:
    """One read, as far as it got; continued from the checkpoint's note."""

    contract: SourceContract
    client: IgateClient
    checkpoint: Checkpoint
    since: datetime | None
    window: Window | None
    progress: Progress
    now: Callable[[], datetime]
    waiting: list[Item] = field(default_factory=list)

    def __post_init__(self) -> None:
        note = self.checkpoint.note
        self.place = Place.from_json(note["place"]) if note else Place()
        self.audit = Audit(self.contract, note.get("audit"))
        self.began_at = datetime.fromisoformat(note["began_at"]) if note else self.now()
        clock = note.get("source_clock")
        self.source_clock = datetime.fromisoformat(clock) if clock else None
        ahead = note.get("clock_ahead_s")
        self.clock_ahead = timedelta(seconds=ahead) if ahead is not None else None
        #: The try that read the oldest of what is there.
        self.began_fence: int = note.get("began_fence", 1) if note else self.checkpoint.fence
        self.listed: bool = note.get("listed", False)
        self.front: int = note.get("front", 0)
        #: Dossiers whose papers and fees have been read: pieces of items, and dossiers of the next one.
        self.asked: tuple[int, int] = (note["asked"][0], note["asked"][1]) if note else (0, 0)
        self.gone: list[str] = list(note.get("gone", ()))
        #: Whether it is settled whose papers are taken from an earlier batch; not reopened once some were asked for.
        self.taken_over: bool = note.get("taken_over", self.asked != (0, 0))
        self.known = Reused()
        self.to_ask = 0
        self.papers = 0
        self.read_rows: int = note.get("read_rows", 0)

    @property
    def latest_clock(self) -> datetime | None:
        """The server's clock, but hardly ahead of ours: a watermark that is would make later changes look old."""
        if self.source_clock is None or self.clock_ahead is None:
            return self.source_clock
        return self.source_clock - max(self.clock_ahead - AHEAD, timedelta())

    def list_dossiers(self) -> None:
        """The list down to where nothing more is wanted, then its top again until nothing there is new."""
        if self.listed:
            return
        try:
            self._go_down(Walk(self.client, self.place, self._too_old, self.contract.read.page_rows))
            self._look_at_top_again()
        except SchemaDriftError:  # what can't be understood was not taken in, though the walk has passed it
            raise
        except Exception:
            self._save_if_possible()
            raise
        self._check_total()
        self.listed = True
        self._save()

    def judge(self) -> Survivors:
        """Which of the rows read are the last word on their dossier. SchemaDriftError when the list is another one."""
        missing = self.audit.never_met(DOSSIER, STRUCTURAL) if self.read_rows else []
        if missing:
            self._drifted(f"No dossier of the list has {', '.join(missing)}.", missing[0])
        return survivors(self.checkpoint)

    def fetch_children(self, found: Survivors, earlier: LandedBatch | None = None) -> None:
        """Papers and fees of every surviving dossier; those that `earlier` has of unchanged dossiers are taken from it.

        Who is gone, in this try or an earlier one, is asked for again at the end. SourceAnswerError when too many are;
        what was read is kept, and the next try asks for them again.
        """
        children = Children(self.client, self.contract, self.audit)
        if not children.wanted:
            return
        if not self.taken_over:
            if earlier is not None:
                take_over(self.checkpoint, found, earlier)
            self.taken_over = True
            self._save()
        self.known = reused(self.checkpoint)
        asked = self.known.others(self.checkpoint, found)
        self.to_ask = asked.dossiers
        first, skip = self.asked
        for number, piece in enumerate(pieces(self.checkpoint, asked.kept, first), start=first):
            for start in range(skip, piece.num_rows, DOSSIERS_PER_PIECE):
                part = piece.slice(start, DOSSIERS_PER_PIECE)
                self._ask(children, part, (number, start + part.num_rows))
            skip = 0
        if self.gone:
            self._ask_again(asked)

    def _ask_again(self, found: Survivors) -> None:
        children = Children(self.client, self.contract, self.audit)
        gone = pa.array(self.gone, pa.string())
        for piece in pieces(self.checkpoint, found.kept):
            lost = piece.filter(pc.is_in(piece["id"], gone))
            for start in range(0, lost.num_rows, DOSSIERS_PER_PIECE):
                self._ask(children, lost.slice(start, DOSSIERS_PER_PIECE), self.asked)

    def _ask(self, children: Children, part: pa.Table, asked: tuple[int, int]) -> None:
        """Papers and fees of some dossiers, written down together with who of them is gone."""
        self._respect_hours()
        before = len(children.gone)
        papers, fees = children.read([from_json(str(text)) for text in part["item"].to_pylist()])
        self.checkpoint.add(PAPER, children_table(papers))
        self.checkpoint.add(FEE, children_table(fees))
        self.asked = asked
        answered = set(part["id"].to_pylist())
        self.gone = [key for key in self.gone if key not in answered] + children.gone[before:]
        self._save()
        children.refuse_too_many_gone(self.to_ask, self.known.gone, sorted(self.known.dossiers))
        self.papers += len(papers)
        self.progress(PAPER, self.papers)
        self._pause()

    def _go_down(self, walk: Walk) -> None:
        self._respect_hours()
        for items in walk.steps():
            if self.source_clock is None:
                self.source_clock, self.clock_ahead = self.client.clock, self.client.clock_ahead
            self._take(items)
            if walk.place is self.place and len(self.waiting) >= PAGES_PER_PIECE * walk.page_rows:
                self._save()
            if walk.place.ended:
                return
            self._respect_hours()
            self._pause()

    def _look_at_top_again(self) -> None:
        """What was changed meanwhile stands above the first dossier of the walk before."""
        head, ties = self.place.head, set(self.place.head_ties)
        self.front = 0
        for _ in range(MOST_ROUNDS):
            top = Place()
            new = 0

            def above(item: Item, head: datetime | None = head) -> bool:
                return head is not None and item.order < head

            walk = Walk(self.client, top, above, self.contract.read.page_rows)
            for items in walk.steps():
                changed = [item for item in items if item.key not in ties and not above(item)]
                self._take(changed)
                new += len(changed)
            self.place.least = least_of(self.place.least, top.least)
            self.front += new
            if not new:
                return
            head, ties = top.head, set(top.head_ties)

    def _take(self, items: list[Item]) -> None:
        """Look at items as they come and keep those that are wanted."""
        for item in items:
            if item.order == NEVER and item.key.updated:
                self._drifted("updatedDate of the list is not a date that we can read.", item.key.dossier_id)
            if not item.key.updated and (self.since is not None or self.place.head == NEVER):
                self._drifted("The list doesn't say when its dossiers were updated (updatedDate).", "updatedDate")
            self.audit.look(DOSSIER, item.data)
            tasks = item.data.get(TASKS)
            for task in tasks if isinstance(tasks, list) else ():
                if isinstance(task, dict):
                    self.audit.look(TASK, task)
            if self.window is None or self.window.start <= item.order < self.window.end:
                self.waiting.append(item)
        self.read_rows += len(items)
        self.progress(DOSSIER, self.read_rows)

    def _too_old(self, item: Item) -> bool:
        return self.since is not None and item.order < self.since

    def _check_total(self) -> None:
        """A list read to its end must have shown as many dossiers as the server counted when it counted fewest."""
        place = self.place
        if not self.contract.http.check_total or not place.exhausted or place.least is None:
            return
        if place.fresh + self.front < place.least:
            seen = place.fresh + self.front
            self.checkpoint.save({})  # the next try reads the list from its beginning
            raise self.client.answer_error(
                f"The list has {place.least} dossiers, but its pages showed only {seen} "
                "(http.check_total: false in the contract accepts that).",
                "the whole list",
                "run the load again (Airflow does so by itself): it reads the list from its beginning. If it lasts,"
                " show this to the system's operator.",
            )

    def _save(self) -> None:
        """Write down what was read and where we stand, together."""
        if self.waiting:
            self.checkpoint.add(ITEMS, rows_of(self.waiting))
            self.waiting = []
        self.checkpoint.save(
            {
                "place": self.place.to_json(),
                "audit": self.audit.state,
                "began_at": self.began_at.isoformat(),
                "source_clock": self.source_clock.isoformat() if self.source_clock else None,
                "clock_ahead_s": self.clock_ahead.total_seconds() if self.clock_ahead is not None else None,
                "began_fence": self.began_fence,
                "listed": self.listed,
                "front": self.front,
                "asked": self.asked,
                "gone": self.gone,
                "taken_over": self.taken_over,
                "read_rows": self.read_rows,
            }
        )

    def _save_if_possible(self) -> None:
        with suppress(OSError, DiskFullError):  # a full disk, or another copy took over: the last note stands
            self._save()

    def _respect_hours(self) -> None:
        hours = self.contract.read.hours
        if hours and not hours.contains(self.now().astimezone(self.contract.zone).time()):
            raise NotReadyError(
                f"The source may be read from {hours.start:%H:%M} to {hours.end:%H:%M} only.",
                source=self.contract.source_id,
                load=self.client.load,
                next_step="nothing: a later try of this load goes on where it stopped.",
            )

    def _pause(self) -> None:
        if self.contract.read.pause_ms:
            self.client.sleep(self.contract.read.pause_ms / 1000)

    def _drifted(self, what: str, key: str) -> NoReturn:
        raise SchemaDriftError(
            what,
            next_step="ask the system's operator what changed, or name the right place under `fields` in the contract. "
            "Nothing was loaded.",
            source=self.contract.source_id,
            load=self.client.load,
            key=key,
        )
