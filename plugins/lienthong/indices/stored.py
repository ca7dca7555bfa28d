"""Read the score table of a run back from the warehouse."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from sqlalchemy import Engine
from sqlalchemy.engine import Connection

from lienthong.indices.award import TOTAL
from lienthong.indices.definition import Definition
from lienthong.indices.table import ComponentScore, Flag, GroupScore, ScoreKind, ScoreTable, UnitKind, UnitScore
from lienthong.model.errors import ArgumentError
from lienthong.model.periods import Month
from lienthong.warehouse.statements import run

_ORDER = {kind: position for position, kind in enumerate(UnitKind)}


def scores(engine: Engine, run_id: int) -> ScoreTable:
    """The score table of `run_id`, with the definition that the run used; ArgumentError when there is no such run."""
    with engine.connect() as connection:
        found = run(connection, "indices/read_score_run", run_id=run_id).one_or_none()
        if found is None:
            raise ArgumentError(
                "There is no such score run.", key=str(run_id), next_step="take the run from index_scores' last task."
            )
        units = [unit for tenant in found.tenants for unit in _units_of(connection, run_id, tenant)]
    return ScoreTable(
        run_id=found.run_id,
        run_key=found.run_key,
        definition=Definition.model_validate(found.body),
        month=Month.parse(found.month),
        kind=ScoreKind(found.kind),
        as_of=found.as_of,
        computed_at=found.computed_at,
        loads=found.loads,
        units=tuple(sorted(units, key=lambda unit: (unit.tenant, _ORDER[unit.kind], *unit.place))),
    )


def _units_of(connection: Connection, run_id: int, tenant: str) -> list[UnitScore]:
    components: dict[str, dict[str, ComponentScore]] = defaultdict(dict)
    for row in run(connection, "indices/read_component_scores", tenant=tenant, run_id=run_id):
        components[row.agency_code][row.component_id] = ComponentScore(
            row.component_id,
            row.numerator,
            row.denominator,
            row.ratio,
            row.score,
            frozenset(Flag(flag) for flag in row.flags),
        )
    groups: dict[str, dict[str, GroupScore]] = defaultdict(dict)
    totals: dict[str, tuple[Decimal, Decimal, Decimal | None, int | None, str | None]] = {}
    for row in run(connection, "indices/read_unit_scores", tenant=tenant, run_id=run_id):
        if row.group_code == TOTAL:
            totals[row.agency_code] = (row.score, row.max_available, row.percent, row.rank, row.band)
        else:
            groups[row.agency_code][row.group_code] = GroupScore(row.group_code, row.score, row.max_available)
    return [
        UnitScore(
            tenant,
            row.agency_code,
            row.name,
            UnitKind(row.kind),
            components[row.agency_code],
            groups[row.agency_code],
            *totals[row.agency_code],
            row.idle,
        )
        for row in run(connection, "indices/read_score_units", tenant=tenant, run_id=run_id)
    ]
