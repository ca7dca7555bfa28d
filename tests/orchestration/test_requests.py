"""What a run of a load DAG asks for."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from lienthong.model.codes import LoadMode
from lienthong.model.errors import ArgumentError
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.orchestration.requests import adopt_request, load_key, load_request
from lienthong.pipeline.requests import MODE_PATTERN, AdoptRequest, LoadRequest
from tests.orchestration import conftest as _environment  # noqa: F401

pytestmark = pytest.mark.xdist_group("airflow")

SOURCE = "opencps_h17"
NOTHING = {"mode": "incremental", "accept_collapse": False}


def test_a_scheduled_run_reads_what_is_new() -> None:
    tick = datetime(2026, 10, 5, 18, tzinfo=UTC)
    assert load_request(SOURCE, "scheduled", tick, NOTHING, "0 1 * * *") == LoadRequest(SOURCE, LoadMode.INCREMENTAL)


def test_a_backfills_interval_becomes_a_range() -> None:
    tick = datetime(2026, 10, 5, 18, tzinfo=UTC)  # 01:00 on the 6th in Vietnam
    assert load_request(SOURCE, "backfill", tick, NOTHING, "0 1 * * *") == LoadRequest(
        SOURCE,
        LoadMode.RANGE,
        datetime(2026, 10, 5, 1, tzinfo=BUSINESS_ZONE),
        datetime(2026, 10, 6, 1, tzinfo=BUSINESS_ZONE),
    )


def test_the_runs_of_a_backfill_leave_no_gap_over_an_irregular_schedule() -> None:
    ticks = [datetime(2026, 10, 5, hour, tzinfo=BUSINESS_ZONE) for hour in (6, 12, 20)]
    ticks.append(datetime(2026, 10, 6, 6, tzinfo=BUSINESS_ZONE))
    asked = [load_request(SOURCE, "backfill", tick, NOTHING, "0 6,12,20 * * *") for tick in ticks]
    for before, after in pairwise(asked):
        assert before.window_to == after.window_from


@pytest.mark.parametrize(
    ("range_", "start"),
    [
        ("2026-10-01/2026-10-02", datetime(2026, 9, 30, 17, tzinfo=UTC)),
        ("2026-10-01T08:30/2026-10-02", datetime(2026, 10, 1, 1, 30, tzinfo=UTC)),
        ("2026-10-01T00:00:00Z/2026-10-02T00:00:00+07:00", datetime(2026, 10, 1, tzinfo=UTC)),
    ],
)
def test_a_range_is_its_two_ends_and_without_an_offset_in_vietnams_time(range_: str, start: datetime) -> None:
    asked = load_request(SOURCE, "manual", None, {"mode": range_}, "0 1 * * *")
    assert asked == LoadRequest(SOURCE, LoadMode.RANGE, start, datetime(2026, 10, 1, 17, tzinfo=UTC))
    assert re.search(MODE_PATTERN, range_)


@pytest.mark.parametrize(
    "mode", ["range", "2026-10-01", "2026-10-01/", "/2026-10-08", "2026-10-01/2026-10", "01/10/2026", "", "Full"]
)
def test_half_a_range_is_neither_taken_by_the_form_nor_by_the_first_task(mode: str) -> None:
    assert re.search(MODE_PATTERN, mode) is None
    with pytest.raises(ArgumentError, match="2026-10-01"):
        load_request(SOURCE, "manual", None, {"mode": mode}, "0 1 * * *")


@pytest.mark.parametrize("mode", ["2026-10-08/2026-10-01", "2026-10-01/2026-10-01"])
def test_an_empty_range_is_a_wrong_argument(mode: str) -> None:
    with pytest.raises(ArgumentError, match="empty"):
        load_request(SOURCE, "manual", None, {"mode": mode}, "0 1 * * *")


def test_a_parameter_that_a_load_does_not_have_is_not_passed_over() -> None:
    with pytest.raises(ArgumentError, match="'window_from'"):
        load_request(SOURCE, "manual", None, {"mode": "full", "window_from": "2026-10-01T00:00:00Z"}, "0 1 * * *")


def test_a_run_that_is_cleared_finds_its_load_again_unless_a_backfill_reprocesses_it() -> None:
    assert load_key("dag/run", "scheduled", 3) == load_key("dag/run", "manual", 0) == "dag/run"
    assert load_key("dag/run", "backfill", 0) == load_key("dag/run", "backfill", None) == "dag/run"
    again = {load_key("dag/run", "backfill", number) for number in (1, 2)}
    assert len(again) == 2
    assert "dag/run" not in again


def test_an_adoption_asks_for_what_its_parameters_say() -> None:
    params = {
        "tenant": "H17",
        "verify": True,
        "assume_finished_before": "2026-06-01",
        "frozen_at": None,
        "verify_assumed": False,
        "accept_presence": False,
        "limit": 500,
    }
    assert adopt_request(params) == AdoptRequest(
        "H17", None, datetime(2026, 6, 1, tzinfo=BUSINESS_ZONE), True, False, False, 500
    )
