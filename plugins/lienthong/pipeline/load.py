"""One load of one source: extract → stage → gate → merge, each step a transaction that can be repeated or doubled.

Only the load's id travels between steps. A step asked for again after it succeeded does nothing; a step whose earlier
try was killed starts over; two copies at once run one after the other (extract: the newest claim counts).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lienthong.connections import Role
from lienthong.freshness.source_findings import store_source_findings
from lienthong.model.codes import LoadMode, LoadState
from lienthong.model.errors import (
    ArgumentError,
    LandingCorruptError,
    LienThongError,
    NotReadyError,
)
from lienthong.model.masking import mask_word
from lienthong.pipeline import freshness
from lienthong.pipeline.code_maps import note_code_maps
from lienthong.pipeline.failed_steps import remembering_failure
from lienthong.pipeline.runtime import Runtime
from lienthong.pipeline.staging import landed_batch, landed_rows, source_of, stage_batch
from lienthong.registry.tenants import require_known, require_unmoved
from lienthong.warehouse import ledger, staging
from lienthong.warehouse import merge as merging
from lienthong.warehouse.ledger import Load
from lienthong.warehouse.statements import run

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from lienthong.landing import LandedBatch, LandingStore
    from lienthong.sources.contract import SourceContract
    from lienthong.sources.system import System

#: A load that stopped half-way may keep its staged rows for so long.
ABANDONED_AFTER = timedelta(days=2)


def open_load(
    rt: Runtime,
    source_id: str,
    run_key: str,
    mode: str = "incremental",
    window_from: datetime | None = None,
    window_to: datetime | None = None,
) -> int:
    """The load of this run, opened if it is new; returns its id. `mode="range"` needs both window ends (aware).

    ArgumentError for a window that is none. ContractError for a contract that clashes with another, for a tenant that
    the catalogue, once there is one, does not know, and for another tenant than the source was loaded for before.
    """
    from lienthong.sources.profiles import profile_of

    contract = rt.contract(source_id)
    kind = LoadMode(mode)
    if (kind is LoadMode.RANGE) != (window_from is not None and window_to is not None):
        raise ArgumentError(
            "A range load takes window_from and window_to, other loads take neither.",
            source=source_id,
            next_step="give both ends of the window, with a time zone, or another mode.",
        )
    window = (window_from, window_to) if window_from is not None and window_to is not None else None
    if window and window[0] >= window[1]:
        raise ArgumentError(
            f"The window from {window[0].isoformat()} to {window[1].isoformat()} is empty.",
            source=source_id,
            next_step="give an end that lies after the start.",
        )
    sent = contract.section.delivery
    source = ledger.SourceDescription(
        contract.tenant,
        contract.source_id,
        contract.title,
        sent.precedence if sent else None,
        sent.mode.value if sent else None,
        contract.contract_hash,
        contract.section.removed,
        tuple(profile_of(contract).capabilities(contract)),
        contract.kind.name,
        sent.sent_by if sent else None,
        sent.covers if sent else (),
    )
    with rt.warehouse(Role.LOADER).begin() as connection:
        require_known(rt.settings.provinces, connection, contract.tenant, source_id)
        require_unmoved(connection, contract.tenant, source_id)
        return ledger.open_load(connection, source, run_key, mode=kind, window=window, now=rt.now())


@remembering_failure
def extract(rt: Runtime, load_id: int) -> None:
    """Read the source into landing. No database transaction is held meanwhile."""
    from lienthong.landing import LandingStore, Watermark
    from lienthong.sources.profile import Window

    store = LandingStore(rt.settings.landing_url)
    with rt.warehouse(Role.LOADER).begin() as connection:
        load = ledger.lock_load(connection, load_id)
        if load.state is LoadState.OPENED:
            _respect_hours(rt, load)
        fence = ledger.claim_extract(connection, load_id)
        # A warehouse restored from a backup gives numbers again that landing knows already.
        while fence is not None and store.is_landed(load.tenant, load.source_id, load_id, fence):
            fence = ledger.claim_extract(connection, load_id)
        if fence is None:
            return
        rows = run(connection, "ops/read_watermarks", tenant=load.tenant, source_id=load.source_id).all()
        merged = run(connection, "ops/read_newest_batch", tenant=load.tenant, source_id=load.source_id).scalar()
    watermarks = {
        row.table_name: Watermark(row.table_name, row.modified_at, row.last_key, row.overlap_rows) for row in rows
    }
    contract, profile = source_of(rt, load)
    contract = freshness.as_accepted(rt, contract, load)
    writer = store.writer(load.tenant, load.source_id, load_id, fence)
    window = Window(load.window_from, load.window_to) if load.window_from and load.window_to else None
    try:
        manifest_url = profile.extract(
            contract,
            rt.resolve(contract.connection),
            writer,
            watermarks,
            load.mode,
            window,
            earlier=_landed_earlier(store, merged),
        )
    except OSError as error:  # also: the copy that took over removed our files under us
        with rt.warehouse(Role.LOADER).connect() as connection:
            if ledger.read_load(connection, load_id).fence == fence:
                raise
        raise ledger.fenced(load) from error
    batch = store.open(manifest_url)
    freshness.guard(rt, contract, profile, load, batch)
    facts = batch.manifest.facts
    with rt.warehouse(Role.LOADER).begin() as connection:
        ledger.finish_extract(
            connection,
            load,
            fence,
            manifest_url=manifest_url,
            observed_at=facts.observed_at,
            now=rt.now(),
            clock_ahead=facts.clock_ahead,
            began_fence=facts.began_fence,
        )
    store.discard_uncommitted(load.tenant, load.source_id, load_id, fence)


def _landed_earlier(store: LandingStore, manifest_url: str | None) -> LandedBatch | None:
    """A batch that was merged, if landing still has it: nothing rests on it but the work it saves."""
    if manifest_url is None:
        return None
    with suppress(LandingCorruptError, OSError):
        return store.open(manifest_url)
    return None


@remembering_failure
def stage(rt: Runtime, load_id: int) -> None:
    """Canonicalise the landed batch into staging."""
    with _step(rt, load_id, done=(LoadState.STAGED, LoadState.GATED, LoadState.MERGED)) as (connection, load):
        if load is None:
            return
        ledger.require(load, LoadState.EXTRACTED)
        stage_batch(rt, connection, load)


@remembering_failure
def gate(rt: Runtime, load_id: int) -> None:
    """Run the expectations on what is staged; failing rows and their reasons go to staging.violation."""
    from lienthong.quality.gate import run_gate

    _stage_again_if_needed(rt, load_id)
    with _step(rt, load_id, done=(LoadState.GATED, LoadState.MERGED)) as (connection, load):
        if load is None:
            return
        ledger.require(load, LoadState.STAGED)
        if load.kind.catalogued and not run(connection, "registry/has_procedures").scalar_one():
            raise NotReadyError(
                "The national catalogue is empty: every procedure would be unknown, every dossier blocked.",
                source=load.source_id,
                load=load_id,
                next_step="run catalogue_sync, then this step again.",
            )
        run_gate(
            rt.warehouse(Role.LOADER),
            kind=load.kind,
            tenant=load.tenant,
            source_id=load.source_id,
            load_id=load_id,
            now=rt.now(),
            home=rt.settings.home,
        )
        ledger.finish_gate(connection, load, rt.now())


@remembering_failure
def merge(rt: Runtime, load_id: int) -> dict[str, object]:
    """Make the load believed: data, quarantine, services and watermarks in one transaction. Returns its counts."""
    merged = False
    while not merged:
        if _stage_again_if_needed(rt, load_id):
            gate(rt, load_id)
        merged = _merge_unless_overtaken(rt, load_id)
    counts = counts_of(rt, load_id)
    with suppress(LienThongError):  # the load is merged; the hourly judgement tells what is wrong with judging
        freshness.settle_after_merge(rt, str(counts["source_id"]))
    return counts


def _merge_unless_overtaken(rt: Runtime, load_id: int) -> bool:
    """False, and nothing done, when a load of the source was merged while this one waited for the tenant."""
    from lienthong.quality.quarantine import apply_gate
    from lienthong.sources.system import services_told

    with _step(rt, load_id, done=(LoadState.MERGED,)) as (connection, load):
        if load is None:
            return True
        ledger.require(load, LoadState.GATED)
        contract, profile = source_of(rt, load)
        batch = landed_batch(rt, load)
        services = [merging.Service(**row) for row in services_told(profile, contract, batch)]
        unmapped = _unmapped(contract, profile, batch)
        merging.lock_tenant(connection, load.tenant)
        if load.staged_after != ledger.newest_merge(connection, load):
            return False
        merging.merge_load(connection, load, landed_rows(profile, batch))
        freshness.count_volumes(connection, contract, profile, load, batch)
        apply_gate(connection, load, rt.now())
        merging.merge_services(connection, load, services)
        merging.advance_watermarks(
            connection,
            load,
            [
                merging.TableWatermark(mark.table, mark.modified_at, mark.last_key, mark.overlap_rows)
                for mark in batch.manifest.facts.watermarks.values()
            ],
            rt.now(),
        )
        merging.record_unmapped(connection, load, unmapped)
        note_code_maps(connection, load, batch.manifest.facts.codes_hash)
        ledger.finish_merge(connection, load, rt.now())
        staging.clear_load(connection, load)
        staging.clear_abandoned(connection, load, rt.now() - ABANDONED_AFTER)
        store_source_findings(connection, load, rt.now())  # last: findings of all sources wait for its lock
    return True


def counts_of(rt: Runtime, load_id: int) -> dict[str, object]:
    """The conservation ledger of a merged load: entity → outcome → rows."""
    with rt.warehouse(Role.LOADER).connect() as connection:
        load = ledger.read_load(connection, load_id)
        rows = run(connection, "ops/read_load_counts", tenant=load.tenant, load_id=load_id).mappings().all()
    return {
        "source_id": load.source_id,
        "load_id": load_id,
        "counts": {row["entity"]: {name: value for name, value in row.items() if name != "entity"} for row in rows},
    }


def load_once(
    rt: Runtime,
    source_id: str,
    run_key: str,
    mode: str = "incremental",
    window_from: datetime | None = None,
    window_to: datetime | None = None,
    accept_collapse: bool = False,
) -> dict[str, object]:
    """All steps of a load in this process: for the command line, benchmarks and tests."""
    load_id = open_load(rt, source_id, run_key, mode, window_from, window_to)
    if accept_collapse:
        freshness.accept_collapse(rt, load_id)
    extract(rt, load_id)
    stage(rt, load_id)
    gate(rt, load_id)
    return merge(rt, load_id)


@contextmanager
def _step(rt: Runtime, load_id: int, done: tuple[LoadState, ...]) -> Iterator[tuple[Connection, Load | None]]:
    """A transaction that holds the load's lock; yields no load when the step was already done."""
    with rt.warehouse(Role.LOADER).begin() as connection:
        load = ledger.lock_load(connection, load_id)
        yield connection, None if load.state in done else load


def _respect_hours(rt: Runtime, load: Load) -> None:
    """NotReadyError outside the hours in which the contract lets the source be read."""
    contract = rt.contract(load.source_id)
    hours = contract.read.hours
    if hours and not hours.contains(rt.now().astimezone(contract.zone).time()):
        raise NotReadyError(
            f"The source may be read from {hours.start:%H:%M} to {hours.end:%H:%M} only.",
            source=load.source_id,
            load=load.load_id,
            next_step="put the schedule inside read.hours of the contract, or change the hours.",
        )


def _stage_again_if_needed(rt: Runtime, load_id: int) -> bool:
    """Stage again if staged rows are missing, or were compared with what is no longer believed.

    After a crash PostgreSQL empties unlogged tables without an error. And when another load of the source was merged
    meanwhile, what this one set aside as known may be news again.
    """
    with rt.warehouse(Role.LOADER).begin() as connection:
        load = ledger.lock_load(connection, load_id)
        if load.state not in (LoadState.STAGED, LoadState.GATED):
            return False
        complete = staging.staged_rows(connection, load) == dict(load.staged_rows or {})
        if complete and load.staged_after == ledger.newest_merge(connection, load):
            return False
        ledger.reopen_stage(connection, load)
    stage(rt, load_id)
    return True


def _unmapped(contract: SourceContract, profile: System, batch: LandedBatch) -> list[merging.Unmapped]:
    """Columns and code words of the batch that nobody mapped."""
    columns = batch.manifest.facts.unmapped_columns
    return [
        merging.Unmapped("column", mask_word(f"{table}.{name}"), 0)
        for table, names in columns.items()
        for name in names
    ] + [merging.Unmapped(code.kind, code.word, code.rows) for code in profile.unmapped_codes(contract, batch)]
