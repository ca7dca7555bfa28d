"""When a scheduled run reads everything."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from lienthong.model.periods import BUSINESS_ZONE
from lienthong.pipeline.full_loads import LATEST_START, is_due
from tests.freshness.world import SOURCE, Province

WEEKLY = "0 1 * * 0"


def vietnam(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of October 2026; the 18th and the 25th are Sundays."""
    return datetime(2026, 10, day, hour, minute, tzinfo=BUSINESS_ZONE)


@pytest.fixture
def province(warehouse: Engine, tmp_path: Path) -> Province:
    """Loaded for the first time on Tuesday, 20 October 2026."""
    loaded = Province(warehouse, tmp_path, date(2026, 10, 22))
    loaded.read(vietnam(20, 9))
    return loaded


def due(province: Province, *moments: datetime) -> list[bool]:
    """What runs of these ticks do, none of which loads anything."""
    return [is_due(province.rt, SOURCE, WEEKLY, moment) for moment in moments]


def test_the_run_at_the_tick_reads_everything_and_the_next_one_does_not(province: Province) -> None:
    before, at_tick, after = vietnam(25, 0, 30), vietnam(25, 1), vietnam(25, 1, 30)
    assert due(province, before, at_tick, after) == [False, True, True]
    province.read(vietnam(25, 1, 1), mode="full")
    assert due(province, after, vietnam(26, 1), vietnam(31, 1)) == [False, False, False]
    assert due(province, datetime(2026, 11, 1, 1, tzinfo=BUSINESS_ZONE)) == [True]


def test_a_full_load_that_failed_is_tried_again_once_in_each_night(province: Province) -> None:
    province.read(vietnam(25, 1, 1), mode="full", state="opened")
    assert due(province, vietnam(25, 1, 30), vietnam(25, 4), vietnam(26, 1)) == [False, False, True]
    province.read(vietnam(26, 1), mode="full", state="opened")
    assert due(province, vietnam(26, 1, 30), vietnam(27, 1)) == [False, True]


def test_what_was_missed_is_made_up_by_night_and_never_by_day(province: Province) -> None:
    assert due(province, vietnam(25, 5), vietnam(25, 5, 1), vietnam(26, 0, 59)) == [True, False, False]
    assert due(province, vietnam(26, 1), vietnam(27, 3)) == [True, True]


def test_a_run_that_begins_hours_after_its_tick_waits_for_the_next_night(province: Province) -> None:
    province.today = date(2026, 10, 25)
    late = province.now - vietnam(25, 1)
    assert late > LATEST_START
    assert due(province, vietnam(25, 1), vietnam(26, 1)) == [False, True]


def test_a_source_that_was_just_loaded_for_the_first_time_was_read_as_a_whole(province: Province) -> None:
    assert due(province, vietnam(21, 1), vietnam(24, 1)) == [False, False]


def test_a_source_that_was_never_loaded_begins_with_a_first_load(warehouse: Engine, tmp_path: Path) -> None:
    fresh = Province(warehouse, tmp_path, date(2026, 10, 22))
    assert due(fresh, vietnam(25, 1)) == [False]
    fresh.read(vietnam(24, 9), mode="full", state="opened")
    assert due(fresh, vietnam(25, 1)) == [False]


def test_only_whole_readings_count(province: Province) -> None:
    province.read(vietnam(25, 1), mode="range")
    province.read(vietnam(25, 1), mode="incremental")
    assert due(province, vietnam(25, 2)) == [True]
