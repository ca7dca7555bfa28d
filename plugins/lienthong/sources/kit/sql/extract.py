"""Reading a database into landing: everything, a window, or what may have changed. Bounded memory, paged.

Whole records are landed: whatever row changed, the record is read with all its children.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pyarrow as pa
import sqlalchemy as sa

from lienthong.connections import Connection
from lienthong.landing import BatchFacts, BatchWriter, Watermark
from lienthong.model.codes import LoadMode
from lienthong.sources.contract import SourceContract, digest
from lienthong.sources.kit.sql import statements
from lienthong.sources.kit.sql.copy_out import copy_out
from lienthong.sources.kit.sql.database import SourceDatabase, reading
from lienthong.sources.kit.sql.rows_to_arrow import to_batch
from lienthong.sources.kit.sql.schema import BoundSchema, BoundTable, bind
from lienthong.sources.kit.sql.tables import SqlMap
from lienthong.sources.kit.sql.watermarks import is_first_load, overlap_start, survey, survey_reference
from lienthong.sources.profile import Progress, Window, no_progress

#: So far ahead of our clock a source's may date its rows; the shortest overlap reaches back over twice as much.
AHEAD = timedelta(hours=1)


def utc_now() -> datetime:
    """Our clock."""
    return datetime.now(UTC)


def extract(
    declared: SqlMap,
    contract: SourceContract,
    connection: Connection,
    writer: BatchWriter,
    watermarks: Mapping[str, Watermark],
    mode: LoadMode,
    window: Window | None = None,
    progress: Progress = no_progress,
    now: Callable[[], datetime] = utc_now,
) -> str:
    """See `system.extract`. Only an incremental load returns watermarks in its manifest."""
    if (mode is LoadMode.RANGE) != (window is not None):
        raise ValueError("a range load takes a window, other loads take none")
    with writer, reading(connection, contract.source_id, writer.load_id, timeout_s=contract.read.timeout_s) as source:
        observed_at = source.clock()
        ours = now()
        # A watermark that runs ahead hides all changes until time catches up with it.
        limit = min(observed_at, ours + AHEAD)
        watermarks = {name: mark for name, mark in watermarks.items() if not _ahead(mark, ours)}
        schema = bind(declared, source, contract)
        marks = {
            table.name: survey(source, contract, table, watermarks.get(table.name), limit) for table in schema.moving
        }
        for table in schema.references:
            marks[table.name] = survey_reference(source, contract, table, watermarks.get(table.name))
        reader = _Reader(declared, contract, source, schema, writer, progress)
        codes = reader.land_references()
        if mode is LoadMode.RANGE and window is not None:
            reader.land_window(window)
        elif mode is LoadMode.FULL or is_first_load(schema.moving, watermarks):
            reader.land_everything()
        else:
            reader.land_changes(watermarks)
        return writer.commit(
            BatchFacts(
                mode=mode,
                observed_at=observed_at,
                contract_hash=contract.contract_hash,
                codes_hash=digest([contract.section.codes.model_dump(mode="json"), codes]),
                window_from=window.start if window else None,
                window_to=window.end if window else None,
                watermarks=marks if mode is LoadMode.INCREMENTAL else {},
                unmapped_columns=schema.unmapped,
                clock_ahead=observed_at - ours,
            )
        )


def _ahead(mark: Watermark, ours: datetime) -> bool:
    """Whether a watermark was taken while a clock was wrong: how far its table was read then, nobody knows."""
    return mark.modified_at is not None and mark.modified_at > ours + 2 * AHEAD


@dataclass
class _Reader:
    declared: SqlMap
    contract: SourceContract
    source: SourceDatabase
    schema: BoundSchema
    writer: BatchWriter
    progress: Progress
    landed: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        owner = self.schema.root.schema.field(self.schema.root.map.owner).type
        self._owner = pl.String if pa.types.is_string(owner) else pl.Int64
        for table in (*self.schema.moving, *self.schema.references):
            self.writer.declare(table.name, table.schema)

    def land_references(self) -> dict[str, list[str]]:
        """Land the reference tables whole; returns the rows that decide codes, for the hash of the code maps."""
        codes: dict[str, list[str]] = {}
        for table in self.schema.references:
            rows: list[str] = []
            for page in self.source.pages(statements.whole(table), self.contract.read.fetch_rows):
                self._land(table, to_batch(page, table.schema))
                if table.name in self.declared.deciding:
                    rows += [repr(tuple(row)) for row in page]
            codes[table.name] = sorted(rows)
        return codes

    def land_everything(self) -> None:
        """The root's table by primary key; children by the same ranges, the last one open so that orphans are seen."""
        root, size = self.schema.root, self.contract.read.page_rows
        key = list(root.table.c).index(root.key)
        above: Any = None
        while True:
            before = self.landed[root.name]
            end = self._land_rows(root, statements.root_page(root, above, size))
            full = end is not None and self.landed[root.name] - before == size
            last = end.column(key)[-1].as_py() if end is not None and full else None
            for table in self.schema.children:
                self._land_rows(table, statements.children_between(table, above, last))
            if not full:
                return
            above = last
            self._pause()

    def land_window(self, window: Window) -> None:
        """Records modified in the window."""
        root = self.schema.root
        clock = root.clock(self.contract.zone)
        walk = self._walk_changed(root, clock.to_source(window.start), clock.to_source(window.end))
        owners = [self._owners(page) for page in walk]
        self._land_records(owners)

    def land_changes(self, watermarks: Mapping[str, Watermark]) -> None:
        """Records of which any row was modified since the overlap window began, or was added since the last load."""
        owners: list[pl.Series] = []
        for table in self.schema.moving:
            mark = watermarks[table.name]
            since = overlap_start(mark, self.contract.overlap, table.clock(self.contract.zone))
            for page in self._walk_changed(table, since, None):
                owners.append(self._owners(page))
            for page in self._walk_added(table, mark.last_key):
                owners.append(self._owners(page))
        self._land_records(owners)

    def _walk_changed(self, table: BoundTable, since: Any, before: Any) -> Iterator[list[sa.Row[Any]]]:
        """Pages by (modified, key): rows of one second stay in order across a page's border."""
        size = self.contract.read.key_rows
        after: statements.Place | None = None
        while True:
            page = self._keys(statements.changed(table, since, before, after, size))
            if page:
                yield page
                after = (page[-1].modified, page[-1].key)
            if len(page) < size:
                return
            self._pause()

    def _walk_added(self, table: BoundTable, last_key: str | None) -> Iterator[list[sa.Row[Any]]]:
        """Pages by key of what was inserted since, whatever its modification says: imports carry old ones."""
        size = self.contract.read.key_rows
        floor = table.typed(last_key) if last_key is not None else None
        after: Any = None
        while True:
            page = self._keys(statements.added(table, floor, after, size))
            if page:
                yield page
                after = page[-1].key
            if len(page) < size:
                return
            self._pause()

    def _land_records(self, found: list[pl.Series]) -> None:
        """Whole records with all children, in chunks; children that name no record too, if any was found."""
        owners = (pl.concat(found) if found else self._owners([])).unique()
        orphaned = owners.null_count() > 0
        known = owners.drop_nulls().sort()
        size = self.contract.read.page_rows
        for start in range(0, len(known), size):
            chunk = known.slice(start, size).to_list()
            for table in self.schema.moving:
                self._land_rows(table, statements.rows_of_owners(table, chunk))
            self._pause()
        for table in self.schema.children if orphaned else ():
            self._land_rows(table, statements.rows_without_owner(table))

    def _land_rows(self, table: BoundTable, statement: sa.Select[Any]) -> pa.RecordBatch | None:
        """Land a result, in batches of bounded size: few records may have left many children. Returns the last one."""
        last: pa.RecordBatch | None = None
        rows = self.contract.read.fetch_rows

        def land(batch: pa.RecordBatch) -> None:
            nonlocal last
            self._land(table, batch)
            last = batch

        if not copy_out(self.source.connection, statement, table.schema, rows, land):
            for page in self.source.pages(statement, rows):
                land(to_batch(page, table.schema))
        return last

    def _land(self, table: BoundTable, batch: pa.RecordBatch) -> None:
        self.writer.write(table.name, batch)
        self.landed[table.name] += batch.num_rows
        self.progress(table.name, self.landed[table.name])

    def _owners(self, rows: Sequence[sa.Row[Any]]) -> pl.Series:
        return pl.Series("owner", [row.owner for row in rows], dtype=self._owner)

    def _keys(self, statement: sa.Select[Any]) -> list[sa.Row[Any]]:
        return [row for page in self.source.pages(statement, self.contract.read.fetch_rows) for row in page]

    def _pause(self) -> None:
        if self.contract.read.pause_ms:
            time.sleep(self.contract.read.pause_ms / 1000)
