"""Merge: from staged rows to what is believed. Diff first, then write only what changed, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from lienthong.model.errors import ConservationError
from lienthong.warehouse import sightings
from lienthong.warehouse.ledger import Load
from lienthong.warehouse.statements import of_kind, run

#: Share of a tenant's records whose change makes its statistics worthless, and below how many it does not matter.
CHANGED_SHARE, MANY = 0.2, 10_000
OUTCOMES = ("inserted", "updated", "unchanged", "duplicate", "stale", "quarantined")


@dataclass(frozen=True)
class EntityCount:
    """What became of the extracted rows of one entity. The outcomes add up to `extracted`, or the load fails."""

    entity: str
    extracted: int
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicate: int = 0
    stale: int = 0
    quarantined: int = 0

    @property
    def accounted(self) -> int:
        return sum(getattr(self, outcome) for outcome in OUTCOMES)


@dataclass(frozen=True)
class TableWatermark:
    """How far one source table has been read, as it goes into the warehouse with the data."""

    table_name: str
    modified_at: datetime | None
    last_key: str | None
    overlap_rows: int


@dataclass(frozen=True)
class Unmapped:
    """A column (`kind` column, `name` table.column) or a code word of a source that nobody mapped."""

    kind: str
    name: str
    seen: int


@dataclass(frozen=True)
class Service:
    """One procedure that one agency offers online at some level (2 information, 3 partly, 4 fully)."""

    agency_code: str
    procedure_code: str
    online_level: int


def lock_tenant(connection: Connection, tenant: str) -> None:
    """Wait for other merges of the tenant; held until the transaction ends."""
    run(connection, "ops/lock_tenant", tenant=tenant)


def merge_load(connection: Connection, load: Load, extracted: Mapping[str, int]) -> list[EntityCount]:
    """Apply a gated load. Returns the counts per entity; ConservationError when they don't add up.

    `extracted` are the rows landed per entity. The caller holds the load's and the tenant's lock and commits.
    """
    key: dict[str, Any] = {"tenant": load.tenant, "load_id": load.load_id}
    scope = key | {"source_id": load.source_id}
    unapplied = run(connection, "ops/take_precedence", tenant=load.tenant).all()
    run(connection, "staging/clear_verdicts", key)
    recipe = {"reading_no": load.reading_no, "recipe": load.kind.recipe}
    run(connection, of_kind(load.kind, "decide_verdicts"), scope | recipe)
    run(connection, "staging/analyze", tenant=load.tenant, tables=["verdict"])
    belief = load.kind.belief
    _run_all(connection, belief.resolve, scope)
    counts = _count(connection, load, extracted)
    records = counts[0]
    if records.inserted or records.updated:  # a record with any changed child is itself updated
        _apply(connection, load, scope, updated=bool(records.updated))
    if any(source.sources > 1 for source in unapplied):
        _run_all(connection, belief.speak, key)
    sightings.apply(connection, load)
    _run_all(connection, belief.settle, key)
    for count in counts:
        run(connection, "ops/insert_load_count", key | asdict(count))
    _refresh_statistics(connection, load, records.inserted + records.updated)
    return counts


def advance_watermarks(connection: Connection, load: Load, watermarks: Sequence[TableWatermark], now: datetime) -> None:
    """Move the source's watermarks, in the transaction that makes the data believed: forwards, or back from beyond
    `now`, where a wrong clock had put them."""
    for watermark in watermarks:
        run(
            connection,
            "ops/advance_watermark",
            tenant=load.tenant,
            source_id=load.source_id,
            load_id=load.load_id,
            now=now,
            **asdict(watermark),
        )


def merge_services(connection: Connection, load: Load, services: Sequence[Service]) -> None:
    """Replace what the source says about its online services; what it said before goes to history."""
    parameters = {
        "tenant": load.tenant,
        "source_id": load.source_id,
        "load_id": load.load_id,
        "agency_codes": [service.agency_code for service in services],
        "procedure_codes": [service.procedure_code for service in services],
        "online_levels": [service.online_level for service in services],
    }
    run(connection, "registry/retire_services", parameters)
    run(connection, "registry/apply_services", parameters)


def record_unmapped(connection: Connection, load: Load, found: Sequence[Unmapped]) -> None:
    """Remember what the load met that nobody mapped."""
    scope = {"tenant": load.tenant, "source_id": load.source_id, "load_id": load.load_id}
    for one in found:
        run(connection, "ops/record_finding", scope | asdict(one))


def _apply(connection: Connection, load: Load, scope: dict[str, Any], *, updated: bool) -> None:
    kind = load.kind
    if updated:
        run(connection, of_kind(kind, "retire_records"), scope)
        run(connection, of_kind(kind, "retire_persons"), scope)
        _run_all(connection, kind.belief.release, scope)
    written = scope | {"observed_at": load.observed_at, "recipe": kind.recipe}
    run(connection, of_kind(kind, "apply_records"), written)
    run(connection, of_kind(kind, "apply_persons"), scope)
    for child in kind.children:
        if updated:
            run(connection, of_kind(kind, f"retire_{child.entity}"), scope)
        run(connection, of_kind(kind, f"apply_{child.entity}"), scope)
    _run_all(connection, kind.belief.believe, scope)


def _run_all(connection: Connection, statements: Sequence[str], scope: Mapping[str, Any]) -> None:
    for statement in statements:
        run(connection, statement, scope)


def _refresh_statistics(connection: Connection, load: Load, changed: int) -> None:
    """After a load that changed much: the next one comes before autovacuum and would be planned for empty tables."""
    record = f"{load.kind.name}.{load.kind.record}"
    known = int(run(connection, "ops/count_believed", tenant=load.tenant, record=record).scalar_one())
    if changed > max(known, MANY) * CHANGED_SHARE:
        run(connection, "ops/analyze_believed", tenant=load.tenant, kind=load.kind.name)


def _count(connection: Connection, load: Load, extracted: Mapping[str, int]) -> list[EntityCount]:
    counts = []
    scope = {"tenant": load.tenant, "load_id": load.load_id, "source_id": load.source_id}
    root = load.kind.root.entity
    for entity in load.kind.entity_names:
        statement = of_kind(load.kind, "count_root" if entity == root else f"count_{entity}")
        rows = run(connection, statement, scope).all()
        amounts = {row.outcome: row.amount for row in rows}
        if entity != root and amounts.pop("updated", 0):
            for row in run(connection, of_kind(load.kind, f"compare_{entity}"), scope):
                amounts[row.outcome] = amounts.get(row.outcome, 0) + row.amount
        amounts["unchanged"] = amounts.get("unchanged", 0) + (load.set_aside or {}).get(entity, 0)
        count = EntityCount(entity, extracted[entity], **amounts)
        if count.accounted != count.extracted:
            raise ConservationError(
                f"{count.extracted} {entity} rows were extracted, {count.accounted} are accounted for.",
                source=load.source_id,
                load=load.load_id,
                key=entity,
                next_step="nothing was merged; keep the landed batch and report this as a defect of the merge.",
            )
        counts.append(count)
    return counts
