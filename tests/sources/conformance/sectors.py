"""Ministries' systems on their bench: asked by spans of days of reception, without pages, children or modifications."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from lienthong.connections import Connection
from lienthong.model.kinds import ENTITIES
from lienthong.model.periods import BUSINESS_ZONE
from simulator import sectors
from simulator.bgtvt import BgtvtServer
from simulator.defects import NO_DEFECTS
from simulator.gplx import GplxServer
from simulator.plans import Plan
from simulator.sectors import SECTORS
from simulator.steps import Step
from simulator.workdays import DAY, HOUR
from simulator.world import World
from tests.sources.conformance.bench import SECRET, Bench, Fact, Habit, Passage, Truth, Verdict
from tests.sources.conformance.http_tap import HttpTap
from tests.sources.conformance.simulated import MONTH, SEED, _fields

#: Of the province, so that the ministry holds a seventh of it.
SIZE = 260
_NO_CHILDREN = "the list has dossiers only: no steps, papers or fees"
_NO_BIN = "the list has no word for deleted dossiers: they are gone from it"
_SPANS = "days are asked for, not pages: there is no number that could repeat or shift"


class SpanBench(Bench):
    """`lost`: the key that drift takes away."""

    #: How many days behind the newest an incremental load reads again: few enough that losing them is no collapse.
    reach: ClassVar[int] = 40
    path: ClassVar[str]
    key_name: ClassVar[str]
    lost: ClassVar[str]
    paths: ClassVar[Mapping[str, str]]
    #: How much later than the newest a new dossier comes in, so that its date differs.
    stride: ClassVar[int] = HOUR
    habits: ClassVar[Mapping[Fact, Habit]] = {
        Fact.OLD: Habit(Verdict.LATER, "asked by the day of reception: days before the overlap wait for a full load"),
        Fact.CHILD_CHANGED: Habit(Verdict.IMPOSSIBLE, _NO_CHILDREN),
        Fact.TOUCHED: Habit(Verdict.IMPOSSIBLE, "the list has no date of modification that a touch could move"),
        Fact.BINNED: Habit(Verdict.IMPOSSIBLE, _NO_BIN),
        Fact.REPEATED: Habit(Verdict.IMPOSSIBLE, _SPANS),
        Fact.SHIFTED: Habit(Verdict.IMPOSSIBLE, _SPANS),
        Fact.PAGES: Habit(Verdict.IMPOSSIBLE, "the service returns all dossiers of the days that it is asked for"),
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.world = World.generate(
            SEED, SIZE, MONTH, provinces=("H17",), rates=NO_DEFECTS, held=(self.source_id,)
        )  # fmt: skip
        self.sector = SECTORS[self.source_id]
        self.server = self.make_server()
        self.tap: HttpTap = HttpTap(self.server.url)
        self.tap.rewrites.append(self._rewritten)
        self.busy: set[str] = set()
        self._edits: dict[str, dict[str, str]] = {}
        self._drifted: Fact | None = None
        self._ahead: timedelta | None = None

    def make_server(self) -> BgtvtServer | GplxServer:
        raise NotImplementedError

    def __enter__(self) -> SpanBench:
        self.server.__enter__()
        self.tap.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.tap.__exit__()
        self.server.__exit__(None, None, None)

    def hasty(self) -> dict[str, dict[str, Any]]:
        return {
            "http": {"attempts": 2, "backoff_ms": 1, "longest_wait_s": 0.05},
            "read": {"page_rows": self.page_rows, "since": "2026-07-20"},
        }

    @property
    def connection(self) -> Connection:
        told = self.server.service()
        conn_id = str(self.document()["connection"])
        return Connection(
            conn_id, "http", "127.0.0.1", self.tap.port, told["username"], told["password"], "http", told["extra"]
        )

    @property
    def wrong_connection(self) -> Connection:
        return replace(self.connection, password=SECRET.encode("ascii", "ignore").decode())

    @property
    def plans(self) -> list[Plan]:
        return self.world.held[self.source_id]

    def true(self) -> Truth:
        found: Truth = {"dossier": {}}
        for plan in self.plans:
            told = sectors.entry(self.world, self.sector, plan).truth
            names = {field.name: field.wire for field in ENTITIES["dossier"].fields if field.wire in told}
            found["dossier"][plan.code or ""] = _fields("dossier", told, names)  # type: ignore[arg-type]
        return found

    def is_page(self, passage: Passage) -> bool:
        return self.path in passage.what

    def page_size(self, passage: Passage) -> int:
        return 10**9

    # What happens ------------------------------------------------------------------------------------------------

    def day(self) -> Mapping[Fact, Sequence[str]]:
        now = max(plan.received for plan in self.plans) + self.stride
        added = [self._arrive(now), self._arrive(now + 60)]
        return {
            Fact.ADDED: added,
            Fact.LATE: [self._arrive(now - 7 * HOUR)],
            Fact.CHANGED: [self._step()],
        }

    def change(self) -> str:
        return self.write(self.texts[0], f"Nguyễn Văn Sửa {len(self._edits)}")

    def happen_now(self) -> str:
        local = (datetime.now(BUSINESS_ZONE) + (self._ahead or timedelta())).replace(tzinfo=None)
        return self._arrive(int((local - datetime(1970, 1, 1)).total_seconds()))

    def import_old(self) -> str:
        return self._arrive(min(plan.received for plan in self.plans) + 60)

    def bin(self) -> str:
        raise NotImplementedError

    def remove(self) -> str:
        plan = self._resting()
        self.plans.remove(plan)
        return plan.code or ""

    def remove_most(self) -> None:
        self.plans[:] = [max(self.plans, key=lambda plan: plan.received)]

    def remove_all(self) -> None:
        self.plans.clear()

    def write(self, field: str, text: str) -> str:
        key = self._resting().code or ""
        self._edits[key] = {self.paths[field]: text}
        return self.note(key, field, text)

    def drift(self, fact: Fact) -> None:
        self._drifted = fact

    def undo_drift(self) -> None:
        self._drifted = None

    def turn_clock(self, ahead: timedelta) -> None:
        self._ahead = ahead
        self.tap.clock_ahead = ahead

    # In the service ------------------------------------------------------------------------------------------------

    def _arrive(self, at: int) -> str:
        with self.server.desk.lock:
            sectors.advance(self.world, self.source_id, SEED, 1)
            plan = self.plans[-1]
            moved = at - plan.received
            plan.submitted = plan.received = plan.modified = at
            plan.due, plan.events = plan.due + moved, (Step.RECEIVED.value, at)
            self.busy.add(plan.code or "")
        return plan.code or ""

    def _step(self) -> str:
        """A dossier ends, as it does there."""
        plan = self._resting(lambda one: one.last_step in (Step.RECEIVED, Step.PROCESSING))
        plan.events = (*plan.events, Step.FINISHED.value, plan.last_at + HOUR)
        return plan.code or ""

    def _resting(self, suits: Callable[[Plan], bool] = lambda plan: True) -> Plan:
        """The oldest dossier in reach of an incremental load to which nothing happened yet; it is busy now."""
        first = max(plan.received for plan in self.plans) - (self.reach - 1) * DAY
        free = [p for p in self.plans if p.code not in self.busy and p.received > first and suits(p)]
        plan = min(free, key=lambda one: (one.received, one.dossier_id))
        self.busy.add(plan.code or "")
        return plan

    def _rewritten(self, passage: Passage, body: Any) -> Any:
        for row in body.get("data", ()) if isinstance(body, dict) else ():
            row.update(self._edits.get(str(row[self.key_name]), {}))
            if self._drifted is Fact.NEW_KEY:
                row["soNhaMoi"] = "12A"
            elif self._drifted is Fact.RENAMED_KEY:
                row["tenKhac"] = row.pop(self.lost)
            elif self._drifted is Fact.LOST_KEY:
                del row[self.lost]
        return body


class BgtvtBench(SpanBench):
    name = "bgtvt"
    profile = "bgtvt"
    source_id = "bgtvt_h17"
    reach, overlap = 40, "40d"
    path, key_name, lost = "/apiGTVT/danhsachhoso", "MaHoSo", "TrangThaiHoSo"
    texts = ("applicant_name", "agency_name")
    new_key = "dossier.soNhaMoi"
    paths: ClassVar[Mapping[str, str]] = {
        "applicant_name": "ChuHoSo",
        "agency_name": "DonViXuLy",
        "status": "TrangThaiHoSo",
    }
    habits: ClassVar[Mapping[Fact, Habit]] = {
        **SpanBench.habits,
        Fact.EXPIRED: Habit(Verdict.IMPOSSIBLE, "there is no log-in: every request carries the same key"),
    }

    def make_server(self) -> BgtvtServer:
        return BgtvtServer(self.world)


class GplxBench(SpanBench):
    name = "gplx"
    profile = "gplx"
    source_id = "gplx_h17"
    path, key_name, lost = "/mapi/g ", "maHoSo", "gplxDaCap"
    texts = ("applicant_name", "reference_code")
    new_key = "dossier.soNhaMoi"
    page_rows = 40
    stride = DAY
    reach, overlap = 33, "33d"
    paths: ClassVar[Mapping[str, str]] = {"applicant_name": "hoTen", "reference_code": "maDangKyDvc"}
    habits: ClassVar[Mapping[Fact, Habit]] = {
        **SpanBench.habits,
        Fact.UNKNOWN_CODE: Habit(Verdict.IMPOSSIBLE, "the register has no words: a licence was issued, or it was not"),
    }

    def make_server(self) -> GplxServer:
        return GplxServer(self.world)

    def end_session(self) -> None:
        assert isinstance(self.server, GplxServer)
        self.server._register._sessions.clear()


def standing(bench: type[SpanBench]) -> Callable[[pytest.FixtureRequest, Path], Any]:
    @contextmanager
    def put_up(request: pytest.FixtureRequest, folder: Path) -> Iterator[Bench]:
        with bench(folder) as made:
            yield made

    return put_up
