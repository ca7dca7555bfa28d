"""What a contract for an OpenCPS database should say: its usual words, those found in the data, its JSON keys."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from lienthong.connections import Connection
from lienthong.landing import LandedBatch
from lienthong.model.errors import SchemaDriftError
from lienthong.model.kinds.dossier import Entity
from lienthong.sources.contract import SourceContract
from lienthong.sources.database import reading
from lienthong.sources.opencps.findings import unmapped_codes
from lienthong.sources.opencps.look import STATEMENT_TIMEOUT_S, limit_time
from lienthong.sources.opencps.lookups import rows_of
from lienthong.sources.opencps.sample import sample
from lienthong.sources.opencps.schema import ABSENT, FoundSchema, find
from lienthong.sources.opencps.tables import DOSSIER, ENTITY_TABLES, REFERENCE_TABLES
from lienthong.sources.profile import CodeWord, JsonKey, Proposal
from lienthong.sources.scaffold_sample import sampled
from lienthong.sources.sections import DossierCodes

#: Dossiers that words and keys are looked for in.
DOSSIERS = 2_000
KEYS_PER_COLUMN = 30

#: The words that OpenCPS itself has (portal-exchange §4.1–§4.5, §6.1). Steps are each province's own.
USUAL: Mapping[str, Mapping[str, int | str]] = {
    "status": {
        "receiving": 1, "new": 2, "denied": 3, "processing": 4, "waiting": 5, "paying": 6, "cancelled": 7,
        "unresolved": 8, "releasing": 9, "done": 10,
        "interoperating": 4, "pausing": 4, "correcting": 5, "cancelling": 7, "posting": 9,
    },
    "substatus": {},
    "step": {},
    "channel": {"direct": 1, "online": 2, "postal": 3},
    "subject": {"citizen": 1, "business": 2},
    "return_method": {"0": 0, "1": 0, "other": 1},
    "payment_method": {"KEYPAY": 2},
    "document_role": {"2": "result", "7": "component", "other": "component"},
    "originality": {
        "0": "live", "1": "live", "2": "live", "3": "live", "4": "live", "9": "left_out",
        "-1": "removed", "-2": "removed", "-3": "removed", "-4": "removed", "-9": "removed",
    },
}  # fmt: skip
PAID = ("3", "5")

_NO_MAPPING = "CHECK: no published mapping; ask the province"
#: Said beside a usual word whose code is a proposal.
NOTES: Mapping[tuple[str, str], str] = {
    **{("status", word): _NO_MAPPING for word in ("interoperating", "pausing", "correcting", "cancelling", "posting")},
    ("document_role", "7"): "CHECK: a group's output; OpenCPS' own client of the portal sends 2 only",
}

#: JSON columns worth looking into, and what their keys usually fill: the wire's own names.
JSON_COLUMNS: Mapping[Entity, Mapping[str, Mapping[str, str]]] = {
    Entity.DOSSIER: {
        "metaData": {
            "TaiKhoanDuocXacThucVoiVNeID": "vneid_verified",
            "HoSoCoThanhPhanSoHoa": "has_digitised_component",
            "DSKetNoiCSDL": "database_codes",
        }
    },
    Entity.DOCUMENT: {
        "formData": {
            "url": "url",
            "DuocSoHoa": "digitised",
            "DuocTaiSuDung": "reuse",
            "DuocLayTuKhoDMQG": "from_citizen_store",
        }
    },
}
VOLATILE_QUERY = ("t",)
READ = {"page_rows": 2000, "key_rows": 20000, "fetch_rows": 5000, "pause_ms": 0}
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,59}")


def propose(contract: SourceContract, connection: Connection) -> Proposal:
    """See `profile.Profile.propose`."""
    draft = contract.with_section(entities=tuple(ENTITY_TABLES), extensions=_extensions(ENTITY_TABLES))
    with reading(connection, contract.source_id, timeout_s=STATEMENT_TIMEOUT_S) as source:
        limit_time(source)
        found = find(source, draft)
    entities, absent, ignore = _what_is_not_there(draft, found)
    draft = draft.with_section(
        entities=entities,
        ignore={**ignore, **dict.fromkeys(absent, (ABSENT,))},
        extensions={
            entity: {column: keys for column, keys in columns.items() if column in _columns(found, entity)}
            for entity, columns in _extensions(entities).items()
        },
    )
    with sampled(sample, draft, connection, DOSSIERS) as batch:
        return Proposal(
            entities=entities,
            codes=_codes(draft, batch),
            paid=PAID,
            keys=_keys(draft, batch),
            absent=absent,
            ignore=ignore,
            unmapped=found.unmapped,
            volatile_query=VOLATILE_QUERY,
            looked_at=DOSSIERS,
            read=READ,
        )


def _extensions(entities: Iterable[Entity]) -> dict[Entity, dict[str, dict[str, str]]]:
    wanted = set(entities)
    return {
        entity: {column: dict(keys) for column, keys in columns.items()}
        for entity, columns in JSON_COLUMNS.items()
        if entity in wanted
    }


def _columns(found: FoundSchema, entity: Entity) -> set[str]:
    table = found.bound.get(ENTITY_TABLES[entity].name)
    return set(table.table.c.keys()) if table else set()


def _what_is_not_there(
    draft: SourceContract, found: FoundSchema
) -> tuple[tuple[Entity, ...], tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Entities that remain, reference tables that are absent, optional columns to ignore; SchemaDriftError."""
    lost = [what.split()[:2] for what in found.missing]
    tables = {name for kind, name in lost if kind == "table"}
    columns = [name.split(".", 1) for kind, name in lost if kind == "column"]
    required = {table.name: table.required for table in (*ENTITY_TABLES.values(), *REFERENCE_TABLES)}
    broken = [f"{table}.{column}" for table, column in columns if column in required[table]]
    if broken or DOSSIER.name in tables:
        raise SchemaDriftError(
            f"This is no OpenCPS v2 database as we know it; it lacks {', '.join(broken) or DOSSIER.name}.",
            next_step="check database and schema of the connection, or choose another profile.",
            source=draft.source_id,
            key=broken[0] if broken else DOSSIER.name,
        )
    json_columns = {column for columns_of in JSON_COLUMNS.values() for column in columns_of}
    ignore: dict[str, tuple[str, ...]] = {}
    for table, column in columns:
        if column not in json_columns:
            ignore[table] = (*ignore.get(table, ()), column)
    entities = tuple(entity for entity, table in ENTITY_TABLES.items() if table.name not in tables)
    return entities, tuple(table.name for table in REFERENCE_TABLES if table.name in tables), ignore


def _codes(draft: SourceContract, batch: LandedBatch) -> dict[str, tuple[CodeWord, ...]]:
    """Words by section of `codes`. With empty codes every word is unmapped, but for what the province's own tables map:
    of statuses and sub-statuses, those that the usual words leave open are told."""
    seen: dict[str, Counter[str]] = {kind: Counter() for kind in USUAL}
    for found in unmapped_codes(draft, batch):
        if found.kind in seen and found.kind not in ("status", "substatus", "originality"):
            seen[found.kind][found.word] += found.rows
    usual = DossierCodes.model_validate({**{kind: dict(words) for kind, words in USUAL.items()}, "paid": PAID})
    for found in unmapped_codes(draft.with_section(codes=usual), batch):
        status = found.word.partition("/")[0]
        if found.kind in ("status", "substatus"):
            seen[found.kind][status if found.kind == "status" else found.word] += found.rows
    words = Counter(word for (word,) in rows_of(batch, DOSSIER.name, "dossierStatus"))
    seen["status"].update({word: words[word] for word in USUAL["status"]})
    seen["originality"].update(word for (word,) in rows_of(batch, DOSSIER.name, "originality") if word)
    return {kind: _section(kind, words, seen[kind]) for kind, words in USUAL.items()}


def _section(kind: str, usual: Mapping[str, int | str], seen: Counter[str]) -> tuple[CodeWord, ...]:
    """The usual words in their order, then the others by frequency; where `other` stands for the rest, only usual, and
    its rows are those of all the rest."""
    rest = [(word, rows) for word, rows in seen.most_common() if word not in usual]
    if "other" in usual:
        seen = seen | Counter(other=sum(rows for _, rows in rest) + seen["other"])
        rest = []
    words = [CodeWord(word, seen[word], code, NOTES.get((kind, word), "")) for word, code in usual.items()]
    return (*words, *(CodeWord(word, rows, None) for word, rows in rest))


def _keys(draft: SourceContract, batch: LandedBatch) -> tuple[JsonKey, ...]:
    """Keys of the JSON objects, most frequent first; names that don't look like names are left out."""
    found: list[JsonKey] = []
    for entity, columns in draft.dossier.extensions.items():
        for column in columns:
            counts: Counter[str] = Counter()
            for (text,) in rows_of(batch, ENTITY_TABLES[entity].name, column):
                counts.update(key for key in _object(text) if _KEY.fullmatch(key))
            usual = JSON_COLUMNS[entity][column]
            found += [JsonKey(entity, column, key, counts[key], field) for key, field in usual.items()]
            rest = [(key, rows) for key, rows in counts.most_common() if key not in usual]
            found += [JsonKey(entity, column, key, rows, None) for key, rows in rest[:KEYS_PER_COLUMN]]
    return tuple(found)


def _object(text: str) -> dict[str, object]:
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
