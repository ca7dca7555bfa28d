"""What the gate stores: all failing rows, counts that agree, no values, the same however often and by how many run."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from lienthong.model.codes import Severity
from lienthong.model.errors import ContractError, GateError, TransientError
from lienthong.model.kinds.dossier import DOSSIER_KIND, SPECS, Entity
from lienthong.quality import evaluation
from lienthong.quality.gate import run_gate
from lienthong.settings import PROJECT
from tests.quality.staged import (
    NOON,
    SOURCE,
    TENANT,
    apply,
    document,
    dossier,
    fee,
    gate,
    open_load,
    rows_of,
    stage,
    step,
    violations,
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A copy of the suites and rule files that a test may spoil."""
    shutil.copytree(PROJECT / "expectations", tmp_path / "expectations")
    shutil.copytree(PROJECT / "include" / "sql" / "quality", tmp_path / "include" / "sql" / "quality")
    return tmp_path


def gate_at(engine: Engine, load_id: int, home: Path) -> None:
    run_gate(engine, kind=DOSSIER_KIND, tenant=TENANT, source_id=SOURCE, load_id=load_id, now=NOON, home=home)


def stored(engine: Engine, load_id: int) -> list[list[tuple[Any, ...]]]:
    """Everything the gate stores of a load."""
    return [
        rows_of(engine, f"SELECT * FROM {table} WHERE load_id = :load ORDER BY 3, 4, 5, 6, 7", load=load_id)
        for table in ("staging.violation", "quality.gate_result")
    ]


def test_a_load_without_rows_passes_every_rule(prepared: Engine) -> None:
    report = gate(prepared, open_load(prepared, "empty"))
    assert report.failed == ()
    assert (report.rejected, report.rejected_children, report.blocked) == (0, 0, 0)
    assert {(r.evaluated, r.failed) for r in report.results} == {(0, 0)}
    assert rows_of(prepared, "SELECT count(*) FROM quality.gate_result") == [(len(report.results),)]


def test_every_failing_row_is_kept_with_every_reason_however_many_there_are(prepared: Engine) -> None:
    load_id = open_load(prepared, "many")
    with prepared.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO staging.dossier (tenant, load_id, row_no, source_id, source_key, landing_part, "
                "landing_row, dossier_code, procedure_code, agency_name, status, was_not_nfc) "
                "SELECT 'H17', :load, n, 'h17_opencps', 'k' || n, 0, n, 'Nguyễn Văn ' || n, '9.999999', "
                "CASE WHEN n <= 600 THEN 'Sở' END, 1, true FROM generate_series(1, 650) AS n"
            ),
            {"load": load_id},
        )
    report = gate(prepared, load_id)
    failed = {result.rule_id: result.failed for result in report.failed}
    assert failed.items() >= {
        ("dossier_code_well_formed", 650),
        ("text_was_nfc", 650),
        ("procedure_known", 650),
        ("agency_named", 50),
    }
    kept = rows_of(prepared, "SELECT rule_id, count(DISTINCT row_no) FROM staging.violation GROUP BY 1")
    assert dict(kept) == failed
    assert report.blocked == 650


def test_a_count_that_disagrees_with_the_violation_statement_stores_nothing(
    prepared: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_id = open_load(prepared, "disagree")
    stage(prepared, load_id, dossier=[dossier("1", agency_name=None)])
    gate(prepared, load_id)
    before = stored(prepared, load_id)
    honest = evaluation.failures

    def miscounted(*args: Any, **kwargs: Any) -> list[evaluation.FailedExpectation]:
        return [evaluation.FailedExpectation(f.rule, f.count + 1, f.failing_rows) for f in honest(*args, **kwargs)]

    monkeypatch.setattr(evaluation, "failures", miscounted)
    with pytest.raises(GateError, match=r"agency_named counts 2 .* but 1") as caught:
        gate(prepared, load_id)
    assert (caught.value.load, caught.value.source, caught.value.key) == (load_id, SOURCE, "dossier.agency_named")
    assert stored(prepared, load_id) == before


def test_running_the_gate_again_stores_the_same_and_forgets_what_was_put_right(prepared: Engine) -> None:
    load_id = open_load(prepared, "again")
    stage(prepared, load_id, dossier=[dossier("1", agency_name=None), dossier("2", status=99)])
    first = gate(prepared, load_id)
    before = stored(prepared, load_id)
    assert gate(prepared, load_id) == first
    assert stored(prepared, load_id) == before
    with prepared.begin() as connection:
        connection.execute(text("UPDATE staging.dossier SET agency_name = 'Sở Tư pháp'"))
    gate(prepared, load_id)
    assert violations(prepared, load_id) == [("dossier", 1, "status_mapped")]


def test_two_runs_of_the_gate_at_once_store_the_same_as_one(prepared: Engine) -> None:
    load_id = open_load(prepared, "twice")
    stage(prepared, load_id, dossier=[dossier(str(n), agency_name=None) for n in range(30)])
    gate(prepared, load_id)
    alone = stored(prepared, load_id)
    threads = [threading.Thread(target=gate, args=(prepared, load_id)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stored(prepared, load_id) == alone


def test_a_second_run_waits_for_the_first_before_it_replaces_violations(prepared: Engine) -> None:
    load_id = open_load(prepared, "waits")
    stage(prepared, load_id, dossier=[dossier("1", agency_name=None)])
    gate(prepared, load_id)
    with prepared.begin() as connection:  # the first run: it has replaced its violations and not committed yet
        query = (PROJECT / "include/sql/quality/lock_gate.sql").read_text()
        connection.execute(text(query), {"tenant": TENANT, "load_id": load_id})
        other = threading.Thread(target=gate, args=(prepared, load_id))
        other.start()
        while not rows_of(prepared, "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
            assert other.is_alive()
    other.join()
    assert violations(prepared, load_id) == [("dossier", 0, "agency_named")]


def test_two_loads_of_a_tenant_and_of_another_do_not_see_each_other(prepared: Engine) -> None:
    with prepared.begin() as connection:
        connection.execute(text("SELECT ops.ensure_tenant('H26')"))
    one, two = open_load(prepared, "one"), open_load(prepared, "two")
    three = open_load(prepared, "three", tenant="H26")
    stage(prepared, one, dossier=[dossier("1", agency_name=None)])
    stage(prepared, two, dossier=[dossier("2", status=99)], step=[step("1", "11")])
    stage(prepared, three, dossier=[dossier("2", tenant="H26", agency_code="H26.05")], step=[])
    threads = [threading.Thread(target=gate, args=(prepared, load_id)) for load_id in (one, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gate(prepared, three, tenant="H26")
    assert violations(prepared, one) == [("dossier", 0, "agency_named")]
    # The step's dossier is staged, but in the other load.
    assert violations(prepared, two) == [("dossier", 0, "status_mapped"), ("step", 0, "orphan_child")]
    assert violations(prepared, three) == []


def test_a_rejected_child_rejects_its_dossier_with_all_children_and_an_orphan_only_itself(prepared: Engine) -> None:
    load_id = open_load(prepared, "unit")
    stage(
        prepared,
        load_id,
        dossier=[dossier("1"), dossier("2"), dossier(None), dossier("3", agency_name=None, status=99)],
        step=[step("1", "11"), step("1", "12", type_errors=["due_at"]), step("2", "21"), step("9", "91")],
        document=[document("1", "a"), document("2", "b")],
        fee=[fee("1", "f"), fee("2", "g", amount=-1)],
    )
    report = gate(prepared, load_id)
    assert (report.rejected, report.rejected_children, report.blocked) == (2, 5, 1)


def test_results_and_rules_are_stored_with_their_words(prepared: Engine) -> None:
    load_id = open_load(prepared, "words")
    stage(prepared, load_id, dossier=[dossier("1", agency_name=None), dossier("2")])
    report = gate(prepared, load_id)
    result = next(r for r in report.failed)
    assert (result.rule_id, result.severity, result.evaluated, result.failed) == ("agency_named", Severity.BLOCK, 2, 1)
    kept = rows_of(
        prepared,
        "SELECT g.severity, g.evaluated, g.failed, g.checked_at, r.title_vi FROM quality.gate_result AS g "
        "JOIN quality.rule AS r USING (entity, rule_id) WHERE g.load_id = :load AND g.rule_id = 'agency_named'",
        load=load_id,
    )
    assert kept == [("block", 2, 1, NOON, "Thiếu tên đơn vị xử lý")]


def test_no_personal_value_is_stored_or_logged(prepared: Engine, caplog: pytest.LogCaptureFixture) -> None:
    planted = "PLANTED"
    personal = {
        entity: {field.name: f"{planted}-{field.name}" for field in spec.fields if field.personal}
        for entity, spec in SPECS.items()
    }
    load_id = open_load(prepared, "personal")
    caplog.set_level(logging.DEBUG)
    stage(
        prepared,
        load_id,
        dossier=[dossier("1", dossier_code=planted, agency_name=None) | personal[Entity.DOSSIER], dossier(None)],
        step=[step("9", "91", occurred_at=None) | personal[Entity.STEP]],
        document=[document(None, "b") | personal[Entity.DOCUMENT]],
        fee=[fee("9", None) | personal[Entity.FEE]],
    )
    report = gate(prepared, load_id)
    apply(prepared, load_id)
    assert rows_of(prepared, "SELECT count(*) > 0 FROM quality.quarantine") == [(True,)]
    tables = rows_of(
        prepared,
        "SELECT relname FROM pg_class WHERE relnamespace = 'quality'::regnamespace AND relkind IN ('r', 'p')",
    )
    tables += [("violation",)]
    for (table,) in tables:
        schema = "staging" if table == "violation" else "quality"
        assert rows_of(prepared, f"SELECT * FROM {schema}.{table} AS t WHERE t::text LIKE '%{planted}%'") == []
    assert planted not in repr(report)
    assert planted not in caplog.text


def test_great_expectations_hands_no_value_back(prepared: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    honest = evaluation._results

    def listening(outcome: Any, *rest: Any) -> dict[str, Any]:
        heard.append(str(outcome))
        return honest(outcome, *rest)

    monkeypatch.setattr(evaluation, "_results", listening)
    load_id = open_load(prepared, "values")
    stage(prepared, load_id, dossier=[dossier("1", dossier_code="PLANTED", applicant_id_number="777777777")])
    assert {result.rule_id for result in gate(prepared, load_id).failed} == {
        "dossier_code_well_formed",
        "id_number_plausible",
    }
    assert len(heard) == 3  # rules that are SQL, built-in rules, and why a built-in one failed
    assert not [words for words in heard if "PLANTED" in words or "777777777" in words]


def test_a_rule_that_the_database_cannot_run_is_named_without_its_values(
    prepared: Engine, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    rule = home / "include/sql/quality/rules/agency_named.sql"
    rule.write_text(rule.read_text().replace("agency_name,", "applicant_name::date::text,"))
    load_id = open_load(prepared, "crash")
    stage(prepared, load_id, dossier=[dossier("1")])
    with pytest.raises(GateError, match="agency_named could not be evaluated") as caught:
        gate_at(prepared, load_id, home)
    assert "Nguyễn" not in str(caught.value)
    assert "Nguyễn" not in caplog.text
    assert caught.value.__cause__ is None
    assert stored(prepared, load_id) == [[], []]


def test_an_expectation_that_great_expectations_does_not_know_names_file_and_place(
    prepared: Engine, home: Path
) -> None:
    path = home / "expectations/step.json"
    path.write_text(path.read_text().replace("values_to_not_be_null", "values_to_be_lovely"))
    load_id = open_load(prepared, "unknown")
    stage(prepared, load_id, dossier=[dossier("1")], step=[step("1", "11")])
    with pytest.raises(ContractError, match="step_dated") as caught:
        gate_at(prepared, load_id, home)
    assert caught.value.key == "expectations/step.json: expectations[4]"


def test_a_warehouse_that_does_not_answer_is_worth_another_try(prepared: Engine) -> None:
    nowhere = create_engine(prepared.url.set(database="gone"))
    with pytest.raises(TransientError), evaluation._datasource(nowhere, "H17", 1):
        pass


def test_the_gate_leaves_no_connection_of_great_expectations_behind(prepared: Engine) -> None:
    load_id = open_load(prepared, "connections")
    stage(prepared, load_id, dossier=[dossier("1", agency_name=None)])
    gate(prepared, load_id)
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'lienthong gate' AND datname = :database"
    for _ in range(1000):  # the server notices a closed connection a moment later
        if rows_of(prepared, query, database=prepared.url.database) == [(0,)]:
            break
    else:
        pytest.fail("connections stay open")


def test_importing_the_package_does_not_import_great_expectations() -> None:
    script = (
        "import sys, lienthong.quality.gate, lienthong.quality.quarantine, lienthong.quality.report;"
        "assert not {'great_expectations', 'pandas', 'airflow', 'jinja2'} & set(sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": str(PROJECT / "plugins")}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)


def test_the_gate_writes_no_file(prepared: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cwd", "home", "tmp"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    load_id = open_load(prepared, "files")
    stage(prepared, load_id, dossier=[dossier("1", agency_name=None)])
    gate(prepared, load_id)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
