"""What happens while a drain holds dossiers: newer versions, decisions, silence. Nothing is forgotten, nobody innocent
pays.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from lienthong.exchange import wanted
from lienthong.exchange.client import Answer, PortalClient
from lienthong.exchange.decisions import Action, Choice, undecided
from lienthong.exchange.payload import Wire, dossier_payload
from lienthong.exchange.progress import StepSender
from lienthong.model.errors import PortalUnreachableError
from simulator.portal import FaultKind, PortalSwitches
from tests.exchange.test_doubts import LOOKUP, STEPS, WRITE, doubtful, lost_steps, one_by_one, silent_about
from tests.exchange.world import NOW, TENANT, Province, code, settings_with


def test_a_step_that_becomes_owed_during_a_look_is_not_forgotten(province: Province) -> None:
    province.settings = settings_with(lookup_steps="DanhSachTienTrinh")
    province.portal.switches = PortalSwitches(lookup_fields="full", lookup_shows_steps=True)
    dossier = lost_steps(province, 1, FaultKind.DROP_BEFORE)
    province.later()

    class Meanwhile(PortalClient):
        def find_dossier(self, dossier_code: str) -> Answer:
            province.believe(1, steps=3)
            province.derive()
            return super().find_dossier(dossier_code)

    province.drain(Meanwhile)
    province.later()
    province.push()
    assert province.step_states(dossier) == ["acknowledged"] * 3


def test_a_step_that_becomes_owed_between_claim_and_call_is_not_forgotten(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = province.believe(1, steps=1)
    province.push()
    province.believe(1, steps=2)
    province.derive()
    real, newer = StepSender._open_steps, []

    def meanwhile(self: StepSender, items: Any) -> Any:
        if items and not newer:
            newer.append(province.believe(1, steps=3))
            province.derive()
        return real(self, items)

    monkeypatch.setattr(StepSender, "_open_steps", meanwhile)
    province.drain()
    province.push()
    assert province.step_states(dossier) == ["acknowledged"] * 3


@pytest.mark.parametrize("how", ["parked", "blocked"])
def test_what_is_set_aside_while_a_drain_holds_it_is_not_sent_any_more(province: Province, how: str) -> None:
    one_by_one(province)
    ids = [province.believe(number) for number in (1, 2, 3)]
    province.derive()
    sent: list[str] = []

    class Meanwhile(PortalClient):
        def send_dossiers(self, payloads: Sequence[Wire], *, updating: bool) -> Answer:
            if not sent and how == "parked":
                province.decide(Action.PARK, Choice())
            elif not sent:
                for number in (1, 2, 3):
                    province.believe(number, blocked_reasons=["date_order"])
                province.derive()
            sent.extend(payload["MaHoSo"] for payload in payloads)
            return super().send_dossiers(payloads, updating=updating)

    province.drain(Meanwhile)
    assert len(sent) == 1
    assert {province.state(dossier) for dossier in ids} == {how}


def test_slow_look_ups_neither_keep_a_drain_going_nor_park_anybody(province: Province) -> None:
    one_by_one(province, settle_after_s=1, settle_max_s=1)
    ids = doubtful(province, *range(1, 6))
    asked: list[str] = []

    class Slow(PortalClient):
        def find_dossier(self, dossier_code: str) -> Answer:
            asked.append(dossier_code)
            province.portal.fail_next(LOOKUP, FaultKind.HTTP_500, 3)
            return super().find_dossier(dossier_code)

    with suppress(PortalUnreachableError):
        province.drain(Slow)
    assert len(asked) <= province.settings.max_attempts + 1
    assert {province.state(dossier) for dossier in ids} == {"unsettled"}


def test_a_dossier_that_was_not_asked_about_is_not_counted(province: Province) -> None:
    one_by_one(province)
    ids = dict(zip(map(code, range(1, 9)), doubtful(province, *range(1, 9)), strict=True))
    asked: set[str] = set()

    class Partly(PortalClient):
        def find_dossier(self, dossier_code: str) -> Answer:
            if dossier_code and asked:
                province.portal.fail_next(LOOKUP, FaultKind.HTTP_500, 3)
            asked.add(dossier_code)
            return super().find_dossier(dossier_code)

    province.drain(Partly)
    tried = {ids[dossier_code] for dossier_code in asked if dossier_code}
    counted = {dossier for dossier in ids.values() if province.delivery(dossier).attempts}
    assert counted
    assert counted <= tried


def test_three_dossiers_that_nobody_answers_do_not_keep_the_steps_of_others_from_being_sent(
    province: Province,
) -> None:
    one_by_one(province)
    for number in range(1, 5):
        province.believe(number)
    province.push()
    for number in (1, 2, 3):
        province.believe(number, status=5)
    other = province.believe(4, steps=1)
    province.derive()
    client = silent_about(province, WRITE, 1, 2, 3)
    with pytest.raises(PortalUnreachableError):
        province.drain(client)
    assert province.step_states(other) == ["acknowledged"]
    for _ in range(4):
        province.later()
        with suppress(PortalUnreachableError):
            province.drain(client)
    assert province.state(other) == "acknowledged"
    assert {line.dossier_code for line in undecided(province.engine, TENANT)} == {code(1), code(2), code(3)}


def test_steps_count_no_try_while_the_portal_answers_nobody(province: Province) -> None:
    province.settings = settings_with(lookup_steps="DanhSachTienTrinh", park_after=3, workers=1)
    province.portal.switches = PortalSwitches(lookup_fields="full", lookup_shows_steps=True)
    dossier = lost_steps(province, 1, FaultKind.DROP_BEFORE)
    for _ in range(4):
        province.later()
        province.portal.fail_next(LOOKUP, FaultKind.HTTP_500, 100)
        with suppress(PortalUnreachableError):
            province.push()
        province.portal.portal.forget_faults()
    province.later()
    province.push()
    assert province.step_states(dossier) == ["acknowledged"] * 2


def test_doubtful_steps_are_sent_again_one_by_one_so_that_a_bad_one_is_found(province: Province) -> None:
    province.settings = settings_with(lookup_steps="DanhSachTienTrinh")
    province.portal.switches = PortalSwitches(lookup_fields="full", lookup_shows_steps=True)
    dossier = province.believe(1, steps=3)
    province.edit("UPDATE dossier.step SET status = 12 WHERE child_key = '1'")
    province.push()
    assert province.step_states(dossier) == ["unsettled"] * 3
    province.later()
    province.push()
    assert province.step_states(dossier) == ["acknowledged", "rejected", "acknowledged"]


def test_look_ups_that_fall_silent_leave_no_lease_behind(province: Province) -> None:
    one_by_one(province)
    ids = [province.believe(number) for number in range(1, 9)]
    province.push()
    province.decide(Action.LOOK, Choice())
    province.portal.fail_next(LOOKUP, FaultKind.HTTP_500, 100)
    with suppress(PortalUnreachableError):
        province.push()
    assert {province.state(dossier) for dossier in ids} == {"acknowledged"}


def test_an_ordered_look_does_not_end_a_younger_doubt(province: Province) -> None:
    province.portal.switches = PortalSwitches(lookup_fields="full")
    province.believe(1, status=4)
    province.push()
    province.believe(1, status=5)
    province.derive()
    late: list[Wire] = []

    class Held(PortalClient):
        def send_dossiers(self, payloads: Sequence[Wire], *, updating: bool) -> Answer:
            late.extend(payloads)
            province.portal.fail_next(WRITE, FaultKind.DROP_BEFORE)
            return super().send_dossiers(payloads, updating=updating)

    province.drain(Held)
    province.believe(1, status=9)
    province.later(120)
    province.push()
    province.decide(Action.LOOK, Choice((code(1),)))
    province.push()
    with province.client() as client:
        client.send_dossiers(late, updating=True)
    for _ in range(2):
        province.later()
        province.push()
    assert province.portal.store.dossier(code(1)).body["TrangThaiHoSo"] == "9"  # type: ignore[union-attr]


def test_of_a_dossier_that_vanished_from_the_portal_nobody_claims_that_its_steps_are_there(province: Province) -> None:
    dossier = province.believe(1, steps=2)
    province.push()
    province.portal.portal.reset()
    province.decide(Action.LOOK, Choice())
    assert province.push().owed_again == 1
    assert province.push().created == 1
    assert province.step_states(dossier) == ["unsettled"] * 2
    province.settle_by_truth()
    assert province.push().steps_sent == 2


def test_a_create_that_arrives_late_is_still_known_as_ours_after_the_portal_went_away(province: Province) -> None:
    one_by_one(province)
    dossier = province.believe(1, steps=1)
    province.derive()
    late: list[Wire] = []

    class Held(PortalClient):
        def send_dossiers(self, payloads: Sequence[Wire], *, updating: bool) -> Answer:
            late.extend(payloads)
            province.portal.fail_next(WRITE, FaultKind.DROP_BEFORE)
            return super().send_dossiers(payloads, updating=updating)

    class Away(PortalClient):
        def send_dossiers(self, payloads: Sequence[Wire], *, updating: bool) -> Answer:
            raise PortalUnreachableError("gone", next_step="wait", source=TENANT)

    province.drain(Held)
    province.later()
    with pytest.raises(PortalUnreachableError):
        province.drain(Away)
    with province.client() as client:
        client.send_dossiers(late, updating=False)
    province.later()
    province.push()
    assert province.delivery(dossier).taken_over_at is None
    assert province.step_states(dossier) == ["acknowledged"]


def test_steps_within_a_second_are_decided_by_their_second(province: Province) -> None:
    lost_steps(province, 1, FaultKind.DROP_BEFORE)
    with province.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE exchange.step_delivery SET occurred_at = occurred_at + interval '0.25 s'")
    moments = undecided(province.engine, TENANT)[0].moments
    assert province.decide(Action.ARRIVED, Choice((code(1), code(1)), moments)).steps == 2


def test_a_dossier_whose_payload_can_not_be_built_is_blocked_and_stops_nobody(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = province.believe(1, steps=1), province.believe(2, steps=1)

    def broken(dossier: Any) -> Wire:
        if dossier.dossier_code == code(1):
            raise ZeroDivisionError
        return dossier_payload(dossier)

    with monkeypatch.context() as patched:
        patched.setattr(wanted, "dossier_payload", broken)
        summary = province.push()
    assert (summary.created, summary.blocked) == (1, 1)
    assert province.delivery(bad).reasons == ["payload_defect"]
    assert province.state(good) == "acknowledged"
    province.believe(1, steps=1, due_at=NOW)
    assert province.push().created == 1
    assert len(province.calls(STEPS)) == 2
