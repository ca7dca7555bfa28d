"""Where everything stands, for `lienthong status`: from ledgers, volumes and findings, never from dossier tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from lienthong.connections import Role
from lienthong.freshness.backlog import Backlog, read_backlog
from lienthong.freshness.expectation import expected_on
from lienthong.freshness.findings import AGENCY_KINDS, Finding, FindingSeverity, open_findings
from lienthong.freshness.judgement import first_day_needed, judged_day
from lienthong.freshness.settings import FreshnessSettings
from lienthong.freshness.staleness import NewestLoad, judge_schedule
from lienthong.freshness.volumes import History, read_coverage, read_histories
from lienthong.freshness.workdays import DayKind, Workdays
from lienthong.model.codes import SourceMode
from lienthong.model.masking import mask_word
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.pipeline.freshness import freshness_settings, may_read, newest_load
from lienthong.pipeline.runtime import Runtime
from lienthong.warehouse.server_log import LoudSetting, loud_settings
from lienthong.warehouse.statements import run

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from lienthong.sources.contract import SourceContract

#: A judgement older than this is told to be old: the DAG runs hourly.
JUDGED_LATELY = timedelta(hours=3)
#: Days and working days that the view of one source looks back.
_DAYS, _LAST_WORKDAYS = 14, 5


class SourceHealth(StrEnum):
    """What a source's newest load and its schedule say. LATE: too many ticks passed without a load."""

    NEVER_LOADED = "never_loaded"
    RUNNING = "running"
    FAILED = "failed"
    LATE = "late"
    FINE = "fine"


@dataclass(frozen=True)
class Unmapped:
    """A column (`kind` column, `name` table.column) or a code word that nobody maps.

    `seen`: rows that had it in load `last_load_id`, the newest that met it; 0 for a column. A word that was mapped
    stays until a full load no longer meets it.
    """

    kind: str
    name: str
    seen: int
    first_load_id: int
    last_load_id: int


@dataclass(frozen=True)
class SourceStatus:
    """One source. `extracted`, `changed`: dossiers of the newest load, None before it is merged."""

    tenant: str
    source_id: str
    title: str
    mode: str
    health: SourceHealth
    newest: NewestLoad | None
    extracted: int | None
    changed: int | None
    records: int
    newest_arrival_at: datetime | None
    newest_modified_at: datetime | None
    evaluated_at: datetime | None
    today: DayKind
    seen_today: int
    expected_today: float | None
    unmapped: tuple[Unmapped, ...]


@dataclass(frozen=True)
class Status:
    """Every source with a usable contract, deliveries by tenant, open findings, contracts that can't be used."""

    now: datetime
    sources: tuple[SourceStatus, ...]
    backlogs: dict[str, Backlog]
    findings: tuple[Finding, ...]
    contract_errors: tuple[str, ...]
    #: With which the warehouse's server may write rows into its log.
    loud_settings: tuple[LoudSetting, ...] = ()

    @property
    def has_errors(self) -> bool:
        """Whether data is missing or late: a failed load, a broken contract, or an open finding that is an error."""
        return (
            bool(self.contract_errors)
            or any(source.health is SourceHealth.FAILED for source in self.sources)
            or any(finding.severity is FindingSeverity.ERROR for finding in self.findings)
        )


@dataclass(frozen=True)
class AgencyStatus:
    """One agency of a source: its last day with a dossier, its last working days together, what they usually bring."""

    agency_code: str
    name: str | None
    listed: bool | None
    last_day: date
    seen: int
    expected: float | None


@dataclass(frozen=True)
class SourceDayStatus:
    """A source's volume on one day; `expected` None where nothing was."""

    day: date
    kind: DayKind
    seen: int
    expected: float | None


@dataclass(frozen=True)
class SourceDetail:
    """One source in depth: its newest days, and its agencies, those with findings first, then the longest silent."""

    status: Status
    days: tuple[SourceDayStatus, ...]
    agencies: tuple[AgencyStatus, ...]
    last_workdays: int = _LAST_WORKDAYS


def collect(rt: Runtime, source_id: str | None = None) -> Status:
    """The status of all sources, or of one. ContractError when there is no such source or its contract is broken."""
    from lienthong.sources.contract import read_contracts

    found = read_contracts(rt.settings.sources)
    contracts = found.valid if source_id is None else {source_id: rt.contract(source_id)}
    errors = tuple(str(error) for error in found.errors) if source_id is None else ()
    settings = freshness_settings(rt)
    workdays, now = Workdays(settings.calendar), rt.now()
    unsent: dict[str, list[str]] = {contract.tenant: [] for contract in contracts.values()}
    for contract in contracts.values():
        if contract.mode is not SourceMode.OWN:
            unsent[contract.tenant].append(contract.source_id)
    with rt.warehouse(Role.READER).connect() as connection:
        return Status(
            now,
            tuple(_source(connection, contract, workdays, settings, now) for contract in contracts.values()),
            {tenant: _backlog(connection, tenant, unsent[tenant]) for tenant in sorted(unsent)},
            tuple(_masked(finding) for finding in open_findings(connection, source_id)),
            errors,
            loud_settings(connection),
        )


def detail(rt: Runtime, source_id: str) -> SourceDetail:
    """One source in depth. Reads its volumes of about a year."""
    status, contract, settings = collect(rt, source_id), rt.contract(source_id), freshness_settings(rt)
    workdays, today = Workdays(settings.calendar), rt.now().astimezone(BUSINESS_ZONE).date()
    key = {"tenant": contract.tenant, "source_id": source_id}
    with rt.warehouse(Role.READER).connect() as connection:
        coverage = read_coverage(connection, **key)
        last = judged_day(coverage.observed_at) if coverage is not None else today
        histories = read_histories(connection, **key, first=first_day_needed(last, settings), last=today)
        first = today - timedelta(days=_DAYS - 1)
        days = run(connection, "freshness/read_source_days", **key, first_day=first, last_day=today).all()
    troubled = {finding.subject for finding in status.findings}
    agencies = [_agency(history, last, workdays, settings) for history in histories]
    agencies.sort(key=lambda agency: (agency.agency_code not in troubled, agency.last_day, agency.agency_code))
    return SourceDetail(
        status,
        tuple(SourceDayStatus(row.day, workdays.kind(row.day), int(row.seen), _number(row.expected)) for row in days),
        tuple(agencies),
    )


def _masked(finding: Finding) -> Finding:
    """An agency is known by what was typed as its code."""
    return replace(finding, subject=mask_word(finding.subject)) if finding.kind in AGENCY_KINDS else finding


def _backlog(connection: Connection, tenant: str, unsent: list[str]) -> Backlog:
    """What a tenant owes; of sources that nothing is sent of yet, blocked is what the gate would hold back."""
    backlog = read_backlog(connection, tenant)
    gated = sum(
        int(run(connection, "freshness/count_gated", tenant=tenant, source_id=source_id).scalar_one())
        for source_id in unsent
    )
    return replace(backlog, blocked=backlog.blocked + gated)


def _source(
    connection: Connection, contract: SourceContract, workdays: Workdays, settings: FreshnessSettings, now: datetime
) -> SourceStatus:
    key, today = {"tenant": contract.tenant, "source_id": contract.source_id}, now.astimezone(BUSINESS_ZONE).date()
    newest, coverage = newest_load(connection, **key), read_coverage(connection, **key)
    late = judge_schedule(coverage, newest, contract.schedule, may_read(contract), settings, now)
    counts = (
        run(connection, "freshness/read_dossier_count", tenant=contract.tenant, load_id=newest.load_id).one_or_none()
        if newest is not None
        else None
    )
    state = run(connection, "freshness/read_source_state", **key).one_or_none()
    volume = run(connection, "freshness/read_day", **key, day=today).one()
    return SourceStatus(
        contract.tenant,
        contract.source_id,
        contract.title,
        contract.mode.value,
        _health(newest, late=bool(late)),
        newest,
        counts.extracted if counts is not None else None,
        counts.changed if counts is not None else None,
        state.records if state is not None else 0,
        state.newest_arrival_at if state is not None else None,
        state.newest_modified_at if state is not None else None,
        state.evaluated_at if state is not None else None,
        workdays.kind(today),
        int(volume.seen),
        _number(volume.expected),
        tuple(
            Unmapped(**{**row, "name": mask_word(row["name"])})  # what earlier versions kept was not masked
            for row in run(connection, "ops/read_findings", **key).mappings()
        ),
    )


def _health(newest: NewestLoad | None, *, late: bool) -> SourceHealth:
    if newest is None:
        return SourceHealth.NEVER_LOADED
    if newest.error is not None and newest.state != "merged":
        return SourceHealth.FAILED
    if late:
        return SourceHealth.LATE
    return SourceHealth.FINE if newest.state == "merged" else SourceHealth.RUNNING


def _agency(history: History, last: date, workdays: Workdays, settings: FreshnessSettings) -> AgencyStatus:
    window = workdays.between(last - timedelta(days=3 * _LAST_WORKDAYS + 30), last)[-_LAST_WORKDAYS:]
    usual = expected_on(history.counts, window[0], workdays, settings) if window else None
    return AgencyStatus(
        mask_word(history.agency_code),
        history.name,
        history.listed,
        max(history.counts),
        sum(history.counts.get(day, 0) for day in window),
        usual.median * len(window) if usual is not None else None,
    )


def _number(value: object) -> float | None:
    return float(str(value)) if value is not None else None
