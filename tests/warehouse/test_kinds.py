"""Every kind goes the same way: believed field by field, left alone when unchanged, versioned with its children."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from lienthong.model.codes import LoadMode
from lienthong.model.errors import ContractError
from lienthong.model.kinds import KINDS, EntitySpec, Field, KindSpec, ValueType
from lienthong.quality.quarantine import apply_gate
from tests.warehouse.staged import NOON, TENANT, load_rows, merge_load, open_and_stage

BY_KIND = [pytest.param(kind, id=kind.name) for kind in KINDS.values()]
BY_ENTITY = [pytest.param(kind, spec, id=spec.entity) for kind in KINDS.values() for spec in kind.entities]


def value(field: Field, number: int) -> Any:
    """A value of the field; another number gives another value."""
    return {
        ValueType.TEXT: f"{field.name} {number}",
        ValueType.SMALLINT: 10 + number,
        ValueType.BIGINT: 10 + number,
        ValueType.BOOLEAN: number % 2 == 0,
        ValueType.INSTANT: NOON + timedelta(minutes=number),
        ValueType.TEXTS: [str(number)],
    }[field.type]


def whole(spec: EntitySpec, key: str, child: str | None = None) -> dict[str, Any]:
    """A row with a value in each field; text differs by record, as codes do."""
    row = {field.name: value(field, 0) for field in spec.fields} | {"source_key": key}
    row |= {field.name: f"{field.name} of {key}" for field in spec.fields if field.type is ValueType.TEXT}
    return row | ({"child_key": child} if child else {})


def rows_of(kind: KindSpec, *keys: str) -> dict[str, list[dict[str, Any]]]:
    """Records with one child of each sort."""
    return {
        spec.entity: [whole(spec, key, None if spec is kind.root else f"{key}.{spec.entity}") for key in keys]
        for spec in kind.entities
    }


def believed(warehouse: Engine, kind: KindSpec, spec: EntitySpec, suffix: str = "") -> dict[str, Mapping[str, Any]]:
    """Source key → values, from the tables that hold them (`suffix`: of their history)."""
    if spec is not kind.root:
        query = f"SELECT * FROM {kind.name}.{spec.entity}{suffix}"
    else:
        using = "tenant, source_id, source_key, version" + (", superseded_by" if suffix else "")
        query = f"SELECT * FROM {kind.name}.{kind.record}{suffix} JOIN {kind.name}.person{suffix} USING ({using})"
    with warehouse.connect() as connection:
        return {row["source_key"]: dict(row) for row in connection.execute(text(query)).mappings()}


@pytest.mark.parametrize(("kind", "spec"), BY_ENTITY)
def test_a_change_of_any_stored_field_is_believed_and_the_earlier_value_is_history(
    warehouse: Engine, kind: KindSpec, spec: EntitySpec
) -> None:
    fields = [field for field in spec.fields if field.stored]
    keys = [str(number) for number, _ in enumerate(fields, 1)]
    rows = rows_of(kind, *keys)
    load_rows(warehouse, rows, run_key="1", kind=kind)
    first = believed(warehouse, kind, spec)
    changed = [row | {field.name: value(field, 7)} for row, field in zip(rows[spec.entity], fields, strict=True)]
    counts = load_rows(warehouse, rows | {spec.entity: changed}, run_key="2", kind=kind)
    now, then = believed(warehouse, kind, spec), believed(warehouse, kind, spec, "_history")
    hashed = [field for field in fields if field.hashed]
    assert counts[kind.root.entity].get("updated", 0) == len(hashed)
    assert counts[spec.entity].get("unchanged", 0) == len(fields) - len(hashed)
    for key, field in zip(keys, fields, strict=True):
        if not field.hashed:
            assert now[key] == first[key]
            continue
        assert (now[key][field.name], then[key][field.name]) == (value(field, 7), first[key][field.name])
        same = {name: old for name, old in first[key].items() if name in spec.names and name != field.name}
        assert same.items() <= now[key].items()
        assert same.items() <= then[key].items()


@pytest.mark.parametrize("kind", BY_KIND)
def test_what_is_loaded_again_without_a_change_stays_untouched(warehouse: Engine, kind: KindSpec) -> None:
    rows = rows_of(kind, "1", "2")
    assert load_rows(warehouse, rows, run_key="1", kind=kind) == {e: {"inserted": 2} for e in kind.entity_names}
    before = believed(warehouse, kind, kind.root)
    assert load_rows(warehouse, rows, run_key="2", kind=kind) == {e: {"unchanged": 2} for e in kind.entity_names}
    assert believed(warehouse, kind, kind.root) == before
    assert believed(warehouse, kind, kind.root, "_history") == {}


@pytest.mark.parametrize("kind", BY_KIND)
def test_a_full_load_notes_what_has_vanished_and_a_later_one_finds_it_again(warehouse: Engine, kind: KindSpec) -> None:
    load_rows(warehouse, rows_of(kind, "1", "2"), run_key="1", kind=kind)
    load_rows(warehouse, rows_of(kind, "1"), run_key="2", kind=kind, mode=LoadMode.FULL)
    vanished = text(f"SELECT source_key FROM {kind.name}.vanished")
    with warehouse.connect() as connection:
        assert connection.execute(vanished).all() == [("2",)]
        assert set(believed(warehouse, kind, kind.root)) == {"1", "2"}
    load_rows(warehouse, rows_of(kind, "2"), run_key="3", kind=kind)
    with warehouse.connect() as connection:
        assert connection.execute(vanished).all() == []


@pytest.mark.parametrize("kind", BY_KIND)
def test_a_rejected_child_quarantines_its_record_until_it_comes_clean(warehouse: Engine, kind: KindSpec) -> None:
    child = kind.children[0].entity
    rows = rows_of(kind, "1", "2")
    wrong = {"entity": child, "row_no": 1, "source_key": "2", "rule_id": "row_typed", "severity": "reject"}
    load = open_and_stage(warehouse, rows, run_key="1", kind=kind, violations=[wrong])
    with warehouse.begin() as connection:
        counts = merge_load(connection, load)
        apply_gate(connection, load, NOON)
    assert counts == {entity: {"inserted": 1, "quarantined": 1} for entity in kind.entity_names}
    quarantine = text("SELECT entity, source_key, reasons, state FROM quality.quarantine")
    with warehouse.connect() as connection:
        assert connection.execute(quarantine).all() == [(kind.root.entity, "2", ["row_typed"], "open")]
    load = open_and_stage(warehouse, rows, run_key="2", kind=kind)
    with warehouse.begin() as connection:
        merge_load(connection, load)
        apply_gate(connection, load, NOON)
        assert connection.execute(quarantine).all() == [(kind.root.entity, "2", ["row_typed"], "released")]


def test_the_warehouse_knows_the_entities_of_the_specifications(warehouse: Engine) -> None:
    with warehouse.connect() as connection:
        known = connection.execute(text("SELECT entity, kind, is_root FROM ops.entity")).all()
    wanted = {(s.entity, kind.name, s is kind.root) for kind in KINDS.values() for s in kind.entities}
    assert {tuple(row) for row in known} == wanted


def test_two_kinds_of_one_tenant_do_not_meet(warehouse: Engine) -> None:
    for kind in KINDS.values():
        load_rows(warehouse, rows_of(kind, "1"), run_key="1", source_id=kind.name, kind=kind)
    with warehouse.connect() as connection:
        codes = connection.execute(
            text("SELECT source_id, code FROM quality.record_code WHERE tenant = :t"), {"t": TENANT}
        )
        assert {row.source_id for row in codes} == set(KINDS)
    for kind in KINDS.values():
        assert list(believed(warehouse, kind, kind.root)) == ["1"]


def test_a_source_does_not_change_its_kind(warehouse: Engine) -> None:
    first, second = list(KINDS.values())[:2]
    load_rows(warehouse, rows_of(first, "1"), run_key="1", kind=first)
    with pytest.raises(ContractError, match="loaded as dossier before"):
        load_rows(warehouse, rows_of(second, "1"), run_key="2", kind=second)
    assert list(believed(warehouse, first, first.root)) == ["1"]
