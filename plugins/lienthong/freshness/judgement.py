"""What is wrong with one source right now: too quiet as a whole, some agencies too quiet, not read, load failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from lienthong.freshness.expectation import Counts, Drop, Silence, Usual, drop, expected_on, silence, silent_days
from lienthong.freshness.findings import AGENCY_KINDS, CloseReason, Detection, FindingKind, FindingSeverity
from lienthong.freshness.settings import FreshnessSettings
from lienthong.freshness.volumes import History, total
from lienthong.freshness.workdays import DayKind, Workdays
from lienthong.model.periods import BUSINESS_ZONE


@dataclass(frozen=True)
class SourceDay:
    """A source's volume on one day; `expected` None where nothing is (no working day, too little history)."""

    day: date
    kind: DayKind
    usual: Usual | None
    seen: int


@dataclass(frozen=True)
class Judgement:
    """Sights about volumes, the kinds that were judged, why findings of some agencies end, and days to remember."""

    kinds: set[FindingKind] = field(default_factory=lambda: {FindingKind.SOURCE_SILENT, FindingKind.SOURCE_LOW})
    detections: list[Detection] = field(default_factory=list)
    reasons: dict[str, CloseReason] = field(default_factory=dict)
    days: list[SourceDay] = field(default_factory=list)


def judged_day(observed_at: datetime) -> date:
    """The newest day of Vietnam that a source was read to the end of."""
    return observed_at.astimezone(BUSINESS_ZONE).date() - timedelta(days=1)


def first_day_needed(judged: date, settings: FreshnessSettings) -> date:
    """How far back histories are needed: the longer history before the longest silence that is still told."""
    return judged - timedelta(weeks=settings.rare_weeks + settings.give_up_after_days // 5 + 6)


def judge_volumes(
    histories: Sequence[History], observed_at: datetime, today: date, workdays: Workdays, settings: FreshnessSettings
) -> Judgement:
    """Judge a source and its agencies by what was read up to `observed_at`; what came later is nobody's fault.

    Only agencies that the registry lists are judged, and none while the source as a whole is silent. Days on which it
    was count for nobody: a history that ends weeks before the first dossiers of today is no commune's silence, and says
    nothing of what is usual. Who has dossiers on a day after the judged one has come back and is not told as silent; of
    a source that did, nothing else is said before the day of its return is over.
    """
    judged, all_counts = judged_day(observed_at), total(histories)
    sound = workdays.without(silent_days(all_counts, judged, workdays, settings))
    found = Judgement()
    for day in sorted({judged, today}):
        kind = workdays.kind(day)
        usual = expected_on(all_counts, day, sound, settings) if kind is DayKind.WORKING else None
        found.days.append(SourceDay(day, kind, usual, all_counts.get(day, 0)))
    whole = silence(all_counts, judged, sound, settings)
    if whole is not None:
        if not _came_back(all_counts, judged):
            found.detections.append(_silent(FindingKind.SOURCE_SILENT, FindingSeverity.ERROR, whole))
        return found
    found.kinds.update(AGENCY_KINDS)
    fewer = drop(all_counts, judged, sound, settings, days=1, ratio=settings.source_low_ratio)
    if fewer is not None:
        found.detections.append(_low(FindingKind.SOURCE_LOW, fewer))
    for history in histories:
        if not history.listed or history.agency_code in settings.ignore_agencies:
            found.reasons[history.agency_code] = CloseReason.UNLISTED
            continue
        _judge_agency(history, judged, sound, settings, found)
    return found


def _judge_agency(
    history: History, judged: date, workdays: Workdays, settings: FreshnessSettings, found: Judgement
) -> None:
    code, name = history.agency_code, history.name or ""
    quiet = None if _came_back(history.counts, judged) else silence(history.counts, judged, workdays, settings)
    if quiet is not None and quiet.days > settings.give_up_after_days:
        found.reasons[code] = CloseReason.GIVEN_UP
    elif quiet is not None:
        found.detections.append(_silent(FindingKind.AGENCY_SILENT, FindingSeverity.WARNING, quiet, code, name))
    else:
        fewer = drop(history.counts, judged, workdays, settings, days=settings.low_days, ratio=settings.low_ratio)
        if fewer is not None:
            found.detections.append(_low(FindingKind.AGENCY_LOW, fewer, code, name))


def _came_back(counts: Counts, judged: date) -> bool:
    return any(amount > 0 and day > judged for day, amount in counts.items())


def _silent(
    kind: FindingKind, severity: FindingSeverity, quiet: Silence, subject: str = "", name: str = ""
) -> Detection:
    details = {
        "name": name,
        "last_day": quiet.last_day.isoformat(),
        "days": quiet.days,
        "usual": round(quiet.usual.median, 1) if quiet.usual else None,
        "usual_gap": round(quiet.usual_gap, 1),
    }
    return Detection(kind, severity, midnight(quiet.since), subject, details)


def _low(kind: FindingKind, fewer: Drop, subject: str = "", name: str = "") -> Detection:
    details = {"name": name, "days": fewer.days, "seen": fewer.seen, "expected": round(fewer.expected, 1)}
    return Detection(kind, FindingSeverity.WARNING, midnight(fewer.since), subject, details)


def midnight(day: date) -> datetime:
    """The first instant of a day of Vietnam."""
    return datetime.combine(day, time(), BUSINESS_ZONE)
