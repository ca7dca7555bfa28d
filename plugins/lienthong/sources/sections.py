"""The section that a contract has for its kind of record: code maps, fields, and whether its records are sent.

A kind's section is registered below by the kind's name. Light to import, as contracts are.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from lienthong.model.codes import HistoryPolicy, PetitionClass, PetitionStatus, Satisfaction, SourceMode
from lienthong.model.kinds.dossier import DOSSIER, DOSSIER_KIND, Entity
from lienthong.model.kinds.petition import PETITION_KIND
from lienthong.model.kinds.rating import RATING_KIND
from lienthong.model.kinds.spec import KindSpec, ValueType
from lienthong.sources.contract_parts import Section
from lienthong.sources.contract_problems import did_you_mean

ID = r"^[a-z][a-z0-9_]{0,62}$"

#: A word of the source, by which it is looked up.
_Path = Annotated[str, Field(pattern=r"^[A-Za-z0-9_$-]+(\.[A-Za-z0-9_$-]+)*$")]
#: Entity → canonical field → dotted path of its value in what the source answers.
FieldPaths = dict[str, dict[str, _Path]]
#: Entity → JSON column → JSON key → canonical field.
Extensions = dict[Entity, dict[str, dict[str, str]]]

_DossierStatus = Annotated[int, Field(ge=1, le=10)]
_PetitionStatus = Annotated[int, Field(ge=min(PetitionStatus), le=max(PetitionStatus))]


@dataclass(frozen=True)
class Delivery:
    """How the records of a source go to the national portal.

    `account`: the connection of the portal's account. `history`: what the first push in mode `own` does with old
    records that were never adopted. `precedence`: of several sources that hold the same thing, the lowest speaks.
    `sent_by`: who sends them instead of the tenant, and `covers` the procedures of which the tenant sends nothing.
    """

    account: str
    mode: SourceMode
    history: HistoryPolicy
    precedence: int
    sent_by: str | None = None
    covers: tuple[str, ...] = ()


class KindSection(Section):
    """What every kind's section has.

    `entities`: what is read; the kind's root always is. `fields`: where the source keeps our fields, where that differs
    from what its profile expects. `ignore`: table → columns that are deliberately not read (`*`: a reference table that
    this system doesn't have).
    """

    kind: ClassVar[KindSpec]
    #: Keys that decide neither what is read nor how it is understood.
    not_hashed: ClassVar[frozenset[str]] = frozenset()

    entities: tuple[str, ...]
    codes: Section
    fields: FieldPaths = Field(default_factory=dict)
    ignore: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @field_validator("entities")
    @classmethod
    def _whole(cls, entities: tuple[str, ...]) -> tuple[str, ...]:
        for name in entities:
            cls._known_entity(name)
        root = cls.kind.root.entity
        if root not in entities or len(set(entities)) != len(entities):
            raise ValueError(f"'{root}' must be there, and each entity once")
        return entities

    @field_validator("fields")
    @classmethod
    def _known_targets(cls, paths: FieldPaths) -> FieldPaths:
        for entity, fields in paths.items():
            for field in fields:
                cls._known_field(entity, field)
        return paths

    @classmethod
    def _known_entity(cls, name: str) -> None:
        known = cls.kind.entity_names
        if name not in known:
            near = did_you_mean(name, known)
            raise ValueError(f"a {cls.kind.name} has no entity {name!r}{near}; it is one of {', '.join(known)}")

    @classmethod
    def _known_field(cls, entity: str, field: str) -> None:
        cls._known_entity(entity)
        names = cls.kind.entity(entity).names
        if field not in names:
            raise ValueError(f"a {entity} has no field {field!r}{did_you_mean(field, names)}")

    def more_columns(self, entity: str) -> tuple[str, ...]:
        """Columns of an entity's table that only this contract knows."""
        return ()

    @property
    def delivery(self) -> Delivery | None:
        """How its records are sent; None for a kind that is not sent."""
        return None

    @property
    def removed(self) -> tuple[str, ...]:
        """How the status of a record reads that was deleted at the source."""
        return ()

    @property
    def refers_to(self) -> tuple[str, ...]:
        """Other sources whose records this one's point at."""
        return ()


def _pairs(words: dict[str, int]) -> dict[str, int]:
    for word in words:
        status, slash, sub = word.partition("/")
        if not (status and slash and sub):
            raise ValueError(f"write the status before the sub-status: <status>/{sub or word}")
    return words


class DossierCodes(Section):
    """The source's words → the exchange's codes (portal-exchange §4). A word that is missing is a finding.

    `status`, `substatus`, `step` → TrangThaiHoSo (the sub-status wins); `channel` → KenhThucHien; `subject` →
    LoaiDoiTuong; `return_method` → HinhThuc; `payment_method` → DuocThanhToanTrucTuyen; `paid`: payment states that
    mean "paid"; `document_role`: component or result. In return_method and document_role `other` stands for the rest.
    `substatus` is keyed `status/sub-status`: what a sub-status means depends on the status beside it.
    `removed`: words of `status` that mean "deleted at the source": known, but no status of the portal's, so never sent.
    `originality` (OpenCPS): which dossiers are live, which are removed (in the bin) and which are left out of OpenCPS'
    own lists (groups); the latter two are stored without a status, as `removed` is. Empty: every dossier is live.
    """

    status: dict[str, _DossierStatus]
    substatus: Annotated[dict[str, _DossierStatus], AfterValidator(_pairs)] = Field(default_factory=dict)
    step: dict[str, _DossierStatus]
    channel: dict[str, Annotated[int, Field(ge=1, le=3)]]
    subject: dict[str, Annotated[int, Field(ge=1, le=4)]]
    return_method: dict[str, Annotated[int, Field(ge=0, le=1)]]
    payment_method: dict[str, Annotated[int, Field(ge=0, le=2)]]
    paid: tuple[str, ...]
    document_role: dict[str, Literal["component", "result"]]
    removed: tuple[str, ...] = ()
    # Left out of hashes where it says nothing: contracts that are silent about it mean what they meant.
    originality: Annotated[
        dict[str, Literal["live", "removed", "left_out"]], Field(exclude_if=lambda said: not said)
    ] = Field(default_factory=dict)

    @property
    def binned(self) -> tuple[str, ...]:
        """How the status word of a dossier in the bin ends: `originality -1`."""
        return tuple(f"originality {word}" for word, meaning in self.originality.items() if meaning == "removed")


class SentBy(Section):
    """Who sends the dossiers of a source to the portal instead of its tenant (docs/adr/0017).

    `sender`: identifier of the ministry. `procedures`: national base codes of what it sends: of these no source of the
    tenant sends anything. `compare`: which of our fields this source tells, and so can say otherwise than the tenant.
    """

    sender: Annotated[str, Field(pattern=r"^[A-Z]\d{2}$")]
    procedures: Annotated[
        tuple[Annotated[str, Field(pattern=r"^\d\.\d{6}$")], ...],
        Field(min_length=1),
    ]
    compare: tuple[Literal["status", "received_at", "due_at", "finished_at", "returned_at", "refused_at"], ...]


class DossierSection(KindSection):
    """A source of dossiers, which go to the portal.

    `history`: what the first push in mode `own` does with old dossiers that were never adopted (docs/cutting-over.md).
    `precedence`: when several sources hold the same dossier, the lowest number speaks for it. `extensions`: entity →
    JSON column → JSON key → canonical field. `volatile_query`: URL parameters that change without meaning. `constants`:
    our field → what every dossier of the source has there, where the source doesn't say. `sent_by`: there when somebody
    else sends these dossiers; the source is then only observed.
    """

    kind: ClassVar[KindSpec] = DOSSIER_KIND
    not_hashed: ClassVar[frozenset[str]] = frozenset({"history", "sent_by"})

    portal_connection: Annotated[str, Field(pattern=ID)]
    mode: SourceMode
    history: HistoryPolicy = HistoryPolicy.REFUSE
    precedence: Annotated[int, Field(ge=1)]
    entities: tuple[Entity, ...]
    codes: DossierCodes
    extensions: Extensions = Field(default_factory=dict)
    volatile_query: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    # Left out of hashes where it says nothing, as `originality` is.
    constants: Annotated[dict[str, str], Field(exclude_if=lambda said: not said)] = Field(default_factory=dict)
    sent_by: SentBy | None = None

    @field_validator("constants")
    @classmethod
    def _known_texts(cls, constants: dict[str, str]) -> dict[str, str]:
        for field in constants:
            cls._known_field(DOSSIER.entity, field)
            if DOSSIER.field(field).type is not ValueType.TEXT or DOSSIER.field(field).personal:
                raise ValueError(f"{field!r} of a dossier is no text that all dossiers could have in common")
        return constants

    @field_validator("sent_by")
    @classmethod
    def _one_sender(cls, sent_by: SentBy | None, info: ValidationInfo) -> SentBy | None:
        if sent_by and info.data.get("mode", SourceMode.OBSERVE) is not SourceMode.OBSERVE:
            raise ValueError(f"{sent_by.sender} sends these dossiers, so mode must be observe: never two senders")
        return sent_by

    @field_validator("extensions")
    @classmethod
    def _filled_once(cls, extensions: Extensions) -> Extensions:
        for entity, columns in extensions.items():
            fields = [field for keys in columns.values() for field in keys.values()]
            for field in fields:
                cls._known_field(entity, field)
                if fields.count(field) > 1:
                    raise ValueError(f"field {field!r} of a {entity} is filled twice")
        return extensions

    def more_columns(self, entity: str) -> tuple[str, ...]:
        return tuple(self.extensions.get(Entity(entity), {}))

    @property
    def delivery(self) -> Delivery:
        sender, covers = (self.sent_by.sender, self.sent_by.procedures) if self.sent_by else (None, ())
        return Delivery(self.portal_connection, self.mode, self.history, self.precedence, sender, covers)

    @property
    def removed(self) -> tuple[str, ...]:
        return (*self.codes.removed, *self.codes.binned)


class PetitionCodes(Section):
    """The source's words → ours. A word that is missing is a finding.

    `classification` → PetitionClass; `status` and `step` → PetitionStatus; `complained_again`: words that mean that the
    sender complained again; `removed`: words of `status` that mean "deleted at the source".
    """

    classification: dict[str, Annotated[int, Field(ge=min(PetitionClass), le=max(PetitionClass))]]
    status: dict[str, _PetitionStatus]
    step: dict[str, _PetitionStatus] = Field(default_factory=dict)
    complained_again: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class PetitionSection(KindSection):
    """A source of petitions."""

    kind: ClassVar[KindSpec] = PETITION_KIND

    entities: tuple[str, ...] = PETITION_KIND.entity_names
    codes: PetitionCodes

    @property
    def removed(self) -> tuple[str, ...]:
        return self.codes.removed


class RatingCodes(Section):
    """The source's words → ours. A word that is missing is a finding.

    `satisfaction` → Satisfaction; `mark`: words of a criterion's mark → 0, 1 or 2 (Nghị định 61/2018).
    """

    satisfaction: dict[str, Annotated[int, Field(ge=min(Satisfaction), le=max(Satisfaction))]]
    mark: dict[str, Annotated[int, Field(ge=0, le=2)]] = Field(default_factory=dict)


class RatingSection(KindSection):
    """A source of ratings. `dossiers_of`: the source of dossiers to whose keys its ratings point, if they do."""

    kind: ClassVar[KindSpec] = RATING_KIND

    entities: tuple[str, ...] = RATING_KIND.entity_names
    codes: RatingCodes
    dossiers_of: Annotated[str, Field(pattern=ID)] | None = None

    @property
    def refers_to(self) -> tuple[str, ...]:
        return (self.dossiers_of,) if self.dossiers_of else ()


#: Name of a kind, which is also the key in the contract → its section.
SECTIONS: dict[str, type[KindSection]] = {
    section.kind.name: section for section in (DossierSection, PetitionSection, RatingSection)
}


def section_of(value: Any) -> KindSection:
    """The section of a (kind, content) pair as JSON has it; a section stays itself. pydantic's ValidationError."""
    if isinstance(value, KindSection):
        return value
    kind, content = value
    return SECTIONS[kind].model_validate_json(json.dumps(content))
