"""When the portal fails, lies or falls silent: nothing sent twice, nothing guessed, nothing lost (promises 3 to 5)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from lienthong.connections import Connection
from lienthong.exchange.believed import load_believed
from lienthong.exchange.client import Answer, PortalClient
from lienthong.exchange.leases import Leases
from lienthong.exchange.payload import Wire
from lienthong.exchange.wanted import store_wanted, want
from lienthong.model.codes import SourceMode
from lienthong.model.errors import PortalAccessError, PortalUnreachableError
from lienthong.warehouse.statements import run
from simulator.portal import FaultKind, PortalSwitches
from tests.exchange.world import Province, code, connection_to, settings_with

IMPOSSIBLE_ID = "099190001234"


class Killed(BaseException):
    """Stands for kill -9: nothing of ours runs after it."""


class DiesAfterSending(PortalClient):
    def send_dossiers(self, payloads: Sequence[Wire], *, updating: bool) -> Answer:
        super().send_dossiers(payloads, updating=updating)
        raise Killed


class DiesBeforeSending(PortalClient):
    def send_dossiers(self, payloads: Sequence[Wire], *, updating: bool) -> Answer:
        raise Killed


class DiesAfterSteps(PortalClient):
    def send_steps(self, payloads: Sequence[Wire]) -> Answer:
        super().send_steps(payloads)
        raise Killed


def bad_dossier(province: Province, number: int) -> str:
    """A dossier that the portal refuses for what it says, with code 0."""
    dossier = province.believe(number)
    with province.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE dossier.person SET applicant_id_number = %s WHERE source_key = %s", (IMPOSSIBLE_ID, str(number))
        )
    return dossier


@pytest.mark.parametrize("whole", [True, False])
def test_one_refused_dossier_does_not_hold_up_the_others(province: Province, whole: bool) -> None:
    province.portal.switches = PortalSwitches(bad_record_fails_batch=whole, names_bad_record=True)
    for number in range(1, 10):
        province.believe(number)
    bad = bad_dossier(province, 10)
    summary = province.push()
    assert (summary.delivered, summary.rejected, summary.owed) == (9, 1, 0)
    assert province.portal.store.count("H17")[0] == 9
    row = province.delivery(bad)
    assert (row.state, row.last_outcome, row.last_code) == ("rejected", "rejected", "0")
    assert province.portal.store.dossier(code(10)) is None


def test_a_rejected_dossier_is_not_sent_again_until_it_changes(province: Province) -> None:
    bad_dossier(province, 1)
    assert province.push().rejected == 1
    assert province.push().calls == 0
    province.believe(1)
    assert province.push().created == 1


def test_a_refused_update_keeps_the_acknowledged_version(province: Province) -> None:
    province.believe(1)
    province.push()
    dossier = bad_dossier(province, 1)
    province.push()
    row = province.delivery(dossier)
    assert (row.state, row.acked_version) == ("rejected", 1)


def test_a_dossier_the_portal_already_holds_is_updated(province: Province) -> None:
    province.believe(1)
    province.push()
    with province.engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE exchange.delivery, exchange.derive_state")
    province.believe(1, status=9)
    for number in range(2, 5):
        province.believe(number)
    summary = province.push()
    assert (summary.created, summary.updated, summary.rejected) == (3, 1, 0)
    assert province.portal.store.dossier(code(1)).body["TrangThaiHoSo"] == "9"  # type: ignore[union-attr]


def sent_by_another_program(province: Province, number: int, steps: int) -> None:
    """The portal holds the dossier with its steps, and this warehouse never sent them."""
    province.believe(number, steps=steps)
    province.push()
    with province.engine.begin() as connection:
        connection.exec_driver_sql(
            "TRUNCATE exchange.delivery, exchange.step_delivery, exchange.derive_state, exchange.stale"
        )


@pytest.mark.parametrize("others", [0, 3])
def test_steps_of_a_dossier_that_another_program_sent_are_not_sent_again(province: Province, others: int) -> None:
    sent_by_another_program(province, 1, steps=3)
    ids = [province.believe(number, steps=2) for number in range(2, 2 + others)]
    summary = province.push()
    assert (summary.updated, summary.created, summary.steps_sent) == (1, others, 2 * others)
    dossier = province.believe(1, steps=3)
    assert province.step_states(dossier) == ["unsettled"] * 3
    assert {state for other in ids for state in province.step_states(other)} <= {"acknowledged"}
    assert len(province.portal.store.steps(code(1))) == 3


def test_after_a_dossier_is_taken_over_only_steps_that_happen_later_are_sent(province: Province) -> None:
    sent_by_another_program(province, 1, steps=1)
    dossier = province.believe(1, steps=1)
    province.push()
    province.believe(1, steps=3)  # known only now, but from before
    assert province.push().steps_sent == 0
    later = province.clock + timedelta(hours=1)
    province.edit(f"UPDATE dossier.step SET child_key = '9', occurred_at = '{later}' WHERE child_key = '2'")
    assert province.push().steps_sent == 1
    assert province.step_states(dossier)[-1] == "acknowledged"


def test_a_dossier_of_ours_that_a_refused_batch_had_brought_there_keeps_its_steps(province: Province) -> None:
    province.portal.switches = PortalSwitches(bad_record_fails_batch=False)
    province.settings = settings_with(refusals_are_whole=False)
    province.believe(1, steps=2)
    bad_dossier(province, 2)
    summary = province.push()
    assert (summary.rejected, summary.steps_sent) == (1, 2)


def test_a_portal_that_was_down_at_first_does_not_make_its_dossiers_ours(province: Province) -> None:
    sent_by_another_program(province, 1, steps=2)
    province.derive()

    def make(connection: Connection, settings: Any, **named: Any) -> PortalClient:
        return PortalClient(connection_to(province.portal, port=1), settings, **named)

    with pytest.raises(PortalUnreachableError):
        province.drain(make)  # type: ignore[arg-type]
    assert province.push().steps_sent == 0
    assert len(province.portal.store.steps(code(1))) == 2


@pytest.mark.parametrize(
    "fault", [FaultKind.DROP_AFTER, FaultKind.DROP_BEFORE, FaultKind.HTML_PAGE, FaultKind.HTTP_500]
)
def test_a_lost_answer_is_asked_about_before_anything_is_sent_again(province: Province, fault: FaultKind) -> None:
    ids = [province.believe(number, steps=1) for number in range(1, 4)]
    province.portal.fail_next("DongBoHoSoMC", fault)
    summary = province.push()
    assert (summary.delivered, summary.unsettled, summary.steps_sent) == (0, 3, 0)
    assert {province.state(dossier) for dossier in ids} == {"unsettled"}
    assert province.push().calls == 0, "asked again before its time"
    province.later()
    summary = province.push()
    assert (summary.delivered, summary.unsettled, summary.steps_sent) == (3, 0, 3)
    assert len(province.calls("TraCuuHoSo")) == 3
    assert province.portal.store.count("H17") == (3, 3)
    arrived = fault is FaultKind.DROP_AFTER
    updating = [call.is_updating for call in province.calls("DongBoHoSoMC")]
    assert updating[-1] == ("True" if arrived else "False")


def test_an_update_without_an_answer_is_repeated_and_not_asked_about(province: Province) -> None:
    province.believe(1)
    province.push()
    dossier = province.believe(1, status=9)
    province.portal.fail_next("DongBoHoSoMC", FaultKind.DROP_AFTER)
    assert province.push().unsettled == 1
    province.later(600)
    assert province.push().updated == 1
    assert province.calls("TraCuuHoSo") == []
    assert province.state(dossier) == "acknowledged"


def test_an_unsettled_dossier_that_changes_back_is_still_not_taken_for_acknowledged(province: Province) -> None:
    dossier = province.believe(1, status=4)
    province.push()
    province.believe(1, status=9)
    province.portal.fail_next("DongBoHoSoMC", FaultKind.DROP_AFTER)
    province.push()
    province.believe(1, status=4)
    province.derive()
    assert province.state(dossier) == "unsettled"
    province.later()
    province.push()
    assert province.portal.store.dossier(code(1)).body["TrangThaiHoSo"] == "4"  # type: ignore[union-attr]


@pytest.mark.parametrize("client", [DiesAfterSending, DiesBeforeSending])
def test_a_drain_killed_while_sending_is_finished_by_the_next(province: Province, client: type[PortalClient]) -> None:
    ids = [province.believe(number, steps=2) for number in range(1, 4)]
    province.derive()
    with pytest.raises(Killed):
        province.drain(client)
    assert {province.state(dossier) for dossier in ids} == {"sending"}
    assert province.push().calls == 0, "took over a lease that still holds"
    province.later()
    summary = province.push()
    assert (summary.delivered, summary.steps_sent, summary.unsettled) == (3, 6, 0)
    assert len(province.calls("TraCuuHoSo")) == 3
    assert province.portal.store.count("H17") == (3, 6)


def test_a_drain_killed_before_it_sent_anything_leaves_no_doubt(province: Province) -> None:
    province.believe(1)
    province.derive()
    Leases(province.engine, "H17", province.settings, province.clock, "killed").claim_deliveries()
    province.later()
    assert province.push().created == 1
    assert province.calls("TraCuuHoSo") == []


def test_a_dossier_blocked_while_its_drain_died_is_released_and_not_sent(province: Province) -> None:
    dossier = province.believe(1)
    province.derive()
    with pytest.raises(Killed):
        province.drain(DiesBeforeSending)
    province.believe(1, blocked_reasons=["date_order"])
    province.later()
    assert province.push().delivered == 0
    assert province.state(dossier) == "blocked"
    assert province.delivery(dossier).in_doubt


def test_steps_in_flight_when_a_drain_dies_are_shown_as_unsettled_and_not_repeated(province: Province) -> None:
    dossier = province.believe(1, steps=3)
    province.derive()
    with pytest.raises(Killed):
        province.drain(DiesAfterSteps)
    province.later()
    summary = province.push()
    assert (summary.steps_sent, summary.delivered) == (0, 0)
    assert province.step_states(dossier) == ["unsettled"] * 3
    assert province.state(dossier) == "acknowledged"
    assert province.portal.store.count("H17") == (1, 3)


@pytest.mark.parametrize("dedup", [True, False])
def test_steps_without_an_answer_are_not_sent_again(province: Province, dedup: bool) -> None:
    province.portal.switches = PortalSwitches(progress_dedup=dedup)
    dossier = province.believe(1, steps=2)
    province.portal.fail_next("CapNhatTienDoHoSoMC", FaultKind.DROP_AFTER)
    province.push()
    assert province.step_states(dossier) == ["unsettled", "unsettled"]
    province.later()
    province.believe(1, steps=3)
    assert province.push().steps_sent == 1
    assert [step.body["NoiDungXuLy"][-1] for step in province.portal.store.steps(code(1))] == ["0", "1", "2"]


def test_progress_follows_the_dossier_in_order_and_in_chunks(province: Province) -> None:
    province.settings = settings_with(step_chunk=10)
    province.believe(1, steps=23)
    province.push()
    services = [call.service for call in province.portal.portal.calls]
    assert services == ["login", "DongBoHoSoMC", *["CapNhatTienDoHoSoMC"] * 3]
    steps = province.portal.store.steps(code(1))
    assert [step.body["ThoiDiemXuLy"] for step in steps] == sorted(step.body["ThoiDiemXuLy"] for step in steps)
    assert len({step.body["NoiDungXuLy"] for step in steps}) == 23


def test_a_rejected_dossier_sends_no_progress(province: Province) -> None:
    province.believe(1, steps=2)
    with province.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE dossier.person SET applicant_id_number = %s", (IMPOSSIBLE_ID,))
    province.push()
    assert province.calls("CapNhatTienDoHoSoMC") == []


def test_a_step_whose_text_is_edited_is_not_sent_a_second_time(province: Province) -> None:
    province.believe(1, steps=2)
    province.push()
    province.edit("UPDATE dossier.step SET content = 'viết lại'")
    assert province.push().steps_sent == 0


def test_a_step_that_another_record_tells_in_the_same_words_is_not_sent_again(province: Province) -> None:
    province.believe(1, steps=3)
    province.push()
    province.edit("UPDATE dossier.step SET child_key = 'moved-' || child_key")
    assert province.push().steps_sent == 0
    assert province.portal.store.count("H17") == (1, 3)


def test_a_step_that_lacks_a_field_travels_alone(province: Province) -> None:
    province.portal.switches = PortalSwitches(bad_record_fails_batch=False)
    dossier = province.believe(1, steps=4)
    with province.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE dossier.step SET content = '' WHERE child_key = '1'")
    summary = province.push()
    assert summary.steps_sent == 3
    assert province.step_states(dossier) == ["acknowledged", "rejected", "acknowledged", "acknowledged"]


@pytest.mark.parametrize(
    ("whole", "expected"),
    [
        (True, ["acknowledged", "rejected", "acknowledged", "acknowledged"]),
        (False, ["unsettled", "unsettled", "unsettled", "unsettled"]),
    ],
)
def test_a_refused_chunk_is_halved_only_where_refusals_are_known_to_be_whole(
    province: Province, whole: bool, expected: list[str]
) -> None:
    province.settings = settings_with(refusals_are_whole=whole)
    dossier = province.believe(1, steps=4)
    with province.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE dossier.step SET status = 12 WHERE child_key = '1'")
    assert province.push().steps_sent == expected.count("acknowledged")
    assert province.step_states(dossier) == expected
    assert province.push().calls == 0


def test_a_refused_step_is_sent_once_it_is_corrected(province: Province) -> None:
    dossier = province.believe(1, steps=2)
    province.edit("UPDATE dossier.step SET content = '' WHERE child_key = '1'")
    province.push()
    assert province.step_states(dossier) == ["acknowledged", "rejected"]
    assert province.push().calls == 0
    province.edit("UPDATE dossier.step SET content = 'đủ' WHERE child_key = '1'")
    assert province.push().steps_sent == 1
    assert province.step_states(dossier) == ["acknowledged", "acknowledged"]


def waits_for(province: Province, pid: int) -> bool:
    """Whether a session waits for the one with `pid`."""
    with province.engine.begin() as connection:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"
        return bool(connection.exec_driver_sql(waiting, (pid,)).scalar_one())


def test_results_are_recorded_in_the_order_in_which_dossiers_are_derived(province: Province) -> None:
    """In any other order a drain and a derivation could wait for each other for ever."""
    low, high = sorted(province.believe(number) for number in (1, 2))
    province.derive()
    leases = Leases(province.engine, "H17", province.settings, province.clock, "one")
    items = sorted(leases.claim_deliveries()[0], key=lambda item: item.dossier_id, reverse=True)
    lock = "SELECT 1 FROM exchange.delivery WHERE tenant = 'H17' AND dossier_id = %s FOR UPDATE NOWAIT"
    with province.engine.begin() as connection:  # a scan of the table meets the high one first
        connection.exec_driver_sql("UPDATE exchange.delivery SET fence = fence WHERE dossier_id = %s", (low,))
        run(connection, "exchange/analyze", tenant="H17")
    with province.engine.begin() as connection:
        connection.exec_driver_sql(lock, (low,))
        thread = threading.Thread(target=leases.release, args=(items,))
        thread.start()
        while not waits_for(province, connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()):
            assert thread.is_alive()
        connection.exec_driver_sql(lock, (high,))
    thread.join()
    assert {province.state(dossier) for dossier in (low, high)} == {"owed"}


def test_two_drains_at_once_send_nothing_twice(province: Province) -> None:
    province.settings = settings_with(batch_size=5)
    for number in range(1, 41):
        province.believe(number, steps=2)
    province.derive()
    errors: list[BaseException] = []

    def work() -> None:
        try:
            province.drain()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert province.portal.store.count("H17") == (40, 80)
    sent = [c for call in province.calls("DongBoHoSoMC") for c in call.codes]
    assert sorted(sent) == [code(number) for number in range(1, 41)]
    assert {held.writes for held in province.portal.store.dossiers()} == {1}


def test_progress_that_two_drains_send_at_once_arrives_once_and_in_order(province: Province) -> None:
    province.settings = settings_with(step_chunk=2)
    province.believe(1, steps=9)
    province.derive()

    class Meets(PortalClient):
        def send_steps(self, payloads: Sequence[Wire]) -> Answer:
            province.drain()
            return super().send_steps(payloads)

    province.drain(Meets)
    assert [step.body["NoiDungXuLy"][-1] for step in province.portal.store.steps(code(1))] == list("012345678")


def test_two_derivations_at_once_agree(province: Province) -> None:
    ids = [province.believe(number, steps=2) for number in range(1, 30)]
    threads = [threading.Thread(target=province.derive) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {province.state(dossier) for dossier in ids} == {"owed"}
    assert province.drain().steps_sent == 58


def test_a_superseded_drain_changes_nothing(province: Province) -> None:
    """The slow drain answers after another one has taken its dossier over: only the other's word counts."""
    dossier = province.believe(1, status=4)
    province.derive()

    class Slow(PortalClient):
        def send_dossiers(self, payloads: Sequence[Wire], *, updating: bool) -> Answer:
            answer = super().send_dossiers(payloads, updating=updating)
            province.later()
            province.believe(1, status=10)
            province.push()
            return answer

    assert province.drain(Slow).delivered == 0
    row = province.delivery(dossier)
    assert (row.state, row.acked_version) == ("acknowledged", 2)
    assert province.portal.store.dossier(code(1)).body["TrangThaiHoSo"] == "10"  # type: ignore[union-attr]


def test_a_late_answer_does_not_end_the_lease_of_the_drain_that_took_over(province: Province) -> None:
    dossier = province.believe(1)
    province.derive()

    class Slow(PortalClient):
        def send_dossiers(self, payloads: Sequence[Wire], *, updating: bool) -> Answer:
            answer = super().send_dossiers(payloads, updating=updating)
            province.later()
            Leases(province.engine, "H17", province.settings, province.clock, "other").claim_deliveries()
            return answer

    assert province.drain(Slow).delivered == 0
    row = province.delivery(dossier)
    assert (row.state, row.leased_by, row.acked_version) == ("sending", "other", None)


def test_a_drain_whose_lease_was_taken_sends_no_further_steps(province: Province) -> None:
    province.settings = settings_with(step_chunk=2)
    dossier = province.believe(1, steps=6)
    province.derive()

    class Slow(PortalClient):
        def send_steps(self, payloads: Sequence[Wire]) -> Answer:
            answer = super().send_steps(payloads)
            province.later()
            leases = Leases(province.engine, "H17", province.settings, province.clock, "other")
            assert leases.claim_deliveries() == ([], None)
            assert len(leases.claim_progress()[0]) == 1
            return answer

    province.drain(Slow)
    assert len(province.portal.store.steps(code(1))) == 2
    assert province.step_states(dossier) == ["unsettled"] * 2 + ["owed"] * 4


def test_an_owed_step_that_is_no_longer_believed_is_forgotten(province: Province) -> None:
    dossier = province.believe(1, steps=3)
    province.derive()
    province.believe(1, steps=1)
    province.push()
    assert province.step_states(dossier) == ["acknowledged"]


def test_an_older_reading_never_replaces_what_a_newer_one_derived(province: Province) -> None:
    dossier = province.believe(1, status=4)
    with province.engine.begin() as connection:
        older = [want(d, SourceMode.OWN) for d in load_believed(connection, "H17", [dossier])]
    province.believe(1, status=9)
    province.derive()
    before = province.deliveries()
    with province.engine.begin() as connection:
        store_wanted(connection, "H17", older)
    assert province.deliveries() == before


def test_a_portal_that_is_down_stops_the_drain_and_loses_nothing(province: Province) -> None:
    ids = [province.believe(number) for number in range(1, 4)]
    province.derive()
    closed: dict[str, Any] = {"port": 1}

    def make(connection: Connection, settings: Any, **named: Any) -> PortalClient:
        return PortalClient(connection_to(province.portal, **closed), settings, **named)

    with pytest.raises(PortalUnreachableError, match="H17"):
        province.drain(make)  # type: ignore[arg-type]
    assert {province.state(dossier) for dossier in ids} == {"owed"}
    assert province.drain().created == 3


def test_a_portal_that_takes_calls_and_never_answers_stops_the_drain(province: Province) -> None:
    province.settings = settings_with(batch_size=1, max_attempts=2)
    ids = [province.believe(number) for number in range(1, 6)]
    province.derive()
    province.portal.fail_next("DongBoHoSoMC", FaultKind.DROP_BEFORE, 5)
    with pytest.raises(PortalUnreachableError):
        province.drain()
    assert sorted(province.state(dossier) for dossier in ids) == ["owed"] * 3 + ["unsettled"] * 2


def test_what_was_delivered_before_an_outage_stays_delivered(province: Province) -> None:
    province.settings = settings_with(batch_size=2)
    for number in range(1, 6):
        province.believe(number)
    province.derive()

    sent: list[int] = []

    class Unplugged(PortalClient):
        def send_dossiers(self, payloads: Sequence[Wire], *, updating: bool) -> Answer:
            if sent:
                raise PortalUnreachableError("gone", next_step="wait", source="H17")
            sent.append(len(payloads))
            return super().send_dossiers(payloads, updating=updating)

    with pytest.raises(PortalUnreachableError):
        province.drain(Unplugged)
    assert province.portal.store.count("H17")[0] == 2
    assert province.drain().created == 3
    assert {held.writes for held in province.portal.store.dossiers()} == {1}


def test_wrong_credentials_are_one_clear_error_and_everything_stays_owed(province: Province) -> None:
    dossier = province.believe(1)
    province.derive()

    def make(connection: Connection, settings: Any, **named: Any) -> PortalClient:
        return PortalClient(connection_to(province.portal, password="wrong"), settings, **named)

    with pytest.raises(PortalAccessError, match="log-in"):
        province.drain(make)  # type: ignore[arg-type]
    assert province.state(dossier) == "owed"
