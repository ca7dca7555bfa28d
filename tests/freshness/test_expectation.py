"""What is usual, and when silence is longer than chance."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from lienthong.freshness.expectation import drop, expected_on, silence
from lienthong.freshness.settings import CalendarSettings, FreshnessSettings
from lienthong.freshness.workdays import Workdays

SETTINGS = FreshnessSettings()
WORKDAYS = Workdays(CalendarSettings())
FIRST, LAST = date(2026, 5, 4), date(2026, 10, 21)  # a Wednesday, read to its end
DAYS = WORKDAYS.between(FIRST, LAST)


def every(amount: int, *, step: int = 1, until: date = LAST) -> dict[date, int]:
    """`amount` dossiers on every `step`th working day."""
    return {day: amount for day in DAYS[::step] if day <= until}


def back(days: int) -> date:
    """The working day so many working days before the last."""
    return DAYS[-1 - days]


@pytest.mark.parametrize(("amount", "silent_after"), [(40, 1), (16, 1), (10, 2), (5, 4), (3, 6)])
def test_the_busier_an_agency_the_sooner_its_silence_is_found(amount: int, silent_after: int) -> None:
    assert silence(every(amount, until=back(silent_after - 1)), LAST, WORKDAYS, SETTINGS) is None
    found = silence(every(amount, until=back(silent_after)), LAST, WORKDAYS, SETTINGS)
    assert found is not None
    assert (found.days, found.since, found.last_day) == (silent_after, back(silent_after - 1), back(silent_after))


def test_an_agency_whose_days_scatter_widely_is_given_more_time() -> None:
    wild = {day: (2 if number % 2 else 60) for number, day in enumerate(DAYS) if day <= back(1)}
    assert silence(wild, LAST, WORKDAYS, SETTINGS) is None


def test_an_agency_with_a_dossier_a_week_is_silent_only_after_ten_working_days() -> None:
    rare = every(1, step=4)
    last = max(rare)
    judged = {days: silence(rare, _after(last, days), WORKDAYS, SETTINGS) for days in (4, 9, 10)}
    assert judged[4] is None
    assert judged[9] is None
    assert judged[10] is not None
    assert judged[10].usual is None
    assert judged[10].usual_gap == 3


def test_an_agency_with_a_dossier_in_a_month_waits_three_usual_gaps() -> None:
    rare = dict.fromkeys(DAYS[::15], 1)
    last = max(rare)
    assert silence(rare, _after(last, 41), WORKDAYS, SETTINGS) is None
    assert silence(rare, _after(last, 42), WORKDAYS, SETTINGS) is not None


def test_too_few_dossiers_promise_nothing() -> None:
    few = {DAYS[0]: 1, DAYS[30]: 2, DAYS[60]: 1}
    assert silence(few, LAST, WORKDAYS, SETTINGS) is None
    assert silence({}, LAST, WORKDAYS, SETTINGS) is None


def test_a_new_agency_promises_nothing_until_it_has_a_history() -> None:
    first = DAYS.index(back(30))
    young = dict.fromkeys(DAYS[first : first + 14], 20)
    assert silence(young, LAST, WORKDAYS, SETTINGS) is None
    grown = dict.fromkeys(DAYS[first : first + 15], 20)
    assert silence(grown, LAST, WORKDAYS, SETTINGS) is not None


def test_a_weekend_and_a_holiday_are_no_silence() -> None:
    counts = every(40, until=date(2026, 8, 28))
    assert silence(counts, date(2026, 9, 2), WORKDAYS, SETTINGS) is None
    assert silence(counts, date(2026, 9, 3), WORKDAYS, SETTINGS) is not None


def test_one_bad_day_in_the_past_does_not_change_what_is_usual() -> None:
    counts = every(40)
    counts |= {back(10): 0, back(11): 4000}
    found = expected_on(counts, LAST, WORKDAYS, SETTINGS)
    assert found is not None
    assert found.median == 40


def test_a_sharp_drop_is_found_and_a_slight_one_is_not() -> None:
    counts = every(40)
    for days in range(5):
        counts[back(days)] = 8
    found = drop(counts, LAST, WORKDAYS, SETTINGS, days=5, ratio=0.3)
    assert found is not None
    assert (found.since, found.seen, found.expected) == (back(4), 40, 200)
    for days in range(5):
        counts[back(days)] = 30
    assert drop(counts, LAST, WORKDAYS, SETTINGS, days=5, ratio=0.3) is None


def test_nothing_at_all_is_silence_and_not_a_drop() -> None:
    assert drop(every(40, until=back(5)), LAST, WORKDAYS, SETTINGS, days=5, ratio=0.3) is None


def _after(day: date, days: int) -> date:
    """The working day so many working days after `day`."""
    return WORKDAYS.between(day + timedelta(days=1), day + timedelta(days=200))[days - 1]
