"""What the warehouse counts for each unit: one statement per tenant, with the definition's choices as parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy.engine import Connection

from lienthong.indices.award import Count
from lienthong.indices.definition import (
    NEEDS,
    CompareBy,
    Definition,
    Feed,
    ResultDenominator,
    SyncWithoutReport,
    TermUnit,
    Unknown,
)
from lienthong.indices.table import UnitKind
from lienthong.model.errors import NotReadyError
from lienthong.model.periods import BUSINESS_ZONE, Month
from lienthong.warehouse.statements import run

#: Seconds of one unit of a term; None is counted in working days.
_TERM_SECONDS: Mapping[TermUnit, int | None] = {
    TermUnit.WORKING_DAY: None,
    TermUnit.DAY: 86_400,
    TermUnit.HOUR: 3_600,
    TermUnit.MONTH: 30 * 86_400,
}


@dataclass(frozen=True)
class UnitCounts:
    """One listed unit with what was counted for it; `flags`, separated by blanks, come with some counts.

    `idle`: nothing of it was received or in progress. `lacking`: components that none of its tenant's sources feeds.
    """

    tenant: str
    agency_code: str
    name: str
    kind: UnitKind
    idle: bool
    counts: Mapping[str, Count]
    flags: Mapping[str, str]
    lacking: frozenset[str]


def count_units(
    connection: Connection, definition: Definition, tenant: str, month: Month, as_of: datetime, through: datetime
) -> list[UnitCounts]:
    """Counts of every listed unit of `tenant`, by agency code; NotReadyError when there is none."""
    rows = run(
        connection,
        "indices/count_components",
        {
            "tenant": tenant,
            "zone": BUSINESS_ZONE.key,
            "period": str(month),
            "last_year": str(month.year - 1),
            "period_start": month.start,
            "through": through,
            "as_of": as_of,
            **choice_parameters(definition),
        },
    ).all()
    if not rows:
        raise NotReadyError(
            "This tenant has no listed agencies.", key=tenant, next_step="run catalogue_sync, then score again."
        )
    counted = {component.id for component in definition.components if component.feed is Feed.WAREHOUSE}
    lacking = _lacking(connection, tenant) & counted
    fed = counted - lacking
    units = []
    for agency_code, members in groupby(rows, key=lambda row: row.agency_code):
        first, *_ = all_rows = list(members)
        of_unit = [row for row in all_rows if row.component_id in fed]
        counts = {row.component_id: Count(_decimal(row.numerator), _decimal(row.denominator)) for row in of_unit}
        flags = {row.component_id: row.flag for row in of_unit if row.flag}
        kind = UnitKind(first.level)
        units.append(UnitCounts(tenant, agency_code, first.name, kind, first.idle, counts, flags, lacking))
    return units


def _lacking(connection: Connection, tenant: str) -> frozenset[str]:
    """Components that no source of the tenant can feed."""
    wanted = sorted(set(NEEDS.values()))
    rows = run(connection, "indices/read_lacking", tenant=tenant, capabilities=wanted)
    absent = set(rows.scalars())
    return frozenset(component_id for component_id, capability in NEEDS.items() if capability in absent)


def _decimal(counted: int | Decimal | None) -> Decimal | None:
    return None if counted is None else Decimal(counted)


def choice_parameters(definition: Definition) -> dict[str, Any]:
    """The open choices of a definition as parameters of the counting statement."""
    choices = definition.choices
    names = sorted(choices.term_units)
    populations = {
        f"population_{component.id.replace('.', '_')}": component.population
        for component in definition.components
        if component.id.startswith("4.") and component.feed is Feed.WAREHOUSE
    }
    return {
        **{f"population_4_{number}": "carried" for number in ("1", "2", "3", "4", "5a", "5b")},
        **populations,
        "unit_names": names,
        "unit_seconds": [_TERM_SECONDS[choices.term_units[name]] for name in names],
        "citizen_subjects": list(choices.citizen_subjects),
        "population_databases": list(choices.population_databases),
        "holidays": list(choices.holidays),
        "compare_by_date": choices.compare_due_by is CompareBy.DATE,
        "unknown_is_on_time": choices.without_due_and_term is Unknown.ON_TIME,
        "over_received": choices.sync_without_report is SyncWithoutReport.WAREHOUSE_RECEIVED,
        "result_of_paper_only": choices.result_denominator is ResultDenominator.PAPER,
    }
