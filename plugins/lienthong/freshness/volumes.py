"""Volumes: counted by merge from what a load changed, read as one series of days per agency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.engine import Connection

from lienthong.freshness.expectation import Counts
from lienthong.model.codes import LoadMode
from lienthong.warehouse.ledger import Load
from lienthong.warehouse.statements import of_kind, run


@dataclass(frozen=True)
class History:
    """Arrivals of one agency by day. `name` and `listed` are the registry's; None for a code that it doesn't know."""

    agency_code: str
    name: str | None
    listed: bool | None
    counts: Counts


def record_volumes(connection: Connection, load: Load, extracted: int) -> None:
    """Count what `load` inserted and updated, in merge's transaction, while its verdicts are still there.

    `extracted`: records that it landed; a full load's are what the next full load is compared with.
    """
    run(
        connection,
        of_kind(load.kind, "record_volumes"),
        tenant=load.tenant,
        source_id=load.source_id,
        load_id=load.load_id,
        observed_at=load.observed_at,
        is_full=load.mode is LoadMode.FULL,
        extracted=extracted,
    )


def read_histories(connection: Connection, tenant: str, source_id: str, first: date, last: date) -> list[History]:
    """Every agency of a source that had a dossier between two days; code '' for dossiers without an agency."""
    rows = run(
        connection, "freshness/read_histories", tenant=tenant, source_id=source_id, first_day=first, last_day=last
    ).all()
    return [
        History(
            row.agency_code,
            row.name,
            row.listed,
            {date.fromordinal(day): int(amount) for day, amount in zip(row.days, row.dossiers, strict=True)},
        )
        for row in rows
    ]


def total(histories: Sequence[History]) -> Counts:
    """All agencies of a source together."""
    counts: Counter[date] = Counter()
    for history in histories:
        counts.update(history.counts)
    return counts


@dataclass(frozen=True)
class Coverage:
    """How far a source has been read: `observed_at` by its own clock, by the load opened and merged at."""

    observed_at: datetime
    opened_at: datetime
    merged_at: datetime


def read_coverage(connection: Connection, tenant: str, source_id: str) -> Coverage | None:
    """The newest merged load that read all that changed (not a range); None before there is one."""
    row = run(connection, "freshness/read_covered_until", tenant=tenant, source_id=source_id).one_or_none()
    return Coverage(row.observed_at, row.opened_at, row.merged_at) if row is not None else None
