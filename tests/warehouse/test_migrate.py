"""The schema follows the canonical records, and migrations can be run again."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from devstack.sqlgen.generate import child_columns, person_columns, record_columns
from lienthong.model.kinds import ENTITIES, KINDS, EntitySpec, KindSpec, kind_of_entity
from lienthong.warehouse.bootstrap.migrate import upgrade


def columns_of(warehouse: Engine, schema: str, table: str) -> dict[str, str]:
    query = text(
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a "
        "WHERE a.attrelid = to_regclass(:name) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
    )
    with warehouse.connect() as connection:
        rows = connection.execute(query, {"name": f"{schema}.{table}"}).all()
    return {name: kind.replace("timestamp with time zone", "timestamptz") for name, kind in rows}


@pytest.mark.parametrize("spec", ENTITIES.values(), ids=lambda spec: spec.entity)
def test_a_staging_table_has_exactly_the_canonical_fields(warehouse: Engine, spec: EntitySpec) -> None:
    columns = columns_of(warehouse, "staging", spec.entity)
    fields = dict(list(columns.items())[8 if spec is kind_of_entity(spec.entity).root else 9 :])
    assert fields == {field.name: field.type.value for field in spec.fields}


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_believed_tables_have_exactly_the_stored_fields_and_history_says_what_superseded_them(
    warehouse: Engine, kind: KindSpec
) -> None:
    wanted = {kind.record: record_columns(kind), "person": person_columns(kind)}
    wanted |= {child.entity: child_columns(child) for child in kind.children}
    for table, columns in wanted.items():
        assert sorted(columns_of(warehouse, kind.name, table)) == sorted(columns)
        assert sorted(columns_of(warehouse, kind.name, f"{table}_history")) == sorted((*columns, "superseded_by"))
    assert not set(kind.root.personal_names) & set(wanted[kind.record])


def test_upgrading_twice_changes_nothing(warehouse: Engine) -> None:
    upgrade(warehouse)
    with warehouse.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM public.schema_version")).scalar_one() == 1


def test_a_tenant_gets_one_partition_of_every_large_table_and_what_can_be_made_again_is_unlogged(
    warehouse: Engine,
) -> None:
    with warehouse.begin() as connection:
        for _ in range(2):
            connection.execute(text("SELECT ops.ensure_tenant('H17')"))
        parents = connection.execute(text("SELECT count(*) FROM pg_partitioned_table")).scalar_one()
        kinds = connection.execute(
            text(
                "SELECT ns.nspname, c.relpersistence::text, count(*) FROM pg_class c "
                "JOIN pg_namespace ns ON ns.oid = c.relnamespace WHERE c.relispartition AND c.relkind = 'r' "
                "GROUP BY 1, 2"
            )
        ).all()
    assert sum(count for _, _, count in kinds) == parents
    assert {persistence for schema, persistence, _ in kinds if schema in ("landing", "staging")} == {"u"}
    assert {persistence for schema, persistence, _ in kinds if schema not in ("landing", "staging")} == {"p"}
