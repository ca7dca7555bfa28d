"""Facts are derived for changed dossiers only, and say what their dossiers say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from lienthong.indices import FactChange, refresh_facts
from lienthong.indices.facts import FACT_RECIPE
from tests.indices.world import Dossier, Paper, Step, World, at


def refresh(world: World) -> FactChange:
    with world.engine.begin() as connection:
        return refresh_facts(connection, world.tenant)


def facts(world: World) -> dict[str, dict[str, Any]]:
    """Facts by dossier_id, with the transaction that wrote each row."""
    with world.engine.connect() as connection:
        rows = connection.execute(text("SELECT *, xmin::text AS written_by FROM indices.dossier_fact")).mappings().all()
    return {str(row["dossier_id"]): dict(row) for row in rows}


def test_only_dossiers_whose_version_changed_are_derived_again(world: World) -> None:
    first, second = Dossier("a"), Dossier("b")
    world.put(first, second)
    assert refresh(world).changed == 2
    before = facts(world)
    world.put(replace(second, channel=2, version=2))
    assert refresh(world).changed == 1
    after = facts(world)
    assert after[str(first.dossier_id)] == before[str(first.dossier_id)]
    assert after[str(second.dossier_id)]["channel"] == 2
    assert after[str(second.dossier_id)]["version"] == 2


def test_refreshing_twice_writes_nothing(world: World) -> None:
    world.put(Dossier("a", steps=(Step(5, at("2026-10-03")),)))
    refresh(world)
    before = facts(world)
    assert refresh(world).changed == 0
    assert facts(world) == before


def test_a_new_derivation_is_applied_to_every_dossier(world: World) -> None:
    world.merged(1, merge_no=1)
    world.put(Dossier("a"), Dossier("b"))
    refresh(world)
    for table in ("dossier_fact", "fact_state"):
        world.execute(f"UPDATE indices.{table} SET recipe = :old", [{"old": FACT_RECIPE - 1}])
    assert refresh(world).changed == 2
    assert refresh(world).changed == 0


def test_a_refresh_looks_only_at_dossiers_of_loads_merged_since_the_last(world: World) -> None:
    world.merged(1, merge_no=7)
    world.put(Dossier("a"), Dossier("b"), Dossier("c"))
    assert refresh(world) == FactChange("H17", 3, 7)
    world.merged(2, merge_no=8)
    world.put(Dossier("a", version=2), Dossier("b", version=2, load=2))  # what "a" claims, no load can have brought
    assert refresh(world) == FactChange("H17", 1, 8)
    assert [facts(world)[str(Dossier(key).dossier_id)]["version"] for key in "abc"] == [1, 2, 1]


def test_loads_merged_between_two_refreshes_are_all_looked_at(world: World) -> None:
    world.merged(1, merge_no=1)
    world.put(Dossier("a"))
    refresh(world)
    world.merged(3, merge_no=2)  # opened later, merged first
    world.merged(2, merge_no=3)
    world.put(Dossier("a", version=2, load=2), Dossier("b", load=3))
    assert refresh(world) == FactChange("H17", 2, 3)


def test_a_tenant_that_was_never_loaded_has_no_facts_and_no_error(world: World) -> None:
    with world.engine.begin() as connection:
        assert refresh_facts(connection, "H99") == FactChange("H99", 0, None)


def test_facts_reach_the_newest_merged_load(world: World) -> None:
    world.execute(
        "INSERT INTO ops.load (tenant, source_id, run_key, mode, state, contract_hash, opened_at, merge_no) "
        "VALUES (:tenant, 'test', :state, 'full', :state, '', :now, :merge)",
        [
            {"tenant": "H17", "state": "merged", "now": at("2026-10-05"), "merge": 7},
            {"tenant": "H17", "state": "staged", "now": at("2026-10-06"), "merge": None},
        ],
    )
    assert refresh(world).merge_no == 7


def test_a_fact_holds_each_request_with_its_return(world: World) -> None:
    steps = (Step(5, at("2026-10-03")), Step(4, at("2026-10-05")), Step(5, at("2026-10-07")), Step(9, at("2026-10-09")))
    world.put(Dossier("a", status=9, steps=steps))
    refresh(world)
    fact = facts(world)[str(Dossier("a").dossier_id)]
    assert fact["supplement_asked_at"] == [at("2026-10-03"), at("2026-10-07")]
    assert fact["supplement_back_at"] == [at("2026-10-05"), None]
    assert (fact["end_status"], fact["end_at"]) == (9, at("2026-10-09"))
    assert fact["started_at"] == at("2026-10-05")


def test_removed_files_and_results_without_a_file_do_not_count(world: World) -> None:
    papers = (Paper(removed=True, from_store=True), Paper("result", has_file=False, result_code="KQ.1"))
    world.put(Dossier("a", papers=papers))
    refresh(world)
    fact = facts(world)[str(Dossier("a").dossier_id)]
    names = ("has_component_file", "from_citizen_store", "has_result_file", "has_electronic_result")
    assert [fact[name] for name in names] == [False] * 4


@pytest.mark.parametrize("url", [None, ""])
def test_a_file_without_a_link_does_not_count(world: World, url: str | None) -> None:
    world.put(Dossier("a", papers=(Paper(url=url), Paper("result", result_code="KQ.1", url=url))))
    refresh(world)
    fact = facts(world)[str(Dossier("a").dossier_id)]
    names = ("has_component_file", "has_result_file", "has_electronic_result")
    assert [fact[name] for name in names] == [False] * 3


def test_an_electronic_result_needs_a_result_code_and_a_file(world: World) -> None:
    world.put(Dossier("a", papers=(Paper("result"),)), Dossier("b", papers=(Paper("result", result_code="KQ.1"),)))
    refresh(world)
    found = facts(world)
    assert [found[str(Dossier(key).dossier_id)]["has_electronic_result"] for key in "ab"] == [False, True]
    assert [found[str(Dossier(key).dossier_id)]["has_result_file"] for key in "ab"] == [True, True]


def test_a_fact_holds_no_personal_column(world: World) -> None:
    world.put(Dossier("a"))
    refresh(world)
    (fact,) = facts(world).values()
    assert not {name for name in fact if any(word in name for word in ("name", "phone", "email", "url", "content"))}


def test_a_withdrawal_is_an_end_only_after_reception(world: World) -> None:
    withdrawn = (Step(7, at("2026-10-04")),)
    world.put(
        Dossier("before", status=7, received=None, due=None, steps=withdrawn),
        Dossier("after", status=7, steps=withdrawn),
    )
    refresh(world)
    found = facts(world)
    assert [found[str(Dossier(key).dossier_id)]["end_status"] for key in ("before", "after")] == [None, 7]
