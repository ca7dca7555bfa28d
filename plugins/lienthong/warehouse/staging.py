"""Canonical rows into staging by COPY, in bounded pieces, and a check that they are still there."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from psycopg2 import sql
from sqlalchemy.engine import Connection

from lienthong.model.canonical import SPECS, Entity
from lienthong.warehouse.statements import run

if TYPE_CHECKING:
    import pyarrow as pa

COPY_ROWS = 20_000


def stage_rows(
    connection: Connection, tenant: str, load_id: int, tables: Iterable[tuple[Entity, pa.Table]]
) -> dict[str, int]:
    """Replace what is staged of the load by `tables`; returns rows per entity. The caller owns the transaction.

    Each table has source_id, source_key, [child_key,] landing_part, landing_row, type_errors and the entity's fields.
    """
    run(connection, "staging/clear_load", tenant=tenant, load_id=load_id)
    counts = {entity.value: 0 for entity in SPECS}
    for entity, table in tables:
        for start in range(0, table.num_rows, COPY_ROWS):
            piece = table.slice(start, COPY_ROWS)
            _copy(connection, entity, tenant, load_id, counts[entity.value], piece)
            counts[entity.value] += piece.num_rows
    run(connection, "staging/analyze", tenant=tenant, tables=[entity.value for entity in SPECS])
    return counts


def staged_rows(connection: Connection, tenant: str, load_id: int) -> dict[str, int]:
    """Rows of the load that are in staging now, per entity."""
    return dict(run(connection, "staging/count_rows", tenant=tenant, load_id=load_id).mappings().one())


def _copy(connection: Connection, entity: Entity, tenant: str, load_id: int, first_row: int, piece: pa.Table) -> None:
    import pyarrow as pa
    import pyarrow.csv as csv

    rows = piece.num_rows
    columns: dict[str, Any] = {
        "tenant": pa.repeat(pa.scalar(tenant), rows),
        "load_id": pa.repeat(pa.scalar(load_id, pa.int64()), rows),
        "row_no": pa.array(range(first_row, first_row + rows), pa.int64()),
    }
    for name in piece.column_names:
        column = piece.column(name)
        columns[name] = _array_literals(column) if pa.types.is_list(column.type) else column
    table = pa.table(columns)
    buffer = io.BytesIO()
    # Every value is quoted and NULL is not: PostgreSQL then tells NULL from ''.
    csv.write_csv(table, buffer, csv.WriteOptions(include_header=False, quoting_style="all_valid"))
    buffer.seek(0)
    command = sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT csv)").format(
        sql.Identifier("staging", f"{entity.value}__{tenant.lower()}"),
        sql.SQL(", ").join(sql.Identifier(name) for name in table.column_names),
    )
    cursor: Any = connection.connection.cursor()
    try:
        cursor.copy_expert(command, buffer)
    finally:
        cursor.close()


def _array_literals(column: pa.ChunkedArray[Any]) -> pa.Array[Any]:
    import pyarrow as pa

    def literal(values: list[str | None] | None) -> str | None:
        if values is None:
            return None
        escaped = (
            "NULL" if value is None else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values
        )
        return "{" + ",".join(escaped) + "}"

    return pa.array([literal(values) for values in column.to_pylist()], pa.string())
