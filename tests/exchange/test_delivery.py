"""From what is believed to what the portal holds: what is owed, when, and how often (promises 2, 4 and 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from lienthong.exchange import derive as derivation
from lienthong.exchange.believed import load_believed
from lienthong.exchange.payload import PAYLOAD_RECIPE, as_sent, dossier_payload
from lienthong.exchange.summary import delivery_summary
from lienthong.exchange.wanted import Wanted, store_wanted
from lienthong.model.codes import DeliveryState, SourceMode
from lienthong.warehouse.statements import run
from tests.exchange.world import NOW, SOURCE, TENANT, Province, code, settings_with


def test_the_portal_ends_up_with_every_field_of_every_dossier(province: Province) -> None:
    ids = [province.believe(number, steps=3) for number in range(1, 8)]
    summary = province.push()
    assert (summary.delivered, summary.created, summary.updated, summary.steps_sent) == (7, 7, 0, 21)
    with province.engine.begin() as connection:
        for dossier in load_believed(connection, TENANT, ids):
            held = province.portal.store.dossier(dossier.dossier_code or "")
            assert held is not None
            assert held.body == as_sent(dossier_payload(dossier), v2=True)
            assert (held.sender, held.writes) == (TENANT, 1)


def test_a_second_push_sends_nothing_and_writes_nothing(province: Province) -> None:
    for number in range(1, 4):
        province.believe(number, steps=2)
    province.push()
    before = province.deliveries()
    assert province.derive().examined == 0
    summary = province.drain()
    assert (summary.delivered, summary.steps_sent, summary.calls) == (0, 0, 0)
    assert province.deliveries() == before


def test_a_changed_dossier_is_updated_and_not_created_again(province: Province) -> None:
    dossier = province.believe(1)
    province.push()
    province.believe(1, status=9, finished_at=NOW)
    summary = province.push()
    assert (summary.created, summary.updated) == (0, 1)
    assert [call.is_updating for call in province.calls("DongBoHoSoMC")] == ["False", "True"]
    assert province.portal.store.dossier(code(1)).body["TrangThaiHoSo"] == "9"  # type: ignore[union-attr]
    assert province.delivery(dossier).acked_version == 2


def test_a_new_version_with_the_same_payload_is_not_sent(province: Province) -> None:
    dossier = province.believe(1)
    province.push()
    province.believe(1, reference_code="only ours")
    assert province.derive().unchanged == 1
    row = province.delivery(dossier)
    assert (row.derived_version, row.wanted_version, row.acked_version, row.state) == (2, 1, 1, "acknowledged")
    assert province.drain().calls == 0


def test_versions_that_were_never_sent_collapse_into_the_last(province: Province) -> None:
    province.believe(1)
    province.derive()
    for status in (5, 4, 9):
        province.believe(1, status=status)
        province.derive()
    assert province.drain().delivered == 1
    held = province.portal.store.dossier(code(1))
    assert held is not None
    assert (held.writes, held.body["TrangThaiHoSo"]) == (1, "9")


def test_what_is_sent_is_what_is_believed_when_it_is_sent(province: Province) -> None:
    province.believe(1, status=4)
    province.derive()
    province.believe(1, status=10)
    province.drain()
    assert province.portal.store.dossier(code(1)).body["TrangThaiHoSo"] == "10"  # type: ignore[union-attr]
    assert province.derive().examined == 0


def test_a_dossier_without_reception_is_not_sent(province: Province) -> None:
    dossier = province.believe(1, dossier_code=None, received_at=None, status=1, steps=1)
    summary = province.push()
    assert (summary.waiting, summary.calls) == (1, 0)
    assert province.state(dossier) == "waiting"
    province.believe(1, steps=1)
    assert province.push().created == 1


def test_a_blocked_dossier_waits_with_its_reasons_until_it_is_mended(province: Province) -> None:
    dossier = province.believe(1, blocked_reasons=["status_unknown", "date_order"], steps=1)
    summary = province.push()
    assert (summary.blocked, summary.calls) == (1, 0)
    assert province.delivery(dossier).reasons == ["date_order", "status_unknown"]
    assert delivery_summary(province.engine, TENANT).reasons == {"date_order": 1, "status_unknown": 1}
    province.believe(1, steps=1)
    assert province.push().delivered == 1


def test_a_dossier_blocked_later_keeps_what_the_portal_acknowledged(province: Province) -> None:
    dossier = province.believe(1)
    province.push()
    acked = province.delivery(dossier).acked_hash
    province.believe(1, status=9, blocked_reasons=["result_missing"])
    province.push()
    row = province.delivery(dossier)
    assert (row.state, row.acked_version, bytes(row.acked_hash)) == ("blocked", 1, bytes(acked))
    assert province.portal.store.dossier(code(1)).body["TrangThaiHoSo"] == "4"  # type: ignore[union-attr]


@pytest.mark.parametrize("reason", ["procedure_known", "procedure_not_retired"])
def test_a_dossier_blocked_for_its_procedure_is_released_by_the_catalogue(province: Province, reason: str) -> None:
    province.list_procedure("Đăng ký khai sinh", 1, active=reason == "procedure_known", vanished=True)
    dossier = province.believe(1, blocked_reasons=[reason], steps=1)
    assert province.push().blocked == 1
    assert reason in province.delivery(dossier).reasons
    province.list_procedure("Đăng ký khai sinh", 2)
    summary = province.push()
    assert (summary.created, summary.steps_sent, summary.blocked) == (1, 1, 0)
    assert province.delivery(dossier).reasons == []


def test_a_procedure_that_is_listed_for_the_first_time_releases_its_dossiers(province: Province) -> None:
    with province.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM registry.procedure")
    dossier = province.believe(1, blocked_reasons=["date_order", "procedure_known"])
    province.believe(2, blocked_reasons=["procedure_known"])
    assert province.push().blocked == 2
    province.list_procedure("Đăng ký khai sinh", 7)
    assert province.push().created == 1
    assert province.delivery(dossier).reasons == ["date_order"]


@pytest.mark.parametrize(
    ("active", "vanished", "reason"), [(False, False, "procedure_not_retired"), (True, True, "procedure_known")]
)
def test_a_procedure_that_ended_since_blocks_its_dossiers(
    province: Province, active: bool, vanished: bool, reason: str
) -> None:
    dossier = province.believe(1, steps=1)
    province.derive()
    province.list_procedure("Đăng ký khai sinh", 2, active=active, vanished=vanished)
    summary = province.push()
    assert (summary.blocked, summary.calls) == (1, 0)
    assert province.delivery(dossier).reasons == [reason]


def test_a_rule_of_the_catalogue_that_only_warns_blocks_nothing(province: Province) -> None:
    with province.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO quality.rule (rule_id, entity, severity, owner, title_vi, explanation_vi)"
            " VALUES ('procedure_not_retired', 'dossier', 'warn', '', '', '')"
        )
    try:
        province.list_procedure("Đăng ký khai sinh", 2, active=False)
        province.believe(1)
        assert province.push().created == 1
    finally:
        with province.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM quality.rule")


def test_dossiers_of_loads_that_were_derived_are_not_read_again(province: Province) -> None:
    province.believe(1)
    province.derive()
    with province.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE dossier.dossier SET version = version + 1")
    assert province.derive().examined == 0


def test_a_load_that_merged_late_is_derived_although_its_number_is_lower(province: Province) -> None:
    with province.engine.begin() as connection:
        early = province.open_load(connection)
    province.believe(1)
    assert province.derive().owed == 1
    with province.engine.begin() as connection:
        province.merged_load(connection, early)
    dossier = province.believe(2, load_id=early)
    assert province.derive().owed == 1
    assert province.state(dossier) == "owed"


def test_a_derivation_that_was_killed_is_finished_by_the_next(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [province.believe(number) for number in range(1, 8)]
    pages: list[int] = []

    def dies(connection: Connection, tenant: str, page: Sequence[Wanted]) -> Any:
        pages.append(len(page))
        if len(pages) == 3:
            raise KeyboardInterrupt
        return store_wanted(connection, tenant, page)

    with monkeypatch.context() as patched:
        patched.setattr(derivation, "PAGE", 2)
        patched.setattr(derivation, "store_wanted", dies)
        with pytest.raises(KeyboardInterrupt):
            province.derive()
    assert pages == [2, 2, 2]
    assert province.derive().examined == 3
    assert {province.state(dossier) for dossier in ids} == {"owed"}


def test_statistics_are_taken_of_the_own_tenant_only(province: Province) -> None:
    province.believe(1)
    province.derive()
    with province.engine.begin() as connection:
        connection.exec_driver_sql("SELECT ops.ensure_tenant('H26')")
        connection.exec_driver_sql("TRUNCATE exchange.delivery__h26")
        run(connection, "exchange/analyze", tenant=TENANT)
        rows = connection.exec_driver_sql(
            "SELECT oid::regclass::text, reltuples FROM pg_class WHERE relname IN ('delivery__h17', 'delivery__h26')"
        )
        assert dict(rows.tuples().all()) == {"exchange.delivery__h17": 1, "exchange.delivery__h26": -1}


def test_only_a_source_in_own_mode_sends(province: Province) -> None:
    dossier = province.believe(1, steps=2)
    province.modes = {SOURCE: SourceMode.SHADOW}
    summary = province.push()
    row = province.delivery(dossier)
    assert (summary.calls, row.state, row.reasons, row.mode) == (0, "waiting", ["source_shadow"], "shadow")
    assert row.wanted_hash is not None
    province.modes = {}
    province.derive()
    row = province.delivery(dossier)
    assert (row.mode, row.wanted_hash) == ("observe", None)
    province.modes = {SOURCE: SourceMode.OWN}
    assert province.push().created == 1


def test_a_source_switched_to_shadow_stops_sending(province: Province) -> None:
    province.believe(1)
    province.derive()
    province.modes = {SOURCE: SourceMode.SHADOW}
    assert province.push().calls == 0


def test_a_renamed_procedure_is_owed_without_a_new_version(province: Province) -> None:
    province.believe(1)
    province.push()
    province.list_procedure("Thủ tục đăng ký khai sinh", 2)
    assert province.push().updated == 1
    assert province.portal.store.dossier(code(1)).body["TenTTHC"] == "Thủ tục đăng ký khai sinh"  # type: ignore[union-attr]


def test_a_catalogue_change_that_no_payload_carries_sends_nothing(province: Province) -> None:
    province.believe(1)
    province.push()
    province.list_procedure("Đăng ký khai sinh", 2)
    assert province.derive().unchanged == 1
    assert province.derive().examined == 0
    assert province.drain().calls == 0


def older_recipe(province: Province) -> None:
    """As if everything had been acknowledged by a version of this program with another payload recipe."""
    with province.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE exchange.delivery SET recipe = 0, acked_recipe = 0, acked_hash = 'older'")


def test_another_payload_recipe_alone_owes_nothing(province: Province) -> None:
    dossier = province.believe(1)
    province.push()
    older_recipe(province)
    province.list_procedure("Đăng ký khai sinh", 2)
    assert province.derive().examined == 1
    assert province.state(dossier) == "acknowledged"


def test_across_recipes_a_new_version_is_owed(province: Province) -> None:
    dossier = province.believe(1)
    province.push()
    older_recipe(province)
    province.believe(1)
    province.derive()
    assert province.state(dossier) == "owed"
    assert province.drain().updated == 1
    assert province.delivery(dossier).acked_recipe == PAYLOAD_RECIPE


def test_a_corrected_code_is_a_new_dossier_for_the_portal(province: Province) -> None:
    province.believe(1, steps=1)
    province.push()
    province.believe(1, dossier_code=code(77), steps=1)
    summary = province.push()
    assert (summary.created, summary.updated, summary.steps_sent) == (1, 0, 1)
    assert province.portal.store.dossier(code(77)) is not None


def test_the_fields_of_2020_can_be_sent_alone(province: Province) -> None:
    province.settings = settings_with(send_v2_fields=False)
    province.believe(1)
    province.push()
    held = province.portal.store.dossier(code(1))
    assert held is not None
    assert "KenhThucHien" not in held.body
    assert "SoBienNhan" in held.body
    assert province.derive().examined == 0


def test_the_summary_counts_every_state(province: Province) -> None:
    province.believe(1)
    province.believe(2, dossier_code=None)
    province.believe(3, blocked_reasons=["x"])
    province.derive()
    summary = delivery_summary(province.engine, TENANT)
    assert sum(summary.states.values()) == 3
    assert summary.states[DeliveryState.OWED] == 1
    assert summary.waiting_reasons == {"not_received": 1}
