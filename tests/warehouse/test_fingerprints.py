"""What a dossier's landed rows came to is remembered, and only what may be trusted is called known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Engine, text

from lienthong.model.kinds.dossier import Entity
from lienthong.warehouse import fingerprints, ledger, staging
from lienthong.warehouse.ledger import GateBasis
from tests.warehouse.staged import NOON, TENANT, dossier, load_rows, open_and_stage, step, table

D, S = Entity.DOSSIER, Entity.STEP
RULES = GateBasis("rules of today", 1)
ROWS = {D: [dossier("1"), dossier("2")], S: [step("1", "11"), step("2", "21")]}
LANDED = {"1": (10, -11), "2": (20, -21)}
#: Rows that one must not ask about have such keys.
ASKED = ~pl.col("owner").str.starts_with("-").fill_null(True)


def frame(landed: Mapping[str, tuple[int, int]]) -> pl.DataFrame:
    return pl.DataFrame(
        [(key, low, high) for key, (low, high) in landed.items()],
        {"owner": pl.String, "low": pl.Int64, "high": pl.Int64},
        orient="row",
    )


def remember(warehouse: Engine, rows: Mapping[Entity, Any] = ROWS, landed: Mapping[str, Any] = LANDED) -> None:
    """Stage `rows` as a load would, whatever becomes of it, and remember what they came to."""
    load = open_and_stage(warehouse, {}, run_key=f"remember {landed}")
    with warehouse.begin() as connection:
        fingerprints.find_known(connection, load, frame(landed), ASKED, RULES)
        tables = [(entity, table(entity, rows.get(entity, ()))) for entity in Entity]
        staging.stage_rows(connection, load.kind, TENANT, load.load_id, tables)
        fingerprints.remember(connection, load)


def known(
    warehouse: Engine, landed: Mapping[str, Any] = LANDED, judged: GateBasis = RULES, **options: Any
) -> list[str]:
    """Keys that a load that reads `landed` an hour later may leave alone."""
    options = {"observed_at": NOON + timedelta(hours=1)} | options
    load = open_and_stage(warehouse, {}, run_key=f"find {landed} {options}", **options)
    with warehouse.begin() as connection:
        mask = fingerprints.find_known(
            connection, ledger.read_load(connection, load.load_id), frame(landed), ASKED, judged
        )
    return frame(landed).filter(mask)["owner"].to_list()


@pytest.fixture
def believed(warehouse: Engine) -> Engine:
    load_rows(warehouse, ROWS, run_key="first", judged=RULES)
    remember(warehouse)
    return warehouse


def test_a_dossier_that_lands_as_it_did_is_known(believed: Engine) -> None:
    assert known(believed) == ["1", "2"]
    assert known(believed, {"2": LANDED["2"], "3": (30, 31)}) == ["2"]


def test_only_what_was_asked_about_is_known_whatever_lies_between(
    believed: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprints, "COPY_ROWS", 2)
    among = {"-1": LANDED["1"], "1": LANDED["1"], "-2": LANDED["2"], "3": (30, 31), "2": LANDED["2"]}
    assert known(believed, among) == ["1", "2"]


def test_before_the_first_load_nothing_is_known(warehouse: Engine) -> None:
    assert known(warehouse) == []


@pytest.mark.parametrize("landed", [(10, -12), (9, -11)])
def test_another_fingerprint_is_not_known(believed: Engine, landed: tuple[int, int]) -> None:
    assert known(believed, {"1": landed}) == []


def test_what_was_staged_and_never_merged_is_not_known(warehouse: Engine) -> None:
    remember(warehouse)
    assert known(warehouse) == []


def test_a_record_that_changed_since_is_not_known(believed: Engine) -> None:
    rows = {D: [dossier("1", status=9)], S: [step("1", "11")]}
    load_rows(believed, rows, run_key="news", judged=RULES, observed_at=NOON + timedelta(minutes=30))
    assert known(believed) == ["2"]


def test_rows_that_come_to_something_else_now_are_remembered_so(believed: Engine) -> None:
    rows = {D: [dossier("1", status=9)], S: [step("1", "11")]}
    remember(believed, rows, {"1": (10, -11)})
    assert known(believed) == ["2"], "the same rows, another record: our own making of it changed"


def test_what_was_read_earlier_than_what_is_believed_is_not_known(believed: Engine) -> None:
    with believed.begin() as connection:
        connection.execute(text("UPDATE ops.load SET reading_no = 1000 WHERE run_key = 'first'"))
    assert known(believed) == []


def test_a_change_of_the_rules_makes_nothing_known(believed: Engine) -> None:
    assert known(believed, judged=GateBasis("rules of tomorrow", 1)) == []


def test_an_open_violation_keeps_a_dossier_unknown(believed: Engine) -> None:
    with believed.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO quality.violation (tenant, source_id, entity, source_key, child_key, rule_id, severity, "
                "first_load_id, last_load_id) VALUES ('H17', 'test', 'step', '1', '11', 'r', 'warn', 1, 1)"
            )
        )
    assert known(believed) == ["2"]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param({D: [dossier("1", type_errors=["due_at"])]}, id="a value could not be typed"),
        pytest.param({D: [dossier("1", was_not_nfc=True)]}, id="text was not in NFC"),
        pytest.param({D: [dossier("1")], S: [step("1", "11"), step("1", "11")]}, id="a step replaces another"),
    ],
)
def test_what_the_gate_has_to_see_or_what_rests_on_the_order_of_rows_is_not_remembered(
    warehouse: Engine, rows: Mapping[Entity, Any]
) -> None:
    remember(warehouse, rows, {"1": (10, -11)})
    with warehouse.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM landing.fingerprint")).scalar_one() == 0


def test_after_a_crash_nothing_is_remembered_and_so_nothing_is_known(believed: Engine) -> None:
    with believed.begin() as connection:
        connection.execute(text("TRUNCATE landing.fingerprint"))
    assert known(believed) == []
