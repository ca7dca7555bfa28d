"""The DAG files under Airflow's own DagBag: what they define, what they import, what a bad contract does."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from lienthong.model.kinds import KINDS
from tests.orchestration.conftest import REPO, SOURCES, LoadDags

pytestmark = pytest.mark.xdist_group("airflow")

COMMON = {
    "catalogue_sync", "freshness", "index_scores", "index_scores_final", "portal_adopt", "portal_push", "portal_shadow",
}  # fmt: skip
CONTRACTS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(SOURCES.glob("*.yaml"))}
KIND_OF = {source_id: next(iter(set(KINDS) & set(contract))) for source_id, contract in CONTRACTS.items()}
#: Source → its DAG.
SYNCS = {source_id: f"{kind}_sync__{source_id}" for source_id, kind in KIND_OF.items()}
TENANTS = sorted({contract["tenant"] for source_id, contract in CONTRACTS.items() if KIND_OF[source_id] == "dossier"})


def _sync_ids(loaded: dict[str, Any]) -> set[str]:
    return {dag_id for dag_id in loaded["dags"] if "_sync__" in dag_id}


def test_every_dag_file_loads_without_errors(loaded: dict[str, Any]) -> None:
    assert loaded["errors"] == {}
    assert set(loaded["dags"]) == COMMON | set(SYNCS.values())


def test_dag_files_import_neither_great_expectations_nor_dataframes(loaded: dict[str, Any]) -> None:
    assert loaded["heavy"] == []


def test_airflow_loads_the_plugin_but_no_module_of_the_package_under_another_name(loaded: dict[str, Any]) -> None:
    assert "lienthong" in loaded["plugins"]
    assert loaded["plugin_errors"] == {}
    assert loaded["strays"] == []


def test_a_load_goes_through_its_five_steps_in_order(loaded: dict[str, Any]) -> None:
    for dag_id in SYNCS.values():
        tasks = loaded["dags"][dag_id]["tasks"]
        order = ["open_load", "extract", "stage", "gate", "merge"]
        assert {name: task["downstream"] for name, task in tasks.items()} == {
            name: [after] for name, after in pairwise(order)
        } | {"merge": []}


def test_a_merge_changes_the_asset_of_its_tenant_and_the_push_waits_for_all_of_them(loaded: dict[str, Any]) -> None:
    for source_id, dag_id in SYNCS.items():
        tenant, records = CONTRACTS[source_id]["tenant"], f"{KIND_OF[source_id]}s"
        outlets = {name: task["outlets"] for name, task in loaded["dags"][dag_id]["tasks"].items()}
        assert sorted(outlets.pop("merge")) == [f"lienthong://{tenant}/{name}" for name in sorted((records, "quality"))]
        assert not any(outlets.values())
    condition = loaded["dags"]["portal_push"]["serialized"]["dag"]["timetable"]["__var"]["asset_condition"]
    assert condition["__type"] == "asset_any"
    assert sorted(asset["uri"] for asset in condition["objects"]) == [
        f"lienthong://{code}/dossiers" for code in TENANTS
    ]


def test_scores_are_an_asset_that_others_can_wait_for(loaded: dict[str, Any]) -> None:
    for dag_id in ("index_scores", "index_scores_final"):
        assert loaded["dags"][dag_id]["tasks"]["publish_scores"]["outlets"] == ["lienthong://indices/scores"]


def test_the_push_is_mapped_over_tenants(loaded: dict[str, Any]) -> None:
    assert loaded["dags"]["portal_push"]["tasks"]["push_tenant"]["mapped"] is True


def test_a_source_keeps_its_own_schedule_in_vietnams_time(loaded: dict[str, Any]) -> None:
    for source_id, contract in CONTRACTS.items():
        timetable = loaded["dags"][SYNCS[source_id]]["serialized"]["dag"]["timetable"]["__var"]
        assert timetable["expressions"] == [contract["schedule"], contract["full"]]
        assert timetable["timezone"] == "Asia/Ho_Chi_Minh"


def test_every_dag_is_documented_never_catches_up_and_overlaps_itself_only_where_that_is_safe(
    loaded: dict[str, Any],
) -> None:
    for dag_id, dag in loaded["dags"].items():
        assert dag["doc"], dag_id
        assert dag["tags"], dag_id
        at_once = 4 if dag_id == "portal_push" else 1  # leases keep two pushes of one province apart
        assert (dag["catchup"], dag["max_active_runs"]) == (False, at_once), dag_id


def test_people_read_vietnamese_names_and_tags_and_every_schedule_is_in_vietnams_time(loaded: dict[str, Any]) -> None:
    names = [dag["name"] for dag in loaded["dags"].values()]
    assert len(set(names)) == len(names)
    for dag_id, dag in loaded["dags"].items():
        for shown in (dag["name"], *dag["tags"]):
            assert not shown.isascii() or re.fullmatch(r"H\d{2}|Gia Lai", shown), (dag_id, shown)
        timetable = dag["serialized"]["dag"]["timetable"]["__var"]
        assert timetable.get("timezone", "Asia/Ho_Chi_Minh") == "Asia/Ho_Chi_Minh", dag_id
    assert loaded["dags"]["dossier_sync__opencps_h17"]["tags"] == ["H17", "hồ sơ", "Đà Nẵng"]


def test_forms_are_in_vietnamese_and_mark_as_required_only_what_is(loaded: dict[str, Any]) -> None:
    required = set()
    for dag_id, dag in loaded["dags"].items():
        for name, param in dag["serialized"]["dag"].get("params", []):
            schema = param["schema"]["__var"]
            assert not param["description"].isascii(), (dag_id, name)
            assert not schema["title"].isascii(), (dag_id, name)
            if schema["type"] != "null" and "null" not in schema["type"]:  # Airflow's form marks these with a star
                required.add((dag_id.split("__")[0], name))
            else:
                assert schema["title"].endswith("(không bắt buộc)"), (dag_id, name)
    syncs = {(f"{kind}_sync", "mode") for kind in KIND_OF.values()}
    assert required == syncs | {("portal_adopt", "tenant"), ("portal_shadow", "tenant")}


@pytest.mark.parametrize("dag_id", ["portal_shadow", "portal_adopt"])
def test_what_is_done_for_one_tenant_is_not_started_without_one(loaded: dict[str, Any], dag_id: str) -> None:
    params = dict(loaded["dags"][dag_id]["serialized"]["dag"]["params"])
    tenant = params["tenant"]
    accepted = Draft7Validator(tenant["schema"]["__var"])
    for value in (tenant["default"], "", "h17", "H1", "H171", "H17 "):
        assert not accepted.is_valid(value), value
    for value in ("H17", "G22"):
        assert accepted.is_valid(value), value
    for name in params.keys() - {"tenant"}:
        schema = Draft7Validator(params[name]["schema"]["__var"])
        assert schema.is_valid(params[name]["default"]), f"{name} may be left as it is"


def test_every_task_has_an_owner_retries_and_a_time_limit(loaded: dict[str, Any]) -> None:
    for dag_id, dag in loaded["dags"].items():
        for name, task in dag["tasks"].items():
            assert task["owner"] == "lienthong", (dag_id, name)
            assert (task["retries"], task["retry_delay"]) == (4, 30), (dag_id, name)
            assert task["timeout"] != "None", (dag_id, name)


def test_parsing_twice_gives_the_same_dags(loaded: dict[str, Any], load_dags: LoadDags) -> None:
    def bare(found: dict[str, Any]) -> dict[str, Any]:
        return {
            dag_id: {key: value for key, value in dag["serialized"]["dag"].items() if not key.startswith("_")}
            for dag_id, dag in found["dags"].items()
        }

    assert bare(load_dags()) == bare(loaded)


def test_a_new_province_is_one_yaml_file_and_appears_as_its_own_dag(
    another_province: Path, load_dags: LoadDags
) -> None:
    found = load_dags(another_province)
    assert found["errors"] == {}
    assert _sync_ids(found) == {*SYNCS.values(), "dossier_sync__opencps_h57"}
    assert "lienthong://H57/dossiers" in str(found["dags"]["portal_push"]["serialized"])


def test_a_contract_with_a_typo_is_an_import_error_and_leaves_the_others(contracts: Path, load_dags: LoadDags) -> None:
    broken = contracts / "opencps_h26.yaml"
    broken.write_text(broken.read_text(encoding="utf-8").replace("schedule:", "shedule:"), encoding="utf-8")
    found = load_dags(contracts)
    assert _sync_ids(found) == set(SYNCS.values()) - {SYNCS[broken.stem]}
    assert set(found["dags"]) >= COMMON
    assert list(found["errors"]) == ["source_contracts.py"]
    for word in ("opencps_h26.yaml", "shedule"):
        assert word in found["errors"]["source_contracts.py"]


def test_without_any_usable_contract_the_other_dags_stay(tmp_path: Path, load_dags: LoadDags) -> None:
    found = load_dags(tmp_path)
    assert set(found["dags"]) == COMMON


@pytest.mark.parametrize("path", sorted((REPO / "dags").glob("*.py")), ids=lambda path: path.stem)
def test_a_dag_file_reads_like_a_table_of_contents(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 80
    assert ast.get_docstring(ast.parse(source))
    assert "airflow" in source.lower(), "Airflow skips files that do not name it"
    assert "dag" in source.lower()
    assert not any(isinstance(node, ast.Lambda) for node in ast.walk(ast.parse(source)))
