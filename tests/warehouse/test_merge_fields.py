"""Every canonical field is stored, kept in history and compared: each is changed alone, and that has to show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from lienthong.model.kinds.dossier import SPECS, Entity
from lienthong.model.kinds.spec import EntitySpec, Field, ValueType
from tests.warehouse.staged import NOON, load_rows

#: Type → a value and another one.
VALUES: Mapping[ValueType, tuple[Any, Any]] = {
    ValueType.TEXT: ("before", "after"),
    ValueType.SMALLINT: (1, 2),
    ValueType.BIGINT: (10, 11),
    ValueType.BOOLEAN: (False, True),
    ValueType.INSTANT: (NOON, NOON + timedelta(microseconds=1)),
    ValueType.TEXTS: (["1"], ["1", "2"]),
}
CHANGES = {"another_value": (0, 1), "no_value": (0, None), "a_first_value": (None, 1)}
CHILD = "child"


def value(spec: EntitySpec, field: Field, which: int | None, key: str) -> Any:
    if which is None:
        return None
    found = VALUES[field.type][which]
    # One code is one dossier: records that shared it would speak for each other.
    return f"{found} {key}" if field.name == "dossier_code" else found


def rows(spec: EntitySpec, kept: Mapping[str, int | None], changed: int | None) -> list[dict[str, Any]]:
    """A row per field, in which that field alone is `changed` and the others are `kept`."""
    made = []
    for number, own in enumerate(spec.fields):
        key = str(number + 1)
        row = {"source_key": key} | ({} if spec.entity == Entity.DOSSIER else {"child_key": CHILD})
        for field in spec.fields:
            row[field.name] = value(spec, field, changed if field is own else kept[field.name], key)
        made.append(row)
    return made


def staged(spec: EntitySpec, made: list[dict[str, Any]]) -> dict[Entity, list[dict[str, Any]]]:
    if spec.entity == Entity.DOSSIER:
        return {Entity.DOSSIER: made}
    parents = [{"source_key": row["source_key"], "dossier_code": row["source_key"]} for row in made]
    return {Entity.DOSSIER: parents, Entity(spec.entity): made}


def tables(spec: EntitySpec, field: Field, past: bool) -> str:
    """Where a field is believed, or kept once it is history."""
    root = "person" if field.personal else "source_record"
    name = root if spec.entity == Entity.DOSSIER else spec.entity
    return f"dossier.{name}_history" if past else f"dossier.{name}"


def found(engine: Engine, table: str, name: str) -> dict[str, tuple[int, Any]]:
    """Source key → version and value of one column."""
    with engine.connect() as connection:
        query = text(f"SELECT source_key, version, {name} FROM {table}")
        return {row[0]: (row[1], row[2]) for row in connection.execute(query)}


def hashes(engine: Engine) -> dict[str, bytes]:
    with engine.connect() as connection:
        return {
            row[0]: bytes(row[1])
            for row in connection.execute(text("SELECT source_key, record_hash FROM dossier.source_record"))
        }


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("spec", SPECS.values(), ids=lambda spec: spec.entity)
def test_a_change_of_one_field_alone_is_seen_stored_and_kept_in_history(
    warehouse: Engine, spec: EntitySpec, change: str
) -> None:
    old, new = CHANGES[change]
    kept: dict[str, int | None] = {field.name: 0 for field in spec.fields}
    before, after = rows(spec, kept, old), rows(spec, kept, new)
    load_rows(warehouse, staged(spec, before), run_key="before")
    first = hashes(warehouse)
    counts = load_rows(warehouse, staged(spec, after), run_key="after")
    second = hashes(warehouse)

    changed = {str(number + 1) for number, field in enumerate(spec.fields) if field.hashed}
    assert counts[spec.entity]["updated"] == len(changed)
    assert {key for key in first if first[key] != second[key]} == changed
    assert sum(counts[spec.entity].values()) == len(spec.fields)
    for field in spec.fields:
        if not field.stored:
            continue
        believed = found(warehouse, tables(spec, field, past=False), field.name)
        past = found(warehouse, tables(spec, field, past=True), field.name)
        assert set(past) == changed, field.name
        for was, now in zip(before, after, strict=True):
            key = was["source_key"]
            if key in changed:
                assert believed[key] == (2, now[field.name]), f"{field.name} of the record with another {key}"
                assert past[key] == (1, was[field.name]), f"{field.name} of the history"
            else:
                assert believed[key] == (1, was[field.name]), f"{field.name} without a change that counts"


@pytest.mark.parametrize("spec", SPECS.values(), ids=lambda spec: spec.entity)
def test_a_record_without_any_value_and_one_with_all_are_stored_as_they_are(
    warehouse: Engine, spec: EntitySpec
) -> None:
    empty: dict[str, Any] = {"source_key": "1"} | dict.fromkeys(spec.names)
    full: dict[str, Any] = {"source_key": "2"} | {field.name: value(spec, field, 1, "2") for field in spec.fields}
    if spec.entity != Entity.DOSSIER:
        empty["child_key"] = full["child_key"] = CHILD
    load_rows(warehouse, staged(spec, [empty, full]), run_key="both")
    for field in spec.fields:
        if field.stored:
            believed = found(warehouse, tables(spec, field, past=False), field.name)
            assert believed == {"1": (1, empty[field.name]), "2": (1, full[field.name])}, field.name
