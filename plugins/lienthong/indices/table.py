"""The score table of one run: what reports show. Plain records; every number in it is already rounded and ranked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from lienthong.indices.definition import Component, Definition
from lienthong.model.periods import Month


class ScoreKind(StrEnum):
    """Provisional: the month runs, or was not closed. Final: over the whole month."""

    PROVISIONAL = "provisional"
    FINAL = "final"


class UnitKind(StrEnum):
    """Kinds of units; ranks compare units of one kind."""

    MINISTRY = "ministry"
    PROVINCE = "province"
    DEPARTMENT = "department"
    COMMUNE = "commune"

    @property
    def is_top(self) -> bool:
        return self in (UnitKind.MINISTRY, UnitKind.PROVINCE)


class Flag(StrEnum):
    """Why a score is what it is. The first two are the portal's own words."""

    TEMP_NATIONAL_REPORT_DENOMINATOR = "TEMP_NATIONAL_REPORT_DENOMINATOR"
    NO_NATIONAL_REPORT_DATA = "NO_NATIONAL_REPORT_DATA"  # neither of the month nor of last year
    NO_FEED = "NO_FEED"  # the connected sources can't tell
    ZERO_DENOMINATOR = "ZERO_DENOMINATOR"  # nothing to count


@dataclass(frozen=True)
class ComponentScore:
    """`ratio` is unrounded; None without a denominator. `score` None is the portal's null, never 0."""

    component_id: str
    numerator: Decimal | None
    denominator: Decimal | None
    ratio: Decimal | None
    score: Decimal | None
    flags: frozenset[Flag]


@dataclass(frozen=True)
class GroupScore:
    """`score` None: nothing in the group has data. `available`: points of its components that have data."""

    code: str
    score: Decimal | None
    available: Decimal


@dataclass(frozen=True)
class UnitScore:
    """One unit. `percent` = total / available; rank among units of its kind (in its province, below provinces)."""

    tenant: str
    agency_code: str
    name: str
    kind: UnitKind
    components: Mapping[str, ComponentScore]
    groups: Mapping[str, GroupScore]
    total: Decimal
    available: Decimal
    percent: Decimal
    rank: int
    band: str


@dataclass(frozen=True)
class ScoreTable:
    """One run. `loads`: newest merge considered, per tenant. Units are sorted by tenant, kind, rank, code."""

    run_id: int
    run_key: str
    definition: Definition
    month: Month
    kind: ScoreKind
    as_of: datetime
    computed_at: datetime
    loads: Mapping[str, int | None]
    units: tuple[UnitScore, ...]

    @property
    def provinces(self) -> tuple[UnitScore, ...]:
        """Provinces and ministries by rank."""
        tops = (unit for unit in self.units if unit.kind.is_top)
        return tuple(sorted(tops, key=lambda unit: (unit.kind, unit.rank, unit.agency_code)))

    def units_of(self, tenant: str, kind: UnitKind) -> tuple[UnitScore, ...]:
        """Units of one kind in one province, by rank."""
        return tuple(unit for unit in self.units if unit.tenant == tenant and unit.kind is kind)

    @property
    def without_data(self) -> tuple[Component, ...]:
        """Scored components that the connected sources can't feed."""
        return tuple(item for item in self.definition.components if item.max > 0 and not item.has_data)

    @property
    def available(self) -> Decimal:
        """Points that could be had with the data at hand."""
        return sum((item.max for item in self.definition.components if item.has_data), Decimal(0))
