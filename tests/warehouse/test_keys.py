"""Keys start with the tenant and no partition is addressed by its name: by PostgreSQL's catalogue and our own text."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Engine, text

from lienthong.settings import PROJECT
from lienthong.warehouse.statements import SQL_FOLDER

#: Tables that stay small, and so may be keyed by something else; docs/adr/0001 says why each.
SMALL = {
    "ops.entity", "ops.kind", "ops.load", "ops.reading", "freshness.accepted_collapse", "freshness.finding",
    "freshness.finding_day", "indices.definition", "indices.score_run", "indices.final_score", "quality.rule",
    "public.schema_version",
}  # fmt: skip
#: Reference tables of all tenants.
SHARED_SCHEMA = "registry"
KEYS = text(
    "SELECT n.nspname, c.relname, c.relkind::text AS kind, x.indexrelid::regclass::text AS key, a.attname AS first "
    "FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.indkey[0] "
    "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname <> 'information_schema' "
    "AND n.nspname NOT LIKE 'pg\\_%' AND (x.indisunique OR c.relkind = 'p')"
)


def test_every_key_and_every_index_of_a_large_table_starts_with_the_tenant(warehouse: Engine) -> None:
    with warehouse.connect() as connection:
        keys = connection.execute(KEYS).all()
    assert sum(1 for key in keys if key.kind == "p") > 30
    others = {
        key.key: key.first
        for key in keys
        if key.first != "tenant" and key.nspname != SHARED_SCHEMA and f"{key.nspname}.{key.relname}" not in SMALL
    }
    assert others == {}


def test_every_table_that_is_no_exception_has_a_key(warehouse: Engine) -> None:
    with warehouse.connect() as connection:
        bare = connection.execute(
            text(
                "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT IN ('staging', 'pg_catalog', "
                "'information_schema') AND NOT EXISTS (SELECT 1 FROM pg_index x WHERE x.indrelid = c.oid "
                "AND x.indisunique)"
            )
        ).all()
    assert bare == []


def test_a_table_is_partitioned_by_tenant_or_not_at_all(warehouse: Engine) -> None:
    with warehouse.connect() as connection:
        odd = connection.execute(
            text(
                "SELECT p.partrelid::regclass::text FROM pg_partitioned_table p JOIN pg_attribute a "
                "ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0] "
                "WHERE p.partstrat <> 'l' OR p.partnatts <> 1 OR a.attname <> 'tenant'"
            )
        ).all()
    assert odd == []


def test_no_statement_and_no_program_builds_the_name_of_a_partition() -> None:
    """Older migrations did; one function still has to give a new partition some name."""
    named = re.compile(r"'__'|__\{|\w__h\d\d\b")
    found = [
        f"{file.relative_to(PROJECT)}:{number}"
        for file in (*SQL_FOLDER.rglob("*.sql"), *(PROJECT / "plugins" / "lienthong" / "warehouse").rglob("*.py"))
        if file.parent.name != "migrations" or file.name >= "0016"
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if named.search(line)
    ]
    assert [place for place in found if "0016_roles" not in place] == []
    assert len(found) == 1, "ops.ensure_tenant gives the name"


@pytest.mark.parametrize("tenant", ["H17", "G01"])
def test_a_partition_is_found_whatever_its_name_is(warehouse: Engine, tenant: str) -> None:
    with warehouse.begin() as connection:
        connection.execute(text("SELECT ops.ensure_tenant(:tenant)"), {"tenant": tenant})
        for schema, table in (("staging", "dossier"), ("exchange", "delivery")):
            old = f"{schema}.{table}__{tenant.lower()}"
            connection.execute(text(f"ALTER TABLE {old} RENAME TO renamed_{table}"))
        connection.execute(text("SELECT ops.ensure_tenant(:tenant)"), {"tenant": tenant})  # finds what is there
        found = connection.execute(
            text("SELECT ops.partition_of('staging.dossier', :tenant)::text"), {"tenant": tenant}
        ).scalar_one()
        connection.execute(
            text("SELECT ops.analyze_staging(:tenant, ARRAY['dossier']), exchange.analyze_deliveries(:tenant)"),
            {"tenant": tenant},
        )
        stranger = connection.execute(text("SELECT ops.partition_of('staging.dossier', 'H99')")).scalar_one()
    assert found == "staging.renamed_dossier"
    assert stranger is None
