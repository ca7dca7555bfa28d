"""A source contract: everything about one source that is not code. One YAML file in include/sources.

A source is one kind of record of one system: a contract is an envelope and one section, named after its kind.
Light to import (pydantic and PyYAML only): DAG files read contracts.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, Field, PlainValidator, SerializeAsAny, ValidationError

from lienthong.model.errors import ContractError, DefectError
from lienthong.model.identifiers import normalise_agency_code
from lienthong.model.kinds.spec import KindSpec
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.sources.contract_parts import Duration, HttpLimits, ReadLimits, Section, VolumeGuard
from lienthong.sources.contract_problems import NEXT_STEP, Problem, did_you_mean, problem_of, refuse
from lienthong.sources.profiles import PROFILES
from lienthong.sources.sections import (
    ID,
    SECTIONS,
    DossierSection,
    KindSection,
    PetitionSection,
    RatingSection,
    section_of,
)
from lienthong.yaml_reader import MarkedYaml, MarkedYamlError, parse, read_text, why_unreadable

__all__ = [
    "Contracts",
    "SourceContract",
    "load_contract",
    "load_contract_beside_others",
    "load_contracts",
    "read_contracts",
]

#: Ticks of `full` that are compared with the hours of reading.
_TICKS_LOOKED_AT = 8

S = TypeVar("S", bound=KindSection)


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


class SourceContract(Section):
    """One source: one kind of record of one system, of one tenant.

    `full`: cron of the loads that read everything, besides `schedule`; None: only by hand. `overlap`: how far behind
    the watermark each incremental load reads again. `section`: what belongs to its kind; in the file it stands below
    the kind's name.
    """

    source_id: Annotated[str, Field(pattern=ID)]
    title: Annotated[str, Field(min_length=1)]
    profile: Annotated[str, AfterValidator(_known_profile)]
    connection: Annotated[str, Field(pattern=ID)]
    tenant: Annotated[str, Field(pattern=r"^[A-Z]\d{2}$")]
    agency: Annotated[str, AfterValidator(_normal_agency)]
    time_zone: Annotated[str, AfterValidator(_known_zone)]
    schedule: Annotated[str, AfterValidator(_valid_cron)]
    full: Annotated[str, AfterValidator(_valid_cron)] | None = None
    overlap: Annotated[Duration, AfterValidator(_long_enough)]
    read: ReadLimits = ReadLimits()
    http: HttpLimits = HttpLimits()
    volume_guard: VolumeGuard = VolumeGuard()
    section: Annotated[SerializeAsAny[KindSection], PlainValidator(section_of)]

    @property
    def kind(self) -> KindSpec:
        return self.section.kind

    @property
    def dossier(self) -> DossierSection:
        """DefectError in a contract of another kind, as with the others."""
        return self.section_as(DossierSection)

    @property
    def petition(self) -> PetitionSection:
        return self.section_as(PetitionSection)

    @property
    def rating(self) -> RatingSection:
        return self.section_as(RatingSection)

    def section_as(self, kind: type[S]) -> S:
        """The section, which must be of this kind. DefectError: the code that asks serves another kind of record."""
        if not isinstance(self.section, kind):
            raise DefectError(
                f"Code for records of kind {kind.kind.name!r} was given a contract of kind {self.kind.name!r}.",
                source=self.source_id,
                key=kind.kind.name,
                next_step="report it as a defect; until then, give each kind the profile that serves it.",
            )
        return self.section

    def with_section(self, **changes: Any) -> SourceContract:
        """A copy with other values in its section; nothing is checked."""
        return self.model_copy(update={"section": self.section.model_copy(update=changes)})

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def contract_hash(self) -> str:
        """SHA-256 (hex) of everything that decides what is read and how it is understood."""
        envelope = self.model_dump(mode="json", exclude={"title", "schedule", "full", "section"})
        return digest(envelope | self.section.model_dump(mode="json", exclude=set(self.section.not_hashed)))


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
        raise refuse(path, sorted(_problems(error, parse(text)), key=lambda problem: problem[0])) from None
    if contract.source_id != path.stem:
        line = parse(text).line_of(("source_id",))
        raise refuse(path, [(line, f"source_id {contract.source_id!r} is not the name of the file, {path.stem!r}.")])
    if contract.full and not _may_read_at(contract.full, contract):
        raise refuse(path, [(parse(text).line_of(("full",)), "'full': begins outside read.hours.")])
    kind, read = contract.kind.name, PROFILES[contract.profile]
    if kind not in read:
        what = f"profile {contract.profile!r} does not read records of kind {kind!r}; it reads: {', '.join(read)}."
        raise refuse(path, [(parse(text).line_of(("profile",)), what)])
    for other in contract.section.refers_to:
        if not path.with_name(f"{other}.yaml").exists():
            line = parse(text).line_of((kind,))
            raise refuse(path, [(line, f"'{kind}' names source {other!r}, which has no contract.")])
    return contract


@lru_cache(maxsize=1024)
def _understood(text: str) -> SourceContract:
    """A contract as it is written. Each step of a load reads all contracts of the folder, and parsing is what costs."""
    marked = parse(text)
    kind = _kind_of(marked)
    envelope = {key: value for key, value in marked.data.items() if key != kind}
    return SourceContract.model_validate_json(json.dumps({**envelope, "section": [kind, marked.data[kind]]}))


def _kind_of(marked: MarkedYaml) -> str:
    """The kind whose section is there. MarkedYamlError when there is none, or more than one."""
    if not isinstance(marked.data, dict):
        raise MarkedYamlError(1, "is not a contract: it has no keys.")
    there = [key for key in marked.data if key in SECTIONS]
    if len(there) > 1:
        named = " and ".join(f"`{key}:`" for key in there)
        what = f"has {named}: each kind has a contract of its own; they may share the connection."
        raise MarkedYamlError(marked.line_of((there[1],)), what)
    if "section" in marked.data:
        raise MarkedYamlError(marked.line_of(("section",)), "unknown key 'section'; a section is named after its kind.")
    if not there:
        raise MarkedYamlError(*_no_section(marked))
    return str(there[0])


def _no_section(marked: MarkedYaml) -> Problem:
    """What a contract without a section lacks. Before sections came, their keys stood beside the envelope's."""
    stray = {
        kind: [key for key in marked.data if key in section.model_fields and key not in SourceContract.model_fields]
        for kind, section in SECTIONS.items()
    }
    kind = max(stray, key=lambda kind: len(stray[kind]))
    if stray[kind]:
        what = f"the keys {', '.join(stray[kind])} belong below `{kind}:`; write that line and indent them under it."
        return marked.line_of((stray[kind][0],)), what
    named = ", ".join(f"`{kind}:`" for kind in SECTIONS)
    unknown = [key for key in marked.data if key not in SourceContract.model_fields]
    near = next(((key, hint) for key in unknown if (hint := did_you_mean(key, SECTIONS))), ("", ""))
    return marked.line_of(
        (near[0],)
    ), f"has no section of a kind{near[1]}; write one of {named} with what belongs to it."


def _problems(error: ValidationError, marked: MarkedYaml) -> list[Problem]:
    kind = _kind_of(marked)
    section = SECTIONS[kind]
    found = []
    for detail in error.errors(include_url=False):
        place = detail["loc"]
        if place[:1] == ("section",):
            found.append(problem_of({**detail, "loc": place[1:]}, marked, section, (kind,)))
        elif detail["type"] == "extra_forbidden" and place[0] in section.model_fields:
            line = marked.line_of((str(place[0]),))
            found.append((line, f"key {str(place[0])!r} belongs below `{kind}:`."))
        else:
            found.append(problem_of(detail, marked, SourceContract))
    return found


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
    """Two sources may serve one tenant, but never as equals, nor one kind through one connection, nor two portals."""
    sent = contract.section.delivery
    for other in others.values():
        theirs = other.section.delivery
        if other.connection == contract.connection and other.kind is contract.kind:
            what = f"connection {contract.connection!r} is already the connection of source {other.source_id!r}."
        elif other.connection == contract.connection and other.tenant != contract.tenant:
            what = f"connection {contract.connection!r} already belongs to {other.tenant} ({other.source_id!r})."
        elif other.tenant != contract.tenant or sent is None or theirs is None:
            continue
        elif theirs.precedence == sent.precedence:
            what = (
                f"tenant {contract.tenant} has two sources of precedence {sent.precedence}: "
                f"{other.source_id!r} and this one."
            )
        elif theirs.account != sent.account:
            what = f"tenant {contract.tenant} already sends through {theirs.account!r} ({other.source_id!r})."
        elif (theirs.sent_by is None) != (sent.sent_by is None) and (
            (theirs.precedence < sent.precedence) != (theirs.sent_by is not None)
        ):
            ministry, own = (other, contract) if theirs.sent_by else (contract, other)
            what = (
                f"source {ministry.source_id!r} is sent by a ministry and must speak before {own.source_id!r}: "
                "give it the lower precedence."
            )
        elif set(theirs.covers) & set(sent.covers):
            twice = ", ".join(sorted(set(theirs.covers) & set(sent.covers)))
            what = f"procedure {twice} is already covered by source {other.source_id!r}."
        else:
            continue
        raise refuse(path, [(1, what)])
