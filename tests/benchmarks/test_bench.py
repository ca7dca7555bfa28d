"""A tiny benchmark, end to end: phases in processes of their own, a result, a page. Never how long anything takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import loads, report, result
from benchmarks.bench import Bench, Options
from benchmarks.server import Server
from devstack.postgres import Postgres
from tests.conftest import REPO

pytestmark = pytest.mark.xdist_group("bench")

SIZE, COPIED_FROM = 300, 150
OPTIONS = Options(
    sections=("load", "score", "push"),
    modes=("first", "full_reread", "changed"),
    score_dossiers=900,
    push_dossiers=40,
    copy_runs=1,
    simulated=COPIED_FROM,
)


@pytest.fixture(scope="module")
def kept(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a finished run."""
    folder = tmp_path_factory.mktemp("bench")
    bench = Bench(Server(postgres), folder / "files", OPTIONS, say=lambda line: None)
    return result.write(folder / "results", SIZE, bench.run(SIZE))


@pytest.fixture(scope="module")
def measured(kept: Path) -> dict[str, Any]:
    return report.read(kept)


def test_every_phase_of_every_load_was_measured(measured: dict[str, Any]) -> None:
    found = {(phase["mode"], phase["phase"]) for phase in measured["phases"]}

    assert found == {(mode, phase) for mode in OPTIONS.modes for phase in loads.PHASES} | {
        ("score", "facts"), ("loaded", "score"), ("multiplied", "score"), ("push", "push"), ("push_again", "push"),
    }  # fmt: skip
    for phase in measured["phases"]:
        assert phase["peak_mib"] > 20, phase["phase"]
        assert phase["startup_s"] > 0
        assert phase["work_s"] >= 0
        assert phase["statements"], f"{phase['phase']} asked the database nothing"


def test_statements_are_named_by_their_files(measured: dict[str, Any]) -> None:
    merge = next(phase for phase in measured["phases"] if phase["phase"] == "merge")
    stage = next(phase for phase in measured["phases"] if phase["phase"] == "stage")

    named = [name for name in merge["statements"] if (REPO / "include" / "sql" / f"{name}.sql").is_file()]
    assert len(named) > len(merge["statements"]) / 2, "which are the slowest is chance in so small a world"
    assert any(name.startswith("COPY staging.") for name in stage["statements"])


def test_a_full_reread_has_no_deltas_and_a_change_has_exactly_its_own(measured: dict[str, Any]) -> None:
    by_mode = {load["mode"]: load for load in measured["loads"]}

    assert by_mode["first"]["counts"]["dossier"]["inserted"] >= SIZE * 0.95
    assert by_mode["full_reread"]["deltas"] == 0
    assert by_mode["changed"]["moved_at_source"] == 3
    assert by_mode["changed"]["counts"]["dossier"]["updated"] == 3
    assert by_mode["changed"]["counts"]["step"]["inserted"] == 3


def test_the_copy_wrote_the_rows_that_the_first_load_made(measured: dict[str, Any]) -> None:
    counts = next(load["counts"] for load in measured["loads"] if load["mode"] == "first")
    tables = measured["copy_limit"]["tables"]

    assert tables["source_record"]["rows"] == tables["person"]["rows"] == counts["dossier"]["inserted"]
    for entity in ("step", "document", "fee"):
        assert tables[entity]["rows"] == counts[entity]["inserted"]


def test_scores_are_measured_over_what_was_loaded_and_over_more(measured: dict[str, Any]) -> None:
    loaded, multiplied = measured["scores"]

    assert loaded["dossiers"] >= SIZE * 0.95
    assert multiplied["dossiers"] >= 900
    assert multiplied["deliveries"] > 0


def test_a_push_delivers_and_a_second_one_owes_nothing(measured: dict[str, Any]) -> None:
    assert measured["push"]["pushed"]["delivered"] > 0
    assert measured["push"]["pushed_again"]["calls"] == 0


def test_a_result_says_what_it_was_measured_on_and_names_no_place(kept: Path, measured: dict[str, Any]) -> None:
    assert measured["schema"] == result.SCHEMA
    assert kept.name.startswith(f"{measured['date'][:10]}-{measured['commit']}")
    assert measured["postgres"]["fsync"] in ("on", "off")
    assert {"cores", "memory_gib", "cpu"} <= set(measured["machine"])
    assert {target["name"] for target in measured["targets"]} >= {"first load / COPY", "peak memory of any task"}
    text = kept.read_text(encoding="utf-8")
    assert "/tmp" not in text
    assert str(Path.home()) + "/" not in text


def test_the_page_shows_the_newest_result_of_each_size_and_is_the_same_every_time(kept: Path, tmp_path: Path) -> None:
    older = report.read(kept) | {"date": "2020-01-01T00:00:00+00:00", "commit": "0000000"}
    (tmp_path / "older.json").write_text(json.dumps(older), encoding="utf-8")
    (tmp_path / "newer.json").write_text(kept.read_text(encoding="utf-8"), encoding="utf-8")
    page = tmp_path / "README.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", encoding="utf-8")

    report.rewrite(page, tmp_path)
    first = page.read_text(encoding="utf-8")
    report.rewrite(page, tmp_path)

    assert page.read_text(encoding="utf-8") == first
    assert first.startswith("before\n")
    assert first.endswith("\nafter\n")
    assert "0000000" not in first
    assert "full re-read, nothing changed" in first
    assert "first load / COPY" in first
