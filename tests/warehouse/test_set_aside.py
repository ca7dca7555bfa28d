"""What the warehouse knows already never reaches the gate, and whatever is in doubt does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from lienthong.model.codes import LoadMode
from lienthong.model.kinds.dossier import Entity
from lienthong.warehouse.ledger import GateBasis, Load
from tests.warehouse.staged import NOON, dossier, load_rows, open_and_stage, step

D, S = Entity.DOSSIER, Entity.STEP
RULES = GateBasis("rules of today", 1)
ROWS = {D: [dossier("1"), dossier("2")], S: [step("1", "11"), step("1", "12"), step("2", "21")]}
NOTHING = {"dossier": 0, "step": 0, "document": 0, "fee": 0}
ALL = NOTHING | {"dossier": 2, "step": 3}


def first(warehouse: Engine, **options: Any) -> None:
    load_rows(warehouse, ROWS, run_key="first", judged=RULES, **options)


def again(warehouse: Engine, rows: Mapping[Entity, Any] = ROWS, **options: Any) -> Load:
    options = {"run_key": "again", "judged": RULES, "observed_at": NOON + timedelta(hours=1)} | options
    return open_and_stage(warehouse, rows, **options)


def changed(warehouse: Engine, statement: str) -> None:
    with warehouse.begin() as connection:
        connection.execute(text(statement))


def left_in_staging(connection: Connection, load: Load) -> dict[str, int]:
    count = "SELECT count(*) FROM staging.{} WHERE load_id = :load"
    return {
        entity.value: connection.execute(text(count.format(entity.value)), {"load": load.load_id}).scalar_one()
        for entity in Entity
    }


def test_a_dossier_read_again_unchanged_is_set_aside_with_its_children(warehouse: Engine) -> None:
    first(warehouse)
    load = again(warehouse)
    assert (load.set_aside, load.staged_rows) == (ALL, NOTHING)
    with warehouse.connect() as connection:
        assert left_in_staging(connection, load) == NOTHING


def test_what_is_set_aside_counts_as_unchanged(warehouse: Engine) -> None:
    first(warehouse)
    rows = {D: [dossier("1"), dossier("2", status=9)], S: ROWS[S]}
    counts = load_rows(warehouse, rows, run_key="b", judged=RULES, observed_at=NOON + timedelta(hours=1))
    assert counts == {"dossier": {"updated": 1, "unchanged": 1}, "step": {"unchanged": 3}}


def test_a_first_load_has_nothing_to_set_aside(warehouse: Engine) -> None:
    assert open_and_stage(warehouse, ROWS, run_key="first", judged=RULES).set_aside == NOTHING


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param({D: [dossier("1", status=9)], S: ROWS[S][:2]}, id="a value changed"),
        pytest.param({D: [dossier("1", applicant_name="Khác")], S: ROWS[S][:2]}, id="a personal value changed"),
        pytest.param({D: [dossier("1", database_codes=["7", "8"])], S: ROWS[S][:2]}, id="a list changed"),
        pytest.param({D: [dossier("1", reference_code="")], S: ROWS[S][:2]}, id="nothing became empty text"),
        pytest.param({D: [dossier("1")], S: [step("1", "11"), step("1", "12", status=5)]}, id="a step changed"),
        pytest.param({D: [dossier("1")], S: ROWS[S][:1]}, id="a step is gone"),
        pytest.param({D: [dossier("1")], S: [*ROWS[S][:2], step("1", "13")]}, id="a step is new"),
        pytest.param({D: [dossier("1")], S: [step("1", "11"), step("1", "99")]}, id="a step has another key"),
        pytest.param({D: [dossier("1", type_errors=["due_at"])], S: ROWS[S][:2]}, id="a value could not be typed"),
        pytest.param({D: [dossier("1", was_not_nfc=True)], S: ROWS[S][:2]}, id="text was not in NFC"),
        pytest.param(
            {D: [dossier("1")], S: [step("1", "11", type_errors=["due_at"]), step("1", "12")]},
            id="a value of a step could not be typed",
        ),
        pytest.param({D: [dossier("1"), dossier("1")], S: ROWS[S][:2]}, id="it came twice"),
    ],
)
def test_whatever_is_new_or_in_doubt_is_judged(warehouse: Engine, rows: Mapping[Entity, Any]) -> None:
    first(warehouse)
    load = again(warehouse, rows)
    assert load.set_aside == NOTHING
    assert load.staged_rows == {entity.value: len(rows.get(entity, ())) for entity in Entity}


def test_a_step_that_comes_twice_with_the_same_last_word_is_no_change(warehouse: Engine) -> None:
    first(warehouse)
    rows = {D: [dossier("1")], S: [step("1", "11", status=9), step("1", "12"), step("1", "11")]}
    assert again(warehouse, rows).set_aside == NOTHING | {"dossier": 1, "step": 3}


VIOLATION = (
    "INSERT INTO quality.violation (tenant, source_id, entity, source_key, child_key, rule_id, severity, "
    "first_load_id, last_load_id) "
    "SELECT 'H17', 'test', 'step', '1', '11', 'r', 'warn', l.load_id, l.load_id FROM ops.load AS l"
)
CATALOGUE = (
    "INSERT INTO registry.procedure (procedure_code, name, active, returns_paper, has_fee, detail_hash, revision) "
    "VALUES ('1.004194', 'x', true, true, false, '', {})"
)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(VIOLATION, id="something is wrong with it"),
        pytest.param(CATALOGUE.format(2), id="its procedure changed in the catalogue since"),
        pytest.param("UPDATE dossier.source_record SET recipe = 1", id="it was hashed by another recipe"),
        pytest.param("UPDATE dossier.source_record SET blocked_reasons = '{x}'", id="it must not be sent"),
    ],
)
def test_what_can_be_judged_otherwise_now_is_judged_again(warehouse: Engine, statement: str) -> None:
    first(warehouse)
    changed(warehouse, statement)
    assert again(warehouse, {D: [dossier("1")], S: ROWS[S][:2]}).set_aside == NOTHING


def test_a_procedure_that_did_not_change_since_is_no_reason_to_judge_again(warehouse: Engine) -> None:
    first(warehouse)
    changed(warehouse, CATALOGUE.format(1))
    assert again(warehouse).set_aside == ALL


def test_a_violation_that_was_resolved_is_no_reason_to_judge_again(warehouse: Engine) -> None:
    first(warehouse)
    changed(warehouse, VIOLATION)
    changed(warehouse, "UPDATE quality.violation SET resolved_load_id = last_load_id")
    assert again(warehouse).set_aside == ALL


def test_an_older_reading_is_left_to_the_merge_which_knows_it_as_stale(warehouse: Engine) -> None:
    first(warehouse)
    changed(warehouse, "UPDATE ops.load SET reading_no = 1000")
    assert again(warehouse).set_aside == NOTHING


def test_a_clock_that_was_ahead_once_does_not_keep_the_unchanged_from_being_set_aside(warehouse: Engine) -> None:
    first(warehouse, observed_at=NOON + timedelta(days=365))
    assert again(warehouse).set_aside == ALL


def judge_all_again(warehouse: Engine, mode: LoadMode) -> Load:
    """New rules come, a load of `mode` reads everything under them, and then everything is read once more."""
    new = GateBasis("rules of tomorrow", 1)
    later = NOON + timedelta(hours=1)
    counts = load_rows(warehouse, ROWS, run_key="new rules", judged=new, mode=mode, observed_at=later)
    assert counts == {"dossier": {"unchanged": 2}, "step": {"unchanged": 3}}
    return again(warehouse, judged=new, observed_at=later + timedelta(hours=1))


def test_after_a_change_of_the_rules_everything_is_judged_once_by_a_full_load(warehouse: Engine) -> None:
    first(warehouse)
    assert judge_all_again(warehouse, LoadMode.FULL).set_aside == ALL


def test_a_full_load_vouches_for_its_own_rules_only(warehouse: Engine) -> None:
    first(warehouse, mode=LoadMode.FULL)
    assert again(warehouse, judged=GateBasis("rules of tomorrow", 1)).set_aside == NOTHING


def test_a_full_load_does_not_vouch_for_what_changed_after_it(warehouse: Engine) -> None:
    first(warehouse, mode=LoadMode.FULL)
    later = NOON + timedelta(hours=1)
    news = {D: [dossier("1", status=9)], S: ROWS[S][:2]}
    load_rows(warehouse, news, run_key="other rules", judged=GateBasis("other rules", 1), observed_at=later)
    rows = {D: [dossier("1", status=9), dossier("2")], S: ROWS[S]}
    back = again(warehouse, rows, observed_at=later + timedelta(hours=1))
    assert back.set_aside == NOTHING | {"dossier": 1, "step": 1}, "the first was last judged by other rules"


def test_an_incremental_load_under_new_rules_vouches_only_for_what_it_changed(warehouse: Engine) -> None:
    first(warehouse)
    assert judge_all_again(warehouse, LoadMode.INCREMENTAL).set_aside == NOTHING


def test_what_another_source_says_does_not_count(warehouse: Engine) -> None:
    first(warehouse)
    assert again(warehouse, source_id="other", precedence=20).set_aside == NOTHING


def empty_staging(warehouse: Engine, load: Load) -> bool:
    with warehouse.begin() as connection:
        return bool(
            connection.execute(text("SELECT ops.empty_staging('H17', :load)"), {"load": load.load_id}).scalar_one()
        )


def grown(warehouse: Engine, load: Load) -> None:
    changed(
        warehouse,
        "INSERT INTO staging.step (tenant, load_id, row_no, source_id, landing_part, landing_row, content) "
        f"SELECT 'H17', {load.load_id}, n, 'test', 0, n, repeat('x', 900) FROM generate_series(1, 20000) AS n",
    )


def test_staging_is_emptied_at_once_only_when_it_grew_and_nobody_else_has_rows_in_it(warehouse: Engine) -> None:
    load = open_and_stage(warehouse, ROWS, run_key="a")
    assert not empty_staging(warehouse, load), "small"
    grown(warehouse, load)
    other = open_and_stage(warehouse, ROWS, run_key="b", source_id="other", precedence=20)
    assert not empty_staging(warehouse, load), "another load waits for its merge"
    for table in ("dossier", "step", "digest"):
        changed(warehouse, f"DELETE FROM staging.{table} WHERE load_id = {other.load_id}")  # it was given up long ago
    with warehouse.connect() as reader:
        reader.execute(text("SELECT 1 FROM staging.step__h17 LIMIT 1"))
        assert not empty_staging(warehouse, load), "somebody reads"
    assert empty_staging(warehouse, load)
    with warehouse.connect() as connection:
        assert left_in_staging(connection, load) == NOTHING
