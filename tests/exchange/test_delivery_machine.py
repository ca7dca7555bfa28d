"""Any sequence of changes, pushes, faults, deaths, decisions and time: the delivery machine keeps its promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine

from lienthong.exchange.client import Answer, PortalClient
from lienthong.exchange.decisions import Action, Choice
from lienthong.exchange.payload import Wire
from lienthong.model.errors import LienThongError
from simulator.portal import FaultKind, PortalServer, PortalSwitches
from tests.exchange.conftest import empty
from tests.exchange.world import NOW, Province, code, settings_with

NUMBERS = st.integers(1, 3)
#: What is said twice is drawn more often: there most can go wrong.
FAULTS = st.sampled_from(
    [FaultKind.DROP_AFTER, FaultKind.DROP_AFTER, FaultKind.DROP_BEFORE, FaultKind.HTTP_500, FaultKind.HTML_PAGE,
     FaultKind.EXPIRE_SESSION, FaultKind.REFUSE]
)  # fmt: skip
SERVICES = st.sampled_from(["CapNhatTienDoHoSoMC", "CapNhatTienDoHoSoMC", "DongBoHoSoMC", "TraCuuHoSo"])
DEATHS = st.sampled_from(["before dossiers", "after dossiers", "before steps", "after steps"])


#: What becomes of steps that may have arrived.
WAYS_OUT = ("people", "people", "look_up", "ignore")


class Killed(BaseException):
    """Stands for kill -9."""


def dying(when: str) -> type[PortalClient]:
    """Clients under which the drain dies at its first call of that kind."""

    class Dying(PortalClient):
        def send_dossiers(self, payloads: Sequence[Wire], *, updating: bool) -> Answer:
            if when == "before dossiers":
                raise Killed
            answer = super().send_dossiers(payloads, updating=updating)
            if when == "after dossiers":
                raise Killed
            return answer

        def send_steps(self, payloads: Sequence[Wire]) -> Answer:
            if when == "before steps":
                raise Killed
            answer = super().send_steps(payloads)
            if when == "after steps":
                raise Killed
            return answer

    return Dying


class Machine(RuleBasedStateMachine):
    """One province and its portal. Versions of a dossier are told apart by their due date, which only grows."""

    engine: Engine
    portal: PortalServer

    @initialize(batch_size=st.sampled_from([1, 3]), mix=st.booleans(), way_out=st.sampled_from(WAYS_OUT))
    def begin(self, batch_size: int, mix: bool, way_out: str) -> None:
        empty(self.engine)
        self.portal.portal.reset()
        self.portal.switches = PortalSwitches(
            lookup_fields="full", lookup_shows_steps=way_out == "look_up", progress_dedup=way_out == "ignore"
        )
        self.province = Province(
            self.engine,
            self.portal,
            settings_with(
                batch_size=batch_size,
                mix_steps=mix,
                step_chunk=2,
                refusals_are_whole=mix,
                park_after=4,
                lookup_steps="DanhSachTienTrinh" if way_out == "look_up" else None,
                steps_sent_twice="ignore" if way_out == "ignore" else "double",
            ),
        )
        self.versions: Counter[int] = Counter()
        self.steps: Counter[int] = Counter()
        self.shown: dict[int, str] = {}
        self.parked: set[int] = set()
        for number in (1, 2, 3):
            self.change(number, 2)
        self.province.derive()

    @rule(number=NUMBERS, steps=st.integers(0, 2))
    def change(self, number: int, steps: int) -> None:
        self.versions[number] += 1
        self.steps[number] += steps
        due = NOW + timedelta(days=self.versions[number])
        self.province.believe(number, steps=self.steps[number], due_at=due)

    @rule()
    def derive(self) -> None:
        self.province.derive()

    @rule()
    def push(self) -> None:
        with suppress(LienThongError):
            self.province.push()

    @rule(number=NUMBERS, service=SERVICES, fault=FAULTS, times=st.integers(1, 3))
    def change_and_push_with_faults(self, number: int, service: str, fault: FaultKind, times: int) -> None:
        self.change(number, 1)
        self.portal.fail_next(service, fault, times)
        self.push()

    @rule(number=NUMBERS, when=DEATHS)
    def change_and_die(self, number: int, when: str) -> None:
        self.change(number, 1)
        self.province.derive()
        with suppress(Killed, LienThongError):
            self.province.drain(dying(when))

    @rule(minutes=st.sampled_from([2, 11, 130]))
    def wait(self, minutes: int) -> None:
        self.province.later(minutes * 60)

    @rule(number=NUMBERS)
    def park(self, number: int) -> None:
        if self.province.decide(Action.PARK, Choice((code(number),))).dossiers:
            self.parked.add(number)

    @rule(number=NUMBERS)
    def resume(self, number: int) -> None:
        self.province.decide(Action.RESUME, Choice((code(number),)))
        self.parked.discard(number)

    @rule()
    def settle(self) -> None:
        self.province.settle_by_truth()

    @rule()
    def look(self) -> None:
        self.province.decide(Action.LOOK, Choice())

    @invariant()
    def no_step_stands_twice_on_the_portal(self) -> None:
        for number in self.versions:
            told = [step.body["NoiDungXuLy"] for step in self.portal.store.steps(code(number))]
            assert len(told) == len(set(told))

    @invariant()
    def the_portal_never_goes_back_to_an_older_version(self) -> None:
        for number in self.versions:
            held = self.portal.store.dossier(code(number))
            if held is not None:
                assert held.body["NgayHenTra"] >= self.shown.get(number, "")
                self.shown[number] = held.body["NgayHenTra"]

    @invariant()
    def steps_never_reach_the_portal_before_their_dossier(self) -> None:
        for number in self.versions:
            if self.portal.store.dossier(code(number)) is None:
                assert self.portal.store.steps(code(number)) == []

    @invariant()
    def what_a_person_parked_stays_parked(self) -> None:
        for row in self._rows():
            assert (row.state == "parked") == (row.parked_at is not None)
            if int(row.dossier_code[-4:]) in self.parked:
                assert row.state == "parked"

    @invariant()
    def what_is_acknowledged_is_there(self) -> None:
        for row in self._rows():
            if row.state == "acknowledged":
                assert self.portal.store.dossier(row.dossier_code) is not None

    def teardown(self) -> None:
        """Peace: no faults, everything resumed and settled. Both sides come to say the same, then nothing is sent."""
        if not hasattr(self, "versions"):
            return
        self.portal.portal.forget_faults()
        for _ in range(4):
            self.province.decide(Action.RESUME, Choice())
            self.province.later()
            self.province.settle_by_truth()
            for number in self.versions:  # a refusal of the portal is corrected by a change
                if any(row.state == "rejected" and row.dossier_code == code(number) for row in self._rows()):
                    self.change(number, 0)
            self.push()
        assert {row.state for row in self._rows()} <= {"acknowledged"}
        for number, version in self.versions.items():
            held = self.portal.store.dossier(code(number))
            assert held is not None
            local = NOW + timedelta(days=version, hours=7)
            assert held.body["NgayHenTra"] == f"{local:%Y%m%d%H%M%S}"
            rejected = self._rejected_steps()
            told = self.portal.store.steps(code(number))
            assert len(told) + rejected[code(number)] == self.steps[number]
        assert self.province.push().calls == 0

    def _rows(self) -> list[Any]:
        with self.engine.begin() as connection:
            return list(connection.exec_driver_sql("SELECT * FROM exchange.delivery"))

    def _rejected_steps(self) -> Counter[str]:
        """Steps that the portal was told to refuse: they are not sent again until they change."""
        with self.engine.begin() as connection:
            rows = connection.exec_driver_sql(
                "SELECT x.dossier_code FROM exchange.step_delivery AS s JOIN exchange.delivery AS x"
                " USING (tenant, dossier_id) WHERE s.state = 'rejected'"
            )
            return Counter(row.dossier_code for row in rows)


def test_the_delivery_machine_keeps_its_promises(warehouse: Engine, portal: PortalServer) -> None:
    class Here(Machine):
        engine = warehouse

    Here.portal = portal
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Here,
        settings=settings(
            max_examples=20,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.generate,),  # shrinking takes minutes; what failed is printed whole
            suppress_health_check=list(HealthCheck),
        ),
    )
