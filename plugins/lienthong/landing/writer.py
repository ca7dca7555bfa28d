"""Writing one attempt of one load: Parquet parts with bounded memory, the manifest last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from fsspec import AbstractFileSystem

from lienthong.landing.checkpoint import Checkpoint
from lienthong.landing.files import HashingFile, write_once
from lienthong.landing.manifest import NAME, BatchFacts, LandedFile, LandedTable, Manifest
from lienthong.model.errors import LoadStateError

#: Column that a reader of a source adds for values its type can't hold: JSON text {column: value as text}, else null.
UNREADABLE = "_unreadable"

ROW_GROUP_ROWS = 16_384
ROW_GROUP_BYTES = 16 << 20
PART_BYTES = 256 << 20


@dataclass
class _Part:
    file: HashingFile
    parquet: pq.ParquetWriter
    rows: int = 0


@dataclass
class _Table:
    """What is known of one table while it is written; at most one row group of it waits in memory."""

    schema: pa.Schema
    waiting: list[pa.RecordBatch] = field(default_factory=list)
    waiting_rows: int = 0
    waiting_bytes: int = 0
    part: _Part | None = None
    done: list[LandedFile] = field(default_factory=list)
    rows: int = 0


class BatchWriter:
    """Writes `<folder>/<table>-00000.parquet` and at last `<folder>/manifest.json`.

    A context manager: leaving it without `commit` discards the attempt. Not for use by several threads.
    """

    def __init__(
        self, fs: AbstractFileSystem, folder: str, tenant: str, source_id: str, load_id: int, fence: int
    ) -> None:
        self.tenant = tenant
        self.source_id = source_id
        self.load_id = load_id
        self.fence = fence
        self._fs = fs
        self._folder = folder
        self._tables: dict[str, _Table] = {}
        self._committed = False

    def checkpoint(self, plan: str) -> Checkpoint:
        """Where this load's attempts keep what they have read so far; survives `discard`."""
        return Checkpoint(self._fs, self._folder.rpartition("/")[0], self.fence, plan)

    def declare(self, table: str, schema: pa.Schema) -> None:
        """Announce a table, so that it is in the manifest even when it has no rows."""
        self._tables.setdefault(table, _Table(schema))

    def write(self, table: str, batch: pa.RecordBatch | pa.Table) -> None:
        """Append rows to a declared table; they must have its schema."""
        state = self._tables[table]
        for piece in batch.to_batches() if isinstance(batch, pa.Table) else [batch]:
            if not piece.schema.equals(state.schema):
                raise ValueError(f"rows of {table} don't have the schema it was declared with")
            state.waiting.append(piece)
            state.waiting_rows += piece.num_rows
            state.waiting_bytes += piece.nbytes
            if state.waiting_rows >= ROW_GROUP_ROWS or state.waiting_bytes >= ROW_GROUP_BYTES:
                self._flush(table, state)

    def commit(self, facts: BatchFacts) -> str:
        """Finish all files, then write the manifest; returns its URL.

        LoadStateError when this attempt was committed before: a manifest is never overwritten.
        """
        for table, state in self._tables.items():
            self._flush(table, state)
            self._close_part(table, state)
        tables: Mapping[str, LandedTable] = {
            name: LandedTable(
                name,
                tuple((column.name, str(column.type)) for column in state.schema),
                state.rows,
                tuple(state.done),
            )
            for name, state in sorted(self._tables.items())
        }
        manifest = Manifest(self.tenant, self.source_id, self.load_id, self.fence, facts, tables)
        path = f"{self._folder}/{NAME}"
        try:
            write_once(self._fs, path, manifest.to_json())
        except FileExistsError:
            raise LoadStateError(
                f"Attempt {self.fence} of this load already has a manifest.",
                next_step="read the landed batch; to extract again, open a new load.",
                source=self.source_id,
                load=self.load_id,
            ) from None
        self._committed = True
        return str(self._fs.unstrip_protocol(path))

    def discard(self) -> None:
        """Remove what this attempt has written; does nothing once it is committed."""
        if self._committed:
            return
        for state in self._tables.values():
            if state.part is not None:
                state.part.parquet.close()
                state.part.file.abandon()
                state.part = None
        self._tables.clear()
        if self._fs.exists(self._folder) and not self._fs.exists(f"{self._folder}/{NAME}"):
            self._fs.rm(self._folder, recursive=True)

    def __enter__(self) -> BatchWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()

    def _flush(self, name: str, state: _Table) -> None:
        if not state.waiting_rows:
            return
        part = state.part or self._open_part(name, state)
        part.parquet.write_table(pa.Table.from_batches(state.waiting), row_group_size=ROW_GROUP_ROWS * 4)
        part.rows += state.waiting_rows
        state.rows += state.waiting_rows
        state.waiting, state.waiting_rows, state.waiting_bytes = [], 0, 0
        if part.file.bytes >= PART_BYTES:
            self._close_part(name, state)

    def _open_part(self, name: str, state: _Table) -> _Part:
        file = HashingFile(self._fs, f"{self._folder}/{_file_name(name, len(state.done))}")
        sink: Any = file
        state.part = _Part(file, pq.ParquetWriter(sink, state.schema, compression="zstd"))
        return state.part

    def _close_part(self, name: str, state: _Table) -> None:
        part = state.part
        if part is None:
            return
        part.parquet.close()
        part.file.publish()
        number = len(state.done)
        state.done.append(LandedFile(_file_name(name, number), number, part.rows, part.file.bytes, part.file.sha256))
        state.part = None


def _file_name(table: str, part: int) -> str:
    return f"{table}-{part:05d}.parquet"
