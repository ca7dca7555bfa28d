"""Which tables our account may read. PostgreSQL lists tables that it won't let us read; MySQL and MariaDB hide them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import exc

from lienthong.sources.kit.sql import look_statements as ask
from lienthong.sources.kit.sql.database import SourceDatabase

#: MySQL: no right on the table, or not on a column.
_DENIED = (1142, 1143)


def may_read(source: SourceDatabase, table: sa.Table) -> bool:
    """Whether we may select every column of `table`."""
    if source.connection.dialect.name == "postgresql":  # asked, not tried: a refused statement would end the snapshot
        name = source.connection.dialect.identifier_preparer.format_table(table)
        return bool(source.row(ask.may_read(name, [column.name for column in table.c])).readable)
    return _allowed(source, ask.peek(table))


def hidden(source: SourceDatabase, name: str) -> str | None:
    """How a table that isn't listed is called where we lack a right; None when it really isn't there.

    Without a right on a table, MySQL says neither that it is there nor that it isn't. PostgreSQL lists no table of a
    schema that we may not use.
    """
    if source.connection.dialect.name == "postgresql":
        schema = source.connection.execute(ask.schema_without_usage(name)).scalar()
        return f"{name} (and USAGE on schema {schema})" if schema else None
    if source.connection.dialect.name not in ("mysql", "mariadb"):
        return None
    return None if _allowed(source, ask.touch(name)) else name


def refuses(error: exc.DBAPIError) -> bool:
    """Whether it is MySQL's answer for want of a right on a table."""
    return next(iter(getattr(error.orig, "args", ())), None) in _DENIED


def _allowed(source: SourceDatabase, statement: sa.Select[object]) -> bool:
    """Whether the statement is not refused for want of a right; that the table isn't there is no refusal."""
    try:
        source.connection.execute(statement).all()
    except exc.DBAPIError as error:
        if refuses(error):
            return False
        if next(iter(getattr(error.orig, "args", ())), None) != 1146:
            raise
    return True
