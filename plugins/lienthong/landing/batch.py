"""Reading a landed batch back: in bounded pieces, and only if it still is what its manifest says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq
from fsspec import AbstractFileSystem

from lienthong.landing.files import sha256_of
from lienthong.landing.manifest import LandedFile, Manifest
from lienthong.model.errors import LandingCorruptError

BATCH_ROWS = 65_536


class LandedBatch:
    """A committed batch. `manifest` says what is in it, `url` is where the manifest lies."""

    def __init__(self, fs: AbstractFileSystem, folder: str, url: str, manifest: Manifest) -> None:
        self.manifest = manifest
        self.url = url
        self._fs = fs
        self._folder = folder

    @property
    def tables(self) -> tuple[str, ...]:
        return tuple(self.manifest.tables)

    def batches(
        self, table: str, columns: Sequence[str] | None = None, rows: int = BATCH_ROWS
    ) -> Iterator[tuple[int, int, pa.RecordBatch]]:
        """Rows of `table` as (part, number of the first row within the part, batch of at most `rows` rows).

        LandingCorruptError when a file can't be read; `verify` finds any other change.
        """
        for file in self.manifest.tables[table].files:
            first = 0
            try:
                with self._fs.open(f"{self._folder}/{file.name}", "rb") as stored:
                    parquet = pq.ParquetFile(stored)
                    for batch in parquet.iter_batches(
                        batch_size=rows, columns=list(columns) if columns is not None else None
                    ):
                        yield file.part, first, batch
                        first += batch.num_rows
            except (OSError, pa.ArrowInvalid) as error:
                raise self._corrupt(file.name, f"can't be read ({type(error).__name__})") from None
            if first != file.rows:
                raise self._corrupt(file.name, f"holds {first} rows, the manifest says {file.rows}")

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
