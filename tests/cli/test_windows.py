"""What `lienthong load` was asked to read."""

from __future__ import annotations

from datetime import datetime

import pytest

from lienthong.cli.windows import LoadWindow, load_window
from lienthong.model.codes import LoadMode
from lienthong.model.errors import ContractError
from lienthong.model.periods import BUSINESS_ZONE

FIRST, EIGHTH = datetime(2026, 10, 1, tzinfo=BUSINESS_ZONE), datetime(2026, 10, 8, tzinfo=BUSINESS_ZONE)


def test_without_options_a_load_reads_what_is_new() -> None:
    assert load_window(None, None, None) == LoadWindow(LoadMode.INCREMENTAL)
    assert load_window("full", None, None) == LoadWindow(LoadMode.FULL)


@pytest.mark.parametrize("mode", [None, "range"])
def test_two_days_are_a_range_in_vietnams_time(mode: str | None) -> None:
    assert load_window(mode, "2026-10-01", "2026-10-08T00:00:00+07:00") == LoadWindow(LoadMode.RANGE, FIRST, EIGHTH)


@pytest.mark.parametrize(
    ("mode", "since", "until", "advice"),
    [
        ("weekly", None, None, "incremental, range, full"),
        ("range", None, None, "--from 2026-10-01 --to 2026-10-08"),
        (None, "2026-10-01", None, "--from 2026-10-01 --to 2026-10-08"),
        ("full", "2026-10-01", "2026-10-08", "--mode range"),
        ("range", "01/10/2026", "2026-10-08", "2026-10-01"),
        ("range", "2026-10-08", "2026-10-08", "after the start"),
    ],
)
def test_a_mistake_says_how_to_write_it(mode: str | None, since: str | None, until: str | None, advice: str) -> None:
    with pytest.raises(ContractError) as refused:
        load_window(mode, since, until)
    assert advice in refused.value.next_step
