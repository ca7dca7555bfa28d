"""The suites are Great Expectations' own files, every rule speaks Vietnamese, and a slip is named by file and key."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from lienthong.model.codes import Severity
from lienthong.model.errors import ContractError
from lienthong.model.identifiers import DOSSIER_CODE_PATTERN
from lienthong.model.kinds.dossier import DOSSIER_KIND, Entity
from lienthong.quality.evaluation import check_suite
from lienthong.quality.suites import load_suites
from lienthong.settings import PROJECT

SUITES = load_suites(PROJECT, DOSSIER_KIND)
RULES = [rule for suite in SUITES.values() for rule in suite.rules]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    shutil.copytree(PROJECT / "expectations", tmp_path / "expectations")
    shutil.copytree(PROJECT / "include" / "sql" / "quality", tmp_path / "include" / "sql" / "quality")
    return tmp_path


def spoil(home: Path, *keys: str | int, value: Any) -> None:
    """Set one value of dossier.json."""
    path = home / "expectations" / "dossier.json"
    document = json.loads(path.read_text())
    place = document
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    path.write_text(json.dumps(document))


def complaint(home: Path) -> tuple[str, str]:
    with pytest.raises(ContractError) as caught:
        load_suites(home, DOSSIER_KIND)
    return caught.value.key or "", str(caught.value)


@pytest.mark.parametrize("entity", Entity)
def test_a_suite_is_loaded_whole_by_great_expectations_own_loader(entity: Entity) -> None:
    from great_expectations.core import ExpectationSuite

    document = json.loads((PROJECT / "expectations" / f"{entity}.json").read_text())
    suite = ExpectationSuite(**document)
    assert [(e.meta or {})["rule_id"] for e in suite.expectations] == [rule.rule_id for rule in SUITES[entity].rules]
    assert [e.kwargs for e in suite.expectation_configurations] == [raw["kwargs"] for raw in document["expectations"]]
    check_suite(SUITES[entity])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.entity}-{rule.rule_id}")
def test_a_rule_says_in_vietnamese_what_is_wrong_and_what_to_do(rule: Any) -> None:
    assert rule.severity in Severity
    assert rule.owner
    for words in (rule.title_vi, rule.explanation_vi):
        assert set(words) & set("ăâđêôơưáàảạấầếềộớờủứừýịỗổ")
    assert "Cần " in rule.explanation_vi or "nên " in rule.explanation_vi


def test_the_suite_knows_a_dossier_code_as_the_model_does() -> None:
    document = SUITES[Entity.DOSSIER].document
    patterns = [raw["kwargs"]["regex"] for raw in document["expectations"] if "regex" in raw["kwargs"]]
    assert patterns == [DOSSIER_CODE_PATTERN]


def test_great_expectations_severity_follows_ours() -> None:
    words = {"reject": "critical", "block": "warning", "warn": "info"}
    for suite in SUITES.values():
        for raw in suite.document["expectations"]:
            assert raw["severity"] == words[raw["meta"]["severity"]]


def test_what_must_stay_countable_is_never_rejected() -> None:
    rejects = {rule.rule_id for rule in RULES if rule.severity is Severity.REJECT}
    assert rejects == {"source_key_present", "dossier_typed", "child_key_present", "child_typed", "orphan_child"}


def test_every_rule_file_is_used_by_a_suite() -> None:
    files = {path.stem for path in (PROJECT / "include/sql/quality/rules").glob("*.sql")}
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in (PROJECT / "expectations").glob("*.json")]
    named = {raw["meta"].get("sql") for document in documents for raw in document["expectations"]}
    assert files == named - {None}


def test_a_missing_suite_is_named(home: Path) -> None:
    (home / "expectations" / "fee.json").unlink()
    key, message = complaint(home)
    assert key == "expectations/fee.json: (file)"
    assert "is missing" in message


def test_a_suite_that_is_not_json_is_named(home: Path) -> None:
    (home / "expectations" / "step.json").write_text('{"name": "step",')
    key, message = complaint(home)
    assert key == "expectations/step.json: (file)"
    assert "line 1" in message


META = ("expectations", 0, "meta")
REGEX = ("expectations", 2)


@pytest.mark.parametrize(
    ("keys", "value", "complained"),
    [
        (("name",), "dosier", "name"),
        (("expectations",), [], "expectations"),
        (("expectations", 0), "?", "expectations[0].type"),
        (("expectations", 0, "kwargs"), None, "expectations[0].kwargs"),
        (META, None, "expectations[0].meta"),
        ((*META, "owner"), " ", "expectations[0].meta.owner"),
        ((*META, "title_vi"), None, "expectations[0].meta.title_vi"),
        ((*META, "explanation_vi"), 5, "expectations[0].meta.explanation_vi"),
        ((*META, "severity"), "fatal", "expectations[0].meta.severity"),
        ((*META, "field"), "agency_nam", "expectations[0].meta.field"),
        ((*META, "rule_id"), "dossier_typed", "expectations[1].meta.rule_id"),
        ((*META, "sql"), "no_such_rule", "expectations[0].kwargs.unexpected_rows_query"),
        ((*META, "sql"), "../secrets", "expectations[0].meta.sql"),
        ((*META, "sql"), None, "expectations[0].meta.sql"),
        ((*REGEX, "meta", "sql"), "agency_named", "expectations[2].meta.sql"),
        ((*REGEX, "type"), "expect_table_row_count_to_equal", "expectations[2].type"),
        ((*REGEX, "kwargs", "mostly"), 0.9, "expectations[2].kwargs.mostly"),
        ((*REGEX, "kwargs", "row_condition"), "status = 4", "expectations[2].kwargs.row_condition"),
    ],
    ids=str,
)
def test_a_slip_in_a_suite_is_named_by_file_and_key(
    home: Path, keys: tuple[str | int, ...], value: Any, complained: str
) -> None:
    spoil(home, *keys, value=value)
    assert complaint(home)[0] == f"expectations/dossier.json: {complained}"


@pytest.mark.parametrize("sql", ["SELECT 1 FROM {batch} WHERE a ~ 'x{3}'", "SELECT 1 FROM staging.dossier", ""])
def test_a_rule_file_that_cannot_serve_both_sides_is_refused(home: Path, sql: str) -> None:
    (home / "include/sql/quality/rules/agency_named.sql").write_text(f"-- {{batch}}\n{sql}")
    key, message = complaint(home)
    assert key.endswith(".meta.sql")
    assert "agency_named.sql" in message


def test_a_missing_rule_file_is_named(home: Path) -> None:
    (home / "include/sql/quality/rules/agency_named.sql").unlink()
    assert "agency_named.sql, which is not in" in complaint(home)[1]


def test_arguments_that_great_expectations_refuses_are_named(home: Path) -> None:
    spoil(home, "expectations", 2, "kwargs", "column", value=["not", "a", "name"])
    with pytest.raises(ContractError) as caught:
        check_suite(load_suites(home, DOSSIER_KIND)[Entity.DOSSIER])
    assert caught.value.key == "expectations/dossier.json: expectations[2]"
