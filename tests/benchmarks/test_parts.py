"""The parts of a benchmark that could spoil its numbers without anybody noticing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import deliveries, report
from benchmarks.changes import change
from benchmarks.multiply import multiply
from benchmarks.server import Server
from benchmarks.statement_times import StatementTimes
from benchmarks.targets import judge
from devstack.postgres import Postgres
from lienthong.exchange.settings import load_portal_settings
from lienthong.model.identifiers import DOSSIER_CODE_PATTERN
from simulator.opencps.install import DOSSIER_TABLES, install
from simulator.world import World

DOSSIERS, COPIES = 400, 3


@pytest.fixture
def source(postgres: Postgres, new_database: Callable[..., str]) -> tuple[Server, str]:
    """A small province's database."""
    url = new_database("bench_source")
    install(World.generate(7, DOSSIERS, "2026-10", provinces=("H17",)), "H17", url)
    return Server(postgres), url.rpartition("/")[2]


def rows(cursor: Any, query: str) -> list[tuple[Any, ...]]:
    cursor.execute(query)
    return list(cursor.fetchall())


def test_copied_dossiers_keep_their_shares_and_get_numbers_of_their_own(source: tuple[Server, str]) -> None:
    server, database = source
    every = 'SELECT "dossierNo", "dossierStatus" FROM opencps_dossier'
    with server.cursor(database) as cursor:
        before, counts = rows(cursor, every), [rows(cursor, f"SELECT count(*) FROM {t}")[0][0] for t in DOSSIER_TABLES]
    with server.cursor(database, autocommit=False) as cursor:
        multiply(cursor, COPIES)
    with server.cursor(database) as cursor:
        after = rows(cursor, every)
        for table, count in zip(DOSSIER_TABLES, counts, strict=True):
            assert rows(cursor, f"SELECT count(*) FROM {table}") == [(count * COPIES,)]
        lost = (
            'SELECT count(DISTINCT a."dossierId") FROM opencps_dossieraction AS a LEFT JOIN opencps_dossier AS d '
            'USING ("dossierId") WHERE d."dossierId" IS NULL'
        )
        orphans = sum(
            1 for plan in World.generate(7, DOSSIERS, "2026-10").plans["H17"] if plan.defect == "orphan_child"
        )
        assert rows(cursor, lost) == [(orphans * COPIES,)]

    def numbers(found: list[tuple[Any, ...]]) -> list[str]:
        return [number for number, _ in found if number]

    assert len(set(numbers(after))) == COPIES * len(set(numbers(before)))
    well_formed = [
        sum(bool(re.match(DOSSIER_CODE_PATTERN, number)) for number in numbers(rows)) for rows in (before, after)
    ]
    assert well_formed[1] == COPIES * well_formed[0] > 0
    assert sorted(status for _, status in after) == sorted(COPIES * [status for _, status in before])


def test_a_change_moves_that_many_open_dossiers_and_nothing_else(source: tuple[Server, str]) -> None:
    server, database = source
    state = 'SELECT "dossierId", "dossierStatus", "modifiedDate" FROM opencps_dossier ORDER BY 1'
    steps = 'SELECT "dossierId", "stepCode" FROM opencps_dossieraction ORDER BY "dossierActionId"'
    with server.cursor(database) as cursor:
        before, steps_before = rows(cursor, state), rows(cursor, steps)
    with server.cursor(database, autocommit=False) as cursor:
        moved = change(cursor, 0.02)
    with server.cursor(database) as cursor:
        after, steps_after = rows(cursor, state), rows(cursor, steps)

    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    newest = max(modified for _, _, modified in before)
    assert moved == len(changed) == round(0.02 * len(before))
    assert all(modified >= newest for _, _, modified in changed)
    assert len(steps_after) == len(steps_before) + moved
    assert {dossier for dossier, _ in set(steps_after) - set(steps_before)} <= {dossier for dossier, _, _ in changed}


def test_names_of_unknown_statements_hold_no_value() -> None:
    name = StatementTimes().name_of("SELECT a, b FROM people WHERE name = 'Nguyễn Văn A' AND id IN (%(x_1)s, %(x_2)s)")

    assert name == "SELECT … FROM people WHERE name = ? AND id IN (?)"


def test_targets_are_judged_over_all_provinces() -> None:
    phase = {"peak_mib": 700, "children_peak_mib": 0}
    loads: list[dict[str, Any]] = [
        {"mode": mode, "tenant": tenant, "work_s": seconds, "counts": {}, "deltas": 0}
        for mode, seconds in (("first", 30.0), ("full_reread", 24.0), ("changed", 3.0))
        for tenant in ("H17", "H26")
    ]
    found = {
        target.name: target
        for target in judge(
            {
                "loads": loads,
                "phases": [phase, {**phase, "children_peak_mib": 1100}],
                "copy_limit": {"work_s": 10.0},
                "scores": [{"dossiers": 20_000, "work_s": 90.0}, {"dossiers": 1_000_000, "work_s": 7.0}],
            }
        )
    }

    assert (found["first load / COPY"].value, found["first load / COPY"].met) == (6.0, True)
    assert not found["full re-read, nothing changed / first load"].met
    assert found["incremental, 1% changed / first load"].met
    assert found["peak memory of any task"].value == 1100
    assert found["a month's scores over 1,000,000 dossiers"].met


def test_a_page_without_markers_is_not_written(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("nothing to replace", encoding="utf-8")

    with pytest.raises(ValueError, match="markers"):
        report.rewrite(page, tmp_path)
    assert page.read_text(encoding="utf-8") == "nothing to replace"


def test_the_real_page_has_its_markers_and_shows_what_is_kept() -> None:
    text = report.PAGE.read_text(encoding="utf-8")
    section = report.section(report.newest(report.PAGE.with_name("results")))

    assert re.search(re.escape(report.BEGIN) + r"\n.*" + re.escape(report.END), text, re.DOTALL)
    assert section in text


@pytest.mark.parametrize("case", deliveries.CASES, ids=lambda case: case.name)
def test_the_portal_settings_of_a_delivery_case_can_be_read_and_are_in_a_hurry(
    tmp_path: Path, case: deliveries.Case
) -> None:
    file = tmp_path / "portal.yaml"
    file.write_text(deliveries.settings_of(case), encoding="utf-8")
    settings = load_portal_settings(file)
    assert settings.workers == deliveries.CONNECTIONS
    assert settings.batch_size == case.settings["batch_size"]
