"""What nobody can know is bounded, shown and decided; it stops neither the other dossiers nor the province."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from lienthong.exchange import leases
from lienthong.exchange.client import Answer, PortalClient
from lienthong.exchange.decisions import Action, Choice, Open, decide, undecided
from lienthong.exchange.payload import Wire
from lienthong.model.errors import PortalUnreachableError
from simulator.portal import FaultKind, PortalSwitches
from tests.exchange.world import NAME, NOW, PHONE, TENANT, Province, code, settings_with

WRITE, STEPS, LOOKUP = "DongBoHoSoMC", "CapNhatTienDoHoSoMC", "TraCuuHoSo"


def silent_about(province: Province, service: str, *numbers: int) -> Any:
    """Clients for which the portal never answers calls of `service` about these dossiers."""
    codes = {code(number) for number in numbers}
    times = province.settings.max_attempts if service == LOOKUP else 1

    class Client(PortalClient):
        def find_dossier(self, dossier_code: str) -> Answer:
            if service == LOOKUP and dossier_code in codes:
                province.portal.fail_next(LOOKUP, FaultKind.HTTP_500, times)
            return super().find_dossier(dossier_code)

        def send_dossiers(self, payloads: Sequence[Wire], *, updating: bool) -> Answer:
            if service == WRITE and codes & {payload["MaHoSo"] for payload in payloads}:
                province.portal.fail_next(WRITE, FaultKind.DROP_BEFORE)
            return super().send_dossiers(payloads, updating=updating)

    return Client


def one_by_one(province: Province, **changes: Any) -> None:
    province.settings = settings_with(workers=1, batch_size=1, max_attempts=3, park_after=3, **changes)


def doubtful(province: Province, *numbers: int) -> list[str]:
    """Dossiers whose create was never answered and never arrived; their time to be asked about has come."""
    settings, province.settings = province.settings, settings_with(batch_size=50)
    dossiers = [province.believe(number) for number in numbers]
    province.derive()
    province.portal.fail_next(WRITE, FaultKind.DROP_BEFORE)
    province.drain()
    assert {province.state(dossier) for dossier in dossiers} == {"unsettled"}
    province.later()
    province.settings = settings
    return dossiers


def decisions(province: Province) -> list[tuple[Any, ...]]:
    with province.engine.begin() as connection:
        rows = connection.exec_driver_sql(
            "SELECT action, reason, decided_by, steps FROM exchange.decision ORDER BY decided_at, action"
        )
        return [tuple(row) for row in rows]


def test_a_dossier_that_changes_often_never_stops_its_province(province: Province) -> None:
    for change in range(8):
        dossier = province.believe(1, steps=change + 1, status=2 + change)
        assert province.push().steps_sent == 1
    assert province.state(dossier) == "acknowledged"
    assert province.delivery(dossier).fence > leases.MOST_TURNS - 5


def test_a_dossier_that_one_drain_meets_again_and_again_is_parked_and_the_rest_goes_on(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    circling, other = province.believe(1, steps=1), province.believe(2)
    monkeypatch.setattr(leases, "MOST_TURNS", 1)
    summary = province.push()
    assert (summary.created, summary.parked, summary.steps_sent) == (2, 1, 0)
    row = province.delivery(circling)
    assert (row.state, row.parked_for, row.parked_by) == ("parked", "circling", "rule")
    assert province.state(other) == "acknowledged"


def test_a_look_up_that_keeps_failing_backs_off_alone_and_a_cap_parks_it(province: Province) -> None:
    one_by_one(province)
    stuck, mended = doubtful(province, 1, 2)
    client, waits = silent_about(province, LOOKUP, 1), []
    for number in (3, 4, 5):
        others = province.believe(number)
        province.derive()
        summary = province.drain(client)
        assert summary.created >= 1
        assert {province.state(others), province.state(mended)} == {"acknowledged"}
        waits.append((province.delivery(stuck).next_attempt_at - province.clock).total_seconds())
        assert province.drain(client).calls == 0, "asked again before its time"
        province.later(waits[-1] + 60)
    assert waits[0] < waits[1] < waits[2]
    row = province.delivery(stuck)
    assert (row.state, row.parked_for, row.parked_by, row.attempts) == ("parked", "unanswered", "rule", 3)
    assert decisions(province) == [("park", "unanswered", "rule", 0)]


def test_a_create_that_is_never_answered_is_parked_and_not_tried_for_ever(province: Province) -> None:
    one_by_one(province)
    client = silent_about(province, WRITE, 1)
    stuck = province.believe(1)
    for number in range(2, 7):
        province.believe(number)
        province.derive()
        province.drain(client)
        province.later()
    assert province.state(stuck) == "parked"
    sent = [call for call in province.calls(WRITE) if code(1) in call.codes]
    assert len(sent) <= province.settings.park_after
    assert province.portal.store.count(TENANT)[0] == 5


def test_an_unanswered_batch_is_tried_one_by_one_so_that_one_dossier_does_not_park_the_others(
    province: Province,
) -> None:
    province.settings = settings_with(workers=1, batch_size=10, park_after=3)
    ids = [province.believe(number) for number in range(1, 6)]
    client = silent_about(province, WRITE, 3)
    for number in range(10, 16):
        province.believe(number)
        province.derive()
        province.drain(client)
        province.later()
    assert [province.state(dossier) for dossier in ids].count("acknowledged") == 4
    assert province.state(ids[2]) == "parked"


def test_a_portal_that_is_away_parks_nothing_however_long_it_lasts(province: Province) -> None:
    one_by_one(province)
    dossier = province.believe(1)
    province.derive()
    for _ in range(6):
        province.portal.fail_next(WRITE, FaultKind.HTTP_500, 9)
        province.portal.fail_next(LOOKUP, FaultKind.HTTP_500, 9)
        with suppress(PortalUnreachableError):
            province.drain()
        province.later()
    assert province.delivery(dossier).attempts == 0
    assert province.state(dossier) == "unsettled"
    province.portal.portal.reset()
    assert province.push().created == 1


def test_look_ups_that_nobody_answers_do_not_keep_the_rest_from_being_sent(province: Province) -> None:
    one_by_one(province)
    stuck = doubtful(province, *range(1, 6))
    fresh = [province.believe(number) for number in range(6, 12)]
    province.derive()
    province.portal.fail_next(LOOKUP, FaultKind.HTTP_500, 1000)
    summary = province.drain()
    assert summary.created == len(fresh)
    assert {province.state(dossier) for dossier in stuck} == {"unsettled"}
    assert len(province.calls(LOOKUP)) == 0, "the portal answered none"


def test_a_parked_dossier_stays_parked_whatever_is_derived_until_somebody_resumes_it(province: Province) -> None:
    parked, other = province.believe(1, steps=1), province.believe(2)
    province.derive()
    done = province.decide(Action.PARK, Choice((code(1), "H17.05-261012-9999")))
    assert (done.dossiers, done.examples, done.untouched) == (1, (code(1),), ("H17.05-261012-9999",))
    assert province.push().created == 1
    province.believe(1, steps=2, status=9)
    province.list_procedure("Tên mới", 2)
    assert province.push().parked == 1
    assert (province.state(parked), province.state(other)) == ("parked", "acknowledged")
    assert province.portal.store.dossier(code(1)) is None
    province.decide(Action.RESUME, Choice((code(1),)))
    summary = province.push()
    assert (summary.created, summary.steps_sent, summary.parked) == (1, 2, 0)
    assert province.portal.store.dossier(code(1)).body["TrangThaiHoSo"] == "9"  # type: ignore[union-attr]
    assert [action for action, *_ in decisions(province)] == ["park", "resume"]


def test_what_was_on_the_wire_when_its_dossier_was_parked_is_still_recorded(province: Province) -> None:
    dossier = province.believe(1)
    province.derive()

    class Meanwhile(PortalClient):
        def send_dossiers(self, payloads: Sequence[Wire], *, updating: bool) -> Answer:
            province.decide(Action.PARK, Choice((code(1),)))
            return super().send_dossiers(payloads, updating=updating)

    province.drain(Meanwhile)
    row = province.delivery(dossier)
    assert (row.state, row.acked_version) == ("parked", 1)
    province.decide(Action.RESUME, Choice())
    assert province.state(dossier) == "acknowledged"


def test_a_preview_says_what_a_decision_would_do_and_changes_nothing(province: Province) -> None:
    for number in (1, 2):
        province.believe(number)
    province.derive()
    before = province.deliveries()
    done = province.decide(Action.PARK, Choice(), preview=True)
    assert done.dossiers == 2
    assert province.deliveries() == before
    assert decisions(province) == []


def lost_steps(province: Province, number: int, fault: FaultKind) -> str:
    dossier = province.believe(number, steps=2)
    province.derive()
    province.portal.fail_next(STEPS, fault)
    province.drain()
    assert province.step_states(dossier) == ["unsettled"] * 2
    return dossier


def test_doubtful_steps_wait_on_the_work_list_until_somebody_settles_them(province: Province) -> None:
    arrived = lost_steps(province, 1, FaultKind.DROP_AFTER)
    missing = lost_steps(province, 2, FaultKind.DROP_BEFORE)
    listed = sorted((line.kind, line.dossier_code, len(line.moments)) for line in undecided(province.engine, TENANT))
    assert listed == [
        (Open.STEPS, code(1), 2),
        (Open.STEPS, code(2), 2),
    ]
    province.later()
    assert province.push().steps_sent == 0
    assert province.decide(Action.ARRIVED, Choice((code(1),))).steps == 2
    assert province.decide(Action.RESEND, Choice((code(2),))).steps == 2
    assert province.push().steps_sent == 2
    assert province.step_states(arrived) == province.step_states(missing) == ["acknowledged"] * 2
    assert province.portal.store.count(TENANT) == (2, 4)
    assert undecided(province.engine, TENANT) == []
    assert decisions(province) == [("arrived", "thử", "tester", 2), ("resend", "thử", "tester", 2)]


def test_of_one_dossier_some_steps_may_have_arrived_and_others_not(province: Province) -> None:
    dossier = lost_steps(province, 1, FaultKind.DROP_BEFORE)
    first, second = undecided(province.engine, TENANT)[0].moments
    province.decide(Action.ARRIVED, Choice((code(1),), (first,)))
    assert province.step_states(dossier) == ["acknowledged", "unsettled"]
    province.decide(Action.RESEND, Choice((code(1),), (second,)))
    assert province.push().steps_sent == 1
    assert [step.body["NoiDungXuLy"][-1] for step in province.portal.store.steps(code(1))] == ["1"]


def test_a_step_to_be_sent_again_that_nobody_believes_any_more_is_forgotten(province: Province) -> None:
    dossier = lost_steps(province, 1, FaultKind.DROP_BEFORE)
    province.believe(1, steps=1)
    province.derive()
    province.decide(Action.RESEND, Choice())
    province.push()
    assert province.step_states(dossier) == ["acknowledged"]


@pytest.mark.parametrize(("fault", "sent"), [(FaultKind.DROP_AFTER, 1), (FaultKind.DROP_BEFORE, 3)])
def test_where_the_portal_shows_steps_a_look_settles_them_in_order(
    province: Province, fault: FaultKind, sent: int
) -> None:
    province.settings = settings_with(lookup_steps="DanhSachTienTrinh")
    province.portal.switches = PortalSwitches(lookup_fields="full", lookup_shows_steps=True)
    dossier = lost_steps(province, 1, fault)
    province.believe(1, steps=3)
    assert province.push().steps_sent == 0, "a later step went ahead of a doubtful one"
    province.later()
    assert province.push().steps_sent == sent
    assert province.step_states(dossier) == ["acknowledged"] * 3
    assert [step.body["NoiDungXuLy"][-1] for step in province.portal.store.steps(code(1))] == list("012")


def test_a_portal_that_shows_no_steps_leaves_them_to_people_after_some_tries(province: Province) -> None:
    province.settings = settings_with(lookup_steps="DanhSachTienTrinh", park_after=3)
    dossier = lost_steps(province, 1, FaultKind.DROP_BEFORE)
    for _ in range(4):
        province.later()
        province.push()
    assert province.step_states(dossier) == ["unsettled"] * 2
    assert len(province.calls(LOOKUP)) == 2
    province.believe(1, steps=3)
    assert province.push().steps_sent == 1, "what is left to people holds nothing up"


def test_where_a_repeated_step_counts_once_it_is_simply_sent_again(province: Province) -> None:
    province.settings = settings_with(steps_sent_twice="ignore")
    province.portal.switches = PortalSwitches(progress_dedup=True)
    arrived = lost_steps(province, 1, FaultKind.DROP_AFTER)
    missing = lost_steps(province, 2, FaultKind.DROP_BEFORE)
    assert province.push().steps_sent == 0
    province.later()
    assert province.push().steps_sent == 4
    assert province.step_states(arrived) == province.step_states(missing) == ["acknowledged"] * 2
    assert province.portal.store.count(TENANT) == (2, 4)


def overwritten(province: Province) -> str:
    """Version 2 was sent without an answer, version 3 acknowledged; then the late version 2 reached the portal."""
    dossier = province.believe(1, status=4)
    province.push()
    late: list[Wire] = []
    province.believe(1, status=5)
    province.derive()

    class Held(PortalClient):
        def send_dossiers(self, payloads: Sequence[Wire], *, updating: bool) -> Answer:
            late.extend(payloads)
            province.portal.fail_next(WRITE, FaultKind.DROP_BEFORE)
            return super().send_dossiers(payloads, updating=updating)

    province.drain(Held)
    province.believe(1, status=9)
    province.later(120)
    assert province.push().updated == 1
    with province.client() as client:
        client.send_dossiers(late, updating=True)
    assert province.portal.store.dossier(code(1)).body["TrangThaiHoSo"] == "5"  # type: ignore[union-attr]
    assert province.state(dossier) == "acknowledged"
    return dossier


def test_a_late_request_that_overwrote_a_newer_version_is_found_by_a_look_and_put_right(province: Province) -> None:
    province.portal.switches = PortalSwitches(lookup_fields="full")
    dossier = overwritten(province)
    assert province.push().calls == 0, "looked before the late request had its time"
    province.later()
    assert province.push().owed_again == 1
    assert province.push().updated == 1
    assert province.portal.store.dossier(code(1)).body["TrangThaiHoSo"] == "9"  # type: ignore[union-attr]
    assert province.delivery(dossier).doubted_at is None
    province.later()
    assert province.push().calls == 0


def test_a_portal_that_shows_no_contents_ends_a_doubt_without_a_guess(province: Province) -> None:
    dossier = overwritten(province)
    province.later()
    summary = province.push()
    assert (summary.owed_again, summary.calls) == (0, 2)  # log-in and look-up
    assert (province.state(dossier), province.delivery(dossier).doubted_at) == ("acknowledged", None)


def test_people_can_have_the_portal_looked_at_after_a_period_of_doubt(province: Province) -> None:
    province.portal.switches = PortalSwitches(lookup_fields="full")
    ids = [province.believe(number) for number in (1, 2)]
    province.push()
    with province.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE exchange.delivery SET acked_hash = acked_hash")  # rewritten, not changed
    body = province.portal.store.dossier(code(2)).body | {"TrangThaiHoSo": "2"}  # type: ignore[union-attr]
    province.portal.store.put_dossier(code(2), TENANT, body, 99)
    assert province.decide(Action.LOOK, Choice(since=province.clock, until=province.clock)).dossiers == 0
    assert province.decide(Action.LOOK, Choice(since=NOW)).dossiers == 2
    assert province.push().owed_again == 1
    assert [province.state(dossier) for dossier in ids] == ["acknowledged", "owed"]
    assert province.push().updated == 1


def test_a_dossier_that_vanished_from_the_portal_is_created_again(province: Province) -> None:
    province.believe(1)
    province.push()
    province.portal.portal.reset()
    province.decide(Action.LOOK, Choice())
    assert province.push().owed_again == 1
    assert province.push().created == 1


def test_steps_of_different_dossiers_are_in_flight_together_and_each_dossiers_in_order(province: Province) -> None:
    province.settings = settings_with(step_chunk=1, workers=4)
    for number in range(1, 9):
        province.believe(number, steps=4)
    province.derive()
    together, most, lock, four = [0], [0], threading.Lock(), threading.Barrier(4)

    class Watched(PortalClient):
        def send_steps(self, payloads: Sequence[Wire]) -> Answer:
            with lock:
                together[0] += 1
                most[0] = max(most[0], together[0])
            if not four.broken and payloads[0]["NoiDungXuLy"][-1] == "1":
                four.wait(10)  # second steps of four dossiers meet: none is sent before the others are there
            try:
                return super().send_steps(payloads)
            finally:
                with lock:
                    together[0] -= 1

    assert province.drain(Watched).steps_sent == 32
    assert most[0] == 4
    for number in range(1, 9):
        told = [step.body["NoiDungXuLy"][-1] for step in province.portal.store.steps(code(number))]
        assert told == list("0123")


def test_one_progress_call_may_carry_steps_of_several_dossiers_where_the_portal_takes_them(province: Province) -> None:
    province.settings = settings_with(mix_steps=True, step_chunk=10, refusals_are_whole=True)
    ids = [province.believe(number, steps=2) for number in range(1, 11)]
    assert province.push().steps_sent == 20
    assert len(province.calls(STEPS)) == 2
    assert {state for dossier in ids for state in province.step_states(dossier)} == {"acknowledged"}


def test_a_mixed_call_that_is_refused_is_taken_apart_by_dossier(province: Province) -> None:
    province.settings = settings_with(mix_steps=True, step_chunk=10, refusals_are_whole=True)
    province.portal.switches = PortalSwitches(progress_mixes_dossiers=False)
    for number in range(1, 6):
        province.believe(number, steps=2)
    assert province.push().steps_sent == 10
    assert province.portal.store.count(TENANT) == (5, 10)


def test_the_state_is_a_plain_column_that_only_the_transition_sets(province: Province) -> None:
    dossier = province.believe(1)
    province.derive()
    with province.engine.begin() as connection:
        generated = connection.exec_driver_sql(
            "SELECT attgenerated FROM pg_attribute WHERE attrelid = 'exchange.delivery'::regclass AND attname = 'state'"
        ).scalar_one()
        connection.exec_driver_sql("UPDATE exchange.delivery SET state = 'acknowledged'")
    assert (generated, province.state(dossier)) == ("", "owed")


def test_a_reason_keeps_no_personal_data(province: Province) -> None:
    province.believe(1)
    province.derive()
    decide(
        province.engine, TENANT, Action.PARK, Choice(), province.settings,
        reason=f"theo đề nghị của {NAME}, {PHONE}", decided_by="tester", now=province.clock, preview=False,
    )  # fmt: skip
    [(_, reason, *_)] = decisions(province)
    assert NAME not in reason
    assert PHONE not in reason
