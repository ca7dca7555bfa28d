"""Where everything stands: sources, deliveries, findings. From ledgers, volumes and findings, never dossier tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from lienthong.freshness.backlog import Backlog
from lienthong.freshness.findings import Finding, FindingSeverity
from lienthong.freshness.staleness import NewestLoad
from lienthong.freshness.workdays import DayKind
from lienthong.warehouse.server_log import LoudSetting

#: Working days that are counted together for an agency.
LAST_WORKDAYS = 5


class SourceHealth(StrEnum):
    """What a source's newest load and its schedule say. LATE: too many ticks passed without a load."""

    NEVER_LOADED = "never_loaded"
    RUNNING = "running"
    FAILED = "failed"
    LATE = "late"
    FINE = "fine"


@dataclass(frozen=True)
class UnmappedView:
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
    """One source. `extracted`, `changed`: records of the newest load, None before it is merged. `mode`: None where
    nothing is sent."""

    tenant: str
    source_id: str
    title: str
    kind: str
    mode: str | None
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
    unmapped: tuple[UnmappedView, ...]


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
    last_workdays: int = LAST_WORKDAYS
