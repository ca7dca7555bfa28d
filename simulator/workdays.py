"""Naive local time as integer seconds, and the working days of the simulated offices.

An instant is the number of seconds since 1970-01-01 00:00 *local* time: offices of Vietnam live in one zone without
daylight saving, and OpenCPS stores naive local time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from calendar import monthrange
from datetime import date, datetime, timedelta
from random import Random

DAY = 86_400
HOUR = 3_600
EPOCH = date(1970, 1, 1)
_ORIGIN = datetime(1970, 1, 1)

#: Public holidays that fall on weekdays (fixed dates; Tết of 2026 and 2027). Enough for deadlines that look real.
_FIXED = ((1, 1), (4, 30), (5, 1), (9, 2))
_TET = tuple(date(2026, 2, day) for day in range(16, 21)) + tuple(date(2027, 2, day) for day in range(4, 11))


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def instant(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """Local wall time as an instant."""
    return day_number(date(year, month, day)) * DAY + hour * HOUR + minute * 60 + second


def wire(moment: int) -> str:
    """`yyyyMMddHHmmss`; absent (0) is the empty string."""
    return (_ORIGIN + timedelta(seconds=moment)).strftime("%Y%m%d%H%M%S") if moment else ""


def sql(moment: int) -> str:
    """`yyyy-MM-dd HH:mm:ss`, for the database."""
    return str(_ORIGIN + timedelta(seconds=moment))


def stamp(moment: int) -> str:
    """`yyMMdd` of the day, as in MaHoSo."""
    return (EPOCH + timedelta(days=moment // DAY)).strftime("%y%m%d")


def month_end(month: str) -> int:
    """The as-of instant of a month `YYYY-MM`: 23:00 on its last day."""
    year, number = (int(part) for part in month.split("-"))
    return instant(year, number, monthrange(year, number)[1], 23)


def month_start(month: str, back: int = 0) -> int:
    """Midnight on the first day of the month `back` months before `month`."""
    year, number = (int(part) for part in month.split("-"))
    index = year * 12 + number - 1 - back
    return instant(index // 12, index % 12 + 1, 1)


def _is_workday(number: int) -> bool:
    day = EPOCH + timedelta(days=number)
    return day.weekday() < 5 and (day.month, day.day) not in _FIXED and day not in _TET


class Workdays:
    """Working days around the simulated months, addressed by their index."""

    def __init__(self, first: int, last: int) -> None:
        self.days = [number for number in range(first // DAY, last // DAY + 1) if _is_workday(number)]

    def at_or_after(self, moment: int) -> int:
        """Index of the working day of `moment`, or of the next one."""
        return min(bisect_left(self.days, moment // DAY), len(self.days) - 1)

    def range(self, first: int, last: int) -> tuple[int, int]:
        """Half-open range of indices of the working days from `first` to `last`."""
        return bisect_left(self.days, first // DAY), bisect_right(self.days, last // DAY)

    def shift(self, moment: int, days: int) -> int:
        """Midnight of the working day `days` working days after that of `moment`."""
        return self.days[min(self.at_or_after(moment) + days, len(self.days) - 1)] * DAY

    def due(self, received: int, term: int) -> int:
        """The appointment: 17:00, `term` working days later; received in the last working hour counts from the next."""
        start = received + (DAY if received % DAY >= 16 * HOUR else 0)
        return self.shift(start, term) + 17 * HOUR


def office_second(rng: Random) -> int:
    """A second of the day within office hours: 07:40–11:25 or 13:35–16:50."""
    draw = rng.random()
    if draw < 0.56:
        return 7 * HOUR + 2400 + int(draw / 0.56 * 13_500)
    return 13 * HOUR + 2100 + int((draw - 0.56) / 0.44 * 11_700)
