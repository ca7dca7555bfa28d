"""The volume guard compares like with like."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from lienthong.freshness.guard import GuardLimits, accept_collapse, guard_volume, is_collapse_accepted, read_known
from lienthong.model.codes import LoadMode, LoadState
from lienthong.model.errors import CollapsedExtractError
from lienthong.model.kinds.dossier import DOSSIER_KIND
from lienthong.warehouse.ledger import Load

NOW = datetime(2026, 10, 22, 2, tzinfo=UTC)
DAY = datetime(2026, 10, 20, 17, tzinfo=UTC)
LIMITS = GuardLimits(full_min_ratio=0.8, range_min_ratio=0.5, min_rows=20)
FULL = Load(9, "H17", "test", DOSSIER_KIND, "k", LoadMode.FULL, None, None, LoadState.OPENED, 1, None, None, None)
RANGE = replace(FULL, mode=LoadMode.RANGE, window_from=DAY, window_to=DAY + timedelta(days=1))
#: Ends an hour after everything that was read: nothing can have left it.
OPEN_ENDED = replace(RANGE, window_to=NOW + timedelta(hours=1, minutes=1))
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


def passes(
    engine: Engine,
    load: Load,
    found: int,
    limits: GuardLimits = LIMITS,
    read_until: datetime = NOW,
    *,
    empty: bool = False,
) -> bool:
    with engine.connect() as connection:
        known = read_known(connection, load)
    with suppress(CollapsedExtractError):
        guard_volume(load, known, found, limits, read_until, lambda: empty)
        return True
    return False


def test_a_collapse_says_what_was_found_and_what_to_do() -> None:
    with pytest.raises(CollapsedExtractError) as caught:
        guard_volume(FULL, 1000, 12, LIMITS, NOW, lambda: False)
    assert (caught.value.source, caught.value.load) == ("test", 9)
    for word in ("12", "1000", "accept_collapse"):
        assert word in str(caught.value)


@pytest.mark.parametrize(("found", "fine"), [(1000, True), (800, True), (799, False), (0, False)])
def test_a_full_load_is_compared_with_the_full_count(known: Engine, found: int, fine: bool) -> None:
    assert passes(known, FULL, found) is fine


def test_an_incremental_load_is_not_compared_here(known: Engine) -> None:
    assert passes(known, INCREMENTAL, 0)


@pytest.mark.parametrize(("found", "fine"), [(240, True), (120, True), (119, False), (0, False)])
def test_a_range_that_ends_after_all_that_was_read_is_compared_by_share(known: Engine, found: int, fine: bool) -> None:
    assert passes(known, OPEN_ENDED, found) is fine


@pytest.mark.parametrize("found", [119, 1, 0])
def test_what_was_touched_may_have_left_a_range_that_ends_before(known: Engine, found: int) -> None:
    assert passes(known, RANGE, found)
    assert passes(known, OPEN_ENDED, found, read_until=NOW + timedelta(minutes=1)), "clocks may differ by an hour"


def test_a_range_finds_nothing_in_a_source_that_lost_everything(known: Engine) -> None:
    assert not passes(known, RANGE, 0, empty=True)
    assert not passes(known, replace(RANGE, window_to=DAY + timedelta(hours=1)), 0, empty=True), "ten are known"
    nothing_known = replace(RANGE, window_from=DAY - timedelta(days=2), window_to=DAY - timedelta(days=1))
    assert passes(known, nothing_known, 0, empty=True), "nothing is missing in it"


def test_a_source_is_asked_only_when_a_range_found_nothing_of_what_is_known(known: Engine) -> None:
    def asked() -> bool:
        raise AssertionError("the source was asked")

    for load, amount, found in ((RANGE, 240, 1), (RANGE, 0, 0), (FULL, 1000, 900), (INCREMENTAL, 0, 0)):
        guard_volume(load, amount, found, LIMITS, NOW, asked)
    with pytest.raises(AssertionError, match="asked"):
        guard_volume(RANGE, 240, 0, LIMITS, NOW, asked)


def test_only_whole_hours_of_a_window_are_known(known: Engine) -> None:
    crooked = replace(RANGE, window_from=DAY + timedelta(minutes=30), window_to=DAY + timedelta(hours=3, minutes=30))
    with known.connect() as connection:
        assert read_known(connection, crooked) == 20


def test_a_window_of_which_a_handful_is_known_may_have_emptied(known: Engine) -> None:
    assert passes(known, replace(OPEN_ENDED, window_from=DAY + timedelta(hours=23)), 0)


def test_a_ratio_of_zero_switches_a_guard_off(known: Engine) -> None:
    assert passes(known, FULL, 0, replace(LIMITS, full_min_ratio=0))
    assert passes(known, OPEN_ENDED, 0, replace(LIMITS, range_min_ratio=0), empty=True)


def test_a_source_that_was_never_loaded_has_nothing_to_lose(warehouse: Engine) -> None:
    assert passes(warehouse, FULL, 0)
    assert passes(warehouse, OPEN_ENDED, 0, empty=True)


def test_a_collapse_is_accepted_for_one_load(known: Engine) -> None:
    with known.begin() as connection:
        load_id = connection.execute(text("SELECT max(load_id) FROM ops.load")).scalar_one()
        for _ in range(2):
            accept_collapse(connection, load_id, NOW)
        assert is_collapse_accepted(connection, load_id)
        assert not is_collapse_accepted(connection, load_id + 1)
