"""Freshness: volumes counted and guarded by the loads, judged from time to time, told by whoever has a channel."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from lienthong.connections import Role
from lienthong.freshness import findings as store
from lienthong.freshness.backlog import judge_backlog, read_backlog
from lienthong.freshness.findings import (
    TENANT_KINDS,
    CloseReason,
    Detection,
    Finding,
    FindingChange,
    FindingKind,
    FindingSeverity,
)
from lienthong.freshness.guard import GuardLimits, guard_volume, is_collapse_accepted, read_known
from lienthong.freshness.guard import accept_collapse as accept
from lienthong.freshness.judgement import Judgement, first_day_needed, judge_volumes, judged_day
from lienthong.freshness.settings import FreshnessSettings, load_freshness_settings
from lienthong.freshness.staleness import NewestLoad, judge_load, judge_schedule, read_newest_load, reading_times
from lienthong.freshness.volumes import read_coverage, read_histories, record_volumes
from lienthong.freshness.workdays import Workdays
from lienthong.model.codes import SourceMode
from lienthong.model.errors import LienThongError
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.model.sync_dags import source_of_dag
from lienthong.pipeline.runtime import Runtime
from lienthong.warehouse.statements import run

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from lienthong.landing import LandedBatch
    from lienthong.sources.contract import SourceContract
    from lienthong.sources.system import System
    from lienthong.warehouse.ledger import Load


def accept_collapse(rt: Runtime, load_id: int) -> None:
    """The engineer who asked for this load accepts whatever volume it finds. Call it before the load is extracted."""
    with rt.warehouse(Role.LOADER).begin() as connection:
        accept(connection, load_id, rt.now())


def as_accepted(rt: Runtime, contract: SourceContract, load: Load) -> SourceContract:
    """The contract to read with: without a volume guard if the engineer accepts whatever this load finds."""
    with rt.warehouse(Role.LOADER).connect() as connection:
        if not is_collapse_accepted(connection, load.load_id):
            return contract
    off = {"overlap_min_ratio": 0.0, "full_min_ratio": 0.0, "range_min_ratio": 0.0}
    return contract.model_copy(update={"volume_guard": contract.volume_guard.model_copy(update=off)})


def guard(rt: Runtime, contract: SourceContract, profile: System, load: Load, batch: LandedBatch) -> None:
    """Compare what a full or range load landed with what is known. CollapsedExtractError: nothing is to be promoted.

    Errors of `Look.look` if the source has to be asked again.
    """
    limits = contract.volume_guard
    with rt.warehouse(Role.LOADER).connect() as connection:
        known = read_known(connection, load)
    guard_volume(
        load,
        known,
        _records_landed(contract, profile, batch),
        GuardLimits(limits.full_min_ratio, limits.range_min_ratio, limits.min_rows),
        max(batch.manifest.facts.observed_at, rt.now()),
        lambda: _looks_empty(rt, contract, profile),
    )


def count_volumes(
    connection: Connection, contract: SourceContract, profile: System, load: Load, batch: LandedBatch
) -> None:
    """Count what a merge changed; part of its transaction, after the records and before staging is cleared."""
    record_volumes(connection, load, _records_landed(contract, profile, batch))


def evaluate(rt: Runtime) -> dict[str, int]:
    """Judge every source with a usable contract and every tenant's deliveries.

    Returns how many findings were opened and closed, and how many are open now. A source whose contract was deleted is
    watched no more, and its findings end; one whose contract can't be used at this moment keeps them.
    """
    settings = freshness_settings(rt)
    workdays = Workdays(settings.calendar)
    contracts = rt.contracts()
    change = FindingChange()
    for contract in contracts.values():
        change += _evaluate_source(rt, contract, workdays, settings)
    for tenant in sorted({contract.tenant for contract in contracts.values()}):
        sent = [one.section.delivery for one in contracts.values() if one.tenant == tenant]
        sends = any(delivery.mode is SourceMode.OWN for delivery in sent if delivery)
        change += _evaluate_backlog(rt, tenant, settings, sends=sends)
    change += _take_back(rt, {contract.tenant for contract in contracts.values()})
    with rt.warehouse(Role.LOADER).connect() as connection:
        return asdict(change) | {"open": len(store.open_findings(connection))}


def settle_after_merge(rt: Runtime, source_id: str) -> FindingChange:
    """Judge a source at once when a load of it was merged, if it has open findings: what is over ends now, not at the
    next hour. Usually there is none, and this is one look at an index.
    """
    with rt.warehouse(Role.LOADER).connect() as connection:
        if not store.open_findings(connection, source_id):
            return FindingChange()
    settings = freshness_settings(rt)
    return _evaluate_source(rt, rt.contract(source_id), Workdays(settings.calendar), settings)


def freshness_settings(rt: Runtime) -> FreshnessSettings:
    """The thresholds in use."""
    return load_freshness_settings(rt.settings.include / "freshness" / "freshness.yaml")


def note_task_failure(rt: Runtime, dag_id: str, task: str, details: Mapping[str, object]) -> tuple[int, bool]:
    """Remember that a task failed for good; returns the finding's id and whether it is new.

    `task`: its id, with the name of the mapped instance if there is one. A failed load DAG is its source's
    LOAD_FAILED, which `evaluate` closes after the next good load; anything else is closed by `note_task_success`.
    """
    now = rt.now()
    tenant, source_id, subject, kind = _failing(rt, dag_id, task)
    detection = Detection(kind, FindingSeverity.ERROR, now, subject, details)
    with rt.warehouse(Role.LOADER).begin() as connection:
        return store.open_finding(connection, tenant, source_id, detection, now)


def note_task_success(rt: Runtime, dag_id: str, task: str) -> None:
    """End the finding that an earlier failure of this task left."""
    if source_of_dag(dag_id):
        return
    with rt.warehouse(Role.LOADER).begin() as connection:
        for finding in store.open_findings(connection, ""):
            if finding.kind is FindingKind.TASK_FAILED and finding.subject == f"{dag_id}.{task}":
                store.close_finding(connection, finding.finding_id, CloseReason.RECOVERED, rt.now())


def alert(rt: Runtime, channel: str, send: Callable[[Sequence[Finding]], None], only: Iterable[int] = ()) -> int:
    """Let `channel` tell what it has not told yet, or of that only some findings; returns how many.

    They are marked as told after `send` returned: told at least once, and normally once.
    """
    wanted = frozenset(only)
    with rt.warehouse(Role.LOADER).connect() as connection:
        pending = store.untold(connection, channel, rt.now())
    pending = [finding for finding in pending if not wanted or finding.finding_id in wanted]
    if not pending:
        return 0
    send(pending)
    with rt.warehouse(Role.LOADER).begin() as connection:
        store.mark_told(connection, channel, pending)
    return len(pending)


def _evaluate_source(
    rt: Runtime, contract: SourceContract, workdays: Workdays, settings: FreshnessSettings
) -> FindingChange:
    now, key = rt.now(), {"tenant": contract.tenant, "source_id": contract.source_id}
    with rt.warehouse(Role.LOADER).begin() as connection:
        newest = read_newest_load(connection, **key)
        coverage = read_coverage(connection, **key)
        detections = judge_load(newest)
        detections += judge_schedule(
            coverage, newest, contract.schedule, reading_times(contract.read.hours), settings, now
        )
        kinds = {FindingKind.SOURCE_STALE}
        if newest is not None and _is_healed(connection, contract.source_id, newest):
            kinds.add(FindingKind.LOAD_FAILED)
        volumes = Judgement(kinds=set())
        if coverage is not None:
            today = now.astimezone(BUSINESS_ZONE).date()
            first = first_day_needed(judged_day(coverage.observed_at), settings)
            histories = read_histories(connection, **key, first=first, last=today)
            volumes = judge_volumes(histories, coverage.observed_at, today, workdays, settings)
        counted = [
            replace(one, details={**one.details, "records_of": contract.kind.name}) for one in volumes.detections
        ]
        for day in volumes.days:
            run(
                connection,
                "freshness/record_source_day",
                **key,
                day=day.day,
                kind=day.kind.value,
                expected=day.usual.median if day.usual else None,
                spread=day.usual.spread if day.usual else None,
                seen=day.seen,
                now=now,
            )
        run(connection, "freshness/record_evaluation", **key, now=now)
        return store.store_detections(
            connection,
            contract.tenant,
            contract.source_id,
            detections + counted,
            kinds | volumes.kinds,
            now,
            volumes.reasons,
        )


def _is_healed(connection: Connection, source_id: str, newest: NewestLoad) -> bool:
    """Whether a load was merged after the last failure. A run that failed before it opened a load left no load."""
    failures = [f for f in store.open_findings(connection, source_id) if f.kind is FindingKind.LOAD_FAILED]
    merged_at = newest.merged_at
    return merged_at is not None and all(failure.last_seen_at <= merged_at for failure in failures)


def _evaluate_backlog(rt: Runtime, tenant: str, settings: FreshnessSettings, *, sends: bool) -> FindingChange:
    """Of a tenant that sends nothing, nothing is late."""
    with rt.warehouse(Role.LOADER).begin() as connection:
        detections = judge_backlog(read_backlog(connection, tenant), settings, rt.now()) if sends else []
        return store.store_detections(
            connection, tenant, "", detections, {FindingKind.BACKLOG, FindingKind.UNDECIDED}, rt.now()
        )


def _take_back(rt: Runtime, watched: Collection[str]) -> FindingChange:
    """Close the findings of sources without a contract, and the backlog of tenants that have no other source."""
    folder, closed = rt.settings.sources, 0
    if not folder.is_dir():
        return FindingChange()  # not there at this moment: that says nothing of any source
    written = {path.stem for path in folder.iterdir() if path.suffix in (".yaml", ".yml")}
    with rt.warehouse(Role.LOADER).begin() as connection:
        unsure = {row.tenant for row in run(connection, "ops/read_sources") if row.source_id in written}
        for finding in store.open_findings(connection):
            if finding.source_id:
                gone = finding.source_id not in written
            else:
                gone = finding.kind in TENANT_KINDS and finding.tenant not in {*watched, *unsure}
            if gone:
                store.close_finding(connection, finding.finding_id, CloseReason.TAKEN_BACK, rt.now())
                closed += 1
    return FindingChange(closed=closed)


def _failing(rt: Runtime, dag_id: str, task: str) -> tuple[str, str, str, FindingKind]:
    """Tenant, source, subject and kind of a failed task; a source whose contract can't be read has no tenant."""
    source_id, tenant = source_of_dag(dag_id), ""
    if source_id is None:
        return "", "", f"{dag_id}.{task}", FindingKind.TASK_FAILED
    with suppress(LienThongError):
        tenant = rt.contract(source_id).tenant
    return tenant, source_id, "", FindingKind.LOAD_FAILED


def _looks_empty(rt: Runtime, contract: SourceContract, profile: System) -> bool:
    """Whether the source shows no record: no date among the newest, and none by its own count or estimate.

    A source that can't be looked at does not say so.
    """
    from lienthong.sources.system import Look

    if not isinstance(profile, Look):
        return False
    table = profile.entity_tables[contract.kind.root.entity]
    sight = profile.look(contract, rt.resolve(contract.connection), rt.now)
    return not any(one.name == table and (one.newest_at or one.rows) for one in sight.tables)


def _records_landed(contract: SourceContract, profile: System, batch: LandedBatch) -> int:
    table = batch.manifest.tables.get(profile.entity_tables[contract.kind.root.entity])
    return table.rows if table is not None else 0
