"""After a load only those provinces are pushed for which a push would find something to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from devstack.postgres import Postgres
from lienthong.pipeline.load import open_load
from lienthong.pipeline.push import owing
from tests.pipeline.conftest import running
from tests.pipeline.small import small_live
from tests.world import PROVINCES, Live

__all__ = ["small_live"]  # a fixture


#: Who owes before the first push, after that of H17, and after that of H26.
told: list[list[str]] = []


@pytest.fixture(scope="module")
def pushed_warehouse(request: pytest.FixtureRequest, postgres: Postgres, small_loaded_warehouse: str) -> str:
    """A warehouse to copy from, in which nobody owes anything."""
    name = "pushed_template"
    with running(request, warehouse_template=small_loaded_warehouse, small=True) as live:
        told[:] = [owing(live.rt)]
        for tenant in PROVINCES:
            live.push(tenant)
            told.append(owing(live.rt))
        live.disconnect()
        postgres.drop_database(name)
        postgres.create_database(name, live.engine.url.database or "")
    return name


@pytest.fixture
def pushed(request: pytest.FixtureRequest, pushed_warehouse: str) -> Iterator[Live]:
    """A running world, both provinces loaded and pushed once."""
    with running(request, warehouse_template=pushed_warehouse, small=True) as started:
        yield started


def test_a_province_owes_after_a_merge_until_it_was_pushed(pushed: Live) -> None:
    assert told == [["H17", "H26"], ["H26"], []]
    assert owing(pushed.rt) == []
    pushed.load("opencps_h26")
    assert owing(pushed.rt) == ["H26"], "what its load brought has yet to be looked at"


def test_a_province_of_which_nothing_was_merged_yet_owes_nothing(live: Live) -> None:
    assert owing(live.rt) == []
    live.sync_catalogue()
    open_load(live.rt, "opencps_h17", "first")
    assert owing(live.rt) == []


def test_what_an_earlier_push_left_is_owed_when_its_time_has_come(pushed: Live) -> None:
    later = pushed.clock + timedelta(hours=1)
    with pushed.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE exchange.delivery SET acked_hash = NULL, next_attempt_at = :later "
                "WHERE (tenant, dossier_id) IN "
                "(SELECT tenant, dossier_id FROM exchange.delivery "
                "WHERE tenant = 'H17' AND state = 'acknowledged' LIMIT 1)"
            ),
            {"later": later},
        )
    assert owing(pushed.rt) == []
    pushed.clock = later
    assert owing(pushed.rt) == ["H17"]


def test_steps_that_are_left_are_owed(pushed: Live) -> None:
    with pushed.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE exchange.step_delivery SET state = 'owed' WHERE (tenant, dossier_id) IN "
                "(SELECT tenant, dossier_id FROM exchange.delivery "
                "WHERE tenant = 'H26' AND state = 'acknowledged' LIMIT 1)"
            )
        )
    assert owing(pushed.rt) == ["H26"]


def test_a_catalogue_that_changed_is_looked_at_for_every_province(pushed: Live) -> None:
    with pushed.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE registry.procedure SET revision = revision + 1 "
                "WHERE procedure_code = (SELECT min(procedure_code) FROM registry.procedure)"
            )
        )
    assert owing(pushed.rt) == ["H17", "H26"]


def test_a_source_whose_mode_changed_is_looked_at(pushed: Live) -> None:
    contract = pushed.settings.sources / "opencps_h26.yaml"
    contract.write_text(contract.read_text(encoding="utf-8").replace("mode: own", "mode: shadow"), encoding="utf-8")
    assert owing(pushed.rt) == ["H26"]
    pushed.push("H26")
    assert owing(pushed.rt) == []


def test_a_work_list_that_a_killed_push_left_is_owed(pushed: Live) -> None:
    with pushed.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO exchange.stale SELECT tenant, dossier_id FROM dossier.dossier WHERE tenant = 'H17' LIMIT 1"
            )
        )
    assert owing(pushed.rt) == ["H17"]
