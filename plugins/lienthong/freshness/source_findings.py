"""What a load itself shows to be wrong with its source: a clock that is ahead, records that are no longer there."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from lienthong.freshness.findings import Detection, FindingChange, FindingKind, FindingSeverity, store_detections
from lienthong.warehouse.ledger import Load
from lienthong.warehouse.statements import of_kind, run

#: A lead that people need not hear of; `lienthong source check` tells smaller ones too.
CLOCK_LIMIT = timedelta(minutes=5)
#: Keys of vanished records that a finding names; vanished of the kind holds all.
NAMED_KEYS = 20


def store_source_findings(connection: Connection, load: Load, now: datetime) -> FindingChange:
    """Open, renew or close the findings that a merged load gives reason for; part of the merge's transaction.

    A source that doesn't tell its clock leaves the finding about it as it is.
    """
    detections = judge_vanished(connection, load)
    kinds = {FindingKind.RECORDS_VANISHED}
    if load.clock_ahead is not None:
        kinds.add(FindingKind.SOURCE_CLOCK_AHEAD)
        detections += judge_clock(load.clock_ahead, now)
    return store_detections(connection, load.tenant, load.source_id, detections, kinds, now)


def judge_clock(ahead: timedelta, now: datetime) -> list[Detection]:
    """Whether a source's clock is ahead of ours by more than anybody can overlook."""
    if ahead <= CLOCK_LIMIT:
        return []
    details = {"ahead_s": round(ahead.total_seconds())}
    return [Detection(FindingKind.SOURCE_CLOCK_AHEAD, FindingSeverity.WARNING, now, details=details)]


def judge_vanished(connection: Connection, load: Load) -> list[Detection]:
    """Believed records that full loads no longer found, and no later load found again."""
    scope = {"tenant": load.tenant, "source_id": load.source_id, "shown": NAMED_KEYS}
    row = run(connection, of_kind(load.kind, "read_vanished"), scope).one()
    if not row.records:
        return []
    details = {"records": row.records, "keys": list(row.source_keys)}
    return [Detection(FindingKind.RECORDS_VANISHED, FindingSeverity.WARNING, row.since, details=details)]
