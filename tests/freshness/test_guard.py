"""The volume guard compares like with like."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from lienthong.freshness.guard import GuardLimits, accept_collapse, guard_volume, is_collapse_accepted
from lienthong.model.codes import LoadMode, LoadState
from lienthong.model.errors import CollapsedExtractError
from lienthong.warehouse.ledger import Load

NOW = datetime(2026, 10, 22, 2, tzinfo=UTC)
DAY = datetime(2026, 10, 20, 17, tzinfo=UTC)
LIMITS = GuardLimits(full_min_ratio=0.8, range_min_ratio=0.5, min_rows=20, overlap=timedelta(days=2))
FULL = Load(9, "H17", "test", "k", LoadMode.FULL, None, None, LoadState.OPENED, 1, None, None, None)
RANGE = replace(FULL, mode=LoadMode.RANGE, window_from=DAY, window_to=DAY + timedelta(days=1))
INCREMENTAL = replace(FULL, mode=LoadMode.INCREMENTAL)


@pytest.fixture
def known(warehouse: Engine) -> Engine:
    """1,000 dossiers are known, ten in each hour of one day; the source was last read an hour ago."""
    with warehouse.begin() as connection:
        connection.execute(
            text("INSERT INTO freshness.source_state (tenant, source_id, full_rows) VALUES ('H17', 'test', 1000)")
        )
        connection.execute(
            text(
                "INSERT INTO freshness.modified SELECT 'H17', 'test', :day + n * INTERVAL '1 hour', 10 "
                "FROM generate_series(0, 23) AS n"
            ),
            {"day": DAY},
        )
        _read(connection, NOW - timedelta(hours=1))
    return warehouse


def _read(connection: object, observed_at: datetime) -> None:
    connection.execute(  # type: ignore[attr-defined]
        text(
            "INSERT INTO ops.load (tenant, source_id, run_key, mode, state, contract_hash, opened_at, merged_at, "
            "observed_at) VALUES ('H17', 'test', :key, 'incremental', 'merged', '', :at, :at, :at)"
        ),
        {"at": observed_at, "key": observed_at.isoformat()},
    )


def passes(engine: Engine, load: Load, found: int, limits: GuardLimits = LIMITS, observed_at: datetime = NOW) -> bool:
    with engine.connect() as connection, suppress(CollapsedExtractError):
        guard_volume(connection, load, found, limits, observed_at)
        return True
    return False


def test_a_collapse_says_what_was_found_and_what_to_do(known: Engine) -> None:
    with known.connect() as connection, pytest.raises(CollapsedExtractError) as caught:
        guard_volume(connection, FULL, 12, LIMITS, NOW)
    assert (caught.value.source, caught.value.load) == ("test", 9)
    for word in ("12", "1000", "accept_collapse"):
        assert word in str(caught.value)


@pytest.mark.parametrize(("found", "fine"), [(1000, True), (800, True), (799, False), (0, False)])
def test_a_full_load_is_compared_with_the_full_count(known: Engine, found: int, fine: bool) -> None:
    assert passes(known, FULL, found) is fine


def test_an_incremental_load_is_not_compared_here(known: Engine) -> None:
    assert passes(known, INCREMENTAL, 0)


@pytest.mark.parametrize(("found", "fine"), [(240, True), (120, True), (119, False), (0, False)])
def test_a_range_load_is_compared_with_what_is_known_of_its_window(known: Engine, found: int, fine: bool) -> None:
    assert passes(known, RANGE, found) is fine


def test_only_whole_hours_of_a_window_are_known(known: Engine) -> None:
    crooked = replace(RANGE, window_from=DAY + timedelta(minutes=30), window_to=DAY + timedelta(hours=3, minutes=30))
    assert passes(known, crooked, 10)
    assert not passes(known, crooked, 9)


def test_a_window_of_which_a_handful_is_known_may_have_emptied(known: Engine) -> None:
    assert passes(known, replace(RANGE, window_to=DAY + timedelta(hours=1)), 0)


def test_a_range_of_a_source_that_was_not_read_for_long_only_counts_when_all_is_lost(known: Engine) -> None:
    later = NOW + timedelta(days=7)
    assert passes(known, RANGE, 1, observed_at=later)
    assert not passes(known, RANGE, 0, observed_at=later)


def test_a_ratio_of_zero_switches_a_guard_off(known: Engine) -> None:
    assert passes(known, FULL, 0, replace(LIMITS, full_min_ratio=0))
    assert passes(known, RANGE, 0, replace(LIMITS, range_min_ratio=0))


def test_a_source_that_was_never_loaded_has_nothing_to_lose(warehouse: Engine) -> None:
    assert passes(warehouse, FULL, 0)
    assert passes(warehouse, RANGE, 0)


def test_a_collapse_is_accepted_for_one_load(known: Engine) -> None:
    with known.begin() as connection:
        load_id = connection.execute(text("SELECT max(load_id) FROM ops.load")).scalar_one()
        for _ in range(2):
            accept_collapse(connection, load_id, NOW)
        assert is_collapse_accepted(connection, load_id)
        assert not is_collapse_accepted(connection, load_id + 1)
