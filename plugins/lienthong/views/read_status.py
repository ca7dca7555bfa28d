"""The status of sources, read from ledgers, volumes and findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy.engine import Connection

from lienthong.freshness.backlog import Backlog, read_backlog
from lienthong.freshness.expectation import expected_on
from lienthong.freshness.findings import AGENCY_KINDS, Finding, open_findings
from lienthong.freshness.judgement import first_day_needed, judged_day
from lienthong.freshness.settings import FreshnessSettings
from lienthong.freshness.staleness import NewestLoad, judge_schedule, read_newest_load, reading_times
from lienthong.freshness.volumes import History, read_coverage, read_histories
from lienthong.freshness.workdays import Workdays
from lienthong.model.codes import SourceMode
from lienthong.model.masking import mask_word
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.sources.contract import SourceContract
from lienthong.views.status import (
    LAST_WORKDAYS,
    AgencyStatus,
    SourceDayStatus,
    SourceDetail,
    SourceHealth,
    SourceStatus,
    Status,
    UnmappedView,
)
from lienthong.warehouse.server_log import loud_settings
from lienthong.warehouse.statements import run

#: Days that the view of one source looks back.
_DAYS = 14


def read_status(
    connection: Connection,
    contracts: Mapping[str, SourceContract],
    settings: FreshnessSettings,
    now: datetime,
    *,
    source_id: str | None = None,
    contract_errors: Sequence[str] = (),
) -> Status:
    """The status of these contracts' sources; findings of `source_id` only, if it is named."""
    workdays = Workdays(settings.calendar)
    unsent: dict[str, list[str]] = {contract.tenant: [] for contract in contracts.values()}
    for contract in contracts.values():
        sent = contract.section.delivery
        if sent and sent.mode is not SourceMode.OWN:
            unsent[contract.tenant].append(contract.source_id)
    return Status(
        now,
        tuple(_source(connection, contract, workdays, settings, now) for contract in contracts.values()),
        {tenant: _backlog(connection, tenant, unsent[tenant]) for tenant in sorted(unsent)},
        tuple(_masked(finding) for finding in open_findings(connection, source_id)),
        tuple(contract_errors),
        loud_settings(connection),
    )


def read_source_detail(
    connection: Connection, contract: SourceContract, status: Status, settings: FreshnessSettings, now: datetime
) -> SourceDetail:
    """One source in depth, beside its `status`. Reads its volumes of about a year."""
    workdays, today = Workdays(settings.calendar), now.astimezone(BUSINESS_ZONE).date()
    key = {"tenant": contract.tenant, "source_id": contract.source_id}
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
    sent = contract.section.delivery
    key, today = {"tenant": contract.tenant, "source_id": contract.source_id}, now.astimezone(BUSINESS_ZONE).date()
    newest, coverage = read_newest_load(connection, **key), read_coverage(connection, **key)
    late = judge_schedule(coverage, newest, contract.schedule, reading_times(contract.read.hours), settings, now)
    counts = (
        run(
            connection,
            "freshness/read_entity_count",
            tenant=contract.tenant,
            load_id=newest.load_id,
            entity=contract.kind.root.entity,
        ).one_or_none()
        if newest is not None
        else None
    )
    state = run(connection, "freshness/read_source_state", **key).one_or_none()
    volume = run(connection, "freshness/read_day", **key, day=today).one()
    return SourceStatus(
        contract.tenant,
        contract.source_id,
        contract.title,
        contract.kind.name,
        sent.mode.value if sent else None,
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
            UnmappedView(**{**row, "name": mask_word(row["name"])})  # what earlier versions kept was not masked
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
    window = workdays.between(last - timedelta(days=3 * LAST_WORKDAYS + 30), last)[-LAST_WORKDAYS:]
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
