"""From the fields that a profile fills under a contract to what the source can tell."""

from __future__ import annotations

from collections.abc import Iterable

from lienthong.model.capabilities import Capability
from lienthong.model.kinds.dossier import Entity

#: One of ours, by entity.
Filled = tuple[str, str]

#: Capability → sets of fields; one whole set is enough.
_RESTS_ON: dict[Capability, tuple[frozenset[Filled], ...]] = {
    Capability.ONLINE_PAYMENT: (frozenset({(Entity.DOSSIER, "online_payment")}),),
    Capability.REUSE: (
        frozenset({(Entity.DOSSIER, "has_digitised_component")}),
        frozenset({(Entity.DOCUMENT, "digitised"), (Entity.DOCUMENT, "from_citizen_store")}),
    ),
    Capability.CITIZEN_STORE: (frozenset({(Entity.DOCUMENT, "from_citizen_store")}),),
    Capability.CITIZEN_DATA: (
        frozenset({(Entity.DOSSIER, "vneid_verified")}),
        frozenset({(Entity.DOSSIER, "database_codes")}),
        frozenset({(Entity.DOCUMENT, "from_citizen_store")}),
    ),
}


def capabilities_of(
    entities: Iterable[str], filled: Iterable[Filled], *, tells_services: bool
) -> frozenset[Capability]:
    """What can be told by a source of which `entities` are read and `filled` fields of them are known."""
    read = frozenset(entities)
    known = frozenset(field for field in filled if field[0] in read)
    found = {capability for capability, ways in _RESTS_ON.items() if any(way <= known for way in ways)}
    if tells_services:
        found.add(Capability.SERVICES)
    if Entity.DOCUMENT in read:
        found.add(Capability.DOCUMENTS)
    if Entity.FEE in read:
        found.add(Capability.FEES)
    return frozenset(found)
