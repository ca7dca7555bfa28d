"""How far the list has been read, by its own dates, and whether what was there at the last load still is."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from lienthong.landing import Checkpoint, Watermark
from lienthong.model.errors import CollapsedExtractError
from lienthong.sources.contract import SourceContract
from lienthong.sources.igate.dating import NEVER
from lienthong.sources.igate.mapping import DOSSIER
from lienthong.sources.igate.spool import ITEMS, Survivors

#: A dossier dated further ahead of the server's clock than this doesn't move the watermark: it would make later changes
#: look old. Clocks that differ by less are harmless, the overlap is longer.
AHEAD = timedelta(hours=1)


def watermark(
    contract: SourceContract,
    name: str,
    before: Watermark | None,
    checkpoint: Checkpoint,
    found: Survivors,
    head: datetime | None,
    source_clock: datetime | None,
    gone: Collection[str] = (),
) -> Watermark:
    """The list's watermark: the newest date that stood in the list when reading began, or the newest of all dossiers
    read where `head` is not told.

    Its `overlap_rows` are without the dossiers that were `gone` when their papers were asked for.

    Only dates of the list itself enter; the clocks merely decide which of them lie in the future.
    """
    limit = (source_clock or datetime.now(UTC)) + AHEAD
    newest = head if head is not None and NEVER < head <= limit else _newest(checkpoint, limit, head)
    if newest is None:
        return before or Watermark(name, None, None, 0)
    return Watermark(name, newest, None, _count(checkpoint, found, gone, newest - contract.overlap, newest))


def guard_volume(
    contract: SourceContract,
    load: int,
    before: Watermark,
    checkpoint: Checkpoint,
    found: Survivors,
    gone: Collection[str] = (),
) -> None:
    """CollapsedExtractError when the list lost what the last load saw in its overlap window.

    A dossier of that window is still in the list, at the same date or at a later one. One that is `gone` was not seen.
    """
    guard, had = contract.volume_guard, before.overlap_rows
    if before.modified_at is not None and guard.overlap_min_ratio and had:
        again = _count(checkpoint, found, gone, before.modified_at - contract.overlap, None)
        refuse_collapse(contract, load, had, again)


def refuse_collapse(contract: SourceContract, load: int | None, had: int, again: int) -> None:
    """CollapsedExtractError when too few of the dossiers that the last load saw are there again."""
    guard = contract.volume_guard
    enough = again and (had < guard.min_rows or again >= guard.overlap_min_ratio * had)
    if enough or not had or not guard.overlap_min_ratio:
        return
    raise CollapsedExtractError(
        f"Of {had} dossiers that the last load saw in its overlap window, the list shows {again}.",
        next_step="check the source (another system behind the address? rights of the account? a purge?). If the loss "
        "is right, or the contract's overlap was shortened, set volume_guard.overlap_min_ratio to 0 for one load. "
        "Nothing was loaded.",
        source=contract.source_id,
        load=load,
        key=DOSSIER,
    )


def _newest(checkpoint: Checkpoint, limit: datetime, head: datetime | None) -> datetime | None:
    """The newest date up to the limit, where the list began with one beyond it, or with none that it shows."""
    if head == NEVER:
        return None
    found: datetime | None = None
    for piece in checkpoint.read(ITEMS, ["modified"]):
        modified = piece["modified"]
        newest = pc.max(modified.filter(pc.less_equal(modified, pa.scalar(limit, modified.type)))).as_py()
        if newest is not None and (found is None or newest > found):
            found = newest
    return found


def _count(
    checkpoint: Checkpoint, found: Survivors, gone: Collection[str], start: datetime, end: datetime | None
) -> int:
    """Dossiers modified in [start, end] that are not gone."""
    rows = 0
    away = pa.array(sorted(gone), pa.string())
    for piece, mask in zip(checkpoint.read(ITEMS, ["id", "modified"]), found.kept, strict=True):
        kept = piece.filter(pa.array(mask))
        modified = kept.filter(pc.invert(pc.is_in(kept["id"], away)))["modified"]
        inside = pc.greater_equal(modified, pa.scalar(start, modified.type))
        if end is not None:
            inside = pc.and_(inside, pc.less_equal(modified, pa.scalar(end, modified.type)))
        rows += pc.sum(inside.cast(pa.int64())).as_py() or 0
    return rows
