"""What handles dossiers outside a province's own system, on its bench: two ministries' systems, and a unit's files."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import pytest

from lienthong.connections import Connection
from lienthong.model.kinds import ENTITIES
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.sources.kit.files import Folder
from simulator import sectors
from simulator.bgtvt import BgtvtServer
from simulator.defects import NO_DEFECTS
from simulator.gplx import GplxServer
from simulator.lives import Calendar
from simulator.plans import Plan
from simulator.sheets import SheetDrop
from simulator.sheets.drop import content
from simulator.sheets.rows import HEADS
from simulator.steps import Step
from simulator.workdays import DAY, HOUR
from simulator.world import World
from tests.sources.conformance.bench import SECRET, Bench, Fact, Habit, Matches, Passage, Truth, Verdict
from tests.sources.conformance.hooks import Hooks
from tests.sources.conformance.http_tap import HttpTap
from tests.sources.conformance.simulated import fields_of

SEED, MONTH, HELD = 5, "2026-10", 36
_NO_CHILDREN = "the system tells of dossiers only, nothing of their steps and papers"
_BY_RECEPTION = "asked by the day of reception: no row says when it was modified, the overlap reads weeks again"
_SPANS = "a span of days comes in one answer: there are no pages that could repeat or shift"


class SectorBench(Bench):
    """Dossiers of one holder; keyed by MaHoSo."""

    province: ClassVar[str]
    #: Field → key of the row in which it stands.
    columns: ClassVar[Mapping[str, str]]
    reach: ClassVar[int] = 55 * DAY
    habits: ClassVar[Mapping[Fact, Habit]] = {
        Fact.CHILD_CHANGED: Habit(Verdict.IMPOSSIBLE, _NO_CHILDREN),
        Fact.TOUCHED: Habit(Verdict.IMPOSSIBLE, _BY_RECEPTION),
        Fact.OLD: Habit(Verdict.LATER, _BY_RECEPTION),
        Fact.BINNED: Habit(Verdict.IMPOSSIBLE, "the system shows no bin: what is deleted is gone"),
        Fact.REPEATED: Habit(Verdict.IMPOSSIBLE, _SPANS),
        Fact.SHIFTED: Habit(Verdict.IMPOSSIBLE, _SPANS),
        Fact.PAGES: Habit(Verdict.IMPOSSIBLE, "what is asked for is bounded by days, not by rows"),
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        share = sectors.SECTORS[self.source_id].share
        self.world = World.generate(
            SEED, int(HELD / share) + 1, MONTH, provinces=(self.province,), rates=NO_DEFECTS, held=(self.source_id,)
        )
        self.sector = sectors.SECTORS[self.source_id]
        self.lives = sectors.lives_of(self.world, self.sector, Calendar.of(MONTH))
        self.rng = Random(SEED)
        self.gone: set[int] = set()
        self.busy: set[int] = set()
        self._edits: dict[str, dict[str, str]] = {}
        self._drifted: Fact | None = None
        self._ahead: timedelta | None = None

    @property
    def plans(self) -> list[Plan]:
        return self.world.held[self.source_id]

    def true(self) -> Truth:
        found: Truth = {"dossier": {}}
        for plan in self.plans:
            truth = sectors.entry(self.world, self.sector, plan).truth
            names = {field.name: field.wire for field in ENTITIES["dossier"].fields if field.wire in truth}
            found["dossier"][str(plan.code)] = fields_of("dossier", truth, names)
        return found

    def changed(self) -> None:
        """Whatever changed is to be seen from outside."""

    # What happens ------------------------------------------------------------------------------------------------

    def day(self) -> Mapping[Fact, Sequence[str]]:
        now = self.now()
        happened = {
            Fact.ADDED: [self._arrive(now), self._arrive(now + 60)],
            Fact.LATE: [self._arrive(now - 6 * HOUR)],
            Fact.CHANGED: [self._finish(now)],
        }
        self.changed()
        return happened

    def change(self) -> str:
        return self.write(self.texts[0], f"Người nộp lần {len(self._edits)}")

    def happen_now(self) -> str:
        key = self._arrive(self.now())
        self.changed()
        return key

    def import_old(self) -> str:
        key = self._arrive(min(plan.received for plan in self.plans) + HOUR)
        self.changed()
        return key

    def bin(self) -> str:
        raise NotImplementedError

    def remove(self) -> str:
        plan = self.resting()
        self.plans.remove(plan)
        self.changed()
        return str(plan.code)

    def restore(self) -> None:
        self.plans[:] = self._kept
        self.changed()

    def remove_most(self) -> None:
        self._kept = list(self.plans)
        self.plans[:] = sorted(self.plans, key=lambda plan: plan.received)[-1:]
        self.changed()

    def remove_all(self) -> None:
        self._kept = list(self.plans)
        self.plans.clear()
        self.changed()

    def write(self, field: str, text: str) -> str:
        key = str(self.resting().code)
        self._edits[key] = {self.columns[field]: text}
        self.changed()
        return self.note(key, field, text)

    def drift(self, fact: Fact) -> None:
        self._drifted = fact
        self.changed()

    def undo_drift(self) -> None:
        self._drifted = None
        self.changed()

    # At the holder -------------------------------------------------------------------------------------------------

    def now(self) -> int:
        """The holder's time as a local instant: after all there is, or by its turned clock."""
        if self._ahead is not None:
            local = (datetime.now(BUSINESS_ZONE) + self._ahead).replace(tzinfo=None)
            return int((local - datetime(1970, 1, 1)).total_seconds())
        return max(max(plan.received for plan in self.plans), self.world.clocks[self.source_id]) + 60

    def resting(self, wanted: Callable[[Plan], bool] = lambda plan: True) -> Plan:
        """A dossier to which nothing happened yet, and that an incremental load can still see; it is busy now."""
        newest = max(plan.received for plan in self.plans)
        free = [
            plan
            for plan in self.plans
            if plan.dossier_id not in self.busy and plan.received > newest - self.reach and wanted(plan)
        ]
        plan = min(free, key=lambda one: (one.received, one.dossier_id))
        self.busy.add(plan.dossier_id)
        return plan

    def _arrive(self, at: int) -> str:
        plan = self.lives.draw(self.rng, max(plan.dossier_id for plan in self.plans) + 1)
        plan.channel, plan.submitted, plan.received, plan.modified = 1, at, at, at
        plan.events = (Step.RECEIVED.value, at)
        plan.due = self.lives.calendar.days.due(at, self.world.catalogue.procedures[plan.procedure].term_days)
        plan.extended = plan.pay = plan.paid = plan.touched = 0
        plan.added = ()
        self.world.give_code(plan)
        self.plans.append(plan)
        self.busy.add(plan.dossier_id)
        return str(plan.code)

    def _finish(self, at: int) -> str:
        plan = self.resting(lambda one: not one.closed and not one.moment_of(Step.FINISHED))
        plan.events = (*plan.events, Step.FINISHED.value, at)
        return str(plan.code)


class MinistryBench(SectorBench):
    """A ministry's system over HTTP."""

    province = "H17"
    key_name: ClassVar[str]
    path: ClassVar[str]
    lost: ClassVar[str]
    new_key = "dossier.soNhaMoi"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.server = self.make_server()
        self.tap: HttpTap = HttpTap(self.server.url)
        self.tap.rewrites.append(self._rewritten)

    @abstractmethod
    def make_server(self) -> Any: ...

    def __enter__(self) -> MinistryBench:
        self.server.__enter__()
        self.tap.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.tap.__exit__()
        self.server.__exit__(None, None, None)

    def hasty(self) -> dict[str, dict[str, Any]]:
        quick = {"attempts": 2, "backoff_ms": 1, "longest_wait_s": 0.05}
        return {"http": quick, "read": {"since": "2026-07-01", "page_rows": self.page_rows}}

    @property
    def connection(self) -> Connection:
        told = self.server.service()
        conn_id = str(self.document()["connection"])
        return Connection(
            conn_id, "http", "127.0.0.1", self.tap.port, told["username"], told["password"], "http", told["extra"]
        )

    @property
    def wrong_connection(self) -> Connection:
        return replace(self.connection, password=SECRET)

    def is_page(self, passage: Passage) -> bool:
        return self.path in passage.what

    def page_size(self, passage: Passage) -> int:
        return 0

    def turn_clock(self, ahead: timedelta) -> None:
        self._ahead = ahead
        self.tap.clock_ahead = ahead

    def _rewritten(self, passage: Passage, body: Any) -> Any:
        if not self.is_page(passage) or not isinstance(body, dict):
            return body
        for row in body.get("data") or ():
            row.update(self._edits.get(row[self.key_name], {}))
            if self._drifted is Fact.NEW_KEY:
                row["soNhaMoi"] = "12A"
            elif self._drifted is Fact.RENAMED_KEY:
                row["tenKhac"] = row.pop(self.lost)
            elif self._drifted is Fact.LOST_KEY:
                del row[self.lost]
        return body


class BgtvtBench(MinistryBench):
    name = "bgtvt"
    profile = "bgtvt"
    source_id = "bgtvt_h17"
    texts = ("applicant_name", "agency_name")
    columns: ClassVar[Mapping[str, str]] = {
        "applicant_name": "ChuHoSo",
        "agency_name": "DonViXuLy",
        "status": "TrangThaiHoSo",
    }
    key_name, path, lost = "MaHoSo", "/danhsachhoso?", "TrangThaiHoSo"
    habits: ClassVar[Mapping[Fact, Habit]] = {
        **SectorBench.habits,
        Fact.EXPIRED: Habit(Verdict.IMPOSSIBLE, "there is no log-in: a key stands in every request"),
    }

    def make_server(self) -> Any:
        return BgtvtServer(self.world)


class GplxBench(MinistryBench):
    name = "gplx"
    profile = "gplx"
    source_id = "gplx_h17"
    texts = ("applicant_name",)
    columns: ClassVar[Mapping[str, str]] = {"applicant_name": "hoTen"}
    key_name, path, lost = "maHoSo", "/mapi/g ", "gplxDaCap"
    habits: ClassVar[Mapping[Fact, Habit]] = {
        **SectorBench.habits,
        Fact.UNKNOWN_CODE: Habit(Verdict.IMPOSSIBLE, "the register has no words: a licence was issued, or not yet"),
    }

    def make_server(self) -> Any:
        return GplxServer(self.world)

    def end_session(self) -> None:
        self.server._register._sessions.clear()


class FolderTap(Hooks):
    """Nothing stands between us and a folder: files in it are spoiled instead."""

    def __init__(self, bench: SheetBench) -> None:
        super().__init__()
        self._bench = bench

    def cut(self, matches: Matches) -> None:
        super().cut(matches)
        self._bench.spoil = lambda made: made[: len(made) // 2]
        self._bench.changed()

    def garble(self, matches: Matches) -> None:
        self._bench.spoil = lambda made: b"<!DOCTYPE html><html><body>Bao tri</body></html>"
        self._bench.changed()

    def heal(self) -> None:
        super().heal()
        self._bench.spoil = None
        self._bench.changed()


_ONE_FILE = "the list is one file that is read in one piece"


class SheetBench(SectorBench):
    """A unit that drops its whole list as a workbook."""

    name = "sheet, XLSX"
    profile = "sheet"
    source_id = "sheet_h21"
    province = "H21"
    file = "danh-sach.xlsx"
    reads_all = True
    texts = ("applicant_name", "abstract", "agency_name")
    new_key = "dossier.Số nhà mới"
    columns: ClassVar[Mapping[str, str]] = {
        "applicant_name": "Chủ hồ sơ",
        "abstract": "Trích yếu",
        "agency_name": "Đơn vị xử lý",
        "status": "Trạng thái",
    }
    habits: ClassVar[Mapping[Fact, Habit]] = {
        **{fact: habit for fact, habit in SectorBench.habits.items() if fact is not Fact.OLD},
        Fact.REPEATED: Habit(Verdict.IMPOSSIBLE, _ONE_FILE),
        Fact.SHIFTED: Habit(Verdict.IMPOSSIBLE, _ONE_FILE),
        Fact.MOVED: Habit(Verdict.IMPOSSIBLE, _ONE_FILE),
        Fact.PAGES: Habit(Verdict.IMPOSSIBLE, _ONE_FILE),
        Fact.PAUSES: Habit(Verdict.IMPOSSIBLE, _ONE_FILE),
        Fact.TOUCHED: Habit(Verdict.IMPOSSIBLE, "a list has no date of modification: all of it is compared each time"),
        Fact.EXPIRED: Habit(Verdict.IMPOSSIBLE, "a folder takes no log-in that could expire"),
        Fact.REFUSED: Habit(Verdict.IMPOSSIBLE, "a folder takes no password; rights on files are tested with the kit"),
        Fact.CLOCK_AHEAD: Habit(Verdict.IMPOSSIBLE, "a folder has no clock, and no date decides what is read"),
        Fact.CLOCK_BEHIND: Habit(Verdict.IMPOSSIBLE, "a folder has no clock, and no date decides what is read"),
        Fact.NUL: Habit(Verdict.IMPOSSIBLE, "the XML of a workbook can't hold one"),
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.drop = SheetDrop(self.world, (folder / "drop").as_uri())
        self.tap: FolderTap = FolderTap(self)
        self.spoil: Callable[[bytes], bytes] | None = None
        self.changed()

    def __enter__(self) -> SheetBench:
        self._patience = Folder.settled.__defaults__
        Folder.settled.__defaults__ = (0.0,)  # nobody writes here while we read
        return self

    def __exit__(self, *_: object) -> None:
        Folder.settled.__defaults__ = self._patience

    def changed(self) -> None:
        """Drop the list as it stands."""
        heads = list(HEADS)
        rows = [dict(zip(HEADS, cells, strict=True)) for cells in self.drop.rows()]
        for row in rows:
            row.update(self._edits.get(str(row["Mã hồ sơ"]), {}))
        if self._drifted is Fact.NEW_KEY:
            heads.append("Số nhà mới")
            for row in rows:
                row["Số nhà mới"] = "12A"
        shown = [[row[head] for head in heads] for row in rows]
        if self._drifted is Fact.LOST_KEY:
            place = heads.index("Trạng thái")
            shown, heads = [cells[:place] + cells[place + 1 :] for cells in shown], heads[:place] + heads[place + 1 :]
        elif self._drifted is Fact.RENAMED_KEY:
            heads[heads.index("Trạng thái")] = "Tình hình"
        made = content(self.file, shown, heads)
        self.drop.put(self.file, self.spoil(made) if self.spoil else made)

    @property
    def connection(self) -> Connection:
        return Connection(str(self.document()["connection"]), "fs", extra=self.drop.service())

    @property
    def wrong_connection(self) -> Connection:
        raise NotImplementedError

    @property
    def away_connection(self) -> Connection:
        return replace(self.connection, extra={"url": (self.folder / "unmounted").as_uri()})

    def is_page(self, passage: Passage) -> bool:
        return False

    def page_size(self, passage: Passage) -> int:
        return 0

    def turn_clock(self, ahead: timedelta) -> None:
        raise NotImplementedError


class CsvBench(SheetBench):
    """The same as CSV."""

    name = "sheet, CSV"
    file = "danh-sach.csv"
    habits: ClassVar[Mapping[Fact, Habit]] = {
        **SheetBench.habits,
        Fact.NUL: Habit(Verdict.STOPS, "a file with NUL is taken for another encoding than text, and refused whole"),
    }


def standing(bench: type[SectorBench]) -> Callable[..., Any]:
    """How such a bench is put up."""

    @contextmanager
    def make(request: pytest.FixtureRequest, folder: Path) -> Iterator[Bench]:
        with bench(folder) as made:
            yield made

    return make
