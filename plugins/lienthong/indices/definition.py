"""A definition of the index as data: groups, components, bands and the choices that the published rules leave open."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lienthong.model.capabilities import Capability
from lienthong.yaml_reader import load

#: What the counting statement can feed: component → the populations that it can count it over.
COUNTED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "1.4": frozenset({"received"}),
        "2.1": frozenset({"carried"}),
        "3.1": frozenset({"catalogue"}),
        "3.2": frozenset({"arrived"}),
        "3.3": frozenset({"received"}),
        "3.5": frozenset({"arrived"}),
        "3.5b": frozenset({"arrived"}),
        "3.6": frozenset({"started"}),
        **{number: frozenset({"carried", "received"}) for number in ("4.1", "4.2", "4.3", "4.4", "4.5a", "4.5b")},
    }
)

#: What a source must be able to tell so that the counting statement can feed a component; nothing for the others.
NEEDS: Mapping[str, Capability] = MappingProxyType(
    {
        "3.1": Capability.SERVICES,
        "3.2": Capability.SERVICES,
        "3.3": Capability.DOCUMENTS,
        "3.5": Capability.FEES,
        "3.5b": Capability.ONLINE_PAYMENT,
        "3.6": Capability.ONLINE_PAYMENT,
        "4.1": Capability.DOCUMENTS,
        "4.2": Capability.DOCUMENTS,
        "4.3": Capability.REUSE,
        "4.4": Capability.CITIZEN_STORE,
        "4.5a": Capability.CITIZEN_DATA,
        "4.5b": Capability.CITIZEN_DATA,
    }
)

Points = Annotated[Decimal, Field(ge=0, le=100)]


class AwardKind(StrEnum):
    """How a rate becomes points (index-766 §2)."""

    LINEAR = "linear"  # max × rate
    CAP = "cap"  # max from `at` on, else max × rate / at
    CONSTANT = "constant"  # max for every unit
    NONE = "none"  # shown, never scored


class ZeroRule(StrEnum):
    """What a denominator of 0 gives (index-766 §3.2)."""

    NULL = "null"
    ZERO = "zero"
    FULL = "full"


class Feed(StrEnum):
    """Where the figures of a component come from."""

    WAREHOUSE = "warehouse"
    CONSTANT = "constant"
    NONE = "none"


class CompareBy(StrEnum):
    INSTANT = "instant"
    DATE = "date"


class ProvisionalEnd(StrEnum):
    AS_OF = "as_of"
    PERIOD_END = "period_end"


class Unknown(StrEnum):
    OVERDUE = "overdue"
    ON_TIME = "on_time"


class SyncWithoutReport(StrEnum):
    WAREHOUSE_RECEIVED = "warehouse_received"
    NONE = "none"


class ResultDenominator(StrEnum):
    ALL = "all"
    PAPER = "paper"


class TermUnit(StrEnum):
    WORKING_DAY = "working_day"
    DAY = "day"
    HOUR = "hour"
    MONTH = "month"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Group(_Part):
    code: str
    portal_code: str
    name: str
    max: Points


class Award(_Part):
    kind: AwardKind
    at: Annotated[Decimal, Field(gt=0, le=1)] | None = None

    @model_validator(mode="after")
    def _cap_has_a_threshold(self) -> Self:
        if (self.kind is AwardKind.CAP) != (self.at is not None):
            raise ValueError("`at` belongs to award kind `cap`, and only to it")
        return self


class Component(_Part):
    """One row of index-766 §2."""

    id: str
    code: str
    group: str
    name: str
    max: Points
    award: Award
    population: str
    numerator: str
    denominator: str
    zero: ZeroRule
    feed: Feed

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.feed is Feed.WAREHOUSE:
            allowed = COUNTED.get(self.id, frozenset())
            if self.population not in allowed:
                raise ValueError(
                    f"component {self.id} can't be counted over {self.population!r}; possible: {sorted(allowed)}"
                )
        if (self.feed is Feed.CONSTANT) != (self.award.kind is AwardKind.CONSTANT):
            raise ValueError("feed `constant` and award `constant` go together")
        if (self.max == 0) != (self.award.kind is AwardKind.NONE):
            raise ValueError("a component is worth points exactly when it has an award")
        return self

    @property
    def has_data(self) -> bool:
        return self.feed is not Feed.NONE


class Band(_Part):
    """`start` is the lowest percentage of the band; `colour` is RRGGBB."""

    name: str
    start: Annotated[Decimal, Field(ge=0, le=100, alias="from")]
    colour: Annotated[str, Field(pattern=r"^[0-9A-F]{6}$")]


class Choices(_Part):
    """The open choices of index-766 §4 and §5."""

    compare_due_by: CompareBy
    provisional_end: ProvisionalEnd
    without_due_and_term: Unknown
    sync_without_report: SyncWithoutReport
    result_denominator: ResultDenominator
    population_databases: tuple[str, ...]
    citizen_subjects: tuple[str, ...]
    holidays: tuple[date, ...]
    term_units: dict[str, TermUnit]


class Definition(_Part):
    """A whole index. `hash` identifies its content; comments and layout of the file don't matter."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    version: Annotated[int, Field(ge=1)]
    title: str
    legal_base: str
    decimals: Annotated[int, Field(ge=0, le=2)]
    groups: tuple[Group, ...]
    components: tuple[Component, ...]
    bands: tuple[Band, ...]
    choices: Choices

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        codes = [group.code for group in self.groups]
        for what, values in (
            ("group", codes),
            ("component id", [component.id for component in self.components]),
            ("component code", [component.code for component in self.components]),
        ):
            twice = {value for value in values if values.count(value) > 1}
            if twice:
                raise ValueError(f"{what} given twice: {', '.join(sorted(twice))}")
        for component in self.components:
            if component.group not in codes:
                raise ValueError(f"component {component.id} names the unknown group {component.group}")
        for group in self.groups:
            total = sum((component.max for component in self.of_group(group.code)), Decimal(0))
            if total != group.max:
                raise ValueError(f"components of group {group.code} sum to {total}, its maximum is {group.max}")
        if sum(group.max for group in self.groups) != 100:
            raise ValueError("the maxima of the groups don't sum to 100")
        starts = [band.start for band in self.bands]
        if not starts or starts != sorted(set(starts), reverse=True) or starts[-1] != 0:
            raise ValueError("bands go from the highest to the one that starts at 0")
        return self

    def of_group(self, code: str) -> tuple[Component, ...]:
        return tuple(component for component in self.components if component.group == code)

    def component(self, component_id: str) -> Component:
        return next(component for component in self.components if component.id == component_id)

    def canonical_json(self) -> str:
        return json.dumps(self.model_dump(mode="json", by_alias=True), ensure_ascii=False, sort_keys=True)

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the canonical content, hexadecimal."""
        return hashlib.sha256(self.canonical_json().encode()).hexdigest()


def load_definition(path: Path | str) -> Definition:
    """Read and check a definition. ContractError names the file, and each wrong key with its line."""
    return load(Path(path), Definition)
