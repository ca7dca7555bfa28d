"""Merge: what is inserted, updated, left alone, kept in history, and how identities are resolved."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from lienthong.model.errors import ConservationError
from lienthong.model.kinds.dossier import Entity
from lienthong.warehouse import merge
from tests.warehouse.staged import NOON, dossier, load_rows, merge_load, open_and_stage, step

D, S = Entity.DOSSIER, Entity.STEP


def rows_of(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def state_of(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every believed and historic row, with its place on disk: any write shows."""
    names = ("source_record", "person", "step", "document", "fee", "dossier", "source_record_history", "step_history")
    return {name: rows_of(engine, f"SELECT ctid, t.* FROM dossier.{name} AS t ORDER BY 1, 2, 3, 4") for name in names}


def test_a_new_dossier_is_inserted_with_its_children_and_the_same_again_is_unchanged(warehouse: Engine) -> None:
    rows = {D: [dossier("1")], S: [step("1", "11"), step("1", "12", status=4)]}
    assert load_rows(warehouse, rows, run_key="a") == {"dossier": {"inserted": 1}, "step": {"inserted": 2}}
    before = state_of(warehouse)
    assert load_rows(warehouse, rows, run_key="b") == {"dossier": {"unchanged": 1}, "step": {"unchanged": 2}}
    assert state_of(warehouse) == before


def test_a_changed_dossier_moves_its_old_version_with_all_children_to_history(warehouse: Engine) -> None:
    load_rows(warehouse, {D: [dossier("1"), dossier("2")], S: [step("1", "11"), step("2", "21")]}, run_key="a")
    later = {D: [dossier("1", status=9), dossier("2")], S: [step("1", "11"), step("1", "12"), step("2", "21")]}
    counts = load_rows(warehouse, later, run_key="b")
    assert counts == {"dossier": {"updated": 1, "unchanged": 1}, "step": {"inserted": 1, "unchanged": 2}}
    assert rows_of(warehouse, "SELECT source_key, version, status FROM dossier.source_record ORDER BY 1") == [
        ("1", 2, 9),
        ("2", 1, 4),
    ]
    assert rows_of(warehouse, "SELECT source_key, version, status FROM dossier.source_record_history") == [("1", 1, 4)]
    assert rows_of(warehouse, "SELECT child_key, version FROM dossier.step_history") == [("11", 1)]
    assert rows_of(warehouse, "SELECT child_key, version FROM dossier.step ORDER BY 1") == [
        ("11", 2),
        ("12", 2),
        ("21", 1),
    ]
    assert rows_of(warehouse, "SELECT version FROM dossier.dossier ORDER BY dossier_code") == [(2,), (1,)]


@pytest.mark.parametrize(
    "change",
    [
        {"applicant_name": "Trần Thị B"},
        {"due_at": NOON},
        {"due_at": None, "abstract": ""},
        {"database_codes": []},
        {"database_codes": None},
        {"vneid_verified": False},
    ],
    ids=str,
)
def test_any_changed_value_counts_and_null_is_not_empty(warehouse: Engine, change: dict[str, Any]) -> None:
    load_rows(warehouse, {D: [dossier("1")]}, run_key="a")
    assert load_rows(warehouse, {D: [dossier("1", **change)]}, run_key="b") == {"dossier": {"updated": 1}}


def test_values_that_are_not_hashed_make_no_delta(warehouse: Engine) -> None:
    load_rows(warehouse, {D: [dossier("1")]}, run_key="a")
    touched = dossier("1", source_modified_at=NOON + timedelta(days=3), was_not_nfc=True)
    assert load_rows(warehouse, {D: [touched]}, run_key="b") == {"dossier": {"unchanged": 1}}


def test_a_child_that_left_its_dossier_updates_the_dossier(warehouse: Engine) -> None:
    load_rows(warehouse, {D: [dossier("1")], S: [step("1", "11"), step("1", "12")]}, run_key="a")
    counts = load_rows(warehouse, {D: [dossier("1")], S: [step("1", "11")]}, run_key="b")
    assert counts == {"dossier": {"updated": 1}, "step": {"unchanged": 1}}
    assert rows_of(warehouse, "SELECT child_key FROM dossier.step") == [("11",)]


def test_a_row_read_twice_counts_once_and_the_last_wins(warehouse: Engine) -> None:
    rows = {D: [dossier("1", status=4), dossier("1", status=9)], S: [step("1", "11"), step("1", "11")]}
    counts = load_rows(warehouse, rows, run_key="a")
    assert counts == {"dossier": {"inserted": 1, "duplicate": 1}, "step": {"inserted": 1, "duplicate": 1}}
    assert rows_of(warehouse, "SELECT status FROM dossier.source_record") == [(9,)]


def test_a_load_that_looked_earlier_than_what_is_believed_is_stale(warehouse: Engine) -> None:
    early = open_and_stage(warehouse, {D: [dossier("1", status=4)], S: [step("1", "11")]}, run_key="early")
    load_rows(warehouse, {D: [dossier("1", status=9)]}, run_key="late")
    with warehouse.begin() as connection:
        counts = merge_load(connection, early)
    assert counts == {"dossier": {"stale": 1}, "step": {"stale": 1}}
    assert rows_of(warehouse, "SELECT status FROM dossier.source_record") == [(9,)]


def test_a_rejected_dossier_is_quarantined_with_its_children_and_the_rest_goes_on(warehouse: Engine) -> None:
    rows = {D: [dossier("1"), dossier("2")], S: [step("1", "11"), step("2", "21"), step("9", "91")]}
    violations = [
        {"entity": "dossier", "row_no": 0, "source_key": "1", "rule_id": "dossier_typed", "severity": "reject"},
        {"entity": "step", "row_no": 2, "source_key": "9", "rule_id": "orphan_child", "severity": "reject"},
    ]
    counts = load_rows(warehouse, rows, run_key="a", violations=violations)
    assert counts == {"dossier": {"inserted": 1, "quarantined": 1}, "step": {"inserted": 1, "quarantined": 2}}
    assert rows_of(warehouse, "SELECT source_key FROM dossier.source_record") == [("2",)]


def test_block_reasons_are_kept_and_losing_them_is_a_new_version(warehouse: Engine) -> None:
    blocked = [
        {"entity": "dossier", "row_no": 0, "source_key": "1", "rule_id": "procedure_known", "severity": "block"},
        {"entity": "dossier", "row_no": 0, "source_key": "1", "rule_id": "agency_named", "severity": "block"},
    ]
    load_rows(warehouse, {D: [dossier("1")]}, run_key="a", violations=blocked)
    assert rows_of(warehouse, "SELECT blocked_reasons FROM dossier.source_record") == [
        (["agency_named", "procedure_known"],)
    ]
    again = load_rows(warehouse, {D: [dossier("1")]}, run_key="b", violations=blocked)
    assert again == {"dossier": {"unchanged": 1}}
    assert load_rows(warehouse, {D: [dossier("1")]}, run_key="c") == {"dossier": {"updated": 1}}
    assert rows_of(warehouse, "SELECT blocked_reasons, version FROM dossier.source_record") == [([], 2)]


def test_a_dossier_code_may_come_later_and_its_history_is_kept(warehouse: Engine) -> None:
    load_rows(warehouse, {D: [dossier("1", dossier_code=None, received_at=None)]}, run_key="a")
    identity = rows_of(warehouse, "SELECT dossier_id FROM dossier.dossier")
    load_rows(warehouse, {D: [dossier("1")]}, run_key="b")
    load_rows(warehouse, {D: [dossier("1", dossier_code="H17.05-261006-0009")]}, run_key="c")
    assert rows_of(warehouse, "SELECT dossier_id FROM dossier.dossier") == identity
    codes = rows_of(warehouse, "SELECT dossier_code FROM dossier.dossier_code_history ORDER BY load_id")
    assert codes == [("H17.05-261005-0001",), ("H17.05-261006-0009",)]


def test_an_import_done_twice_gives_two_records_and_one_dossier(warehouse: Engine) -> None:
    code = "H17.05-261005-0001"
    counts = load_rows(warehouse, {D: [dossier("1"), dossier("2", dossier_code=code)]}, run_key="a")
    assert counts == {"dossier": {"inserted": 2}}
    assert rows_of(warehouse, "SELECT dossier_code FROM dossier.dossier") == [(code,)]
    assert len(rows_of(warehouse, "SELECT 1 FROM dossier.source_record")) == 2
    load_rows(warehouse, {D: [dossier("3", dossier_code=code)]}, run_key="b")
    assert len(rows_of(warehouse, "SELECT 1 FROM dossier.dossier")) == 1


def test_two_different_dossiers_with_one_code_are_both_kept_and_the_second_is_blocked(warehouse: Engine) -> None:
    code = "H17.05-261005-0001"
    other = dossier("2", dossier_code=code, procedure_code="2.000815")
    load_rows(warehouse, {D: [dossier("1"), other]}, run_key="a")
    assert rows_of(warehouse, "SELECT source_key, dossier_code FROM dossier.dossier ORDER BY 1") == [
        ("1", code),
        ("2", None),
    ]
    assert rows_of(warehouse, "SELECT blocked_reasons FROM dossier.source_record WHERE source_key = '2'") == [
        (["dossier_code_collision"],)
    ]
    assert load_rows(warehouse, {D: [dossier("1"), other]}, run_key="b") == {"dossier": {"unchanged": 2}}


def test_a_code_can_move_between_dossiers_within_one_load(warehouse: Engine) -> None:
    first, second = "H17.05-261005-0001", "H17.05-261005-0002"
    load_rows(warehouse, {D: [dossier("1"), dossier("2", procedure_code="2.000815")]}, run_key="a")
    swapped = [dossier("1", dossier_code=second), dossier("2", procedure_code="2.000815", dossier_code=first)]
    load_rows(warehouse, {D: swapped}, run_key="b")
    held = rows_of(warehouse, "SELECT source_key, dossier_code, version FROM dossier.dossier ORDER BY 1")
    assert held == [("1", second, 2), ("2", first, 2)]


@pytest.mark.parametrize("order", ["system first", "ministry first"])
def test_two_systems_with_one_dossier_give_two_records_and_the_preferred_one_speaks(
    warehouse: Engine, order: str
) -> None:
    province = {"rows": {D: [dossier("1", status=4)]}, "source_id": "province", "precedence": 20}
    ministry = {
        "rows": {D: [dossier("77", status=9, dossier_code="H17.05-261005-0001")]},
        "source_id": "ministry",
        "precedence": 10,
    }
    both = [province, ministry] if order == "system first" else [ministry, province]
    for number, options in enumerate(both):
        load_rows(warehouse, options.pop("rows"), run_key=str(number), **options)  # type: ignore[arg-type]
    assert rows_of(warehouse, "SELECT source_id FROM dossier.dossier") == [("ministry",)]
    assert len(rows_of(warehouse, "SELECT 1 FROM dossier.source_record")) == 2


def test_a_load_that_does_not_add_up_fails_and_changes_nothing(warehouse: Engine) -> None:
    load = open_and_stage(warehouse, {D: [dossier("1")]}, run_key="a")
    claimed = {"dossier": 2, "step": 0, "document": 0, "fee": 0}
    with (
        pytest.raises(ConservationError, match="2 dossier rows were extracted, 1 are"),
        warehouse.begin() as connection,
    ):
        merge.merge_load(connection, load, claimed)
    assert rows_of(warehouse, "SELECT 1 FROM dossier.source_record") == []


def test_two_merges_at_once_run_one_after_the_other(warehouse: Engine) -> None:
    rows = {D: [dossier(str(n)) for n in range(200)], S: [step(str(n), f"{n}-1") for n in range(200)]}
    loads = [open_and_stage(warehouse, rows, run_key=str(n)) for n in range(2)]
    results: list[dict[str, dict[str, int]]] = []

    def work(number: int) -> None:
        with warehouse.begin() as connection:
            results.append(merge_load(connection, loads[number]))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result["dossier"].popitem() for result in results) == [("inserted", 200), ("unchanged", 200)]
    assert rows_of(warehouse, "SELECT count(*), max(version) FROM dossier.dossier") == [(200, 1)]
