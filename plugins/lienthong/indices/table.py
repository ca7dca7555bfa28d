"""The score table of one run: what reports show. Plain records; every number in it is already rounded and ranked."""

from __future__ import annotations

import sys
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
    NO_FEED = "NO_FEED"  # no data: the connected sources can't tell
    ZERO_DENOMINATOR = "ZERO_DENOMINATOR"  # nothing arose: there is data, and nothing in it to count


class Absence(StrEnum):
    """Why a component has nothing to show: what a 0 of 0 means."""

    NO_DATA = "no_data"
    NOTHING_AROSE = "nothing_arose"


@dataclass(frozen=True)
class ComponentScore:
    """`ratio` is unrounded; None without a denominator. `score` None is the portal's null, never 0."""

    component_id: str
    numerator: Decimal | None
    denominator: Decimal | None
    ratio: Decimal | None
    score: Decimal | None
    flags: frozenset[Flag]

    @property
    def absence(self) -> Absence | None:
        """None where something was counted. A zero denominator may still earn points (index-766 §3.2)."""
        if Flag.ZERO_DENOMINATOR in self.flags:
            return Absence.NOTHING_AROSE
        return Absence.NO_DATA if Flag.NO_FEED in self.flags or self.score is None else None


@dataclass(frozen=True)
class GroupScore:
    """`score` None: nothing in the group has data. `available`: points of its components that have data."""

    code: str
    score: Decimal | None
    available: Decimal


@dataclass(frozen=True)
class UnitScore:
    """One unit. `percent` = total / available; rank, by percent, among units of its kind (in its province, below
    provinces). An idle unit received nothing and had nothing in progress: it has no percentage, rank or band.
    """

    tenant: str
    agency_code: str
    name: str
    kind: UnitKind
    components: Mapping[str, ComponentScore]
    groups: Mapping[str, GroupScore]
    total: Decimal
    available: Decimal
    percent: Decimal | None
    rank: int | None
    band: str | None
    idle: bool

    @property
    def place(self) -> tuple[int, str]:
        """Sorts units of one kind: by rank, idle ones last, then by code."""
        return (self.rank if self.rank is not None else sys.maxsize, self.agency_code)

    def lacks(self, component_id: str) -> bool:
        """Whether no source can tell what the component needs."""
        return Flag.NO_FEED in self.components[component_id].flags


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
        return tuple(sorted(tops, key=lambda unit: (unit.kind, *unit.place)))

    def units_of(self, tenant: str, kind: UnitKind) -> tuple[UnitScore, ...]:
        """Units of one kind in one province, by rank."""
        return tuple(unit for unit in self.units if unit.tenant == tenant and unit.kind is kind)

    @property
    def without_data(self) -> tuple[Component, ...]:
        """Scored components that no source of any province can feed."""
        return tuple(
            item for item in self.definition.components if item.max > 0 and all(u.lacks(item.id) for u in self.units)
        )

    @property
    def in_part(self) -> Mapping[Component, tuple[UnitScore, ...]]:
        """Scored components that some provinces have data for, and the provinces that have none."""
        lacking = {
            item: tuple(unit for unit in self.provinces if unit.lacks(item.id))
            for item in self.definition.components
            if item.max > 0
        }
        return {item: units for item, units in lacking.items() if 0 < len(units) < len(self.provinces)}

    def absence_in(self, unit: UnitScore, group_code: str) -> Absence | None:
        """Why a group of a unit has nothing to show: none of its components has."""
        scored = (item for item in self.definition.of_group(group_code) if item.max > 0)
        absences = {unit.components[item.id].absence for item in scored}
        if None in absences:
            return None
        return Absence.NOTHING_AROSE if Absence.NOTHING_AROSE in absences else Absence.NO_DATA

    @property
    def available(self) -> Decimal:
        """Points that could be had with the data at hand, by the units that have most of it."""
        return max((unit.available for unit in self.units), default=Decimal(0))

    def available_in(self, group_code: str) -> Decimal:
        """As `available`, of one group."""
        return max((unit.groups[group_code].available for unit in self.units), default=Decimal(0))
