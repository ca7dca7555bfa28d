"""Canonical rows into staging by COPY, in bounded pieces; what is known already is set aside before the gate."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg2 import sql
from sqlalchemy.engine import Connection

from lienthong.model.canonical import RECORD_RECIPE, SPECS, Entity
from lienthong.warehouse.planning import without_nested_loops
from lienthong.warehouse.statements import run

if TYPE_CHECKING:
    import pyarrow as pa

    from lienthong.warehouse.ledger import Judgement, Load

COPY_ROWS = 20_000
#: psycopg2 hands the server pieces of this size; its own 8 KiB cost a call of Python each.
_SEND_BYTES = 1 << 18


def stage_rows(
    connection: Connection, tenant: str, load_id: int, tables: Iterable[tuple[Entity, pa.Table]]
) -> dict[str, int]:
    """Replace what is staged of the load by `tables` and hash it; returns rows per entity. The caller owns the
    transaction.

    Each table has source_id, source_key, [child_key,] landing_part, landing_row, type_errors and the entity's fields.
    """
    run(connection, "staging/clear_load", tenant=tenant, load_id=load_id)
    counts = {entity.value: 0 for entity in SPECS}
    cursor: Any = connection.connection.cursor()
    try:
        for piece in _ahead(_pieces(tenant, load_id, tables, counts)):
            cursor.copy_expert(_copy_command(piece.entity, tenant, piece.columns), piece.rows, _SEND_BYTES)
    finally:
        cursor.close()
    _analyze(connection, tenant)
    run(connection, "staging/note_superseded", tenant=tenant, load_id=load_id)
    run(connection, "staging/analyze", tenant=tenant, tables=["superseded"])
    run(connection, "staging/digest_rows", tenant=tenant, load_id=load_id)
    run(connection, "staging/analyze", tenant=tenant, tables=["digest"])
    return counts


def set_aside_known(connection: Connection, load: Load, judged: Judgement) -> dict[str, int]:
    """Take rows that the warehouse believes already out of staging; returns how many, per entity.

    What stays is new, changed, in doubt, or was last judged by other rules than `judged`.
    """
    with without_nested_loops(connection):
        aside = run(
            connection,
            "staging/set_aside_known",
            tenant=load.tenant,
            source_id=load.source_id,
            load_id=load.load_id,
            observed_at=load.observed_at,
            recipe=RECORD_RECIPE,
            judged_rules=judged.rules,
        )
        counts = {entity: int(rows) for entity, rows in aside.mappings().one().items()}
    if any(counts.values()):
        _analyze(connection, load.tenant, "digest")
    return counts


def staged_rows(connection: Connection, tenant: str, load_id: int) -> dict[str, int]:
    """Rows of the load that are in staging now, per entity."""
    return dict(run(connection, "staging/count_rows", tenant=tenant, load_id=load_id).mappings().one())


@dataclass(frozen=True)
class _Piece:
    entity: Entity
    columns: tuple[str, ...]
    rows: io.BytesIO


def _analyze(connection: Connection, tenant: str, *more: str) -> None:
    run(connection, "staging/analyze", tenant=tenant, tables=[*(entity.value for entity in SPECS), *more])


def _ahead(pieces: Iterator[_Piece]) -> Iterator[_Piece]:
    """`pieces`, the next one made while the server takes the one before."""
    with ThreadPoolExecutor(1, thread_name_prefix="stage") as pool:
        waiting = pool.submit(next, pieces, None)
        while (piece := waiting.result()) is not None:
            waiting = pool.submit(next, pieces, None)
            yield piece


def _pieces(
    tenant: str, load_id: int, tables: Iterable[tuple[Entity, pa.Table]], counts: dict[str, int]
) -> Iterator[_Piece]:  # fmt: skip
    """CSV of bounded size; `counts` follows."""
    for entity, table in tables:
        for start in range(0, table.num_rows, COPY_ROWS):
            rows = table.slice(start, COPY_ROWS)
            yield _piece(entity, tenant, load_id, counts[entity.value], rows)
            counts[entity.value] += rows.num_rows


def _piece(entity: Entity, tenant: str, load_id: int, first_row: int, rows: pa.Table) -> _Piece:
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv as csv

    amount = rows.num_rows
    columns: dict[str, Any] = {
        "tenant": pa.repeat(pa.scalar(tenant), amount),
        "load_id": pa.repeat(pa.scalar(load_id, pa.int64()), amount),
        "row_no": pa.array(np.arange(first_row, first_row + amount, dtype=np.int64)),
    }
    for name in rows.column_names:
        column = rows.column(name)
        columns[name] = _array_literals(column) if pa.types.is_list(column.type) else column
    buffer = io.BytesIO()
    # Every value is quoted and NULL is not: PostgreSQL then tells NULL from ''.
    csv.write_csv(pa.table(columns), buffer, csv.WriteOptions(include_header=False, quoting_style="all_valid"))
    buffer.seek(0)
    return _Piece(entity, tuple(columns), buffer)


def _copy_command(entity: Entity, tenant: str, columns: tuple[str, ...]) -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT csv)").format(
        sql.Identifier("staging", f"{entity.value}__{tenant.lower()}"),
        sql.SQL(", ").join(sql.Identifier(name) for name in columns),
    )


def _array_literals(column: pa.ChunkedArray[Any]) -> pa.Array[Any]:
    import pyarrow as pa

    if column.null_count == len(column):
        return pa.nulls(len(column), pa.string())

    def literal(values: list[str | None] | None) -> str | None:
        if values is None:
            return None
        escaped = (
            "NULL" if value is None else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values
        )
        return "{" + ",".join(escaped) + "}"

    return pa.array([literal(values) for values in column.to_pylist()], pa.string())
