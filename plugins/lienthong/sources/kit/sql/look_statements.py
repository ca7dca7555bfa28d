"""What a look asks a database: the end of each table by its key, and the server's own catalogue.

Nothing here reads a table through: the newest rows come off the primary key, the rest are statistics.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from lienthong.sources.kit.sql.schema import BoundTable

#: Rows at the end of a table that a look reads one or two columns of.
NEWEST_ROWS = 1_000
#: Rows by which records per day are counted.
DAY_ROWS = 20_000
#: A table without statistics is counted up to here.
COUNT_UP_TO = 100_000

#: MySQL's dates of nothing lie before it, all others behind it.
FIRST_MOMENT = datetime(1000, 1, 1)

_READING = ("SELECT", "USAGE", "SHOW VIEW", "SHOW DATABASES", "PROCESS")


def newest_modified(bound: BoundTable) -> sa.Select[Any]:
    """The modification of the newest rows by key."""
    return sa.select(bound.modified.label("modified")).order_by(bound.key.desc()).limit(NEWEST_ROWS)


def newest_keys(bound: BoundTable, limit: int) -> sa.Select[Any]:
    """(owner, key) of the newest rows by key."""
    return (
        sa.select(bound.owner.label("owner"), bound.key.label("key"))
        .where(bound.owner.is_not(None))
        .order_by(bound.key.desc())
        .limit(limit)
    )


def count_among_newest(bound: BoundTable, column: str, value: int) -> sa.Select[Any]:
    """One row: how many of the newest rows by key have this value."""
    newest = sa.select(bound.table.c[column].label("value")).order_by(bound.key.desc()).limit(NEWEST_ROWS).subquery()
    return sa.select(sa.func.count().label("rows")).select_from(newest).where(newest.c.value == value)


def days(bound: BoundTable, column: str) -> sa.Select[date, int]:
    """(day, rows) of a date column among the newest rows by key, newest day first."""
    newest = sa.select(bound.table.c[column].label("moment")).order_by(bound.key.desc()).limit(DAY_ROWS).subquery()
    day = sa.cast(newest.c.moment, sa.Date)
    return (
        sa.select(day.label("day"), sa.func.count().label("rows"))
        .where(newest.c.moment >= FIRST_MOMENT)
        .group_by(day)
        .order_by(day.desc())
    )


def count_up_to(bound: BoundTable) -> sa.Select[Any]:
    """One row: how many rows the table has, counted no further than COUNT_UP_TO + 1."""
    column = next(iter(bound.table.c))
    some = sa.select(column).limit(COUNT_UP_TO + 1).subquery()
    return sa.select(sa.func.count().label("rows")).select_from(some)


def estimate(bound: BoundTable, dialect: str, name: str) -> sa.Select[Any]:
    """One row or none: the planner's estimate of the table's rows; negative or null when it was never analysed."""
    if dialect == "postgresql":
        relation = sa.table("pg_class", sa.column("oid"), sa.column("reltuples"), schema="pg_catalog")
        return sa.select(relation.c.reltuples.label("rows")).where(relation.c.oid == sa.func.to_regclass(name))
    tables = sa.table(
        "tables", sa.column("table_schema"), sa.column("table_name"), sa.column("table_rows"),
        schema="information_schema",
    )  # fmt: skip
    return sa.select(tables.c.table_rows.label("rows")).where(
        tables.c.table_schema == sa.func.database(), tables.c.table_name == bound.table.name
    )


def peek(table: sa.Table) -> sa.Select[Any]:
    """Any one row, of every column that we read."""
    return sa.select(*table.c).limit(1)


def touch(name: str) -> sa.Select[Any]:
    """Nothing of a table that may not be there."""
    return sa.select(sa.literal(1)).select_from(sa.table(name)).limit(0)


def schema_without_usage(name: str) -> sa.Select[Any]:
    """PostgreSQL: a schema that has this table, or a view of this name, and that we may not use."""
    relation = sa.table(
        "pg_class", sa.column("relname"), sa.column("relnamespace"), sa.column("relkind"), schema="pg_catalog"
    )
    schema = sa.table("pg_namespace", sa.column("oid"), sa.column("nspname"), schema="pg_catalog")
    return (
        sa.select(schema.c.nspname)
        .select_from(relation.join(schema, schema.c.oid == relation.c.relnamespace))
        .where(
            sa.func.lower(relation.c.relname) == name.lower(),
            relation.c.relkind.in_(("r", "p", "v", "m", "f")),
            sa.not_(sa.func.has_schema_privilege(schema.c.oid, "USAGE")),
        )
        .limit(1)
    )


def may_read(name: str, columns: Iterable[str]) -> sa.Select[Any]:
    """PostgreSQL: one row, whether we may select every one of the columns."""
    rights = [sa.func.has_column_privilege(name, column, "SELECT") for column in columns]
    return sa.select(sa.and_(sa.true(), *rights).label("readable"))


def may_write(name: str) -> sa.Select[Any]:
    """PostgreSQL: one row, the privileges beyond reading that we have on a table."""
    rights = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
    return sa.select(*(sa.func.has_table_privilege(name, right).label(right) for right in rights))


def may_define() -> sa.Select[Any]:
    """PostgreSQL: one row, whether we may do anything at all, and whether we may create objects."""
    role = sa.table("pg_roles", sa.column("rolname"), sa.column("rolsuper"), schema="pg_catalog")
    return sa.select(
        role.c.rolsuper.label("SUPERUSER"),
        sa.func.coalesce(sa.func.has_schema_privilege(sa.func.current_schema(), "CREATE"), sa.false()).label("CREATE"),
    ).where(role.c.rolname == sa.func.current_user())


def grants() -> tuple[sa.Select[Any], ...]:
    """MySQL: (privilege, where) of our account beyond reading; on everything, on this database, on tables."""
    at = sa.func.replace(sa.cast(sa.func.current_user(), sa.String), "@", "'@'")
    grantee = sa.func.concat("'", at, "'")
    found = []
    for view, place in (
        ("user_privileges", None),
        ("schema_privileges", "table_schema"),
        ("table_privileges", "table_name"),
    ):
        names = ["grantee", "privilege_type", *(["table_schema"] if place else []), *([place] if place else [])]
        columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in dict.fromkeys(names)]
        table = sa.table(view, *columns, schema="information_schema")
        where = table.c[place] if place else sa.literal("*.*")
        statement = sa.select(table.c.privilege_type.label("privilege"), where.label("place")).where(
            table.c.grantee == grantee, table.c.privilege_type.not_in(_READING)
        )
        if place:
            statement = statement.where(table.c.table_schema == sa.func.database())
        found.append(statement)
    return tuple(found)


def limit_time(dialect: str, seconds: int) -> sa.Executable | None:
    """Ends any statement of this session after so long, where the database can."""
    if dialect == "postgresql":
        return sa.select(sa.func.set_config("statement_timeout", f"{seconds}s", True))
    settings = {"mysql": f"max_execution_time = {seconds * 1000}", "mariadb": f"max_statement_time = {seconds}"}
    return sa.text(f"SET SESSION {settings[dialect]}") if dialect in settings else None
