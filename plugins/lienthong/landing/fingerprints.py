"""What each dossier of a landed batch looks like as it was sent: a fingerprint over its rows in all tables.

Two reads of a dossier that nobody touched give the same fingerprint, whatever order its rows came in. So what is made
of it is known without making it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import polars as pl

from lienthong.landing.batch import LandedBatch

if TYPE_CHECKING:
    import pyarrow as pa

#: Between values and for null. No database gives a NUL, and a JSON text that holds one is cleaned of it later.
_BETWEEN, _NULL = "\x00", "\x01"
#: Two 64-bit hashes of everything: one could meet its like by chance among millions.
_SEEDS = (0x6C69656E, 0x74686F6E)
#: Owners of so many pieces wait before they are counted together; a dossier's rows lie close to each other.
_FOLD_ROWS = 1_000_000


def fingerprints(batch: LandedBatch, owners: Mapping[str, str], version: str) -> pl.DataFrame:
    """One row per owner: `owner` (text, null for rows without one), `low` and `high` (int64), and per table of `owners`
    its rows in that table (int64, named as the table).

    `owners`: table → column of the dossier that a row belongs to; tables that the batch lacks are passed over.
    `version` says what is made of such rows: fingerprints of another version differ. Bounded memory: some hundred bytes
    per owner.
    """
    tables = {table: column for table, column in owners.items() if table in batch.manifest.tables}
    empty = pl.DataFrame(
        schema={"owner": pl.String, "low": pl.Int64, "high": pl.Int64} | dict.fromkeys(tables, pl.Int64)
    )
    folded, waiting, rows = empty, [empty], 0
    for table, column in tables.items():
        for piece in _pieces(batch, table, column, version):
            waiting.append(
                piece.with_columns([pl.lit(0, pl.Int64).alias(other) for other in tables if other != table]).select(
                    empty.columns
                )
            )
            rows += piece.height
            if rows >= _FOLD_ROWS:
                folded, waiting, rows = _fold([folded, *waiting]), [], 0
    return _fold([folded, *waiting])


def _fold(pieces: list[pl.DataFrame]) -> pl.DataFrame:
    together = pl.concat(pieces)
    counts = [name for name in together.columns if name not in ("owner", "low", "high")]
    return together.group_by("owner").agg(
        pl.col("low").sum(), pl.col("high").bitwise_xor(), *(pl.col(name).sum() for name in counts)
    )


def _pieces(batch: LandedBatch, table: str, column: str, version: str) -> Iterator[pl.DataFrame]:
    """Per piece of the table: owner, low, high, rows of the owner. Sum and XOR don't mind the order of rows."""
    for _, _, raw in batch.batches(table):
        frame = pl.DataFrame(raw)
        prefix = _prefix(version, table, raw.schema)
        text = pl.concat_str(
            [pl.lit(prefix), *(_as_text(frame, name) for name in sorted(frame.columns))], separator=_BETWEEN
        )
        hashed = frame.select(pl.col(column).cast(pl.String).alias("owner"), text.alias("text")).select(
            "owner",
            *(
                pl.col("text").hash(seed).reinterpret(signed=True).alias(name)
                for name, seed in zip(("low", "high"), _SEEDS, strict=True)
            ),
        )
        yield hashed.group_by("owner").agg(
            pl.col("low").sum(), pl.col("high").bitwise_xor(), pl.len().cast(pl.Int64).alias(table)
        )


def _prefix(version: str, table: str, schema: pa.Schema) -> str:
    columns = sorted((field.name, str(field.type)) for field in schema)
    return hashlib.sha256(repr((version, pl.__version__, table, columns)).encode()).hexdigest()[:16]


def _as_text(frame: pl.DataFrame, name: str) -> pl.Expr:
    value, dtype = pl.col(name), frame.schema[name]
    if dtype.is_temporal():
        value = value.to_physical()
    elif dtype == pl.Binary:
        value = value.bin.encode("hex")
    return value.cast(pl.String).fill_null(_NULL)
