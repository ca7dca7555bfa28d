"""From the checkpoint into landing: every dossier once, as it was last read; what it said before is set aside."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pydantic_core import from_json

from lienthong.landing import BatchWriter, Checkpoint
from lienthong.sources.igate.mapping import DOSSIER, FEE, LISTING, PAPER, SET_ASIDE, TASK
from lienthong.sources.igate.papers import CHILD_SCHEMA
from lienthong.sources.igate.spool import Survivors, pieces
from lienthong.sources.profile import Progress

#: `item`: the dossier as the list gave it, as JSON text.
DOSSIER_SCHEMA = pa.schema([("id", pa.string()), ("updatedDate", pa.string()), ("item", pa.string())])
#: `why`: superseded (read again, newer, in the same load), gone (its papers could not be asked for any more) or lost
#: (the batch before had it, and no list shows it any more).
SUPERSEDED, GONE, LOST = "superseded", "gone", "lost"
#: Which lists were read, where they show no date: `changes` of the contract, the list's name, its dossiers.
_LISTED: list[tuple[str, pa.DataType]] = [("changes", pa.string()), ("list", pa.string()), ("dossiers", pa.int64())]
LISTING_SCHEMA = pa.schema(_LISTED)
SET_ASIDE_SCHEMA = pa.schema([*DOSSIER_SCHEMA, ("why", pa.string())])


def declare(writer: BatchWriter) -> None:
    """Announce all tables, so that they are in the manifest even without rows."""
    for table, schema in (
        (DOSSIER, DOSSIER_SCHEMA),
        (TASK, CHILD_SCHEMA),
        (PAPER, CHILD_SCHEMA),
        (FEE, CHILD_SCHEMA),
        (SET_ASIDE, SET_ASIDE_SCHEMA),
    ):
        writer.declare(table, schema)


def land(
    writer: BatchWriter,
    checkpoint: Checkpoint,
    found: Survivors,
    gone: set[str],
    progress: Progress,
    *,
    dated: bool,
    tally: Sequence[tuple[str, str, int]] | None = None,
) -> None:
    """Write the tables, piece by piece. A task's key is its id, or its place where it has none.

    `dated`: whether the list shows a date of its own. `tally`: rows of LISTING, for a batch that others rest on.
    """
    declare(writer)
    if tally is not None:
        writer.declare(LISTING, LISTING_SCHEMA)
        rows_read = [dict(zip(LISTING_SCHEMA.names, row, strict=True)) for row in tally]
        writer.write(LISTING, pa.Table.from_pylist(rows_read, LISTING_SCHEMA))
    away = pa.array(sorted(gone), pa.string())
    rows = 0
    for piece in pieces(checkpoint, found.kept):
        if gone:
            lost = pc.is_in(piece["id"], away)
            _set_aside(writer, _dossiers(piece.filter(lost), dated), GONE)
            piece = piece.filter(pc.invert(lost))
        writer.write(DOSSIER, _dossiers(piece, dated))
        writer.write(TASK, _tasks(piece))
        rows += piece.num_rows
        progress(DOSSIER, rows)
    for piece in pieces(checkpoint, found.superseded):
        _set_aside(writer, _dossiers(piece, dated), SUPERSEDED)
    for piece in checkpoint.read(LOST):
        nothing = pa.nulls(piece.num_rows, pa.string())
        _set_aside(writer, piece.append_column("updatedDate", nothing).select(DOSSIER_SCHEMA.names), LOST)
    for table in (PAPER, FEE):
        for piece in checkpoint.read(table):
            if gone:
                piece = piece.filter(pc.invert(pc.is_in(piece["dossierId"], away)))
            writer.write(table, _cast(piece, CHILD_SCHEMA))


def _dossiers(piece: pa.Table, dated: bool) -> pa.Table:
    """Spooled rows as landed ones: the version is the list's own date, or a hash that nobody needs any more."""
    updated = piece["version"] if dated else pa.nulls(piece.num_rows, pa.string())
    return _cast(pa.table([piece["id"], updated, piece["item"]], names=DOSSIER_SCHEMA.names), DOSSIER_SCHEMA)


def _set_aside(writer: BatchWriter, piece: pa.Table, why: str) -> None:
    table = piece.append_column("why", pa.repeat(pa.scalar(why), piece.num_rows))
    writer.write(SET_ASIDE, _cast(table, SET_ASIDE_SCHEMA))


def _tasks(piece: pa.Table) -> pa.Table:
    rows = []
    for owner, tasks in zip(piece["id"].to_pylist(), piece["tasks"].to_pylist(), strict=True):
        for place, text in enumerate(tasks or (), start=1):
            rows.append({"dossierId": owner, "key": task_key(text, place), "place": place, "item": text})
    return pa.Table.from_pylist(rows, CHILD_SCHEMA)


def task_key(text: str, place: int) -> str:
    """The key of a task among those of its dossier."""
    task = from_json(text)
    own = task.get("id") if isinstance(task, dict) else None
    return own if isinstance(own, str) and own else f"task-{place}"


def _cast(table: pa.Table, schema: pa.Schema) -> pa.Table:
    return table.cast(schema).combine_chunks()
