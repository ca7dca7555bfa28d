"""What a first contract for a database should say: what is not there, the words found, the keys inside JSON columns."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Mapping

from lienthong.connections import Connection
from lienthong.landing import LandedBatch
from lienthong.model.errors import SchemaDriftError
from lienthong.sources.contract import SourceContract
from lienthong.sources.kit.sql.database import reading
from lienthong.sources.kit.sql.look import STATEMENT_TIMEOUT_S, limit_time
from lienthong.sources.kit.sql.schema import FoundSchema, find
from lienthong.sources.kit.sql.tables import SqlMap
from lienthong.sources.profile import CodeWord, JsonKey
from lienthong.sources.words import rows_of

KEYS_PER_COLUMN = 30
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,59}")

#: Entity → JSON column → key → our field that it usually fills.
JsonColumns = Mapping[str, Mapping[str, Mapping[str, str]]]


def found_tables(declared: SqlMap, draft: SourceContract, connection: Connection) -> FoundSchema:
    """What is there of all that is declared, in bounded time."""
    with reading(connection, draft.source_id, timeout_s=STATEMENT_TIMEOUT_S) as source:
        limit_time(source)
        return find(declared, source, draft)


def what_is_not_there(
    declared: SqlMap, draft: SourceContract, found: FoundSchema, expendable: Collection[str] = ()
) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Entities that remain, reference tables that are absent, optional columns to ignore (but for the `expendable`).

    SchemaDriftError when the source lacks what every system of this vendor has.
    """
    lost = [what.split()[:2] for what in found.missing]
    tables = {name for kind, name in lost if kind == "table"}
    columns = [name.split(".", 1) for kind, name in lost if kind == "column"]
    required = {table.name: table.required for table in declared.tables}
    broken = [f"{table}.{column}" for table, column in columns if column in required[table]]
    if broken or declared.root.name in tables:
        raise SchemaDriftError(
            f"This is no {declared.vendor} database as we know it; it lacks {', '.join(broken) or declared.root.name}.",
            next_step="check database and schema of the connection, or choose another profile.",
            source=draft.source_id,
            key=broken[0] if broken else declared.root.name,
        )
    ignore: dict[str, tuple[str, ...]] = {}
    for table, column in columns:
        if column not in expendable:
            ignore[table] = (*ignore.get(table, ()), column)
    entities = tuple(entity for entity, table in declared.entities.items() if table.name not in tables)
    return entities, tuple(table.name for table in declared.references if table.name in tables), ignore


def code_words(
    kind: str, usual: Mapping[str, int | str], seen: Counter[str], notes: Mapping[tuple[str, str], str]
) -> tuple[CodeWord, ...]:
    """The usual words in their order, then the others by frequency; where `other` stands for the rest, only usual, and
    its rows are those of all the rest."""
    rest = [(word, rows) for word, rows in seen.most_common() if word not in usual]
    if "other" in usual:
        seen = seen | Counter(other=sum(rows for _, rows in rest) + seen["other"])
        rest = []
    words = [CodeWord(word, seen[word], code, notes.get((kind, word), "")) for word, code in usual.items()]
    return (*words, *(CodeWord(word, rows, None) for word, rows in rest))


def json_keys(declared: SqlMap, batch: LandedBatch, columns: JsonColumns, usual: JsonColumns) -> tuple[JsonKey, ...]:
    """Keys of the JSON objects in `columns`, most frequent first; names that don't look like names are left out."""
    found: list[JsonKey] = []
    for entity, names in columns.items():
        for column in names:
            counts: Counter[str] = Counter()
            for (text,) in rows_of(batch, declared.entities[entity].name, column):
                counts.update(key for key in _object(text) if _KEY.fullmatch(key))
            fills = usual[entity][column]
            found += [JsonKey(entity, column, key, counts[key], field) for key, field in fills.items()]
            rest = [(key, rows) for key, rows in counts.most_common() if key not in fills]
            found += [JsonKey(entity, column, key, rows, None) for key, rows in rest[:KEYS_PER_COLUMN]]
    return tuple(found)


def _object(text: str) -> dict[str, object]:
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
