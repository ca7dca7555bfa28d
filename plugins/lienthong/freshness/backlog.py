"""How long the oldest dossier is owed to the portal, and what waits for a person's decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from lienthong.freshness.findings import Detection, FindingKind, FindingSeverity
from lienthong.freshness.settings import FreshnessSettings
from lienthong.warehouse.statements import run


@dataclass(frozen=True)
class Backlog:
    """Dossiers of a tenant by what keeps them from the portal. `oldest_owed_at`: when the oldest version that is owed
    was merged; `oldest_unsettled_at`: when the oldest send without an answer happened. `parked` dossiers and
    `steps_unsettled` (they may have arrived) wait for a decision.
    """

    owed: int
    unsettled: int
    blocked: int
    rejected: int
    oldest_owed_at: datetime | None
    oldest_unsettled_at: datetime | None
    parked: int = 0
    oldest_parked_at: datetime | None = None
    steps_unsettled: int = 0
    oldest_step_at: datetime | None = None


def read_backlog(connection: Connection, tenant: str) -> Backlog:
    """Reads what is open or held back, never all deliveries."""
    return Backlog(**run(connection, "freshness/read_backlog", tenant=tenant).mappings().one())


def judge_backlog(backlog: Backlog, settings: FreshnessSettings, now: datetime) -> list[Detection]:
    """Whether something is owed, without an answer, or without a decision for too long."""
    return _judge_owed(backlog, settings, now) + _judge_undecided(backlog, settings, now)


def _judge_owed(backlog: Backlog, settings: FreshnessSettings, now: datetime) -> list[Detection]:
    oldest = min(filter(None, (backlog.oldest_owed_at, backlog.oldest_unsettled_at)), default=None)
    if oldest is None or now - oldest <= timedelta(hours=settings.backlog_warning_h):
        return []
    grave = now - oldest > timedelta(hours=settings.backlog_error_h)
    severity = FindingSeverity.ERROR if grave else FindingSeverity.WARNING
    details = {"owed": backlog.owed, "unsettled": backlog.unsettled}
    return [Detection(FindingKind.BACKLOG, severity, oldest, details=details)]


def _judge_undecided(backlog: Backlog, settings: FreshnessSettings, now: datetime) -> list[Detection]:
    oldest = min(filter(None, (backlog.oldest_parked_at, backlog.oldest_step_at)), default=None)
    if oldest is None or now - oldest <= timedelta(hours=settings.backlog_warning_h):
        return []
    details = {"parked": backlog.parked, "steps": backlog.steps_unsettled}
    return [Detection(FindingKind.UNDECIDED, FindingSeverity.WARNING, oldest, details=details)]
