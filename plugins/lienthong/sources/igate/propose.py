"""What a contract for an iGate should say. Its numbers are unverified: words are shown, facts get a code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import from_json

from lienthong.connections import Connection
from lienthong.landing import LandedBatch
from lienthong.model.kinds.dossier import Entity
from lienthong.sources.contract import SourceContract
from lienthong.sources.igate.canonical import ROWS
from lienthong.sources.igate.dating import NEVER, Changes, Dating
from lienthong.sources.igate.json_paths import find, word
from lienthong.sources.igate.look import sample
from lienthong.sources.igate.mapping import DOSSIER, ENTITY_TABLES, LIKELY, LIKELY_REMOVED, paths_of
from lienthong.sources.igate.notes import other_way, own_dates
from lienthong.sources.profile import CodeWord, FieldPath, Proposal, unmapped
from lienthong.sources.scaffold_sample import sampled

#: Dossiers that words are looked for in; their papers are asked for one by one.
DOSSIERS = 200

#: Codes that are facts (portal-exchange §6.4, sample 09, and what the profile itself calls its two kinds of papers).
USUAL: Mapping[str, Mapping[str, int | str]] = {
    "status": {"0": 1},
    "substatus": {},
    "step": {"60e409823dfc9609723e493c": 1},
    "channel": {},
    "subject": {},
    "return_method": {"5f8968888fffa53e4c073ded": 0},
    "payment_method": {},
    "document_role": {"form": "component", "attachment": "result"},
}
_WORDS: Mapping[str, tuple[Entity, str]] = {
    "status": (Entity.DOSSIER, "status_raw"),
    "step": (Entity.STEP, "status_raw"),
    "channel": (Entity.DOSSIER, "channel"),
    "subject": (Entity.DOSSIER, "subject_type"),
    "return_method": (Entity.DOSSIER, "return_method"),
    "payment_method": (Entity.DOSSIER, "online_payment"),
    "document_role": (Entity.DOCUMENT, "role"),
}
#: Said beside what nobody documents and other iGates have.
CHECK = "CHECK: as other iGate contracts have it; confirm with the operator"
READ = {"page_rows": 200, "pause_ms": 0}


def propose(contract: SourceContract, connection: Connection) -> Proposal:
    """See `system.propose`."""
    draft = contract.with_section(entities=tuple(ENTITY_TABLES))
    with sampled(sample, draft, connection, DOSSIERS) as batch:
        paths = _paths(batch)
        taken = {(ENTITY_TABLES[Entity(found.entity)], found.path) for found in paths}
        unmapped = {
            table: tuple(name for name in names if (table, name) not in taken)
            for table, names in batch.manifest.facts.unmapped_columns.items()
        }
        codes = {section: _section(draft, batch, section) for section in USUAL}
        removed = [word for word in codes["status"] if word.word in LIKELY_REMOVED]
        codes["status"] = tuple(word for word in codes["status"] if word not in removed)
        return Proposal(
            entities=tuple(ENTITY_TABLES),
            codes=codes,
            paid=(),
            keys=(),
            absent=(),
            ignore={},
            unmapped={table: names for table, names in unmapped.items() if names},
            volatile_query=(),
            looked_at=min(DOSSIERS, batch.manifest.tables[DOSSIER].rows),
            overlap="12h",
            read=READ,
            paths=paths,
            more_lines=_changes(draft, batch),
            more_codes={"removed": _removed(sum(word.rows for word in removed))},
        )


def _changes(draft: SourceContract, batch: LandedBatch) -> tuple[str, ...]:
    """How changes are to be found where the list does not say when they were made."""
    dating = Dating(draft)
    items = [
        dating.item("", from_json(str(text)))
        for _, _, raw in batch.batches(DOSSIER, ["item"], rows=ROWS)
        for text in raw.column(0).to_pylist()
    ]
    if not items or any(item.order != NEVER for item in items):
        return ()
    if paths := own_dates(items, dating):
        said = f"# The list may say under {', '.join(paths)} when a dossier was updated: CHECK, and name it under"
        return (
            "",
            said,
            "# fields.dossier.source_modified_at; then `changes` below has to go.",
            *_http(other_way(items)),
        )
    return _http(other_way(items))


def _http(way: Changes) -> tuple[str, ...]:
    return (
        "# The list does not say when a dossier was updated. `lienthong source check` tells what this way costs.",
        f"http: {{changes: {way.value}}}",
        "",
    )


def _paths(batch: LandedBatch) -> tuple[FieldPath, ...]:
    """Where other iGates have our fields, as far as the rows looked at have these keys too, be they empty."""
    seen: Counter[tuple[Entity, str]] = Counter()
    for entity, fields in LIKELY.items():
        paths = {field: tuple(path.split(".")) for field, path in fields.items()}
        for _, _, raw in batch.batches(ENTITY_TABLES[entity], ["item"], rows=ROWS):
            for text in raw.column(0).to_pylist():
                item = from_json(str(text))
                seen.update((entity, field) for field, path in paths.items() if _has(item, path))
    return tuple(
        FieldPath(entity, field, path, seen[entity, field])
        for entity, fields in LIKELY.items()
        for field, path in fields.items()
        if seen[entity, field]
    )


def _has(item: Any, path: Sequence[str]) -> bool:
    holder = find(item, tuple(path[:-1]))
    return isinstance(holder, dict) and path[-1] in holder


def _removed(rows: int) -> str:
    words = ", ".join(f'"{word}"' for word in LIKELY_REMOVED)
    seen = f"{rows} hàng" if rows else "chưa gặp trong mẫu"
    return f"[{words}]   # deleted dossiers; {seen}; {CHECK}"


def _section(draft: SourceContract, batch: LandedBatch, section: str) -> tuple[CodeWord, ...]:
    """The known words, then the others found, most frequent first."""
    usual, seen = USUAL[section], Counter[str]()
    if section in _WORDS:
        entity, field = _WORDS[section]
        path = tuple(paths_of(draft, entity).get(field, field).split("."))  # `role` is our own key of a landed paper
        for _, _, raw in batch.batches(ENTITY_TABLES[entity], ["item"], rows=ROWS):
            seen.update(
                found for text in raw.column(0).to_pylist() if (found := word(find(from_json(str(text)), path)))
            )
    words = [CodeWord(known, seen[known], code) for known, code in usual.items()]
    rest = unmapped({(section, found): rows for found, rows in seen.items() if found not in usual})
    return (*words, *(CodeWord(found.word, found.rows, None) for found in rest))
