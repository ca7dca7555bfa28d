"""VNPT iGate 2 on its bench: the simulated server behind a tap that can show its items otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from lienthong.connections import Connection
from simulator.defects import Defect
from simulator.igate import FaultKind, IgateServer, IgateSwitches
from simulator.igate.app import TOKEN_PATH
from simulator.igate.ids import dossier_id
from simulator.igate.instants import OFFSET_S
from simulator.plans import Plan
from tests.sources.conformance.bench import SECRET, SHIFT, Bench, Fact, Habit, Passage, Truth, Verdict
from tests.sources.conformance.http_tap import HttpTap
from tests.sources.conformance.simulated import (
    a_day,
    at_rest,
    by_fact,
    imported_with_an_old_date,
    sound_world,
    truth_of,
)
from tests.world import igate_connection

TENANT = "H21"
_SIZE = re.compile(r"[?&]size=(\d+)")


class IgateBench(Bench):
    """Gia Lai's iGate. `switches`: its habits; `http`: what the contract says about them."""

    name = "igate"
    switches: ClassVar[IgateSwitches] = IgateSwitches()
    http: ClassVar[Mapping[str, Any]] = {}
    profile = "igate"
    source_id = "igate_h21"
    texts = ("applicant_name", "abstract", "agency_name")
    new_key = "dossier.soNhaMoi"
    habits: ClassVar[Mapping[Fact, Habit]] = {
        Fact.OLD: Habit(Verdict.LATER, "the list is read newest first down to the overlap: older dates lie below it"),
    }
    _paths: ClassVar[Mapping[str, str]] = {
        "applicant_name": "applicant.data.ownerFullname",
        "abstract": "applicant.data.noidungyeucaugiaiquyet",
        "agency_name": "agency.name",
        "status": "dossierStatus.id",
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.world = sound_world(TENANT)
        self.server = IgateServer(self.world, TENANT, switches=self.switches)
        self.tap: HttpTap = HttpTap(self.server.url)
        self.tap.rewrites.append(self._rewritten)
        self.gone: set[int] = set()
        self.busy: set[int] = set()
        self._edits: dict[str, dict[str, Any]] = {}
        self._writes = 0
        self._drifted: Fact | None = None
        self._ahead: timedelta | None = None

    def __enter__(self) -> IgateBench:
        self.server.__enter__()
        self.tap.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.tap.__exit__()
        self.server.__exit__(None, None, None)

    def hasty(self) -> dict[str, dict[str, Any]]:
        return {"http": {"attempts": 2, "backoff_ms": 1, "longest_wait_s": 0.05, "smallest_page": 8, **self.http}}

    @property
    def connection(self) -> Connection:
        straight = igate_connection("src_igate_h21", self.server)
        extra = {**straight.extra, "token_url": f"{self.tap.url}{TOKEN_PATH}"}
        return replace(straight, host="127.0.0.1", port=self.tap.port, extra=extra)

    @property
    def wrong_connection(self) -> Connection:
        return replace(self.connection, password=SECRET)

    def true(self) -> Truth:
        plans = [plan for plan in self.world.plans[TENANT] if plan.dossier_id not in self.gone]
        return truth_of(
            self.world, plans, lambda plan: _key(plan.dossier_id), numbered_early=True, results_removable=False
        )

    def is_page(self, passage: Passage) -> bool:
        return "/pa/dossier/search" in passage.what and "&code=" not in passage.what

    def page_size(self, passage: Passage) -> int:
        found = _SIZE.search(passage.what)
        return int(found.group(1)) if found else 10**9

    # What happens ------------------------------------------------------------------------------------------------

    def day(self) -> Mapping[Fact, Sequence[str]]:
        with self.server.store.lock:
            changes = a_day(self.world, TENANT)
            self.busy |= {change.dossier_id for change in changes}
            self.server.store.refresh(self.busy)
        return by_fact(changes, _key)

    def change(self) -> str:
        self._writes += 1
        return self.write("abstract", f"Nội dung sửa lần {self._writes}")

    def import_old(self) -> str:
        with self.server.store.lock:
            plan = imported_with_an_old_date(self.world, TENANT)
            self.busy.add(plan.dossier_id)
            self.server.store.refresh([plan.dossier_id])
        return _key(plan.dossier_id)

    def bin(self) -> str:
        plan = at_rest(self.world, TENANT, self.busy)
        plan.defect = Defect.ORPHAN_CHILD  # an iGate shows it under a status of its own
        self._touch(plan)
        self.said[_key(plan.dossier_id)] = {"status": None, "status_raw": "18"}
        return _key(plan.dossier_id)

    def remove(self) -> str:
        plan = at_rest(self.world, TENANT, self.busy)
        self._remove([plan.dossier_id])
        return _key(plan.dossier_id)

    def remove_most(self) -> None:
        self._remove(self.server.store.newest_first()[:-2])

    def remove_all(self) -> None:
        self._remove(self.server.store.newest_first())

    def write(self, field: str, text: str) -> str:
        plan = at_rest(self.world, TENANT, self.busy)
        key = _key(plan.dossier_id)
        self._edits[key] = {self._paths[field]: text}
        self._touch(plan)
        return self.note(key, field, text)

    def drift(self, fact: Fact) -> None:
        self._drifted = fact
        for number in reversed(self.server.store.newest_first()):  # a new release shows all of them in its own way
            self._touch(self.world.plan(TENANT, number))

    def undo_drift(self) -> None:
        self._drifted = None

    def turn_clock(self, ahead: timedelta) -> None:
        self._ahead = ahead
        self.tap.clock_ahead = ahead

    def repeat_page(self, *, for_good: bool) -> None:
        self.tap.when(
            self.is_page, 2, lambda: self.server.fail_next("search", FaultKind.PAGE_REPEAT, 10**3 if for_good else 1)
        )

    def end_session(self) -> None:
        self.server.igate.refuse_tokens()

    def shift_page(self) -> None:
        self.tap.when(self.is_page, 2, lambda: self._remove(self.server.store.newest_first()[:SHIFT]))

    # At the server -------------------------------------------------------------------------------------------------

    def _touch(self, plan: Plan) -> None:
        store = self.server.store
        if self._ahead is None:
            store.touch(plan.dossier_id)
            return
        with store.lock:
            moment = datetime.now(UTC) + self._ahead
            store._touches[plan.dossier_id] = int(moment.timestamp()) + OFFSET_S
            store.refresh((plan.dossier_id,))

    def _remove(self, numbers: Sequence[int]) -> None:
        store = self.server.store
        self.gone |= set(numbers)
        with store.lock:
            store._order = [(moment, number) for moment, number in store._order if number not in self.gone]
            store.version += 1

    def _rewritten(self, passage: Passage, body: Any) -> Any:
        if self.is_page(passage):
            for item in body.get("content", ()):
                self._rewrite(item)
        elif isinstance(body, dict) and "dossierStatus" in body:
            self._rewrite(body)
        return body

    def _rewrite(self, item: dict[str, Any]) -> None:
        for path, value in self._edits.get(str(item.get("id")), {}).items():
            *above, last = path.split(".")
            place = item
            for name in above:
                place = place[name]
            place[last] = value
        if self._drifted is Fact.NEW_KEY:
            item["soNhaMoi"] = "12A"
        elif self._drifted is Fact.RENAMED_KEY:
            item["trangThai"] = item.pop("dossierStatus")
        elif self._drifted is Fact.LOST_KEY:
            item.pop("agency")


class IgateByNewestTask(IgateBench):
    """As public clients show it: the list is sorted by a date that it doesn't show."""

    name = "igate by newest step"
    switches = IgateSwitches(shows_updated_date=False)
    http: ClassVar[Mapping[str, Any]] = {"changes": "newest_task"}


def _key(number: int) -> str:
    return dossier_id(TENANT, number)


@contextmanager
def on_http(request: pytest.FixtureRequest, folder: Path) -> Iterator[Bench]:
    with IgateBench(folder) as bench:
        yield bench


@contextmanager
def by_newest_task(request: pytest.FixtureRequest, folder: Path) -> Iterator[Bench]:
    with IgateByNewestTask(folder) as bench:
        yield bench
