"""Runs: who counts for whom, what a run remembers, and what it refuses."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from lienthong.indices import ScoreKind, ScoreTable, UnitKind, refresh_facts, score, scores
from lienthong.indices.definition import NEEDS, ResultDenominator, SyncWithoutReport
from lienthong.indices.table import Absence, Flag, UnitScore
from lienthong.model.capabilities import Capability
from lienthong.model.errors import ArgumentError, NotReadyError
from lienthong.model.periods import Month
from tests.indices.world import DEFINITION, NOW, OCTOBER, Dossier, Paper, World, at, with_choices

LATER = at("2026-12-01")


def numbers(table: ScoreTable, agency: str, component: str) -> tuple[Decimal | None, Decimal | None]:
    counted = next(unit for unit in table.units if unit.agency_code == agency).components[component]
    return counted.numerator, counted.denominator


def with_population(component_id: str, population: str) -> object:
    """The definition with one component counted over another population."""
    components = tuple(
        component.model_copy(update={"population": population}) if component.id == component_id else component
        for component in DEFINITION.components
    )
    return DEFINITION.model_copy(update={"components": components})


def test_a_province_counts_its_own_its_descendants_and_those_nobody_lists(world: World) -> None:
    world.agency("H17.09", "department", parent="H17", listed=False)
    owners = ("H17", "H17.05", "H17.101", "H17.101", "H17.09", "H17.88", "H47.03", None)
    world.put(*(Dossier(f"d{n}", agency=owner, due=LATER) for n, owner in enumerate(owners)))
    table = world.score()
    assert numbers(table, "H17", "2.1") == (8, 8)
    assert numbers(table, "H17.05", "2.1") == (1, 1)
    assert numbers(table, "H17.101", "2.1") == (2, 2)
    assert "H17.09" not in {unit.agency_code for unit in table.units}


def unit_of(table: ScoreTable, agency: str) -> UnitScore:
    return next(unit for unit in table.units if unit.agency_code == agency)


def test_an_idle_unit_appears_with_zeros_and_nulls_and_is_not_ranked(world: World) -> None:
    world.put(Dossier("d"))
    idle = unit_of(world.score(), "H17.01")
    assert idle.components["2.1"].score == 0
    assert idle.components["4.1"].score is None
    assert idle.components["4.1"].flags == {Flag.ZERO_DENOMINATOR}
    assert idle.components["1.1"].score is None
    assert idle.components["1.1"].flags == {Flag.NO_FEED}
    assert idle.components["4.6"].score == 2
    assert idle.groups["MDHL"].score is None
    assert idle.idle
    assert (idle.total, idle.available) == (Decimal("2.00"), Decimal(70))
    assert (idle.percent, idle.rank, idle.band) == (None, None, None)
    assert set(idle.components) == {component.id for component in DEFINITION.components}


def test_a_zero_of_zero_says_whether_nothing_arose_or_there_is_no_data(world: World) -> None:
    world.put(Dossier("d"))
    idle = unit_of(world.score(), "H17.01")
    assert {idle.components[number].absence for number in ("2.1", "3.3", "4.1")} == {Absence.NOTHING_AROSE}
    assert {idle.components[number].absence for number in ("1.1", "5.2")} == {Absence.NO_DATA}
    assert idle.components["4.6"].absence is None


def test_a_unit_is_idle_only_when_nothing_was_received_or_in_progress_by_anybody_s_word(world: World) -> None:
    ended = at("2026-09-20")
    for number in (103, 104, 105):
        world.agency(f"H17.{number}", "commune", parent="H17")
    world.put(
        Dossier("carried over", agency="H17.101", received=at("2026-08-01")),
        Dossier("not received yet", agency="H17.102", received=None, due=None, submitted=at("2026-10-09"), status=1),
        Dossier("over", agency="H17.103", received=at("2026-09-01"), finished=ended, returned=ended, status=10),
        Dossier("of November", agency="H17.104", received=at("2026-11-02")),
    )
    world.national_report("H17.105", "2026-10", 3, at("2026-11-02"))
    table = world.score()
    idle = {unit.agency_code for unit in table.units_of("H17", UnitKind.COMMUNE) if unit.idle}
    assert idle == {"H17.103", "H17.104"}
    assert [unit.rank for unit in table.units_of("H17", UnitKind.COMMUNE)][-2:] == [None, None], "idle ones come last"


def test_what_no_source_of_a_tenant_can_tell_has_no_data_and_no_maximum(world: World) -> None:
    world.put(Dossier("d"))
    world.source("dossiers_only", *(set(Capability) - {Capability.SERVICES}))
    table = world.score()
    for unit in table.units:
        for number in ("3.1", "3.2"):
            found = unit.components[number]
            assert (found.numerator, found.denominator, found.score) == (None, None, None)
            assert (found.flags, found.absence) == ({Flag.NO_FEED}, Absence.NO_DATA)
        assert (unit.groups["DVCTT"].available, unit.available) == (6, 64)
    assert {component.id for component in table.without_data} >= {"3.1", "3.2"}


@pytest.mark.parametrize(
    ("told", "loaded", "described"),
    [((Capability.SERVICES,), True, True), ((), True, False)],
    ids=["another source tells", "a source nobody described"],
)
def test_a_tenant_has_data_when_one_of_its_sources_may_feed_it(
    world: World, told: tuple[Capability, ...], loaded: bool, described: bool
) -> None:
    world.put(Dossier("d"))
    world.source("dossiers_only", *(set(Capability) - {Capability.SERVICES}))
    world.source("another", *told, loaded=loaded, described=described)
    assert unit_of(world.score(), "H17").available == 70


def test_a_source_that_was_never_loaded_feeds_nothing(world: World) -> None:
    world.put(Dossier("d"))
    world.source("dossiers_only", *(set(Capability) - {Capability.SERVICES}))
    world.source("connected", *Capability, loaded=False)
    assert unit_of(world.score(), "H17").available == 64


def test_every_capability_has_a_component_that_needs_it(world: World) -> None:
    world.put(Dossier("d"))
    world.source("dossiers_only")
    table = world.score()
    assert {number for number in NEEDS if not unit_of(table, "H17").lacks(number)} == set()
    assert set(NEEDS.values()) == set(Capability)
    assert unit_of(table, "H17").available == 28  # 1.4, 2.1 and the certified copy rest on dossiers alone


def test_provinces_with_data_for_fewer_points_are_ranked_by_their_share_of_them(world: World) -> None:
    other = World(world.engine, "H26")
    other.tenant_row()
    other.agency("H26", "province")
    other.put(Dossier("x", agency="H26", due=LATER))
    other.source("dossiers_only", *(set(Capability) - {Capability.SERVICES}))
    world.service("H17.05", "1.000001", 3)
    world.put(Dossier("a", due=LATER), Dossier("b", due=LATER, acknowledged=True))
    table = world.score(tenants=("H17", "H26"))
    by_code = {unit.agency_code: unit for unit in table.provinces}
    assert (by_code["H17"].total, by_code["H17"].available, by_code["H17"].rank) == (Decimal("27.00"), 70, 1)
    assert (by_code["H26"].total, by_code["H26"].available, by_code["H26"].rank) == (Decimal("22.00"), 64, 2)
    world.put(Dossier("b", due=LATER, version=2))
    table = world.score(tenants=("H17", "H26"))
    by_code = {unit.agency_code: unit for unit in table.provinces}
    assert by_code["H17"].total > by_code["H26"].total
    assert by_code["H17"].percent < by_code["H26"].percent  # type: ignore[operator]
    assert [unit.agency_code for unit in table.provinces] == ["H26", "H17"]
    assert {component.id: [unit.agency_code for unit in units] for component, units in table.in_part.items()} == {
        "3.1": ["H26"], "3.2": ["H26"],
    }  # fmt: skip


def test_a_dossier_of_another_tenant_is_not_counted(world: World) -> None:
    other = World(world.engine, "H26")
    other.tenant_row()
    other.agency("H26", "province")
    other.put(Dossier("x", agency="H26"), Dossier("y", agency="H17.05"))
    world.put(Dossier("d"))
    table = world.score(tenants=("H17", "H26"))
    assert {refreshed.tenant for refreshed in table.provinces} == {"H17"} | {"H26"}
    assert numbers(table, "H17", "2.1")[1] == 1
    assert numbers(table, "H17.05", "2.1")[1] == 1


def test_units_with_equal_totals_share_a_rank_within_their_kind(world: World) -> None:
    world.agency("H17.103", "commune", parent="H17")
    world.put(
        Dossier("a", agency="H17.101", due=LATER),
        Dossier("b", agency="H17.102", due=LATER),
        Dossier("c", agency="H17.103"),
        Dossier("d", agency="H17.05"),
    )
    table = world.score()
    assert [(unit.agency_code, unit.rank) for unit in table.units_of("H17", UnitKind.COMMUNE)] == [
        ("H17.101", 1), ("H17.102", 1), ("H17.103", 3),
    ]  # fmt: skip
    assert [unit.rank for unit in table.units_of("H17", UnitKind.DEPARTMENT)] == [1, None]
    assert [unit.rank for unit in table.provinces] == [1]


def test_provinces_are_ranked_together_and_communes_within_their_own(world: World) -> None:
    other = World(world.engine, "H26")
    other.tenant_row()
    other.agency("H26", "province")
    other.agency("H26.101", "commune", parent="H26")
    other.put(Dossier("x", agency="H26.101", due=LATER))
    world.put(*(Dossier(f"d{n}", agency=f"H17.{n}", due=due) for n, due in ((101, LATER), (102, at("2026-10-20")))))
    table = world.score(tenants=("H26", "H17"))
    assert [(unit.agency_code, unit.rank) for unit in table.provinces] == [("H26", 1), ("H17", 2)]
    assert [unit.rank for unit in table.units_of("H26", UnitKind.COMMUNE)] == [1]
    assert [unit.rank for unit in table.units_of("H17", UnitKind.COMMUNE)] == [1, 2]


def test_the_total_is_given_over_what_could_be_measured(world: World) -> None:
    world.put(Dossier("d", due=LATER, acknowledged=True))
    unit = next(unit for unit in world.score().units if unit.agency_code == "H17.05")
    assert unit.total == Decimal("28.00")  # 1.4: 6, 2.1: 20, certified copy: 2
    assert unit.available == 70
    assert unit.percent == Decimal("40.00")
    assert unit.groups["CKMB"].available == 6


def test_sync_without_a_national_report_is_over_what_the_warehouse_received(world: World) -> None:
    inside, outside = at("2026-10-31 23:59"), at("2026-11-01 00:00")
    world.put(
        Dossier("a", acknowledged=True, received=inside),
        Dossier("b", received=at("2026-10-01 00:00")),
        Dossier("c", acknowledged=True, received=outside),
        Dossier("d", acknowledged=True, received=None),
    )
    table = world.score()
    assert numbers(table, "H17.05", "1.4") == (1, 2)
    found = next(unit for unit in table.units if unit.agency_code == "H17.05").components["1.4"]
    assert found.flags == {Flag.TEMP_NATIONAL_REPORT_DENOMINATOR, Flag.NO_NATIONAL_REPORT_DATA}
    assert found.score == Decimal("3.00")


def test_sync_without_a_national_report_can_have_no_rate_as_on_the_portal(world: World) -> None:
    world.put(Dossier("a", acknowledged=True), Dossier("b", agency="H17.101", acknowledged=True))
    world.national_report("H17.101", "2026-10", 4, at("2026-11-02"))
    table = world.score(definition=with_choices(sync_without_report=SyncWithoutReport.NONE))
    found = next(unit for unit in table.units if unit.agency_code == "H17.05")
    assert numbers(table, "H17.05", "1.4") == (1, None)
    assert (found.components["1.4"].score, found.components["1.4"].ratio) == (None, None)
    assert found.components["1.4"].flags == {Flag.NO_NATIONAL_REPORT_DATA}
    assert (found.groups["CKMB"].score, found.groups["CKMB"].available) == (0, 6)
    assert numbers(table, "H17.101", "1.4") == (1, 4)


def test_sync_does_not_know_what_the_portal_took_after_the_as_of_instant(world: World) -> None:
    as_of = at("2026-11-03 08:00")
    world.put(
        Dossier("a", acknowledged=True, acked_at=as_of),
        Dossier("b", acknowledged=True, acked_at=at("2026-11-03 08:01")),
    )
    assert numbers(world.score(as_of=as_of), "H17.05", "1.4") == (1, 2)
    assert numbers(world.score(), "H17.05", "1.4") == (2, 2)


def test_sync_uses_the_newest_national_report_known_at_the_time(world: World) -> None:
    world.put(Dossier("a", acknowledged=True), Dossier("b"))
    world.national_report("H17.05", "2026-10", 10, at("2026-11-02"))
    world.national_report("H17.05", "2026-10", 4, at("2026-11-04"))
    world.national_report("H17.05", "2026-10", 99, at("2026-11-30"))
    world.national_report("H17", "2026-10", 0, at("2026-11-02"))
    table = world.score()
    assert numbers(table, "H17.05", "1.4") == (1, 4)
    assert next(unit for unit in table.units if unit.agency_code == "H17.05").components["1.4"].flags == frozenset()
    assert numbers(table, "H17", "1.4") == (1, 2)  # a report of 0 is no report


def test_sync_is_never_over_less_than_what_the_portal_has(world: World) -> None:
    world.put(Dossier("a", acknowledged=True), Dossier("b", acknowledged=True))
    world.national_report("H17.05", "2026-10", 1, at("2026-11-02"))
    assert numbers(world.score(), "H17.05", "1.4") == (2, 2)


def test_sync_falls_back_to_a_twelfth_of_last_year(world: World) -> None:
    world.put(Dossier("a", acknowledged=True))
    world.national_report("H17.05", "2025", 30, at("2026-01-15"))
    table = world.score()
    assert numbers(table, "H17.05", "1.4") == (1, Decimal("2.5"))
    found = next(unit for unit in table.units if unit.agency_code == "H17.05").components["1.4"]
    assert (found.flags, found.score) == ({Flag.TEMP_NATIONAL_REPORT_DENOMINATOR}, Decimal("2.40"))


def test_a_dossier_without_reception_counts_for_services_by_its_submission_only(world: World) -> None:
    world.service("H17.05", "1.000001", 4)
    world.put(Dossier("a", channel=2, received=None, due=None, status=1, submitted=at("2026-10-09")))
    table = world.score()
    assert numbers(table, "H17.05", "3.2") == (1, 1)
    assert numbers(table, "H17.05", "3.3") == (0, 0)
    assert numbers(table, "H17.05", "2.1") == (0, 0)


def test_an_online_dossier_counts_only_with_an_electronic_result_where_paper_is_returned(world: World) -> None:
    world.procedure("1.000002", returns_paper=False)
    result = (Paper("result", result_code="KQ.1"),)
    world.put(
        Dossier("a", channel=2, papers=result),
        Dossier("b", channel=2, papers=(Paper("result"),)),
        Dossier("c", channel=2, procedure="1.000002"),
        Dossier("d", channel=None, papers=result),
    )
    assert numbers(world.score(), "H17.05", "3.3") == (2, 4)


def test_dossiers_whose_every_fee_is_zero_are_not_payable(world: World) -> None:
    world.procedure("1.000002", has_fee=True)
    world.put(
        Dossier("a", procedure="1.000002", fees=(0, 0), online_payment=1),
        Dossier("b", procedure="1.000002", fees=(0, 5000), online_payment=2),
        Dossier("c", procedure="1.000002", online_payment=3),
        Dossier("d", fees=(5000,), online_payment=1),
        Dossier("e", procedure="1.000002", fees=(0, None)),
    )
    assert numbers(world.score(), "H17.05", "3.6") == (1, 3)


def test_a_procedure_offered_by_two_agencies_counts_once_in_the_province_at_its_highest_level(world: World) -> None:
    world.procedure("1.000002", agencies=["H17.101"])
    world.procedure("1.000003", active=False)
    for agency, procedure, level in (
        ("H17.05", "1.000001", 2), ("H17.101", "1.000001", 4), ("H17.05", "1.000003", 4),
    ):  # fmt: skip
        world.service(agency, procedure, level)
    table = world.score()
    assert numbers(table, "H17.05", "3.1") == (0, 1)
    assert numbers(table, "H17.101", "3.1") == (1, 2)
    assert numbers(table, "H17", "3.1") == (1, 2)


def test_results_can_be_expected_of_procedures_with_paper_only(world: World) -> None:
    world.procedure("1.000002", returns_paper=False)
    world.put(Dossier("a", papers=(Paper("result"),)), Dossier("b", procedure="1.000002"))
    assert numbers(world.score(), "H17.05", "4.1") == (1, 2)
    paper = with_choices(result_denominator=ResultDenominator.PAPER)
    assert numbers(world.score(definition=paper), "H17.05", "4.1") == (1, 1)


def test_reuse_can_be_counted_over_the_month_s_receptions(world: World) -> None:
    world.put(Dossier("a", digitised=True, received=at("2026-09-10")), Dossier("b", digitised=True))
    assert numbers(world.score(), "H17.05", "4.3") == (2, 2)
    received = with_population("4.3", "received")
    assert numbers(world.score(definition=received), "H17.05", "4.3") == (1, 1)  # type: ignore[arg-type]


def test_which_databases_are_the_population_s_is_configuration(world: World) -> None:
    world.put(Dossier("a", databases=("7",)), Dossier("b", databases=("1",)), Dossier("c", vneid=True))
    assert numbers(world.score(), "H17.05", "4.5b") == (2, 3)
    both = with_choices(population_databases=("7", "1"))
    assert numbers(world.score(definition=both), "H17.05", "4.5b") == (3, 3)


def test_a_run_remembers_its_definition_month_and_loads(world: World) -> None:
    world.execute(
        "INSERT INTO ops.load (tenant, source_id, run_key, mode, state, contract_hash, opened_at, merge_no) "
        "VALUES ('H17', 'test', 'r', 'full', 'merged', '', :now, 3)",
        [{"now": at("2026-10-05")}],
    )
    table = world.score(kind=ScoreKind.PROVISIONAL, as_of=at("2026-10-17"))
    assert table.loads == {"H17": 3}
    assert table.definition == DEFINITION
    assert (table.month, table.kind, table.as_of) == (OCTOBER, ScoreKind.PROVISIONAL, at("2026-10-17"))
    assert {component.id for component in table.without_data} == {"1.1", "1.2", "1.3", "5.2", "5.3", "5.4"}


def run_once(engine: Engine, key: str, month: Month = OCTOBER) -> int:
    with engine.begin() as connection:
        refresh_facts(connection, "H17")
        return score(
            connection, definition=DEFINITION, tenants=["H17"], month=month, as_of=NOW, kind=ScoreKind.PROVISIONAL,
            run_key=key, now=NOW,
        )  # fmt: skip


def rows(engine: Engine) -> list[int]:
    tables = ("score_run", "score_unit", "component_score", "unit_score", "definition")
    with engine.connect() as connection:
        return [connection.execute(text(f"SELECT count(*) FROM indices.{table}")).scalar_one() for table in tables]


def test_the_same_key_gives_the_same_run_and_writes_nothing(world: World) -> None:
    world.put(Dossier("d"))
    first = run_once(world.engine, "daily")
    before, table = rows(world.engine), scores(world.engine, first)
    world.put(Dossier("e", version=2))
    assert run_once(world.engine, "daily") == first
    assert rows(world.engine) == before
    assert scores(world.engine, first) == table
    assert run_once(world.engine, "another") != first


def test_two_runs_of_one_key_at_once_give_one_run(world: World) -> None:
    world.put(Dossier("d"))
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(run_once(world.engine, "daily"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert len(set(found)) == 1
    assert rows(world.engine)[0] == 1


def test_a_key_cannot_be_used_for_another_month(world: World) -> None:
    run_once(world.engine, "daily")
    with pytest.raises(ArgumentError, match="run key was used for another"):
        run_once(world.engine, "daily", Month(2026, 9))


def test_scoring_before_the_facts_were_derived_is_refused(world: World) -> None:
    with pytest.raises(NotReadyError, match=r"key H17.*never derived"):
        world.score(refresh=False)


def test_scoring_a_tenant_without_agencies_is_refused(world: World) -> None:
    World(world.engine, "H26").tenant_row()
    with pytest.raises(NotReadyError, match=r"key H26.*no listed agencies.*catalogue_sync"):
        world.score(tenants=("H17", "H26"))
    assert rows(world.engine)[0] == 0


@pytest.mark.parametrize(
    ("month", "kind"), [(Month(2026, 11), ScoreKind.FINAL), (Month(2026, 12), ScoreKind.PROVISIONAL)]
)
def test_a_month_that_has_not_ended_has_no_final_score_and_one_not_begun_has_none(
    world: World, month: Month, kind: ScoreKind
) -> None:
    with pytest.raises(ArgumentError, match="can't have a"):
        world.score(month=month, kind=kind)


def test_an_unknown_run_is_one_clear_error(world: World) -> None:
    with pytest.raises(ArgumentError, match="no such score run"):
        scores(world.engine, 12345)


def test_strays_go_to_the_tenant_s_own_province_where_a_merged_one_is_still_listed(world: World) -> None:
    world.agency("H03", "province", name="Tỉnh đã sáp nhập")
    world.agency("H03.05", "department", parent="H03")
    world.put(Dossier("a", agency="H88.01"), Dossier("b", agency="H03.05"))
    table = world.score()
    assert numbers(table, "H17", "2.1")[1] == 1
    assert numbers(table, "H03", "2.1")[1] == 1
