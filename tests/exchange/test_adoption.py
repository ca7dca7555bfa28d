"""Taking over what another program delivered: what is acknowledged, what is owed, and which steps are sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from lienthong.exchange.adoption import (
    Adoption,
    AdoptionSummary,
    adopt_assumed,
    adopt_compared,
    adoption_summary,
    open_adoption,
)
from lienthong.exchange.believed import load_believed
from lienthong.exchange.client import Answer, PortalClient
from lienthong.exchange.payload import as_sent, dossier_payload
from lienthong.exchange.senders import effective_modes
from lienthong.exchange.shadow import Asker, Scope, shadow_summary
from lienthong.model.codes import SourceMode
from lienthong.model.errors import ContractError, PortalUnreachableError
from tests.exchange.world import NOW, PERSONAL, SOURCE, TENANT, Province, code

FINISHED = {"status": 10, "finished_at": NOW - timedelta(days=10), "returned_at": NOW - timedelta(days=9)}


def put(province: Province, dossier_id: str, **changes: str) -> None:
    """The portal as another program filled it: our record, with changes."""
    with province.engine.begin() as connection:
        [dossier] = load_believed(connection, TENANT, [dossier_id])
    store = province.portal.store
    with store.writing():
        store.put_dossier(dossier.dossier_code or "", TENANT, as_sent(dossier_payload(dossier), v2=True) | changes, 0)


def ask(province: Province, scope: Scope | None = None, limit: int | None = None) -> int:
    province.runs += 1
    with province.client() as client:
        asker = Asker(province.engine, client, TENANT, province.settings, province.clock, f"ask-{province.runs}")
        return asker.ask(scope or Scope(), limit)


def verify(province: Province, frozen_at: datetime | None = None, *, accept_presence: bool = False) -> AdoptionSummary:
    province.derive()
    adoption = open_adoption(province.engine, TENANT, frozen_at, province.clock)
    ask(province, Scope(since=adoption.frozen_at, undecided=True))
    adopt_compared(province.engine, TENANT, adoption, province.clock, accept_presence=accept_presence)
    return adoption_summary(province.engine, TENANT)


def own(province: Province) -> Any:
    province.modes = {SOURCE: SourceMode.OWN}
    return province.push()


@pytest.fixture(autouse=True)
def shadowed(province: Province) -> None:
    province.modes = {SOURCE: SourceMode.SHADOW}
    province.portal.switches = province.portal.switches.changed({"lookup_fields": "full"})


def test_an_adopted_dossier_owes_nothing_until_it_changes(province: Province) -> None:
    put(province, province.believe(1))
    assert verify(province).verified == 1
    assert own(province).calls == 0
    province.believe(1, **FINISHED)
    assert (province.push().updated, province.portal.store.dossier(code(1)).body["TrangThaiHoSo"]) == (1, "10")  # type: ignore[union-attr]


def test_steps_of_the_past_are_not_sent_and_new_ones_are(province: Province) -> None:
    dossier = province.believe(1, steps=3)
    put(province, dossier)
    verify(province, NOW - timedelta(days=1))
    assert own(province).steps_sent == 0
    assert province.step_states(dossier) == [], "history costs no rows"
    province.later(60)
    province.believe(1, steps=4)  # known only now, but of the time before: the other program's as well
    assert province.push().steps_sent == 0
    assert province.step_states(dossier) == ["adopted"] * 4
    with province.engine.begin() as connection:
        load = province.merged_load(connection)
        connection.exec_driver_sql(
            "UPDATE dossier.step SET occurred_at = %s WHERE child_key = '3'", (NOW - timedelta(hours=1),)
        )
        connection.exec_driver_sql(
            "INSERT INTO dossier.step (tenant, source_id, source_key, child_key, version, step_no, status, occurred_at,"
            " actor_name, content) VALUES ('H17', %s, '1', '9', 1, 9, 9, %s, 'A', 'b')",
            (SOURCE, NOW - timedelta(hours=1)),
        )
        connection.exec_driver_sql("UPDATE dossier.dossier SET version = version + 1, load_id = %s", (load,))
    assert province.push().steps_sent == 1
    assert province.step_states(dossier) == ["adopted"] * 4 + ["acknowledged"]


def test_between_the_stop_of_the_other_program_and_the_adoption_steps_are_ours(province: Province) -> None:
    dossier = province.believe(1, steps=3)  # 19 days ago, a minute apart
    put(province, dossier)
    verify(province, NOW - timedelta(days=19) + timedelta(seconds=90))
    province.believe(1, steps=3, **FINISHED)
    assert own(province).steps_sent == 1
    assert province.step_states(dossier) == ["adopted", "adopted", "acknowledged"]


def test_a_dossier_that_differs_is_updated_and_its_old_steps_stay_unsettled(province: Province) -> None:
    dossier = province.believe(1, steps=2)
    put(province, dossier, TrangThaiHoSo="2")
    assert verify(province).delta == 1
    summary = own(province)
    assert (summary.created, summary.updated, summary.steps_sent) == (0, 1, 0)
    assert [call.is_updating for call in province.calls("DongBoHoSoMC")] == ["True"]
    assert province.step_states(dossier) == ["unsettled", "unsettled"]


def test_a_missing_dossier_is_created_with_all_its_steps(province: Province) -> None:
    province.believe(1, steps=2)
    assert verify(province).delta == 1
    summary = own(province)
    assert (summary.created, summary.steps_sent) == (1, 2)


def test_an_assumed_dossier_counts_as_delivered_when_the_other_program_stopped(province: Province) -> None:
    ids = [province.believe(1, **FINISHED), province.believe(2)]
    frozen_at = NOW - timedelta(days=2)
    province.derive()
    adoption = open_adoption(province.engine, TENANT, frozen_at, NOW)
    assert adopt_assumed(province.engine, TENANT, adoption, NOW - timedelta(days=3), NOW) == 1
    assert adopt_assumed(province.engine, TENANT, adoption, NOW - timedelta(days=3), NOW) == 0
    row = province.delivery(ids[0])
    assert (row.adoption, row.acked_at, row.acked_hash) == ("assumed", frozen_at, row.wanted_hash)
    assert province.delivery(ids[1]).adoption is None
    assert open_adoption(province.engine, TENANT, None, NOW) == Adoption(frozen_at, NOW - timedelta(days=3))
    assert own(province).created == 1


@pytest.mark.parametrize("changes", [{"status": 4}, {"returned_at": NOW - timedelta(days=1)}, {"steps": 2}])
def test_a_dossier_that_was_still_moving_is_not_assumed(province: Province, changes: dict[str, Any]) -> None:
    province.believe(1, **(FINISHED | changes))
    with province.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE dossier.step SET occurred_at = %s", (NOW - timedelta(days=1),))
    province.derive()
    adoption = open_adoption(province.engine, TENANT, NOW, NOW)
    assert adopt_assumed(province.engine, TENANT, adoption, NOW - timedelta(days=3), NOW) == 0


def test_nothing_finished_after_the_other_program_stopped_can_be_assumed(province: Province) -> None:
    province.derive()
    adoption = open_adoption(province.engine, TENANT, NOW - timedelta(days=2), NOW)
    with pytest.raises(ContractError, match="after the other program stopped"):
        adopt_assumed(province.engine, TENANT, adoption, NOW - timedelta(days=1), NOW)
    with pytest.raises(ContractError, match="future"):
        open_adoption(province.engine, TENANT, NOW + timedelta(days=1), NOW)


def test_a_comparison_with_an_older_payload_decides_nothing(province: Province) -> None:
    dossier = province.believe(1)
    put(province, dossier)
    province.derive()
    ask(province)
    province.believe(1, **FINISHED)
    province.derive()
    adoption = open_adoption(province.engine, TENANT, NOW - timedelta(days=1), NOW)
    assert adopt_compared(province.engine, TENANT, adoption, NOW, accept_presence=True) == 0
    assert shadow_summary(province.engine, TENANT).not_compared == 1


def test_an_answer_from_before_the_other_program_stopped_decides_nothing(province: Province) -> None:
    put(province, province.believe(1))
    province.derive()
    ask(province)
    province.later(3600)
    adoption = open_adoption(province.engine, TENANT, None, province.clock)
    assert adopt_compared(province.engine, TENANT, adoption, province.clock, accept_presence=True) == 0
    assert verify(province).verified == 1


def test_two_runs_at_once_ask_about_different_dossiers(province: Province) -> None:
    for number in range(1, 8):
        put(province, province.believe(number))
    province.derive()
    others: list[int] = []

    class Interrupted(PortalClient):
        """While it waits for its first answer, another run asks about everything it can get."""

        def find_dossier(self, dossier_code: str) -> Answer:
            if not others:
                others.append(0)
                others[0] = ask(province)
            return super().find_dossier(dossier_code)

    with province.client(Interrupted) as client:
        asker = Asker(province.engine, client, TENANT, province.settings, province.clock, "first")
        assert asker.ask(Scope(), 4) == 4
    assert others == [3]
    assert len(province.calls("TraCuuHoSo")) == 7


def test_a_second_take_over_asks_again_about_everything_before_it(province: Province) -> None:
    dossier = province.believe(1)
    put(province, dossier)
    assert verify(province).verified == 1
    province.later(3600)
    put(province, dossier, TrangThaiHoSo="2")  # sending was handed back, and the other program wrote an old state
    assert verify(province).verified == 1, "within one take-over a decision stays"
    found = verify(province, province.clock)
    assert (found.verified, found.delta) == (0, 1)
    assert own(province).updated == 1


def test_a_second_take_over_counts_what_was_delivered_by_us_before_it(province: Province) -> None:
    dossier = province.believe(1)
    own(province)
    province.later(3600)
    put(province, dossier, TrangThaiHoSo="2")
    province.modes = {SOURCE: SourceMode.SHADOW}
    assert verify(province, province.clock).delta == 1
    assert own(province).updated == 1


def test_a_corrected_code_is_not_adopted_any_more(province: Province) -> None:
    dossier = province.believe(1, steps=1)
    put(province, dossier)
    verify(province)
    province.believe(1, steps=1, dossier_code=code(7))
    summary = own(province)
    assert (summary.created, summary.steps_sent) == (1, 1)
    assert province.delivery(dossier).adoption is None


def test_an_outage_keeps_what_was_answered_and_gives_the_rest_back(province: Province) -> None:
    for number in range(1, 6):
        put(province, province.believe(number))
    province.derive()
    province.settings = province.settings.model_copy(update={"max_attempts": 1})
    for _ in range(2):
        ask(province, limit=1)
    province.portal.fail_next("TraCuuHoSo", "http_500")
    with pytest.raises(PortalUnreachableError):
        ask(province)
    assert shadow_summary(province.engine, TENANT).not_compared == 3
    assert ask(province) == 3, "no lease is left behind"


def test_a_question_that_the_portal_refuses_stops_nobody_else(province: Province) -> None:
    ids = [province.believe(number) for number in (1, 2)]
    for dossier in ids:
        put(province, dossier)
    province.derive()
    province.portal.fail_next("TraCuuHoSo", "refuse")
    assert ask(province) == 2
    verdicts = shadow_summary(province.engine, TENANT).verdicts
    assert {verdict.value: number for verdict, number in verdicts.items() if number} == {"same": 1, "unknown": 1}


def test_a_blocked_dossier_that_the_portal_lacks_is_counted_as_blocked(province: Province) -> None:
    province.believe(1, blocked_reasons=["result_missing"])
    dossier = province.believe(2)
    province.derive()
    assert province.delivery(dossier).reasons == ["source_shadow"]
    ask(province)
    kinds = shadow_summary(province.engine, TENANT).kinds
    assert {kind.value: number for kind, number in kinds.items() if number} == {"missing": 2, "blocked": 1}


def test_comparing_keeps_nothing_personal(province: Province) -> None:
    dossier = province.believe(1, steps=2)
    put(province, dossier, ChuHoSo="Trần Thị Lan", SoDienThoai="0911222333", TrangThaiHoSo="Lê Văn Tám")
    verify(province)
    with province.engine.begin() as connection:
        kept = str(connection.exec_driver_sql("SELECT c::text, c.fields FROM exchange.comparison AS c").all())
    assert "ChuHoSo" in kept
    for value in (*PERSONAL, "Trần Thị Lan", "0911222333", "Lê Văn Tám"):
        assert value not in kept


def test_a_source_in_own_that_was_not_opened_is_only_compared(province: Province) -> None:
    with province.engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE exchange.sender")
        assert effective_modes(connection, TENANT, {SOURCE: SourceMode.OWN, "x": SourceMode.OBSERVE}) == {
            SOURCE: SourceMode.SHADOW,
            "x": SourceMode.OBSERVE,
        }
    dossier = province.believe(1)
    assert own(province).calls == 0
    assert province.delivery(dossier).reasons == ["source_shadow"]


def test_the_summary_of_an_empty_tenant_is_all_zero(province: Province) -> None:
    province.derive()
    assert adoption_summary(province.engine, TENANT) == AdoptionSummary(TENANT, 0, 0, 0, 0, 0)
    assert replace(shadow_summary(province.engine, TENANT), verdicts={}, kinds={}).dossiers == 0
