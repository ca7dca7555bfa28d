"""One read of an iGate: its lists, their tops again, and the papers; continued from where an earlier try stopped."""

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
from lienthong.sources.igate.dating import NEVER, Item
from lienthong.sources.igate.guard import AHEAD
from lienthong.sources.igate.lists import Lists
from lienthong.sources.igate.mapping import DOSSIER, FEE, PAPER, STRUCTURAL, TASK, TASKS
from lienthong.sources.igate.papers import Children, children_table
from lienthong.sources.igate.plan import Plan
from lienthong.sources.igate.reuse import Reused, reused, take_over
from lienthong.sources.igate.spool import ITEMS, Survivors, pieces, rows_of, survivors
from lienthong.sources.profile import Progress

#: Dossiers whose papers are written down together.
DOSSIERS_PER_PIECE = 100


@dataclass
class Read:
    """One read, as far as it got; continued from the checkpoint's note."""

    contract: SourceContract
    client: IgateClient
    checkpoint: Checkpoint
    plan: Plan
    progress: Progress
    now: Callable[[], datetime]
    waiting: list[Item] = field(default_factory=list)

    def __post_init__(self) -> None:
        note = self.checkpoint.note
        self.audit = Audit(self.contract, note.get("audit"))
        self.began_at = datetime.fromisoformat(note["began_at"]) if note else self.now()
        clock = note.get("source_clock")
        self.source_clock = datetime.fromisoformat(clock) if clock else None
        ahead = note.get("clock_ahead_s")
        self.clock_ahead = timedelta(seconds=ahead) if ahead is not None else None
        #: The try that read the oldest of what is there.
        self.began_fence: int = note.get("began_fence", 1) if note else self.checkpoint.fence
        #: Dossiers whose papers and fees have been read: pieces of items, and dossiers of the next one.
        self.asked: tuple[int, int] = (note["asked"][0], note["asked"][1]) if note else (0, 0)
        self.gone: list[str] = list(note.get("gone", ()))
        #: Whether it is settled whose papers are taken from an earlier batch; not reopened once some were asked for.
        self.taken_over: bool = note.get("taken_over", self.asked != (0, 0))
        self.known = Reused()
        self.to_ask = 0
        self.papers = 0
        self.read_rows: int = note.get("read_rows", 0)
        #: Restarts at nothing: the next try is to read the lists from their beginning.
        self.forgotten = False
        self.lists = Lists(self, note.get("lists"))

    @property
    def latest_clock(self) -> datetime | None:
        """The server's clock, but hardly ahead of ours: a watermark that is would make later changes look old."""
        if self.source_clock is None or self.clock_ahead is None:
            return self.source_clock
        return self.source_clock - max(self.clock_ahead - AHEAD, timedelta())

    def list_dossiers(self) -> None:
        """Every list that is wanted, down to where nothing more is wanted of it."""
        try:
            self.lists.read()
        except SchemaDriftError:  # what can't be understood was not taken in, though the walk has passed it
            raise
        except Exception:
            self._save_if_possible()
            raise

    def judge(self) -> Survivors:
        """Which of the rows read are the last word on their dossier. SchemaDriftError when the list is another one."""
        missing = self.audit.never_met(DOSSIER, STRUCTURAL) if self.read_rows else []
        if missing:
            self.forget()  # what was read of another list is of no use to the next try
            self.drifted(f"No dossier of the list has {', '.join(missing)}.", missing[0])
        return self.lists.wanted(survivors(self.checkpoint))

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
                take_over(self.checkpoint, found, earlier, self.lists.touched())
            self.taken_over = True
            self.save()
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

    def take(self, items: list[Item]) -> None:
        """Look at items as they come and keep those that are wanted."""
        for item in items:
            self.audit.look(DOSSIER, item.data)
            tasks = item.data.get(TASKS)
            for task in tasks if isinstance(tasks, list) else ():
                if isinstance(task, dict):
                    self.audit.look(TASK, task)
        self.waiting += self.lists.kept(items)
        self.read_rows += len(items)
        self.progress(DOSSIER, self.read_rows)

    def note_clock(self) -> None:
        """Remember what time the server had when reading began."""
        if self.source_clock is None:
            self.source_clock, self.clock_ahead = self.client.clock, self.client.clock_ahead

    def flush(self) -> None:
        """Write down what was read. Counts from the next `save` on."""
        if self.waiting:
            self.checkpoint.add(ITEMS, rows_of(self.waiting))
            self.waiting = []

    def save(self) -> None:
        """Write down what was read and where we stand, together."""
        self.flush()
        self.checkpoint.save(
            {
                "lists": self.lists.to_json(),
                "audit": self.audit.state,
                "began_at": self.began_at.isoformat(),
                "source_clock": self.source_clock.isoformat() if self.source_clock else None,
                "clock_ahead_s": self.clock_ahead.total_seconds() if self.clock_ahead is not None else None,
                "began_fence": self.began_fence,
                "asked": self.asked,
                "gone": self.gone,
                "taken_over": self.taken_over,
                "read_rows": self.read_rows,
            }
        )

    def forget(self) -> None:
        """The next try reads the lists from their beginning."""
        self.checkpoint.restart()
        self.forgotten = True

    def respect_hours(self) -> None:
        """NotReadyError outside the hours in which the contract lets the source be read."""
        hours = self.contract.read.hours
        if hours and not hours.contains(self.now().astimezone(self.contract.zone).time()):
            raise NotReadyError(
                f"The source may be read from {hours.start:%H:%M} to {hours.end:%H:%M} only.",
                source=self.contract.source_id,
                load=self.client.load,
                next_step="nothing: a later try of this load goes on where it stopped.",
            )

    def drifted(self, what: str, key: str, next_step: str | None = None) -> NoReturn:
        """The list is not what the contract takes it for."""
        usual = "ask the system's operator what changed, or name the right place under `fields` in the contract."
        raise SchemaDriftError(
            what,
            next_step=f"{next_step or usual} Nothing was loaded.",
            source=self.contract.source_id,
            load=self.client.load,
            key=key,
        )

    def undated(self, item: Item) -> None:
        """SchemaDriftError for a date of the list that is none."""
        if item.order == NEVER and item.key.version:
            self.drifted(f"{self.client.dating.path} of the list is not a date that we can read.", item.key.dossier_id)

    def _ask_again(self, found: Survivors) -> None:
        children = Children(self.client, self.contract, self.audit)
        gone = pa.array(self.gone, pa.string())
        for piece in pieces(self.checkpoint, found.kept):
            lost = piece.filter(pc.is_in(piece["id"], gone))
            for start in range(0, lost.num_rows, DOSSIERS_PER_PIECE):
                self._ask(children, lost.slice(start, DOSSIERS_PER_PIECE), self.asked)

    def _ask(self, children: Children, part: pa.Table, asked: tuple[int, int]) -> None:
        """Papers and fees of some dossiers, written down together with who of them is gone."""
        self.respect_hours()
        before = len(children.gone)
        papers, fees = children.read([from_json(str(text)) for text in part["item"].to_pylist()])
        self.checkpoint.add(PAPER, children_table(papers))
        self.checkpoint.add(FEE, children_table(fees))
        self.asked = asked
        answered = set(part["id"].to_pylist())
        self.gone = [key for key in self.gone if key not in answered] + children.gone[before:]
        self.save()
        children.refuse_too_many_gone(self.to_ask, self.known.gone, sorted(self.known.dossiers))
        self.papers += len(papers)
        self.progress(PAPER, self.papers)
        self.client.pause()

    def _save_if_possible(self) -> None:
        if not self.forgotten:
            with suppress(OSError, DiskFullError):  # a full disk, or another copy took over: the last note stands
                self.save()
