"""What is usual for an agency or a source, and whether it has become too quiet. Pure functions over daily counts.

Only working days are compared, and only with working days. Two ways, by how many dossiers there usually are:
often (median ≥ 1 a day): silent after so many working days without a dossier that even `spreads` spreads below the
usual sum would leave some; rarely: silent after a multiple of the gap that nine in ten of its gaps did not exceed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import ceil, sqrt
from statistics import median, quantiles

from lienthong.freshness.settings import FreshnessSettings
from lienthong.freshness.workdays import Workdays

Counts = Mapping[date, int]
_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True)
class Usual:
    """Dossiers on a working day: median and spread (≥ √median, as counts scatter at least so), over `days` days."""

    median: float
    spread: float
    days: int


@dataclass(frozen=True)
class Silence:
    """No dossier since `last_day`, for `days` working days; `usual_gap`: what is normal, in working days.

    `usual`: a busy day's volume, None where dossiers are rare. `since`: the first silent working day.
    """

    last_day: date
    since: date
    days: int
    needed: int
    usual_gap: float
    usual: Usual | None


@dataclass(frozen=True)
class Drop:
    """Far fewer dossiers than usual over `days` working days since `since`."""

    since: date
    days: int
    seen: int
    expected: float


def usual(counts: Counts, days: Sequence[date]) -> Usual | None:
    """What is usual on `days`; None without days."""
    if not days:
        return None
    values = [counts.get(day, 0) for day in days]
    middle = float(median(values))
    deviation = _MAD_TO_SIGMA * float(median(abs(value - middle) for value in values))
    return Usual(middle, max(deviation, sqrt(max(middle, 1))), len(days))


def expected_on(counts: Counts, day: date, workdays: Workdays, settings: FreshnessSettings) -> Usual | None:
    """What a working `day` should bring, from the weeks before it; None while there is too little history."""
    found = usual(counts, _history(counts, day, workdays, settings.history_weeks))
    return found if found and found.days >= settings.min_history_days else None


def silence(counts: Counts, judged: date, workdays: Workdays, settings: FreshnessSettings) -> Silence | None:
    """Whether nothing came for too long up to and including `judged`, the last day that has been read to its end."""
    active = sorted(day for day, amount in counts.items() if amount > 0 and day <= judged)
    if not active:
        return None
    last = active[-1]
    gap = workdays.between(last + timedelta(days=1), judged)
    if not gap:
        return None
    before = usual(counts, _history(counts, last + timedelta(days=1), workdays, settings.history_weeks))
    if before is None or before.days < settings.min_history_days:
        return None
    rarely = _rare_patience(active, workdays, settings)
    if before.median >= 1:
        often = max(settings.min_silent_days, ceil((settings.spreads * before.spread / before.median) ** 2))
        needed = min(often, rarely[1]) if rarely else often
        found = Silence(last, gap[0], len(gap), needed, rarely[0] if rarely else 0.0, before)
    elif rarely:
        found = Silence(last, gap[0], len(gap), rarely[1], rarely[0], None)
    else:
        return None
    return found if found.days >= found.needed else None


def silent_days(counts: Counts, judged: date, workdays: Workdays, settings: FreshnessSettings) -> list[date]:
    """Working days of past stretches, ended by a dossier, at whose end `silence` would have been found."""
    active = sorted(day for day, amount in counts.items() if amount > 0 and day <= judged)
    found: list[date] = []
    for before, after in pairwise(active):
        eve = after - timedelta(days=1)
        gap = workdays.between(before + timedelta(days=1), eve)
        if gap and silence(counts, eve, workdays, settings) is not None:
            found += gap
    return found


def drop(
    counts: Counts, judged: date, workdays: Workdays, settings: FreshnessSettings, *, days: int, ratio: float
) -> Drop | None:
    """Whether the last `days` working days brought less than `ratio` of the usual, and less than chance explains.

    None where nothing came at all: that is for `silence` to say.
    """
    window = workdays.between(judged - timedelta(days=3 * days + 30), judged)[-days:]
    if len(window) < days:
        return None
    before = usual(counts, _history(counts, window[0], workdays, settings.history_weeks))
    if before is None or before.days < settings.min_history_days or before.median < settings.low_min_median:
        return None
    seen = sum(counts.get(day, 0) for day in window)
    expected = days * before.median
    too_few = min(ratio * expected, expected - settings.spreads * sqrt(days) * before.spread)
    return Drop(window[0], days, seen, expected) if 0 < seen < too_few else None


def _history(counts: Counts, before: date, workdays: Workdays, weeks: int) -> list[date]:
    """Working days of the weeks before a day, from the first on which anything ever came."""
    first = min((day for day, amount in counts.items() if amount > 0), default=before)
    return workdays.between(max(first, before - timedelta(weeks=weeks)), before - timedelta(days=1))


def _rare_patience(active: Sequence[date], workdays: Workdays, settings: FreshnessSettings) -> tuple[float, int] | None:
    """The gap that nine in ten gaps between days with a dossier didn't exceed, and how long to wait for the next one.

    Gaps are counted in working days without a dossier, over the longer history. None with too few of them.
    """
    recent = active[bisect_left(active, active[-1] - timedelta(weeks=settings.rare_weeks)) :]
    if len(recent) < settings.rare_min_active_days:
        return None
    worked = workdays.between(recent[0], recent[-1])
    places = [bisect_right(worked, day) for day in recent]
    gaps = [max(after - before - 1, 0) for before, after in pairwise(places)]
    usual_gap = float(quantiles(gaps, n=10, method="inclusive")[-1])
    return usual_gap, max(settings.rare_min_days, ceil(settings.rare_gap_factor * usual_gap))
