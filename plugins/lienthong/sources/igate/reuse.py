"""Papers and fees of dossiers that the list shows as it did when an earlier batch was landed: not asked for again.

Every incremental load reads the overlap of the one before, and papers are asked for dossier by dossier: without this, a
province whose dossiers rest would be asked for all of the last days' papers at every tick.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from lienthong.landing import Checkpoint, LandedBatch
from lienthong.model.errors import LandingCorruptError
from lienthong.sources.igate.land import GONE
from lienthong.sources.igate.mapping import DOSSIER, FEE, PAPER, SET_ASIDE
from lienthong.sources.igate.spool import ITEMS, Mask, Survivors, pieces

_log = logging.getLogger(__name__)

#: The checkpoint's pieces that say whose papers were taken over.
REUSED = "reused"
_SEEDS = (0x69676174, 0x72657573)


@dataclass(frozen=True)
class Reused:
    """`dossiers`: ids whose papers and fees were taken over; `gone`: ids set aside as gone when they were as now."""

    dossiers: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()

    def others(self, checkpoint: Checkpoint, found: Survivors) -> Survivors:
        """The survivors whose papers are still to be asked for."""
        if not self.dossiers:
            return found
        masks: list[Mask] = []
        for piece, mask in zip(checkpoint.read(ITEMS, ["id"]), found.kept, strict=True):
            masks.append(mask & ~pl.Series(pl.from_arrow(piece["id"])).is_in(list(self.dossiers)).to_numpy())
        return Survivors(masks, found.superseded)


def take_over(checkpoint: Checkpoint, found: Survivors, earlier: LandedBatch, touched: Collection[str] = ()) -> None:
    """Add to the checkpoint what `earlier` landed of dossiers that are the same now. Counts from the next save on.

    The same: equal in all that the list says of them, `updatedDate` included, and not `touched`. A batch that was
    altered or removed since is passed over.
    """
    try:
        earlier.verify()
    except LandingCorruptError as error:
        _log.warning("Papers of unchanged dossiers are asked for again: %s", error.what)
        return
    now = pl.concat([_EMPTY, *(_marked(piece) for piece in pieces(checkpoint, found.kept))])
    if touched:
        now = now.filter(~pl.col("id").is_in(list(touched)))
    same = _same(now, _rows(earlier, DOSSIER))
    gone = _same(now, (rows.filter(pl.col("why") == GONE) for rows in _rows(earlier, SET_ASIDE)))
    for table in (PAPER, FEE):
        for rows in _rows(earlier, table):
            kept = rows.filter(pl.col("dossierId").is_in(same.implode()))
            if kept.height:
                checkpoint.add(table, kept.to_arrow(compat_level=pl.CompatLevel.oldest()))
    ids = pl.concat([same.to_frame().with_columns(gone=False), gone.to_frame().with_columns(gone=True)])
    checkpoint.add(REUSED, ids.to_arrow(compat_level=pl.CompatLevel.oldest()))


def reused(checkpoint: Checkpoint) -> Reused:
    """What `take_over` noted, in this try of the load or an earlier one."""
    rows = [row for piece in checkpoint.read(REUSED) for row in piece.to_pylist()]
    return Reused(
        frozenset(row["id"] for row in rows if not row["gone"]), frozenset(row["id"] for row in rows if row["gone"])
    )


_EMPTY = pl.DataFrame(schema={"id": pl.String, "low": pl.UInt64, "high": pl.UInt64})


def _marked(rows: pa.Table | pl.DataFrame) -> pl.DataFrame:
    """id and two hashes of what the list says."""
    frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows.select(["id", "item"]))
    return frame.select("id", low=pl.col("item").hash(_SEEDS[0]), high=pl.col("item").hash(_SEEDS[1]))


def _rows(batch: LandedBatch, table: str) -> Iterator[pl.DataFrame]:
    if table in batch.manifest.tables:
        for _, _, piece in batch.batches(table):
            yield pl.DataFrame(piece)


def _same(now: pl.DataFrame, earlier: Iterator[pl.DataFrame]) -> pl.Series:
    listed = (rows.join(now, on="id", how="semi") for rows in earlier)
    found = [now.join(_marked(rows), on=now.columns, how="semi")["id"] for rows in listed]
    return pl.concat([_EMPTY["id"], *found])
