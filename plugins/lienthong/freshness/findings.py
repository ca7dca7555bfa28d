"""Findings: what is wrong with a source or an agency, opened once, closed when it is over, told once per channel."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.engine import Connection, Row

from lienthong.model.periods import BUSINESS_ZONE
from lienthong.warehouse.statements import run

#: The end of a finding is told for so long; a channel that was broken for longer doesn't hear of it any more.
_RECOVERY_TOLD_FOR = timedelta(days=7)


class FindingKind(StrEnum):
    """What can be wrong. `subject` is the agency of agency findings, the DAG and task of TASK_FAILED, else ''. BACKLOG
    and UNDECIDED (deliveries that wait for a person) are a province's.
    """

    LOAD_FAILED = "load_failed"
    SOURCE_STALE = "source_stale"
    SOURCE_SILENT = "source_silent"
    SOURCE_LOW = "source_low"
    AGENCY_SILENT = "agency_silent"
    AGENCY_LOW = "agency_low"
    SOURCE_CLOCK_AHEAD = "source_clock_ahead"
    RECORDS_VANISHED = "records_vanished"
    BACKLOG = "backlog"
    UNDECIDED = "undecided"
    TASK_FAILED = "task_failed"


#: About a province's deliveries, not about one of its sources.
TENANT_KINDS = frozenset({FindingKind.BACKLOG, FindingKind.UNDECIDED})
AGENCY_KINDS = frozenset({FindingKind.AGENCY_SILENT, FindingKind.AGENCY_LOW})


class FindingSeverity(StrEnum):
    """WARNING: worth a look. ERROR: data is missing or late; `lienthong status` ends with exit code 1."""

    WARNING = "warning"
    ERROR = "error"


class CloseReason(StrEnum):
    """Why a finding is no longer open."""

    RECOVERED = "recovered"
    UNLISTED = "unlisted"  # the agency left the registry, or is to be ignored
    GIVEN_UP = "given_up"  # silent for so long that it counts as closed
    TAKEN_BACK = "taken_back"  # the source's contract was deleted: nobody watches it any more


@dataclass(frozen=True)
class Detection:
    """Something wrong, seen now. `details`: numbers and public names for the words, never anything personal."""

    kind: FindingKind
    severity: FindingSeverity
    since: datetime
    subject: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """A detection as stored."""

    finding_id: int
    tenant: str
    source_id: str
    kind: FindingKind
    subject: str
    severity: FindingSeverity
    since: datetime
    details: Mapping[str, Any]
    first_seen_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None
    close_reason: CloseReason | None
    alerted_by: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


@dataclass(frozen=True)
class FindingChange:
    """What a judgement changed: findings opened and closed."""

    opened: int = 0
    closed: int = 0

    def __add__(self, other: FindingChange) -> FindingChange:
        return FindingChange(self.opened + other.opened, self.closed + other.closed)


def store_detections(
    connection: Connection,
    tenant: str,
    source_id: str,
    detections: Sequence[Detection],
    judged: Iterable[FindingKind],
    now: datetime,
    reasons: Mapping[str, CloseReason] | None = None,
) -> FindingChange:
    """Open what is seen, close what was open and is of a `judged` kind but no longer seen.

    `reasons`: subject → why its findings end, where that is not a recovery. Two callers at once: one after the other.
    """
    run(connection, "freshness/lock_findings", tenant=tenant, source_id=source_id)
    seen = {(detection.kind, detection.subject) for detection in detections}
    kinds, opened, closed = frozenset(judged), 0, 0
    for finding in open_findings(connection, source_id):
        of_source = bool(source_id) or finding.tenant == tenant
        if of_source and finding.kind in kinds and (finding.kind, finding.subject) not in seen:
            reason = (reasons or {}).get(finding.subject, CloseReason.RECOVERED)
            close_finding(connection, finding.finding_id, reason, now)
            closed += 1
    for detection in detections:
        opened += open_finding(connection, tenant, source_id, detection, now)[1]
    return FindingChange(opened, closed)


def open_finding(
    connection: Connection, tenant: str, source_id: str, detection: Detection, now: datetime
) -> tuple[int, bool]:
    """Open one finding, or say that it is still there; returns its id and whether it is new."""
    details = json.dumps(dict(detection.details), ensure_ascii=False)
    row = run(
        connection,
        "freshness/open_finding",
        tenant=tenant,
        source_id=source_id,
        kind=detection.kind.value,
        subject=detection.subject,
        severity=detection.severity.value,
        since=detection.since,
        details=details,
        now=now,
    ).one()
    run(
        connection,
        "freshness/record_finding_day",
        finding_id=row.finding_id,
        day=now.astimezone(BUSINESS_ZONE).date(),
        severity=detection.severity.value,
        details=details,
    )
    return int(row.finding_id), bool(row.is_new)


def close_finding(connection: Connection, finding_id: int, reason: CloseReason, now: datetime) -> None:
    """Close one finding; one that is closed stays as it is."""
    run(connection, "freshness/close_finding", finding_id=finding_id, reason=reason.value, now=now)


def open_findings(connection: Connection, source_id: str | None = None) -> list[Finding]:
    """Open findings, errors first; of one source (`''`: of none in particular) or of all."""
    return [_finding(row) for row in run(connection, "freshness/read_open_findings", source_id=source_id)]


def untold(connection: Connection, channel: str, now: datetime) -> list[Finding]:
    """What a channel has still to tell: open findings, and the recent ends of those that it told of."""
    rows = run(connection, "freshness/read_untold_findings", channel=channel, closed_after=now - _RECOVERY_TOLD_FOR)
    return [_finding(row) for row in rows]


def mark_told(connection: Connection, channel: str, findings: Sequence[Finding]) -> None:
    """Remember that a channel told of `findings` as they are given."""
    run(
        connection,
        "freshness/mark_findings_told",
        channel=channel,
        finding_ids=[finding.finding_id for finding in findings],
        ended_ids=[finding.finding_id for finding in findings if not finding.is_open],
    )


def _finding(row: Row[Any]) -> Finding:
    return Finding(
        row.finding_id,
        row.tenant,
        row.source_id,
        FindingKind(row.kind),
        row.subject,
        FindingSeverity(row.severity),
        row.since,
        row.details,
        row.first_seen_at,
        row.last_seen_at,
        row.closed_at,
        CloseReason(row.close_reason) if row.close_reason else None,
        tuple(row.alerted_by),
    )
