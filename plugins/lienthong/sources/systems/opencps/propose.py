"""What a contract for an OpenCPS database should say: its usual words, those found in the data, its JSON keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from lienthong.connections import Connection
from lienthong.landing import LandedBatch
from lienthong.model.kinds.dossier import Entity
from lienthong.sources.contract import SourceContract
from lienthong.sources.kit.sql.propose import JsonColumns, code_words, found_tables, json_keys, what_is_not_there
from lienthong.sources.kit.sql.schema import ABSENT, BoundTable
from lienthong.sources.profile import CodeWord, Proposal
from lienthong.sources.scaffold_sample import Sampling, sampled
from lienthong.sources.sections import DossierCodes
from lienthong.sources.systems.opencps.findings import unmapped_codes
from lienthong.sources.systems.opencps.tables import DOSSIER, ENTITY_TABLES, MAP
from lienthong.sources.words import rows_of

#: Dossiers that words and keys are looked for in.
DOSSIERS = 2_000

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
JSON_COLUMNS: JsonColumns = {
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


def propose(contract: SourceContract, connection: Connection, sample: Sampling) -> Proposal:
    """See `system.propose`."""
    draft = contract.with_section(entities=tuple(ENTITY_TABLES), extensions=JSON_COLUMNS)
    found = found_tables(MAP, draft, connection)
    json_columns = {column for columns in JSON_COLUMNS.values() for column in columns}
    entities, absent, ignore = what_is_not_there(MAP, draft, found, json_columns)
    there = {entity: _columns(found.bound.get(ENTITY_TABLES[entity].name)) for entity in entities}
    extensions = {
        entity: {column: keys for column, keys in columns.items() if column in there[entity]}
        for entity, columns in JSON_COLUMNS.items()
        if entity in there
    }
    ignored = {**ignore, **dict.fromkeys(absent, (ABSENT,))}
    draft = draft.with_section(entities=entities, ignore=ignored, extensions=extensions)
    with sampled(sample, draft, connection, DOSSIERS) as batch:
        return Proposal(
            entities=entities,
            codes=_codes(draft, batch),
            paid=PAID,
            keys=json_keys(MAP, batch, extensions, JSON_COLUMNS),
            absent=absent,
            ignore=ignore,
            unmapped=found.unmapped,
            volatile_query=VOLATILE_QUERY,
            looked_at=DOSSIERS,
            read=READ,
        )


def _columns(table: BoundTable | None) -> set[str]:
    return set(table.table.c.keys()) if table else set()


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
    return {kind: code_words(kind, words, seen[kind], NOTES) for kind, words in USUAL.items()}
