"""Reading an iGate into landing: everything, a window, or what may have changed. Resumable by page, bounded memory.

First the list, into a checkpoint; then papers and fees of every dossier found; at last all of it into landing, each
dossier once, as it was last read (docs/adr/0010).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from lienthong.connections import Connection
from lienthong.landing import BatchFacts, BatchWriter, LandedBatch, Watermark
from lienthong.model.codes import LoadMode
from lienthong.sources.contract import SourceContract, digest
from lienthong.sources.igate.client import IgateClient
from lienthong.sources.igate.dating import Changes
from lienthong.sources.igate.guard import AHEAD, guard_volume, watermark
from lienthong.sources.igate.land import land
from lienthong.sources.igate.plan import Plan, mark_of
from lienthong.sources.igate.read import Read
from lienthong.sources.profile import Progress, Window, no_progress


def utc_now() -> datetime:
    """Our clock."""
    return datetime.now(UTC)


def extract(
    contract: SourceContract,
    connection: Connection,
    writer: BatchWriter,
    watermarks: Mapping[str, Watermark],
    mode: LoadMode,
    window: Window | None = None,
    progress: Progress = no_progress,
    earlier: LandedBatch | None = None,
    now: Callable[[], datetime] = utc_now,
) -> str:
    """See `system.extract`. Only an incremental load returns a watermark in its manifest."""
    if (mode is LoadMode.RANGE) != (window is not None):
        raise ValueError("a range load takes a window, other loads take none")
    before = watermarks.get(mark_of(Changes(contract.http.changes)))
    if before and before.modified_at and before.modified_at > now() + 2 * AHEAD:
        before = None  # taken while a clock was wrong: how far the list was read then, nobody knows
    plan = Plan.of(contract, mode, window, before, earlier, now())
    with writer, IgateClient(contract, connection, writer.load_id) as client:
        checkpoint = writer.checkpoint(plan.digest(contract, connection.http_url()))
        read = Read(contract, client, checkpoint, plan, progress, now)
        read.list_dossiers()
        found = read.judge()
        # Windows are guarded while they are read: by which dossiers of the batch before are met again.
        guarded = before if mode is not LoadMode.RANGE and plan.changes is not Changes.WINDOWS else None
        if guarded:  # before thousands of papers are asked for
            guard_volume(contract, writer.load_id, guarded, read.checkpoint, found)
        read.fetch_children(found, earlier if _usable(earlier, contract, mode) else None)
        if guarded and read.gone:
            guard_volume(contract, writer.load_id, guarded, read.checkpoint, found, read.gone)
        tally = [(plan.changes.value, name, rows) for name, rows in read.lists.tally]
        land(
            writer,
            read.checkpoint,
            found,
            set(read.gone),
            progress,
            dated=not plan.blind,
            tally=tally if plan.blind else None,
        )
        marks = {}
        if mode is LoadMode.INCREMENTAL:
            head = None if plan.blind else read.lists.place.head
            found_mark = watermark(
                contract, plan.mark, before, read.checkpoint, found, head, read.latest_clock, read.gone
            )
            marks[plan.mark] = found_mark
        understood = contract.dossier.model_dump(mode="json")
        return writer.commit(
            BatchFacts(
                mode=mode,
                observed_at=read.began_at,
                contract_hash=contract.contract_hash,
                codes_hash=digest([understood["codes"], understood["fields"]]),
                window_from=window.start if window else None,
                window_to=window.end if window else None,
                watermarks=marks,
                unmapped_columns=read.audit.findings(),
                clock_ahead=read.clock_ahead,
                began_fence=read.began_fence,
            )
        )


def _usable(earlier: LandedBatch | None, contract: SourceContract, mode: LoadMode) -> bool:
    """Whether papers may be taken from it: full and range loads are there to read everything, another contract may ask
    for other things."""
    return (
        earlier is not None
        and contract.http.reuse_papers
        and mode is LoadMode.INCREMENTAL
        and earlier.manifest.facts.contract_hash == contract.contract_hash
    )
