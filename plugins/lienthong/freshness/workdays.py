"""Which days offices of Vietnam work: weekends, public holidays, worked weekends, quiet days around Tết."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from enum import StrEnum
from functools import cache

from lienthong.freshness.settings import CalendarSettings

_DAY = timedelta(days=1)
#: What the package calls the days off of Tết in English; "Lunar New Year's Eve" and all others contain it.
_TET = "Lunar New Year"


class DayKind(StrEnum):
    """WORKING days are compared with each other; nothing is expected of the others. QUIET: working, next to Tết."""

    WORKING = "working"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    QUIET = "quiet"


class Workdays:
    """Days by kind. Years are worked out when they are first asked for."""

    def __init__(self, settings: CalendarSettings, left_out: Collection[date] = ()) -> None:
        self._settings = settings
        self._left_out = frozenset(left_out)
        self._quiet: dict[int, frozenset[date]] = {}

    def kind(self, day: date) -> DayKind:
        """What is expected of `day`."""
        if not self._is_worked(day):
            return DayKind.WEEKEND if day.weekday() >= 5 and day not in _off(day.year)[0] else DayKind.HOLIDAY
        if day.year not in self._quiet:
            self._quiet[day.year] = frozenset(self._around_tet(day.year))
        return DayKind.QUIET if day in self._quiet[day.year] else DayKind.WORKING

    def between(self, first: date, last: date) -> list[date]:
        """The WORKING days from `first` to `last`, both included, but for those that are left out."""
        days = (first + timedelta(days=number) for number in range((last - first).days + 1))
        return [day for day in days if day not in self._left_out and self.kind(day) is DayKind.WORKING]

    def without(self, days: Collection[date]) -> Workdays:
        """The same calendar, in which `days` are compared with nothing."""
        return Workdays(self._settings, self._left_out | frozenset(days)) if days else self

    def _is_worked(self, day: date) -> bool:
        if day in self._settings.working_days:
            return True
        if day in self._settings.days_off or day in _off(day.year)[0]:
            return False
        return day.weekday() < 5 or any(day in _off(year)[1] for year in (day.year, day.year + 1))

    def _around_tet(self, year: int) -> Iterator[date]:
        tet = _off(year)[2]
        if not tet:
            return
        for edge, step in ((min(tet), -_DAY), (max(tet), _DAY)):
            day, left = edge + step, self._settings.quiet_around_tet
            while left:
                if self._is_worked(day):
                    yield day
                    left -= 1
                day += step


@cache
def _off(year: int) -> tuple[frozenset[date], frozenset[date], frozenset[date]]:
    """Public holidays of a year, weekends worked in exchange for one, and those of the holidays that are Tết."""
    import holidays

    found = holidays.country_holidays("VN", years=year, language="en_US")
    swapped = frozenset(getattr(found, "weekend_workdays", ()))
    return frozenset(found), swapped, frozenset(day for day, name in found.items() if _TET in name)
