"""Reading a landed batch back: in bounded pieces, and only if it still is what its manifest says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec import AbstractFileSystem

from lienthong.landing.files import sha256_of
from lienthong.landing.manifest import LandedFile, Manifest
from lienthong.model.errors import LandingCorruptError

#: A landed row can have a hundred columns: more at once cost memory and no less time. Row groups are a little smaller.
BATCH_ROWS = 20_000


@dataclass(frozen=True)
class Sieve:
    """Which rows of a batch to read: of each table in `columns`, those whose owner is among `owners`, or is not.

    `columns`: table → column of the owner; other tables are read whole. `owners`: text, each once, may hold null.
    """

    columns: Mapping[str, str]
    owners: pl.Series
    keeps: bool

    def pick(self, column: pa.Array[Any]) -> pa.Array[Any]:
        """True where the row of an owner is read."""
        asked = pl.Series(values=column.cast(pa.string()), dtype=pl.String)
        if self._sorted.is_empty():
            found = pl.repeat(False, len(asked), eager=True)
        else:
            places = self._sorted.search_sorted(asked).clip(upper_bound=len(self._sorted) - 1)
            found = self._sorted.gather(places).eq_missing(asked)
        return (found if self.keeps else ~found).to_arrow()

    @cached_property
    def _sorted(self) -> pl.Series:
        """Ordered once: a hash table of them would be made for every batch of rows."""
        return self.owners.sort()


class LandedBatch:
    """A committed batch. `manifest` says what is in it, `url` is where the manifest lies."""

    def __init__(
        self, fs: AbstractFileSystem, folder: str, url: str, manifest: Manifest, sieve: Sieve | None = None
    ) -> None:
        self.manifest = manifest
        self.url = url
        self._fs = fs
        self._folder = folder
        self._sieve = sieve

    def through(self, sieve: Sieve) -> LandedBatch:
        """The same batch, of which only some rows are read."""
        return LandedBatch(self._fs, self._folder, self.url, self.manifest, sieve)

    @property
    def tables(self) -> tuple[str, ...]:
        return tuple(self.manifest.tables)

    def batches(
        self, table: str, columns: Sequence[str] | None = None, rows: int = BATCH_ROWS
    ) -> Iterator[tuple[int, pa.Array[Any], pa.RecordBatch]]:
        """Rows of `table` as (part, numbers of the rows within the part, batch of at most `rows` rows).

        `columns`: which are wanted at least. LandingCorruptError when a file can't be read; `verify` finds any other
        change.
        """
        for file in self.manifest.tables[table].files:
            first = 0
            try:
                with self._fs.open(f"{self._folder}/{file.name}", "rb") as stored:
                    parquet = pq.ParquetFile(stored)
                    for batch in _by_row_group(parquet, rows, self._needed(table, columns)):
                        places: pa.Array[Any] = pa.array(np.arange(first, first + batch.num_rows))
                        first += batch.num_rows
                        places, batch = self._picked(table, places, batch)
                        if batch.num_rows:
                            yield file.part, places, batch
            except (OSError, pa.ArrowInvalid) as error:
                raise self._corrupt(file.name, f"can't be read ({type(error).__name__})") from None
            if first != file.rows:
                raise self._corrupt(file.name, f"holds {first} rows, the manifest says {file.rows}")

    def _needed(self, table: str, columns: Sequence[str] | None) -> list[str] | None:
        """Columns to read: those asked for, and the owner's where the sieve looks at it."""
        if columns is None:
            return None
        owner = self._sieve.columns.get(table) if self._sieve else None
        return [*columns, owner] if owner else list(columns)

    def _picked(self, table: str, places: pa.Array[Any], batch: pa.RecordBatch) -> tuple[pa.Array[Any], pa.RecordBatch]:
        if self._sieve is None or table not in self._sieve.columns:
            return places, batch
        mask = self._sieve.pick(batch.column(self._sieve.columns[table]))
        return places.filter(mask), batch.filter(mask)

    def verify(self) -> None:
        """Compare every file with the manifest. LandingCorruptError names the first that differs."""
        for table in self.manifest.tables.values():
            if table.rows != sum(file.rows for file in table.files):
                raise self._corrupt("manifest.json", f"does not add up for {table.name}")
            for file in table.files:
                self._verify(file)

    def _verify(self, file: LandedFile) -> None:
        path = f"{self._folder}/{file.name}"
        if not self._fs.exists(path):
            raise self._corrupt(file.name, "is missing")
        size = self._fs.size(path)
        if size != file.bytes:
            raise self._corrupt(file.name, f"has {size} bytes, the manifest says {file.bytes}")
        if sha256_of(self._fs, path) != file.sha256:
            raise self._corrupt(file.name, "was altered: its SHA-256 differs from the manifest's")

    def _corrupt(self, file: str, what: str) -> LandingCorruptError:
        return LandingCorruptError(
            f"Landed file {file} {what}.",
            next_step="restore it from the copy of the landing area, or run the load again so that it extracts anew.",
            source=self.manifest.source_id,
            load=self.manifest.load_id,
            key=file,
        )


def _by_row_group(parquet: pq.ParquetFile, rows: int, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
    """Each row group by itself, in equal batches of at most `rows`: read on, Arrow keeps memory of those before."""
    for group in range(parquet.metadata.num_row_groups):
        held = parquet.metadata.row_group(group).num_rows
        if held:
            yield from parquet.iter_batches(
                batch_size=-(-held // -(-held // rows)), row_groups=[group], columns=columns
            )
