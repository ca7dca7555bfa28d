"""What the warehouse believes of a source, for any kind of record, and how that differs from the truth."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, text

from lienthong.model.kinds import EntitySpec, KindSpec
from tests.sources.conformance.bench import Fields, Truth


def believed(engine: Engine, kind: KindSpec, source_id: str) -> Truth:
    """Every field of every believed record. Children: (root key, child key) → fields."""
    root = kind.root
    shown = [f"{'p' if field.personal else 'r'}.{field.name}" for field in root.fields if field.stored]
    roots = _rows(
        engine,
        f"SELECT r.source_key, {', '.join(shown)} FROM {kind.name}.{kind.record} AS r "
        f"LEFT JOIN {kind.name}.person AS p USING (tenant, source_id, source_key) WHERE source_id = :source",
        source_id,
    )
    found: Truth = {root.entity: {key: _fields(root, values) for key, *values in roots}}
    for child in kind.children:
        names = ", ".join(field.name for field in child.fields if field.stored)
        rows = _rows(
            engine,
            f"SELECT source_key, child_key, {names} FROM {kind.name}.{child.entity} WHERE source_id = :source",
            source_id,
        )
        found[child.entity] = {(key, own): _fields(child, values) for key, own, *values in rows}
    return found


def versions(engine: Engine, kind: KindSpec, source_id: str) -> dict[str, int]:
    """Key of each believed root record → its version."""
    query = f"SELECT source_key, version FROM {kind.name}.{kind.record} WHERE source_id = :source"
    return dict(_rows(engine, query, source_id))


def superseded(engine: Engine, kind: KindSpec, source_id: str) -> dict[str, list[int]]:
    """Key → versions in the history."""
    query = f"SELECT source_key, version FROM {kind.name}.{kind.record}_history WHERE source_id = :source ORDER BY 1, 2"
    found: dict[str, list[int]] = defaultdict(list)
    for key, version in _rows(engine, query, source_id):
        found[key].append(version)
    return dict(found)


def vanished(engine: Engine, kind: KindSpec, source_id: str) -> set[str]:
    """Keys of records that a full load no longer found."""
    return {
        key
        for (key,) in _rows(engine, f"SELECT source_key FROM {kind.name}.vanished WHERE source_id = :source", source_id)
    }


def rows_of_all(engine: Engine, kind: KindSpec) -> dict[str, list[str]]:
    """Every row of the kind's schema and of the quarantine as it stands, loads and instants included."""
    tables = (
        "SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relnamespace = CAST(:source AS regnamespace) "
        "AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1"
    )
    names = [name for (name,) in _rows(engine, tables, kind.name)] + ["quality.quarantine"]
    return {
        name: [row for (row,) in _rows(engine, f"SELECT md5(t::text) FROM {name} AS t ORDER BY 1", "")]
        for name in names
    }


def differences(kind: KindSpec, true: Truth, found: Truth) -> dict[str, Any]:
    """Where what is believed is not the truth; only fields that the truth knows are compared. Empty: all is right.

    Children are compared by what they say, per root: how they are keyed is the profile's own affair.
    """
    root = kind.root.entity
    wrong: dict[str, Any] = {}
    if missing := sorted(set(true[root]) - set(found[root])):
        wrong["missing"] = missing
    if beyond := sorted(set(found[root]) - set(true[root])):
        wrong["beyond"] = beyond
    for key in sorted(set(true[root]) & set(found[root])):
        said = {name: (value, found[root][key][name]) for name, value in true[root][key].items()}
        if odd := {name: both for name, both in said.items() if _plain(both[0]) != _plain(both[1])}:
            wrong[key] = odd
    for child in (spec.entity for spec in kind.children if spec.entity in true):
        theirs, ours = _by_root(true[child]), _by_root(found[child])
        names = next((list(fields) for some in theirs.values() for fields in some), [])
        for key in sorted((set(theirs) | set(ours)) & set(true[root])):
            expected, held = (sorted(_words(fields, names) for fields in side.get(key, [])) for side in (theirs, ours))
            if held != expected:
                wrong[f"{child} of {key}"] = (expected, held)
    return wrong


def _words(fields: Fields, names: list[str]) -> str:
    return repr([(name, _plain(fields[name])) for name in sorted(names)])


def _plain(value: Any) -> Any:
    """Nothing said is nothing said, be it none, '' or an empty list; instants are compared as such."""
    if value in ("", []):
        return None
    return value.timestamp() if isinstance(value, datetime) else value


def _by_root(children: dict[Any, Fields]) -> dict[str, list[Fields]]:
    found: dict[str, list[Fields]] = defaultdict(list)
    for (key, _), fields in children.items():
        found[key].append(fields)
    return found


def _fields(spec: EntitySpec, values: list[Any]) -> Fields:
    return dict(zip((field.name for field in spec.fields if field.stored), values, strict=True))


def _rows(engine: Engine, query: str, source_id: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), {"source": source_id})]
