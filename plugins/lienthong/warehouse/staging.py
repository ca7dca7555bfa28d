"""Canonical rows into staging by COPY, in bounded pieces; what is known already is set aside before the gate."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from psycopg2 import sql
from sqlalchemy.engine import Connection

from lienthong.model.kinds import KindSpec
from lienthong.warehouse.copying import copy_in
from lienthong.warehouse.statements import of_kind, run

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from lienthong.warehouse.ledger import GateBasis, Load

COPY_ROWS = 20_000
#: psycopg2 hands the server pieces of this size; its own 8 KiB cost a call of Python each.
_SEND_BYTES = 1 << 18
#: Pieces that are made ahead, some megabytes each: while the server digests it takes none.
_PIECES_AHEAD = 6


def stage_rows(
    connection: Connection, kind: KindSpec, tenant: str, load_id: int, tables: Iterable[tuple[str, pa.Table]]
) -> dict[str, int]:
    """Replace what is staged of the load by `tables` and hash it; returns rows per entity. The caller owns the
    transaction.

    `tables`: (entity, rows). Each has source_id, source_key, [child_key,] landing_part, landing_row, type_errors and
    the entity's fields.
    """
    scope = {"tenant": tenant, "load_id": load_id}
    run(connection, of_kind(kind, "clear_load"), scope)
    counts = dict.fromkeys(kind.entity_names, 0)
    digests = _Digests(connection, kind, tenant, load_id)
    for piece in _ahead(_pieces(tenant, load_id, tables, counts)):
        digests.before(piece.entity)
        copy_in(connection, _copy_command(piece.entity, piece.columns), piece.rows, _SEND_BYTES)
    digests.finish()
    return counts


def digest_staged(connection: Connection, kind: KindSpec, tenant: str, load_id: int) -> None:
    """Hash rows that are staged already."""
    _Digests(connection, kind, tenant, load_id).finish()


def set_aside_known(connection: Connection, load: Load, judged: GateBasis) -> dict[str, int]:
    """Take rows that the warehouse believes already out of staging; returns how many, per entity.

    What stays is new, changed, in doubt, or was last judged by other rules than `judged`.
    """
    scope = {"tenant": load.tenant, "load_id": load.load_id}
    if not has_records(connection, load):
        return dict.fromkeys(load.kind.entity_names, 0)
    found = run(
        connection,
        of_kind(load.kind, "find_known"),
        scope
        | {
            "source_id": load.source_id,
            "reading_no": load.reading_no,
            "recipe": load.kind.recipe,
            "judged_rules": judged.rules,
        },
    )
    if not found.rowcount:
        return dict.fromkeys(load.kind.entity_names, 0)
    run(connection, "staging/analyze_known")
    aside = run(connection, of_kind(load.kind, "set_aside_known"), scope).mappings().one()
    _analyze(connection, load.tenant, *load.kind.entity_names, "digest")
    return {entity: int(rows) for entity, rows in aside.items()}


def has_records(connection: Connection, load: Load) -> bool:
    """Whether anything is believed of the load's source yet."""
    scope = {"tenant": load.tenant, "source_id": load.source_id}
    return bool(run(connection, of_kind(load.kind, "has_records"), scope).scalar_one())


def clear_load(connection: Connection, load: Load) -> None:
    """Remove the rows of a load that is merged, and with the last one whatever room they took."""
    if not run(connection, "staging/empty", tenant=load.tenant, load_id=load.load_id).scalar_one():
        run(connection, of_kind(load.kind, "clear_load"), tenant=load.tenant, load_id=load.load_id)


def staged_rows(connection: Connection, load: Load) -> dict[str, int]:
    """Rows of the load that are in staging now, per entity."""
    scope = {"tenant": load.tenant, "load_id": load.load_id}
    return dict(run(connection, of_kind(load.kind, "count_rows"), scope).mappings().one())


def clear_abandoned(connection: Connection, load: Load, before: datetime) -> None:
    """Remove what loads of the same source, opened before `before`, left in staging and nobody finished."""
    scope = {"tenant": load.tenant, "source_id": load.source_id, "before": before}
    run(connection, of_kind(load.kind, "clear_abandoned"), scope)


class _Digests:
    """The hashes of what is staged. A child is digested as soon as another entity comes, while the next pieces are
    made: the server then works beside us. One whose rows come in several stretches is digested again at the end."""

    def __init__(self, connection: Connection, kind: KindSpec, tenant: str, load_id: int) -> None:
        self._connection, self._kind, self._tenant = connection, kind, tenant
        self._scope = {"tenant": tenant, "load_id": load_id}
        self._current: str | None = None
        self._open = {child.entity for child in kind.children}

    def before(self, entity: str) -> None:
        """Rows of `entity` are about to be staged."""
        if entity == self._current:
            return
        ended, self._current = self._current, entity
        if ended in self._open:
            self._digest(ended)
        if entity in self._kind.entity_names[1:]:
            self._open.add(entity)

    def finish(self) -> None:
        """Digest what is left, and the root with it."""
        for entity in sorted(self._open):
            self._digest(entity)
        _analyze(self._connection, self._tenant, self._kind.root.entity, "superseded")
        run(self._connection, of_kind(self._kind, "digest_rows"), self._scope)
        _analyze(self._connection, self._tenant, "digest")

    def _digest(self, entity: str) -> None:
        _analyze(self._connection, self._tenant, entity)
        for step in ("forget", "note_superseded", "digest"):
            run(self._connection, of_kind(self._kind, f"{step}_{entity}"), self._scope)
        self._open.discard(entity)


@dataclass(frozen=True)
class _Piece:
    entity: str
    columns: tuple[str, ...]
    rows: io.BytesIO


def _analyze(connection: Connection, tenant: str, *tables: str) -> None:
    run(connection, "staging/analyze", tenant=tenant, tables=list(tables))


def _ahead(pieces: Iterator[_Piece]) -> Iterator[_Piece]:
    """`pieces`, the next ones made while the server takes the one before."""
    with ThreadPoolExecutor(1, thread_name_prefix="stage") as pool:
        waiting = deque(pool.submit(next, pieces, None) for _ in range(_PIECES_AHEAD))
        try:
            while (piece := waiting.popleft().result()) is not None:
                waiting.append(pool.submit(next, pieces, None))
                yield piece
        finally:
            pool.shutdown(cancel_futures=True)


def _pieces(
    tenant: str, load_id: int, tables: Iterable[tuple[str, pa.Table]], counts: dict[str, int]
) -> Iterator[_Piece]:  # fmt: skip
    """CSV of bounded size; `counts` follows."""
    for entity, table in tables:
        for start in range(0, table.num_rows, COPY_ROWS):
            rows = table.slice(start, COPY_ROWS)
            yield _piece(entity, tenant, load_id, counts[entity], rows)
            counts[entity] += rows.num_rows


def _piece(entity: str, tenant: str, load_id: int, first_row: int, rows: pa.Table) -> _Piece:
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


def _copy_command(entity: str, columns: tuple[str, ...]) -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT csv)").format(
        sql.Identifier("staging", entity),
        sql.SQL(", ").join(sql.Identifier(name) for name in columns),
    )


def _array_literal(name: str) -> pl.Expr:
    """A list of texts as PostgreSQL writes an array: `{"a","b",NULL}`."""
    import polars as pl

    text = pl.element().str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    quoted = pl.concat_str(pl.lit('"'), text, pl.lit('"')).fill_null("NULL")
    return pl.concat_str(pl.lit("{"), pl.col(name).list.eval(quoted).list.join(","), pl.lit("}")).alias(name)
