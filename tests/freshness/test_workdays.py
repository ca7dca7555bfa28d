"""Which days offices work."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from lienthong.freshness.settings import CalendarSettings
from lienthong.freshness.workdays import DayKind, Workdays

WORKDAYS = Workdays(CalendarSettings())


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 10, 22), DayKind.WORKING),
        (date(2026, 10, 24), DayKind.WEEKEND),
        (date(2026, 9, 2), DayKind.HOLIDAY),  # Quốc khánh
        (date(2026, 4, 27), DayKind.HOLIDAY),  # Giỗ Tổ on a Sunday, Monday off
        (date(2026, 2, 17), DayKind.HOLIDAY),  # mùng một Tết
        (date(2026, 8, 22), DayKind.WORKING),  # Saturday worked for Monday 31 August
        (date(2026, 8, 31), DayKind.HOLIDAY),
        (date(2027, 1, 1), DayKind.HOLIDAY),
    ],
)
def test_weekends_holidays_and_worked_saturdays_are_told_apart(day: date, kind: DayKind) -> None:
    assert WORKDAYS.kind(day) is kind


def test_five_working_days_on_either_side_of_tet_are_quiet() -> None:
    days = [date(2026, 2, 1) + timedelta(days=number) for number in range(28)]
    quiet = [day for day in days if WORKDAYS.kind(day) is DayKind.QUIET]
    assert quiet == [date(2026, 2, day) for day in (9, 10, 11, 12, 13, 23, 24, 25, 26, 27)]


def test_what_the_government_announces_is_configured() -> None:
    configured = Workdays(
        CalendarSettings(days_off=(date(2026, 12, 31),), working_days=(date(2026, 12, 26),), quiet_around_tet=0)
    )
    assert configured.kind(date(2026, 12, 31)) is DayKind.HOLIDAY
    assert configured.kind(date(2026, 12, 26)) is DayKind.WORKING
    assert configured.kind(date(2026, 2, 13)) is DayKind.WORKING


def test_only_working_days_lie_between_two_days() -> None:
    assert WORKDAYS.between(date(2026, 8, 29), date(2026, 9, 4)) == [date(2026, 9, 3), date(2026, 9, 4)]
    assert WORKDAYS.between(date(2026, 9, 4), date(2026, 9, 3)) == []
