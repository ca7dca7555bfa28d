"""What the tenant's own systems and a ministry's system say differently about the dossiers that both hold.

The ministry sends these to the portal, so its word counts in scores; who mends what is for people to decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from lienthong.model.periods import BUSINESS_ZONE
from lienthong.warehouse.statements import run

#: The field of a dossier that only the tenant's own system shows.
ABSENT = "dossier"


@dataclass(frozen=True)
class Holder:
    """A source with the dossiers that a ministry (`sender`) sends itself: which procedures, which of our fields it
    tells, and the statuses it has words for.
    """

    source_id: str
    sender: str
    procedures: tuple[str, ...]
    fields: tuple[str, ...]
    statuses: tuple[int, ...]


@dataclass(frozen=True, order=True)
class Disagreement:
    """One field of one dossier. Values: a status by number, a day as `2026-10-05`, for ABSENT the dossier's code; None:
    says nothing. No personal data.
    """

    source_id: str
    dossier_code: str
    field: str
    ours: str | None
    theirs: str | None
    our_source_id: str
    agency_code: str | None


def read_disagreements(connection: Connection, tenant: str, holders: Sequence[Holder]) -> list[Disagreement]:
    """All of them, by source, dossier and field."""
    told = [(holder.source_id, field) for holder in holders for field in holder.fields]
    words = [(holder.source_id, status) for holder in holders for status in sorted(set(holder.statuses))]
    covers = [(code, holder.source_id) for holder in holders for code in holder.procedures]
    rows = run(
        connection,
        "exchange/list_disagreements",
        tenant=tenant,
        zone=str(BUSINESS_ZONE),
        told_sources=[source_id for source_id, _ in told],
        told_fields=[field for _, field in told],
        word_sources=[source_id for source_id, _ in words],
        word_statuses=[status for _, status in words],
        covers_codes=[code for code, _ in covers],
        covers_sources=[source_id for _, source_id in covers],
    )
    return [
        Disagreement(
            row.source_id, row.dossier_code, row.field, row.ours, row.theirs, row.our_source_id, row.agency_code
        )
        for row in rows
    ]
