"""The kinds of records that fit: add one by its specification here, `make sql`, a migration and its suites."""

from __future__ import annotations

from lienthong.model.kinds.dossier import DOSSIER_KIND
from lienthong.model.kinds.petition import PETITION_KIND
from lienthong.model.kinds.rating import RATING_KIND
from lienthong.model.kinds.spec import Belief, EntitySpec, Field, KindSpec, ValueType

__all__ = ["ENTITIES", "KINDS", "Belief", "EntitySpec", "Field", "KindSpec", "ValueType", "kind_of_entity"]

KINDS: dict[str, KindSpec] = {kind.name: kind for kind in (DOSSIER_KIND, PETITION_KIND, RATING_KIND)}
#: Entity of any kind → its specification.
ENTITIES: dict[str, EntitySpec] = {spec.entity: spec for kind in KINDS.values() for spec in kind.entities}


def kind_of_entity(entity: str) -> KindSpec:
    """The kind that an entity belongs to. KeyError for an unknown one."""
    return _KIND_OF[entity]


_KIND_OF = {spec.entity: kind for kind in KINDS.values() for spec in kind.entities}
