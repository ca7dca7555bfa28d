"""From the checkpoint into landing: every record once, as it was last read, and the rows inside it as own tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from pydantic_core import from_json

from lienthong.landing import BatchWriter, Checkpoint
from lienthong.sources.kit.formats.json_paths import dump, find, word
from lienthong.sources.kit.lists.system import Inside, ListSystem
from lienthong.sources.kit.lists.walk import survivors
from lienthong.sources.profile import Progress

#: A record, or a child (`owner`: key of its record; `place`: its place there from 1, 0 where it came by itself).
_RECORD: list[tuple[str, pa.DataType]] = [("key", pa.string()), ("at", pa.string()), ("item", pa.string())]
_CHILD: list[tuple[str, pa.DataType]] = [
    ("owner", pa.string()),
    ("key", pa.string()),
    ("place", pa.int64()),
    ("item", pa.string()),
]
RECORD, CHILD = pa.schema(_RECORD), pa.schema(_CHILD)


def land(writer: BatchWriter, checkpoint: Checkpoint, system: ListSystem, progress: Progress) -> None:
    """Write the tables, one per entity, piece by piece."""
    for of in system.lists:
        writer.declare(of.entity, CHILD if of.owner else RECORD)
        for name in of.inside:
            writer.declare(name, CHILD)
    for of in system.lists:
        rows = 0
        for piece in survivors(checkpoint, of.entity):
            if of.owner:
                places: pa.Array[Any] = pa.array([0] * piece.num_rows, pa.int64())
                child = piece.select(["owner", "key", "item"]).add_column(2, "place", places)
                writer.write(of.entity, child.cast(CHILD).combine_chunks())
            else:
                writer.write(of.entity, piece.select(RECORD.names).cast(RECORD).combine_chunks())
                for name, inside in of.inside.items():
                    writer.write(name, _inside(piece, inside))
            rows += piece.num_rows
            progress(of.entity, rows)


def _inside(piece: pa.Table, inside: Inside) -> pa.Table:
    path, key = tuple(inside.path.split(".")), tuple(inside.key.split(".")) if inside.key else ()
    rows: list[Mapping[str, Any]] = []
    for owner, text in zip(piece["key"].to_pylist(), piece["item"].to_pylist(), strict=True):
        found = find(from_json(str(text)), path)
        for place, item in enumerate(found if isinstance(found, list) else (), start=1):
            own = word(find(item, key)) if key else str(place)
            rows.append({"owner": owner, "key": own, "place": place, "item": dump(item)})
    return pa.Table.from_pylist(rows, CHILD)
