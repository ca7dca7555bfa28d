"""A source contract: everything about one source system that is not code. One YAML file in include/sources.

Light to import (pydantic and PyYAML only): DAG files read contracts.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, Field, ValidationError

from lienthong.model.codes import HistoryPolicy, SourceMode
from lienthong.model.errors import ContractError
from lienthong.model.identifiers import normalise_agency_code
from lienthong.model.kinds.dossier import SPECS, Entity
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.sources.contract_parts import Codes, Duration, HttpLimits, ReadLimits, Section, VolumeGuard
from lienthong.sources.contract_problems import NEXT_STEP, did_you_mean, problem_of, refuse
from lienthong.sources.profiles import PROFILES
from lienthong.yaml_reader import MarkedYamlError, parse, read_text, why_unreadable

__all__ = [
    "Codes",
    "Contracts",
    "SourceContract",
    "load_contract",
    "load_contract_beside_others",
    "load_contracts",
    "read_contracts",
]

#: Entity → JSON column → JSON key → canonical field.
Extensions = dict[Entity, dict[str, dict[str, str]]]

#: Entity → canonical field → dotted path of its value in what the source answers.
FieldPaths = dict[Entity, dict[str, Annotated[str, Field(pattern=r"^[A-Za-z0-9_$-]+(\.[A-Za-z0-9_$-]+)*$")]]]

#: Ticks of `full` that are compared with the hours of reading.
_TICKS_LOOKED_AT = 8

_ID = r"^[a-z][a-z0-9_]{0,62}$"


def _known_profile(name: str) -> str:
    if name not in PROFILES:
        raise ValueError(f"unknown profile{did_you_mean(name, PROFILES)}; known: {', '.join(sorted(PROFILES))}")
    return name


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"unknown time zone{did_you_mean(name, available_timezones())}") from None
    return name


def _valid_cron(text: str) -> str:
    from croniter import croniter  # type: ignore[import-untyped]

    if not croniter.is_valid(text):
        raise ValueError("not a cron expression (minute hour day month weekday, e.g. '*/30 * * * *', or '@daily')")
    return text


def _normal_agency(code: str) -> str:
    normal = normalise_agency_code(code)
    if normal != code:
        raise ValueError(f"not the normal form of an agency code; write {normal}" if normal else "not an agency code")
    return code


def _long_enough(overlap: timedelta) -> timedelta:
    if overlap < timedelta(hours=2):
        raise ValueError("an overlap is at least 2h: what changes after a clock was an hour ahead is found in it")
    return overlap


def _whole_dossiers(entities: tuple[Entity, ...]) -> tuple[Entity, ...]:
    if Entity.DOSSIER not in entities or len(set(entities)) != len(entities):
        raise ValueError("'dossier' must be there, and each entity once")
    return entities


def _known_fields(extensions: Extensions) -> Extensions:
    for entity, columns in extensions.items():
        fields = [field for keys in columns.values() for field in keys.values()]
        for field in fields:
            if field not in SPECS[entity].names:
                raise ValueError(f"a {entity} has no field {field!r}{did_you_mean(field, SPECS[entity].names)}")
            if fields.count(field) > 1:
                raise ValueError(f"field {field!r} of a {entity} is filled twice")
    return extensions


def _known_targets(paths: FieldPaths) -> FieldPaths:
    for entity, fields in paths.items():
        for field in fields:
            if field not in SPECS[entity].names:
                raise ValueError(f"a {entity} has no field {field!r}{did_you_mean(field, SPECS[entity].names)}")
    return paths


class SourceContract(Section):
    """One source system of one tenant.

    `full`: cron of the loads that read everything, besides `schedule`; None: only by hand.
    `history`: what the first push in mode `own` does with old dossiers that were never adopted (docs/cutting-over.md).
    `precedence`: when several sources hold the same dossier, the lowest number speaks for it. `extensions`: entity →
    JSON column → JSON key → canonical field. `ignore`: table → columns that are deliberately not read (`*`: a reference
    table that this system doesn't have).
    `fields`: where a system that answers in JSON keeps our fields, where it differs from what its profile expects.
    `volatile_query`: URL parameters that change without meaning. `overlap`: how far behind the watermark each
    incremental load reads again.
    """

    source_id: Annotated[str, Field(pattern=_ID)]
    title: Annotated[str, Field(min_length=1)]
    profile: Annotated[str, AfterValidator(_known_profile)]
    connection: Annotated[str, Field(pattern=_ID)]
    tenant: Annotated[str, Field(pattern=r"^[A-Z]\d{2}$")]
    agency: Annotated[str, AfterValidator(_normal_agency)]
    portal_connection: Annotated[str, Field(pattern=_ID)]
    time_zone: Annotated[str, AfterValidator(_known_zone)]
    schedule: Annotated[str, AfterValidator(_valid_cron)]
    full: Annotated[str, AfterValidator(_valid_cron)] | None = None
    mode: SourceMode
    history: HistoryPolicy = HistoryPolicy.REFUSE
    precedence: Annotated[int, Field(ge=1)]
    entities: Annotated[tuple[Entity, ...], AfterValidator(_whole_dossiers)]
    codes: Codes
    extensions: Annotated[Extensions, AfterValidator(_known_fields)] = Field(default_factory=dict)
    fields: Annotated[FieldPaths, AfterValidator(_known_targets)] = Field(default_factory=dict)
    ignore: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    volatile_query: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    overlap: Annotated[Duration, AfterValidator(_long_enough)]
    read: ReadLimits = ReadLimits()
    http: HttpLimits = HttpLimits()
    volume_guard: VolumeGuard = VolumeGuard()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def contract_hash(self) -> str:
        """SHA-256 (hex) of everything that decides what is read and how it is understood."""
        return digest(self.model_dump(mode="json", exclude={"title", "schedule", "full", "history"}))


def digest(content: object) -> str:
    """SHA-256 (hex) of JSON-like content, independent of the order of keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True)
class Contracts:
    """All contracts of a folder: `valid` by source id, sorted; `errors`, one per file that can't be used."""

    valid: dict[str, SourceContract]
    errors: list[ContractError]


def load_contract(path: Path) -> SourceContract:
    """The contract in `path`; its stem must be the source id. ContractError names file, lines and keys, whatever the
    file holds: nothing in one contract keeps others from being read.
    """
    try:
        return _read(path)
    except ContractError:
        raise
    except Exception as error:
        raise refuse(path, [(1, f"can't be understood ({type(error).__name__}).")]) from None


def _read(path: Path) -> SourceContract:
    try:
        text = read_text(path)
        contract = _understood(text)
    except MarkedYamlError as error:
        raise refuse(path, [(error.line, error.what)]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise refuse(path, [(1, why_unreadable(error))]) from None
    except ValidationError as error:
        marked = parse(text)
        details: list[Any] = error.errors(include_url=False)
        problems = [problem_of(detail, marked, SourceContract) for detail in details]
        raise refuse(path, sorted(problems, key=lambda problem: problem[0])) from None
    if contract.source_id != path.stem:
        line = parse(text).line_of(("source_id",))
        raise refuse(path, [(line, f"source_id {contract.source_id!r} is not the name of the file, {path.stem!r}.")])
    if contract.full and not _may_read_at(contract.full, contract):
        raise refuse(path, [(parse(text).line_of(("full",)), "'full': begins outside read.hours.")])
    return contract


@lru_cache(maxsize=1024)
def _understood(text: str) -> SourceContract:
    """A contract as it is written. Each step of a load reads all contracts of the folder, and parsing is what costs."""
    return SourceContract.model_validate_json(json.dumps(parse(text).data))


def read_contracts(folder: Path) -> Contracts:
    """Read every contract of `folder`; a contract with an error does not hide the others."""
    valid: dict[str, SourceContract] = {}
    errors: list[ContractError] = []
    if not folder.is_dir():
        missing = f"The folder of source contracts, {folder}, does not exist."
        return Contracts({}, [ContractError(missing, next_step=NEXT_STEP)])
    for path in sorted(folder.iterdir()):
        if path.suffix == ".yml":
            errors.append(refuse(path, [(1, "ends in .yml; contracts end in .yaml.")]))
        if path.suffix != ".yaml":
            continue
        try:
            contract = load_contract(path)
            _refuse_clash(path, contract, valid)
            valid[contract.source_id] = contract
        except ContractError as error:
            errors.append(error)
    return Contracts(valid, errors)


def load_contract_beside_others(path: Path) -> SourceContract:
    """The contract in `path`, if it clashes with none of its folder. Errors of the others are not its own."""
    contract = load_contract(path)
    found = read_contracts(path.parent)
    if contract.source_id not in found.valid:
        # Of one name, x.yaml comes before a stray x.yml.
        raise next(error for error in found.errors if error.source == contract.source_id)
    return contract


def load_contracts(folder: Path) -> dict[str, SourceContract]:
    """All contracts of `folder` by source id, sorted. The first ContractError is raised."""
    contracts = read_contracts(folder)
    if contracts.errors:
        raise contracts.errors[0]
    return contracts.valid


def _may_read_at(cron: str, contract: SourceContract) -> bool:
    """Whether the source may be read at the ticks of a cron expression, by the next ones of them."""
    from croniter import croniter

    hours = contract.read.hours
    ticks = croniter(cron, datetime.now(BUSINESS_ZONE))
    return hours is None or all(
        hours.contains(ticks.get_next(datetime).astimezone(contract.zone).time()) for _ in range(_TICKS_LOOKED_AT)
    )


def _refuse_clash(path: Path, contract: SourceContract, others: dict[str, SourceContract]) -> None:
    """Two sources may serve one tenant, but never as equals, nor through one connection, nor to two portals."""
    for other in others.values():
        if other.connection == contract.connection:
            what = f"connection {contract.connection!r} is already the connection of source {other.source_id!r}."
        elif other.tenant != contract.tenant:
            continue
        elif other.precedence == contract.precedence:
            what = (
                f"tenant {contract.tenant} has two sources of precedence {contract.precedence}: "
                f"{other.source_id!r} and this one."
            )
        elif other.portal_connection != contract.portal_connection:
            what = f"tenant {contract.tenant} already sends through {other.portal_connection!r} ({other.source_id!r})."
        else:
            continue
        raise refuse(path, [(1, what)])
