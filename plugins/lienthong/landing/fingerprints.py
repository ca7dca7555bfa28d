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

#: Two 64-bit hashes of everything: one could meet its like by chance among millions.
_SEEDS = (0x6C69656E, 0x74686F6E)
#: Owners are counted together in so many parts, one after the other: counting needs a multiple of its result in memory.
_PARTS = 16
_FOLD_ROWS = 50_000


def fingerprints(batch: LandedBatch, owners: Mapping[str, str], version: str) -> pl.DataFrame:
    """One row per owner: `owner` (text, null for rows without one), `low` and `high` (int64), and per table of `owners`
    its rows in that table (int32, named as the table).

    `owners`: table → column of the dossier that a row belongs to; tables that the batch lacks are passed over.
    `version` says what is made of such rows: fingerprints of another version differ. Bounded memory: some hundred bytes
    per owner.
    """
    tables = {table: column for table, column in owners.items() if table in batch.manifest.tables}
    counts = [(table, pl.Int32) for table in tables]
    empty = pl.DataFrame(schema=[("owner", pl.String), ("low", pl.Int64), ("high", pl.Int64), *counts])
    parts = [_Part(empty) for _ in range(_PARTS)]
    for table, column in tables.items():
        for piece in _pieces(batch, table, column, version):
            others = [pl.lit(0, pl.Int32).alias(other) for other in tables if other != table]
            whole = piece.with_columns(others).select(*empty.columns, part=pl.col("owner").hash() % _PARTS)
            for rows in whole.partition_by("part"):
                parts[rows["part"][0]].add(rows.drop("part"))
    return pl.concat([part.folded() for part in parts])


class _Part:
    """The owners of one part: what is counted together so far, and what waits to be."""

    def __init__(self, empty: pl.DataFrame) -> None:
        self._frames = [empty]
        self._waiting = 0

    def add(self, rows: pl.DataFrame) -> None:
        self._frames.append(rows)
        self._waiting += rows.height
        if self._waiting >= _FOLD_ROWS:
            self.folded()

    def folded(self) -> pl.DataFrame:
        """One row per owner."""
        together = pl.concat(self._frames)
        counts = [name for name in together.columns if name not in ("owner", "low", "high")]
        sums = [pl.col(name).sum() for name in ("low", *counts)]
        self._frames = [together.group_by("owner").agg(sums[0], pl.col("high").bitwise_xor(), *sums[1:])]
        self._waiting = 0
        return self._frames[0]


def _pieces(batch: LandedBatch, table: str, column: str, version: str) -> Iterator[pl.DataFrame]:
    """Per piece of the table: owner, low, high, rows of the owner. Sum and XOR don't mind the order of rows."""
    for _, _, raw in batch.batches(table):
        frame = pl.DataFrame(raw)
        prefix = _prefix(version, table, raw.schema)
        values = [pl.lit(prefix), *(_as_text(frame, name) for name in sorted(frame.columns))]
        text = pl.concat_str(values, separator=",")
        hashed = frame.select(pl.col(column).cast(pl.String).alias("owner"), text.alias("text")).select(
            "owner",
            *(
                pl.col("text").hash(seed).reinterpret(signed=True).alias(name)
                for name, seed in zip(("low", "high"), _SEEDS, strict=True)
            ),
        )
        yield hashed.group_by("owner").agg(
            pl.col("low").sum(), pl.col("high").bitwise_xor(), pl.len().cast(pl.Int32).alias(table)
        )


def _prefix(version: str, table: str, schema: pa.Schema) -> str:
    columns = sorted((field.name, str(field.type)) for field in schema)
    return hashlib.sha256(repr((version, pl.__version__, table, columns)).encode()).hexdigest()[:16]


def _as_text(frame: pl.DataFrame, name: str) -> pl.Expr:
    """A value as text that can't be taken for another: text has its length before it, null is a lone sign."""
    value, dtype = pl.col(name), frame.schema[name]
    if dtype == pl.String:
        return pl.concat_str([value.str.len_bytes().cast(pl.String), value], separator=":").fill_null("-")
    if dtype.is_temporal():
        value = value.to_physical()
    elif dtype == pl.Binary:
        return (pl.lit("x") + value.bin.encode("hex")).fill_null("-")
    return value.cast(pl.String).fill_null("-")
