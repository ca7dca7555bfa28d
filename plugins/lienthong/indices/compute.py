"""One run of the index: count in the database, award in `award`, store."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy.engine import Connection

from lienthong.indices.award import TOTAL, Count, UnitPoints, ranks, ratio, unit_points
from lienthong.indices.counting import UnitCounts, count_units
from lienthong.indices.definition import Definition, Feed, ProvisionalEnd
from lienthong.indices.table import Flag, ScoreKind, UnitKind
from lienthong.model.errors import ArgumentError, NotReadyError
from lienthong.model.periods import BUSINESS_ZONE, Month
from lienthong.warehouse.statements import run

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class _Unit:
    """What was counted for one unit, and what that earns."""

    of: UnitCounts
    points: UnitPoints


def score(
    connection: Connection,
    *,
    definition: Definition,
    tenants: Sequence[str],
    month: Month,
    as_of: datetime,
    kind: ScoreKind,
    run_key: str,
    now: datetime,
) -> int:
    """Score every listed unit of `tenants` for `month`, in the caller's transaction; returns the run's id.

    The same `run_key` again returns the first run and writes nothing. National reports count when entered up to
    `as_of`. NotReadyError: facts never refreshed, no listed agency. ArgumentError: a month that has not begun (or, for
    a final score, not ended), or a `run_key` that was used for something else.
    """
    tenants = sorted(set(tenants))
    through = last_instant(definition, month, as_of, kind)
    run(
        connection,
        "indices/insert_definition",
        definition_hash=definition.hash,
        definition_id=definition.id,
        version=definition.version,
        body=definition.canonical_json(),
        now=now,
    )
    run_id = run(
        connection,
        "indices/insert_score_run",
        run_key=run_key,
        definition_hash=definition.hash,
        month=str(month),
        kind=kind.value,
        as_of=as_of,
        now=now,
        tenants=tenants,
        loads=json.dumps({tenant: _facts_reach(connection, tenant) for tenant in tenants}),
    ).scalar_one_or_none()
    if run_id is None:
        return _known_run(connection, run_key, (definition.hash, str(month), kind.value, tenants))
    units = [
        _Unit(counted, unit_points(definition, counted.counts, counted.lacking))
        for tenant in tenants
        for counted in count_units(connection, definition, tenant, month, as_of, through)
    ]
    placed = _ranks(units)
    for tenant, members in groupby(units, key=lambda unit: unit.of.tenant):
        _store(connection, definition, tenant, run_id, list(members), placed)
    return int(run_id)


def last_instant(definition: Definition, month: Month, as_of: datetime, kind: ScoreKind) -> datetime:
    """The last instant that a run looks at: the month's end, or for a provisional one as-of where that is earlier."""
    end = month.end - _TICK
    if as_of < month.start or (kind is ScoreKind.FINAL and as_of <= end):
        raise ArgumentError(
            f"Month {month} can't have a {kind.value} score as of {as_of.astimezone(BUSINESS_ZONE):%d/%m/%Y %H:%M}.",
            key=str(month),
            next_step="wait until the month has begun (provisional) or ended (final).",
        )
    if kind is ScoreKind.FINAL or definition.choices.provisional_end is ProvisionalEnd.PERIOD_END:
        return end
    return min(as_of, end)


def _facts_reach(connection: Connection, tenant: str) -> int | None:
    found = run(connection, "indices/read_fact_state", tenant=tenant).one_or_none()
    if found is None:
        raise NotReadyError(
            "The facts of this tenant were never derived.", key=tenant, next_step="refresh the facts, then score."
        )
    merge_no: int | None = found.merge_no
    return merge_no


def _known_run(connection: Connection, run_key: str, wanted: tuple[str, str, str, list[str]]) -> int:
    known = run(connection, "indices/read_score_run_by_key", run_key=run_key).one()
    if (known.definition_hash, known.month, known.kind, known.tenants) != wanted:
        raise ArgumentError(
            "This run key was used for another definition, month, kind or set of provinces.",
            key=run_key,
            next_step="score under a new run key.",
        )
    return int(known.run_id)


def _ranks(units: Sequence[_Unit]) -> dict[tuple[str, str], int]:
    """Ranks by percentage: provinces among all of the run, others among their kind in their province; idle units have
    none.
    """
    leagues: dict[tuple[str, UnitKind], list[_Unit]] = defaultdict(list)
    for unit in (unit for unit in units if not unit.of.idle):
        leagues["" if unit.of.kind.is_top else unit.of.tenant, unit.of.kind].append(unit)
    return {
        (unit.of.tenant, unit.of.agency_code): rank
        for league in leagues.values()
        for unit, rank in zip(league, ranks([unit.points.percent for unit in league]), strict=True)
    }


def _store(
    connection: Connection, definition: Definition, tenant: str, run_id: int, units: Sequence[_Unit],
    placed: Mapping[tuple[str, str], int],
) -> None:  # fmt: skip
    key: dict[str, Any] = {"tenant": tenant, "run_id": run_id}
    spine = [(unit.of.agency_code, unit.of.name, unit.of.kind.value, unit.of.idle) for unit in units]
    scored = [
        (unit.of.agency_code, component.id, *_counted(unit, component.id), _flags(unit, component.id, component.feed))
        for unit in units
        for component in definition.components
    ]
    points = [
        row
        for unit in units
        for row in (
            *(
                (unit.of.agency_code, code, group.score, group.available, None, None, None)
                for code, group in unit.points.groups.items()
            ),
            (
                unit.of.agency_code, TOTAL, unit.points.total, unit.points.available, *_standing(unit, placed),
            ),
        )
    ]  # fmt: skip
    for statement, names, rows in (
        ("score_units", ("agency_codes", "names", "kinds", "idle"), spine),
        (
            "component_scores",
            ("agency_codes", "component_ids", "numerators", "denominators", "ratios", "scores", "flags"),
            scored,
        ),
        (
            "unit_scores",
            ("agency_codes", "group_codes", "scores", "maxima", "percents", "ranks", "bands"),
            points,
        ),
    ):
        columns = dict(zip(names, (list(column) for column in zip(*rows, strict=True)), strict=True))
        run(connection, f"indices/insert_{statement}", {**key, **columns})


def _standing(unit: _Unit, placed: Mapping[tuple[str, str], int]) -> tuple[Decimal | None, int | None, str | None]:
    """Percentage, rank and band; an idle unit has none: its points come without anybody's doing."""
    if unit.of.idle:
        return None, None, None
    return unit.points.percent, placed[unit.of.tenant, unit.of.agency_code], unit.points.band


def _counted(unit: _Unit, component_id: str) -> tuple[Decimal | None, Decimal | None, Decimal | None, Decimal | None]:
    count = unit.of.counts.get(component_id, Count(None, None))
    return count.numerator, count.denominator, ratio(count), unit.points.components.get(component_id)


def _flags(unit: _Unit, component_id: str, feed: Feed) -> str | None:
    """Flags of one score, separated by blanks; None for none."""
    flags = [unit.of.flags[component_id]] if component_id in unit.of.flags else []
    if feed is Feed.NONE or component_id in unit.of.lacking:
        flags.append(Flag.NO_FEED)
    elif (count := unit.of.counts.get(component_id)) is not None and count.denominator == 0:
        flags.append(Flag.ZERO_DENOMINATOR)
    return " ".join(flags) or None
