"""Reading lists into landing: everything, a window, or what may have changed. Resumable by page, bounded memory.

What is asked for are records dated since the watermark less the contract's overlap. Where the date tells when a record
changed, that is all that changed. Where it is only the day it came in, an overlap of weeks finds what changes in that
time, and a full load the rest; either way what is known by its landed rows is set aside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from lienthong.connections import Connection
from lienthong.landing import BatchFacts, BatchWriter, Checkpoint, Watermark
from lienthong.model.codes import LoadMode
from lienthong.model.errors import CollapsedExtractError, SchemaDriftError
from lienthong.sources.contract import SourceContract, digest
from lienthong.sources.kit.lists.audit import Audit
from lienthong.sources.kit.lists.dates import instant_of
from lienthong.sources.kit.lists.landed import land
from lienthong.sources.kit.lists.system import ListSystem
from lienthong.sources.kit.lists.walk import Round, survivors
from lienthong.sources.profile import Progress, Window

#: A record dated further ahead of the server's clock doesn't move the watermark: it would make later ones look old.
AHEAD = timedelta(hours=1)


def extract(
    system: ListSystem,
    contract: SourceContract,
    connection: Connection,
    writer: BatchWriter,
    watermarks: Mapping[str, Watermark],
    mode: LoadMode,
    window: Window | None,
    progress: Progress,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> str:
    """See `profile.Profile.extract`. Only an incremental load returns a watermark in its manifest."""
    if (mode is LoadMode.RANGE) != (window is not None):
        raise ValueError("a range load takes a window, other loads take none")
    root = contract.kind.root.entity
    before = watermarks.get(root)
    if before and before.modified_at and before.modified_at > now() + 2 * AHEAD:
        before = None  # taken while a clock was wrong: how far the list was read then, nobody knows
    since, until = (window.start, window.end) if window else (None, None)
    if mode is LoadMode.INCREMENTAL and before and before.modified_at:
        since = before.modified_at - contract.overlap
    plan = digest([mode.value, [str(since), str(until)], contract.contract_hash, system.address(connection)])
    with writer, system.session(contract, connection, writer.load_id) as http:
        checkpoint = writer.checkpoint(plan)
        note = checkpoint.note or {"began_at": now().isoformat(), "fence": writer.fence, "lists": {}, "audit": None}
        audit = Audit(system, contract, note["audit"])
        for of in system.lists:
            state = Round(**note["lists"].get(of.entity, {}))
            for reached in system.walk(http, of, checkpoint, since, until, audit.look, state):
                note["lists"][of.entity], note["audit"] = asdict(reached), audit.state
                note["clock"] = http.clock.isoformat() if http.clock else note.get("clock")
                checkpoint.save(note)
        _require_shape(system, contract, writer.load_id, audit)
        clock = datetime.fromisoformat(note["clock"]) if note.get("clock") else None
        dates = list(_dates(checkpoint, contract, root))
        if before and mode is not LoadMode.RANGE:
            _guard(contract, writer.load_id, before, dates)
        land(writer, checkpoint, system, progress)
        marks = {root: _mark(contract, root, before, dates, clock)} if mode is LoadMode.INCREMENTAL else {}
        understood = contract.section.model_dump(mode="json")
        began_at = datetime.fromisoformat(note["began_at"])
        return writer.commit(
            BatchFacts(
                mode=mode,
                observed_at=began_at,
                contract_hash=contract.contract_hash,
                codes_hash=digest([understood["codes"], understood["fields"]]),
                window_from=window.start if window else None,
                window_to=window.end if window else None,
                watermarks=marks,
                unmapped_columns=audit.findings(),
                clock_ahead=http.clock_ahead,
                began_fence=note["fence"],
            )
        )


def _require_shape(system: ListSystem, contract: SourceContract, load: int, audit: Audit) -> None:
    lost = audit.never_met(contract.kind.root.entity, system.structural)
    if lost:
        raise SchemaDriftError(
            f"No record of the source has: {', '.join(lost)}.",
            next_step="ask the system's operator what changed, or name the right place under `fields` in the contract.",
            source=contract.source_id,
            load=load,
            key=contract.kind.root.entity,
        )


def _dates(checkpoint: Checkpoint, contract: SourceContract, root: str) -> Iterator[datetime]:
    for piece in survivors(checkpoint, root):
        for text in piece["at"].to_pylist():
            moment = instant_of(text, contract.zone)
            if moment is not None:
                yield moment


def _mark(
    contract: SourceContract, root: str, before: Watermark | None, dates: list[datetime], clock: datetime | None
) -> Watermark:
    """The newest date that is not ahead of the server's clock. Only dates of the list enter."""
    limit = (clock or datetime.now(UTC)) + AHEAD
    newest = max((moment for moment in dates if moment <= limit), default=None)
    if newest is None:
        return before or Watermark(root, None, None, 0)
    return Watermark(root, newest, None, _inside(dates, newest - contract.overlap, newest))


def _guard(contract: SourceContract, load: int, before: Watermark, dates: list[datetime]) -> None:
    """CollapsedExtractError when the list lost what the last load saw in its overlap window."""
    guard, had = contract.volume_guard, before.overlap_rows
    if before.modified_at is None or guard.overlap_min_ratio == 0 or not had:
        return
    again = _inside(dates, before.modified_at - contract.overlap, None)
    if again and (had < guard.min_rows or again >= guard.overlap_min_ratio * had):
        return
    raise CollapsedExtractError(
        f"Of {had} records that the last load saw in its overlap window, the list shows {again}.",
        next_step="check the source (another system behind the address? rights of the account? a purge?). If the loss "
        "is right, or the contract's overlap was shortened, set volume_guard.overlap_min_ratio to 0 for one load. "
        "Nothing was loaded.",
        source=contract.source_id,
        load=load,
        key=before.table,
    )


def _inside(dates: list[datetime], start: datetime, end: datetime | None) -> int:
    return sum(start <= moment and (end is None or moment <= end) for moment in dates)
