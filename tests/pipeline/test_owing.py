"""After a load only those provinces are pushed for which a push would find something to do."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from lienthong.pipeline.load import open_load
from lienthong.pipeline.push import owing
from tests.world import Live


def test_a_province_owes_after_a_merge_until_it_was_pushed(loaded: Live) -> None:
    assert owing(loaded.rt) == ["H17", "H26"]
    loaded.push("H17")
    assert owing(loaded.rt) == ["H26"]
    loaded.push("H26")
    assert owing(loaded.rt) == []
    loaded.load("opencps_h26")
    assert owing(loaded.rt) == ["H26"], "what its load brought has yet to be looked at"


def test_a_province_of_which_nothing_was_merged_yet_owes_nothing(live: Live) -> None:
    assert owing(live.rt) == []
    live.sync_catalogue()
    open_load(live.rt, "opencps_h17", "first")
    assert owing(live.rt) == []


def test_what_an_earlier_push_left_is_owed_when_its_time_has_come(loaded: Live) -> None:
    for tenant in ("H17", "H26"):
        loaded.push(tenant)
    later = loaded.clock + timedelta(hours=1)
    with loaded.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE exchange.delivery SET acked_hash = NULL, next_attempt_at = :later "
                "WHERE (tenant, dossier_id) IN "
                "(SELECT tenant, dossier_id FROM exchange.delivery "
                "WHERE tenant = 'H17' AND state = 'acknowledged' LIMIT 1)"
            ),
            {"later": later},
        )
    assert owing(loaded.rt) == []
    loaded.clock = later
    assert owing(loaded.rt) == ["H17"]


def test_steps_that_are_left_are_owed(loaded: Live) -> None:
    for tenant in ("H17", "H26"):
        loaded.push(tenant)
    with loaded.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE exchange.step_delivery SET state = 'owed' WHERE (tenant, dossier_id) IN "
                "(SELECT tenant, dossier_id FROM exchange.delivery "
                "WHERE tenant = 'H26' AND state = 'acknowledged' LIMIT 1)"
            )
        )
    assert owing(loaded.rt) == ["H26"]


def test_a_catalogue_that_changed_is_looked_at_for_every_province(loaded: Live) -> None:
    for tenant in ("H17", "H26"):
        loaded.push(tenant)
    with loaded.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE registry.procedure SET revision = revision + 1 "
                "WHERE procedure_code = (SELECT min(procedure_code) FROM registry.procedure)"
            )
        )
    assert owing(loaded.rt) == ["H17", "H26"]


def test_a_source_whose_mode_changed_is_looked_at(loaded: Live) -> None:
    for tenant in ("H17", "H26"):
        loaded.push(tenant)
    contract = loaded.settings.sources / "opencps_h26.yaml"
    contract.write_text(contract.read_text(encoding="utf-8").replace("mode: own", "mode: shadow"), encoding="utf-8")
    assert owing(loaded.rt) == ["H26"]
    loaded.push("H26")
    assert owing(loaded.rt) == []


def test_a_work_list_that_a_killed_push_left_is_owed(loaded: Live) -> None:
    for tenant in ("H17", "H26"):
        loaded.push(tenant)
    with loaded.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO exchange.stale SELECT tenant, dossier_id FROM dossier.dossier WHERE tenant = 'H17' LIMIT 1"
            )
        )
    assert owing(loaded.rt) == ["H17"]
