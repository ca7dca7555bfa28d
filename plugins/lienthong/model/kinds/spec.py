"""What a kind of record is made of. A kind is data: nothing outside its specification asks for its name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


class ValueType(StrEnum):
    """Types of canonical values. INSTANT is a timestamptz with microseconds; nothing is naive."""

    TEXT = "text"
    SMALLINT = "smallint"
    BIGINT = "bigint"
    BOOLEAN = "boolean"
    INSTANT = "timestamptz"
    TEXTS = "text[]"


@dataclass(frozen=True)
class Field:
    """One canonical value. `personal` values never leave landing, staging, person tables and the payload in flight.

    `wire`: its name in the exchange with the portal. `hashed`: whether a change of the value is a change of the record.
    `stored`: whether the warehouse keeps it; else it serves the gate only, as `was_not_nfc` does: the source sent
    decomposed Unicode, which is normalised by then.
    """

    name: str
    type: ValueType
    wire: str | None = None
    personal: bool = False
    hashed: bool = True
    stored: bool = True


@dataclass(frozen=True)
class EntitySpec:
    """All fields of one entity, in column order. No two kinds share a name of an entity: staging has a table each.

    `title_vi`: what officials call such a row.
    """

    entity: str
    title_vi: str
    fields: tuple[Field, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    @cached_property
    def hashed_names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields if field.hashed)

    @cached_property
    def personal_names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields if field.personal)

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)


@dataclass(frozen=True)
class Belief:
    """Statements by hand, below include/sql, for a kind of which several records can be one thing.

    In the order of a merge: `resolve` gives each verdict its thing; `release` and `believe` stand around the writing of
    records; `speak` chooses again who speaks, when precedences changed; `settle` ends every merge. `reasons`: what they
    block a record for, besides the gate.
    """

    resolve: tuple[str, ...] = ()
    release: tuple[str, ...] = ()
    believe: tuple[str, ...] = ()
    speak: tuple[str, ...] = ()
    settle: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class KindSpec:
    """One kind of record: a root entity with its children, which are judged and versioned together.

    `name`: also its schema in the warehouse and its section in a contract. `record`: name of the table of believed
    roots. `arrived`: the fields that say when it came in, the first that has a value counts; volumes are counted by
    that day. `agency`: the field with the agency it counts for. `thing`: the column by which a record points at what it
    is a record of (uuid), None where a record is the thing itself.
    `recipe`: number of the record hash; raise it whenever the hashed columns or their encoding change: hashes of
    different recipes are never compared. `catalogued`: the field with a procedure of the national catalogue: a record
    is judged again when that procedure changed; None where no rule rests on the catalogue. `code`: the field by which
    people know a record; it holds no personal data.
    """

    name: str
    root: EntitySpec
    children: tuple[EntitySpec, ...]
    arrived: tuple[str, ...]
    agency: str
    recipe: int
    code: str
    record: str = "source_record"
    thing: str | None = None
    catalogued: str | None = None
    belief: Belief = Belief()

    @property
    def title_vi(self) -> str:
        """What officials call such a record."""
        return self.root.title_vi

    @cached_property
    def entities(self) -> tuple[EntitySpec, ...]:
        """The root, then its children."""
        return (self.root, *self.children)

    @cached_property
    def entity_names(self) -> tuple[str, ...]:
        return tuple(spec.entity for spec in self.entities)

    def entity(self, name: str) -> EntitySpec:
        """KeyError for an entity that the kind does not have."""
        for spec in self.entities:
            if spec.entity == name:
                return spec
        raise KeyError(name)
