"""What a batch says beside its dossiers: words nobody has a code for, and how many dossiers were set aside as gone.

iGate's list tells nothing about services.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pyarrow as pa
from pydantic_core import from_json

from lienthong.landing import LandedBatch
from lienthong.model.capabilities import Capability
from lienthong.model.identifiers import base_procedure_code
from lienthong.model.kinds.dossier import Entity
from lienthong.sources.capabilities import capabilities_of
from lienthong.sources.contract import SourceContract
from lienthong.sources.igate.canonical import ROWS
from lienthong.sources.igate.json_paths import find, word
from lienthong.sources.igate.land import GONE, LOST
from lienthong.sources.igate.mapping import ENTITY_TABLES, SET_ASIDE, paths_of
from lienthong.sources.profile import UnmappedCode, unmapped

#: kind of code, path of its words, whether a word is known.
_Kind = tuple[str, str, Callable[[str], bool]]


def capabilities(contract: SourceContract) -> frozenset[Capability]:
    """See `system.capabilities`: fields with a path, the profile's or the contract's; never services."""
    filled = [(entity, field) for entity in contract.dossier.entities for field in paths_of(contract, entity)]
    return capabilities_of(contract.dossier.entities, filled, tells_services=False)


def services() -> pa.Table:
    """See `system.services`: none, the search doesn't say who offers what."""
    columns = {"agency_code": pa.string(), "procedure_code": pa.string(), "online_level": pa.int16()}
    return pa.table({name: pa.array([], kind) for name, kind in columns.items()})


def unmapped_codes(contract: SourceContract, batch: LandedBatch) -> list[UnmappedCode]:
    """See `system.unmapped_codes`. Empty words are the gate's business, not the contract's.

    Beside the words: (set_aside, gone) counts dossiers of the list that are not loaded, as the server had no papers;
    (set_aside, lost) those that the batch before had and no list shows any more.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for entity in contract.dossier.entities:
        for kind, found in words(contract, batch, entity):
            counts[(kind, found)] += 1
    if SET_ASIDE in batch.manifest.tables:
        for _, _, raw in batch.batches(SET_ASIDE, ["why"]):
            counts.update((SET_ASIDE, why) for why in raw["why"].to_pylist() if why in (GONE, LOST))
    return unmapped(counts)


def words(contract: SourceContract, batch: LandedBatch, entity: Entity) -> Iterator[tuple[str, str]]:
    """(kind, word) of every word of an entity's rows that has no code."""
    table, kinds = ENTITY_TABLES[entity], _kinds(contract, entity)
    if table not in batch.manifest.tables or not kinds:
        return
    split = [(kind, tuple(path.split(".")), known) for kind, path, known in kinds]
    for _, _, raw in batch.batches(table, ["item"], rows=ROWS):
        for text in raw.column(0).to_pylist():
            item = from_json(str(text))
            for kind, path, known in split:
                found = (word(find(item, path)) or "").strip()
                if found and not known(found):
                    yield kind, found


def _kinds(contract: SourceContract, entity: Entity) -> list[_Kind]:
    codes, paths = contract.dossier.codes, paths_of(contract, entity)
    if entity is Entity.STEP:
        return [("step", paths["status_raw"], codes.step.__contains__)]
    if entity is Entity.DOCUMENT:
        return [("document_role", "role", codes.document_role.__contains__)]
    if entity is Entity.FEE:
        return []  # paid by the method of the dossier
    methods = codes.return_method
    return [
        ("status", paths["status_raw"], {*codes.status, *codes.removed}.__contains__),
        ("procedure", paths["procedure_code_raw"], lambda code: base_procedure_code(code) is not None),
        ("channel", paths["channel"], codes.channel.__contains__),
        ("subject", paths["subject_type"], codes.subject.__contains__),
        ("return_method", paths["return_method"], lambda key: key in methods or "other" in methods),
        ("payment_method", paths["online_payment"], codes.payment_method.__contains__),
    ]  # fmt: skip


def gone_keys(batch: LandedBatch) -> list[str]:
    """Their keys: the list shows them, so they are at their source."""
    if SET_ASIDE not in batch.manifest.tables:
        return []
    return [
        key
        for _, _, raw in batch.batches(SET_ASIDE, ["id", "why"])
        for key, why in zip(raw["id"].to_pylist(), raw["why"].to_pylist(), strict=True)
        if why == GONE and key is not None
    ]
