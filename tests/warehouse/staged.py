"""Canonical rows written by hand, staged as a source profile would: the input of merge in these tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Engine, text

from lienthong.model.codes import LoadMode
from lienthong.model.kinds import ENTITIES, KindSpec, ValueType
from lienthong.model.kinds.dossier import DOSSIER_KIND
from lienthong.warehouse import ledger, merge, sightings, staging
from lienthong.warehouse.ledger import GateBasis, Load, SourceDescription
from lienthong.warehouse.statements import run

TENANT = "H17"
NOON = datetime(2026, 10, 5, 5, tzinfo=UTC)
ARROW = {
    ValueType.TEXT: pa.string(),
    ValueType.SMALLINT: pa.int16(),
    ValueType.BIGINT: pa.int64(),
    ValueType.BOOLEAN: pa.bool_(),
    ValueType.INSTANT: pa.timestamp("us", "UTC"),
    ValueType.TEXTS: pa.list_(pa.string()),
}
Rows = Mapping[str, Iterable[Mapping[str, Any]]]


def dossier(key: str, **values: Any) -> dict[str, Any]:
    """A plain received dossier; `values` override."""
    return {
        "source_key": key,
        "dossier_code": f"H17.05-261005-{int(key):04d}",
        "procedure_code": "1.004194",
        "agency_code": "H17.05",
        "agency_name": "Sở Công Thương",
        "status": 4,
        "received_at": NOON,
        "applicant_name": f"Nguyễn Văn {key}",
        "database_codes": ["7"],
        "source_modified_at": NOON,
    } | values


def step(key: str, child: str, **values: Any) -> dict[str, Any]:
    return {"source_key": key, "child_key": child, "status": 2, "occurred_at": NOON, "content": "Tiếp nhận"} | values


def table(entity: str, rows: Iterable[Mapping[str, Any]], kind: KindSpec = DOSSIER_KIND) -> pa.Table:
    rows = list(rows)
    lead = {"source_id": pa.string(), "source_key": pa.string()}
    if entity != kind.root.entity:
        lead["child_key"] = pa.string()
    lead |= {"landing_part": pa.int32(), "landing_row": pa.int64(), "type_errors": pa.list_(pa.string())}
    schema = lead | {field.name: ARROW[field.type] for field in ENTITIES[entity].fields}
    filled = [{"source_id": "test", "landing_part": 0, "landing_row": n} | dict(row) for n, row in enumerate(rows)]
    unknown = {name for row in filled for name in row} - set(schema)
    assert not unknown, unknown
    return pa.table({name: pa.array([row.get(name) for row in filled], kind) for name, kind in schema.items()})


def open_and_stage(
    engine: Engine,
    rows: Rows,
    *,
    run_key: str,
    source_id: str = "test",
    precedence: int = 10,
    observed_at: datetime = NOON,
    mode: LoadMode = LoadMode.INCREMENTAL,
    judged: GateBasis | None = None,
    violations: Iterable[Mapping[str, Any]] = (),
    removed: tuple[str, ...] = (),
    kind: KindSpec = DOSSIER_KIND,
) -> Load:
    """A load that has been gated with `violations` (entity, row_no, source_key, child_key, rule_id, severity).

    With `judged`, what the warehouse knows already is set aside first. What the source no longer has is noted before.
    """
    source = SourceDescription(TENANT, source_id, source_id, precedence, "own", "0", removed, kind=kind.name)
    with engine.begin() as connection:
        load_id = ledger.open_load(connection, source, run_key, mode=mode, window=None, now=NOON + timedelta(days=1))
        load = ledger.lock_load(connection, load_id)
        fence = ledger.claim_extract(connection, load_id)
        assert fence is not None
        ledger.finish_extract(connection, load, fence, manifest_url="memory://", observed_at=observed_at, now=NOON)
        tables = [(entity, table(entity, rows.get(entity, ()), kind)) for entity in kind.entity_names]
        counts = staging.stage_rows(connection, kind, TENANT, load_id, tables)
        load = ledger.lock_load(connection, load_id)
        run(connection, "landing/create_landed")
        sightings.note(connection, load)
        aside = staging.set_aside_known(connection, load, judged) if judged else dict.fromkeys(counts, 0)
        left = {entity: rows - aside[entity] for entity, rows in counts.items()}
        ledger.finish_stage(connection, load, left, NOON, set_aside=aside, judged=judged)
        for violation in violations:
            connection.execute(
                text(
                    "INSERT INTO staging.violation VALUES "
                    "(:tenant, :load_id, :entity, :row_no, :source_key, :child_key, :rule_id, :severity)"
                ),
                {"tenant": TENANT, "load_id": load_id, "child_key": None} | dict(violation),
            )
        ledger.finish_gate(connection, load, NOON)
        return ledger.read_load(connection, load_id)


def merge_load(connection: Connection, load: Load) -> dict[str, dict[str, int]]:
    """Merge inside the caller's transaction; entity → outcome → rows (only outcomes that occurred)."""
    merge.lock_tenant(connection, load.tenant)
    staged, aside = load.staged_rows or {}, load.set_aside or {}
    counts = merge.merge_load(
        connection, load, {entity: rows + aside.get(entity, 0) for entity, rows in staged.items()}
    )
    ledger.finish_merge(connection, load, NOON)
    return {
        count.entity: {name: value for name, value in vars(count).items() if name in merge.OUTCOMES and value}
        for count in counts
        if count.extracted
    }


def load_rows(engine: Engine, rows: Rows, **options: Any) -> dict[str, dict[str, int]]:
    """Stage and merge in one go."""
    load = open_and_stage(engine, rows, **options)
    with engine.begin() as connection:
        return merge_load(connection, load)
