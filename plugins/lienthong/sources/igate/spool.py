"""What a read has brought in so far: every item of the list as it came, kept so that a next try need not ask again.

The same dossier may be in it several times: pages overlap, items slide down while others are changed, and what was
changed is read again at the front. Who reads last is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from lienthong.landing import Checkpoint
from lienthong.sources.igate.dating import NEVER, Item
from lienthong.sources.igate.json_paths import dump
from lienthong.sources.igate.mapping import TASKS

ITEMS = "items"
_FIELDS: list[tuple[str, pa.DataType]] = [
    ("id", pa.string()),
    ("version", pa.string()),
    ("modified", pa.timestamp("us", "UTC")),
    ("item", pa.string()),
    ("tasks", pa.list_(pa.string())),
]
SCHEMA = pa.schema(_FIELDS)

Mask = npt.NDArray[np.bool_]


def rows_of(items: Iterable[Item]) -> pa.Table:
    """Items as spooled rows."""
    rows = []
    for item in items:
        tasks = item.data.get(TASKS)
        rows.append(
            {
                "id": item.key.dossier_id,
                "version": item.key.version,
                "modified": item.order if item.order != NEVER else None,
                "item": dump(item.data),
                "tasks": [dump(task) for task in tasks] if isinstance(tasks, list) else [],
            }
        )
    return pa.Table.from_pylist(rows, SCHEMA)


@dataclass(frozen=True)
class Survivors:
    """Per piece: which rows are the last word on their dossier, and which say what a later row says differently."""

    kept: list[Mask]
    superseded: list[Mask]

    @property
    def dossiers(self) -> int:
        return sum(int(mask.sum()) for mask in self.kept)


def survivors(checkpoint: Checkpoint) -> Survivors:
    """Decide by the order of reading. Holds 16 bytes per row, and whole keys only of dossiers read more than once."""
    hashes = [_hashes(piece["id"]) for piece in checkpoint.read(ITEMS, ["id"])]
    lengths = [len(piece) for piece in hashes]
    together = np.concatenate(hashes) if hashes else np.empty(0, np.uint64)
    del hashes
    order = np.sort(together)
    repeated = np.unique(order[1:][order[1:] == order[:-1]])
    del order
    suspects = np.isin(together, repeated)
    del together
    kept, superseded = np.ones(len(suspects), np.bool_), np.zeros(len(suspects), np.bool_)
    seen: dict[str, list[tuple[int, str]]] = {}
    first = 0
    if suspects.any():
        for piece in checkpoint.read(ITEMS, ["id", "version"]):
            here = suspects[first : first + piece.num_rows]
            taken = piece.filter(pa.array(here))
            for place, row in zip(np.flatnonzero(here).tolist(), taken.to_pylist(), strict=True):
                seen.setdefault(row["id"], []).append((first + place, row["version"]))
            first += piece.num_rows
    for versions in seen.values():
        *earlier, (_, last) = versions
        for number, version in earlier:
            kept[number], superseded[number] = False, version != last
    if not lengths:
        return Survivors([], [])
    bounds = np.cumsum(lengths)[:-1]
    return Survivors(np.split(kept, bounds), np.split(superseded, bounds))


def within(
    checkpoint: Checkpoint, found: Survivors, start: datetime, end: datetime | None, rows_down: int | None = None
) -> Survivors:
    """The survivors that moved in [start, end).

    `rows_down`: instead, all but those that stand below the last one that did, among the first so many rows read.
    """
    moved = [_moved(piece["modified"], start, end) for piece in checkpoint.read(ITEMS, ["modified"])]
    if rows_down is not None and moved:
        together = np.concatenate(moved)
        active = np.flatnonzero(together[:rows_down])
        last = int(active[-1]) + 1 if active.size else 0
        together[:] = True
        together[last:rows_down] = False
        moved = np.split(together, np.cumsum([len(mask) for mask in moved])[:-1])
    return Survivors(
        [mask & inside for mask, inside in zip(found.kept, moved, strict=True)],
        [mask & inside for mask, inside in zip(found.superseded, moved, strict=True)],
    )


def _moved(modified: pa.ChunkedArray[pa.TimestampScalar], start: datetime, end: datetime | None) -> Mask:
    moments = pl.Series(pl.from_arrow(modified))
    inside = moments >= start if end is None else (moments >= start) & (moments < end)
    return inside.fill_null(False).to_numpy()


def pieces(checkpoint: Checkpoint, masks: list[Mask], first: int = 0) -> Iterator[pa.Table]:
    """The spooled rows that the masks let through, piece by piece."""
    for piece, mask in zip(checkpoint.read(ITEMS, first=first), masks[first:], strict=True):
        yield piece if mask.all() else piece.filter(pa.array(mask))


def _hashes(column: pa.ChunkedArray[pa.StringScalar]) -> npt.NDArray[np.uint64]:
    return pl.Series(pl.from_arrow(column)).hash().to_numpy()
