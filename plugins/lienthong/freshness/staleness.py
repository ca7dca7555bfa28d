"""How late a source is against its own schedule: ticks of its cron that passed without a load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Protocol

from croniter import croniter  # type: ignore[import-untyped]
from sqlalchemy.engine import Connection

from lienthong.freshness.findings import Detection, FindingKind, FindingSeverity
from lienthong.freshness.settings import FreshnessSettings
from lienthong.freshness.volumes import Coverage
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.warehouse.statements import run

#: A load that was opened so recently and has not failed counts as running: a first load of a province takes hours.
_RUNNING = timedelta(hours=6)
_MAX_TICKS = 10_000


@dataclass(frozen=True)
class NewestLoad:
    """The newest load of a source, whatever became of it. `error`: the words of our own error classes."""

    load_id: int
    run_key: str
    mode: str
    state: str
    opened_at: datetime
    merged_at: datetime | None
    failed_at: datetime | None
    error: str | None


def read_newest_load(connection: Connection, tenant: str, source_id: str) -> NewestLoad | None:
    """The newest load of a source, whatever became of it."""
    row = run(connection, "freshness/read_newest_load", tenant=tenant, source_id=source_id).mappings().one_or_none()
    return NewestLoad(**row) if row is not None else None


class DailyHours(Protocol):
    """Hours of the day at which a source may be read, as a contract says them."""

    def contains(self, moment: time, /) -> bool: ...


def reading_times(hours: DailyHours | None) -> Callable[[time], bool]:
    """Whether a source may be read at a time of the day; without hours always."""
    return hours.contains if hours else _always


def _always(_moment: time) -> bool:
    return True


def missed_ticks(
    cron: str, since: datetime, now: datetime, may_read: Callable[[time], bool], limit: int = _MAX_TICKS
) -> int:
    """Ticks of `cron` (Vietnam's time) between two instants at which the source may be read; at most `limit`."""
    ticks, missed = croniter(cron, since.astimezone(BUSINESS_ZONE)), 0
    for _ in range(_MAX_TICKS):
        tick = ticks.get_next(datetime)
        if tick >= now or missed >= limit:
            break
        missed += may_read(tick.timetz().replace(tzinfo=None))
    return missed


def judge_load(newest: NewestLoad | None) -> list[Detection]:
    """Whether the newest load stands in error."""
    if newest is None or newest.error is None or newest.state == "merged":
        return []
    details = {"load_id": newest.load_id, "run_key": newest.run_key, "error": newest.error}
    return [
        Detection(FindingKind.LOAD_FAILED, FindingSeverity.ERROR, newest.failed_at or newest.opened_at, details=details)
    ]


def judge_schedule(
    coverage: Coverage | None,
    newest: NewestLoad | None,
    cron: str,
    may_read: Callable[[time], bool],
    settings: FreshnessSettings,
    now: datetime,
) -> list[Detection]:
    """Whether the source was not read for too many ticks. One that was never read, or is being read, is not late."""
    if coverage is None or newest is None:
        return []
    if newest.state != "merged" and newest.error is None and now - newest.opened_at < _RUNNING:
        return []
    missed = missed_ticks(cron, coverage.opened_at, now, may_read, settings.stale_error_ticks + 1)
    if missed <= settings.stale_after_ticks:
        return []
    grave = missed > settings.stale_error_ticks
    severity = FindingSeverity.ERROR if grave else FindingSeverity.WARNING
    details = {"cron": cron, "ticks": missed, "at_least": grave}
    return [Detection(FindingKind.SOURCE_STALE, severity, coverage.merged_at, details=details)]
