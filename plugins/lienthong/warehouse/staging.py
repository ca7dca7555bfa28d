"""Canonical rows into staging by COPY, in bounded pieces; what is known already is set aside before the gate."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg2 import sql
from sqlalchemy.engine import Connection

from lienthong.model.kinds.dossier import RECORD_RECIPE, SPECS, Entity
from lienthong.warehouse.copying import copy_in
from lienthong.warehouse.statements import run

if TYPE_CHECKING:
    import polars as pl
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
    for piece in _ahead(_pieces(tenant, load_id, tables, counts)):
        copy_in(connection, _copy_command(piece.entity, piece.columns), piece.rows, _SEND_BYTES)
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
    scope = {"tenant": load.tenant, "load_id": load.load_id}
    found = run(
        connection,
        "staging/find_known",
        scope
        | {
            "source_id": load.source_id,
            "reading_no": load.reading_no,
            "recipe": RECORD_RECIPE,
            "judged_rules": judged.rules,
        },
    )
    if not found.rowcount:
        return dict.fromkeys((entity.value for entity in SPECS), 0)
    run(connection, "staging/analyze_known")
    aside = run(connection, "staging/set_aside_known", scope).mappings().one()
    _analyze(connection, load.tenant, "digest")
    return {entity: int(rows) for entity, rows in aside.items()}


def clear_load(connection: Connection, load: Load) -> None:
    """Remove the rows of a load that is merged, and with the last one whatever room they took."""
    if not run(connection, "staging/empty", tenant=load.tenant, load_id=load.load_id).scalar_one():
        run(connection, "staging/clear_load", tenant=load.tenant, load_id=load.load_id)


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
    import polars as pl

    frame = pl.DataFrame(rows)
    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    frame = frame.select(
        pl.lit(tenant).alias("tenant"),
        pl.lit(load_id, pl.Int64).alias("load_id"),
        pl.int_range(first_row, first_row + frame.height, dtype=pl.Int64).alias("row_no"),
        pl.all().exclude(lists) if lists else pl.all(),
        *(_array_literal(name) for name in lists),
    )
    buffer = io.BytesIO()
    # Text is quoted, even '', and NULL is not: PostgreSQL then tells them apart.
    frame.write_csv(buffer, include_header=False, quote_style="non_numeric")
    buffer.seek(0)
    return _Piece(entity, tuple(frame.columns), buffer)


def _copy_command(entity: Entity, columns: tuple[str, ...]) -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT csv)").format(
        sql.Identifier("staging", entity.value),
        sql.SQL(", ").join(sql.Identifier(name) for name in columns),
    )


def _array_literal(name: str) -> pl.Expr:
    """A list of texts as PostgreSQL writes an array: `{"a","b",NULL}`."""
    import polars as pl

    text = pl.element().str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    quoted = pl.concat_str(pl.lit('"'), text, pl.lit('"')).fill_null("NULL")
    return pl.concat_str(pl.lit("{"), pl.col(name).list.eval(quoted).list.join(","), pl.lit("}")).alias(name)
