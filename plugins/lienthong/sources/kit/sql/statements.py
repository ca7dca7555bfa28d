"""Every question that reading asks a database. Built with SQLAlchemy Core; all of them compile for MySQL.

Keysets are written out (a > x OR (a = x AND b > y)): row comparisons are slow on MySQL and unknown to SQL Server.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lienthong.sources.kit.sql.look_statements import FIRST_MOMENT
from lienthong.sources.kit.sql.schema import BoundTable

#: A place in a walk by (modified, key).
Place = tuple[datetime, Any]


def _modified(bound: BoundTable) -> sa.Column[Any]:
    return bound.modified


def _undated(bound: BoundTable) -> sa.ColumnElement[bool]:
    """Rows without a modification: null, or MySQL's date of nothing."""
    modified = _modified(bound)
    return sa.or_(modified.is_(None), modified < FIRST_MOMENT) if bound.zero_dates else modified.is_(None)


def _dated(bound: BoundTable) -> sa.ColumnElement[bool]:
    return _modified(bound) >= FIRST_MOMENT if bound.zero_dates else _modified(bound).is_not(None)


def last_key(bound: BoundTable) -> sa.Select[Any]:
    """One row: the highest key, null when the table is empty. Alone, so that the key's index answers it."""
    return sa.select(sa.func.max(bound.key).label("last_key"))


def recent(bound: BoundTable, now: datetime, since: datetime | None, known_key: str | None) -> sa.Select[Any]:
    """One row over what was modified from `since` on: the newest modification up to `now`, rows up to `known_key`.

    Keys that don't grow don't tell new rows from known ones: then all count as known.
    """
    modified = _modified(bound)
    known: sa.ColumnElement[bool] = sa.false() if known_key is None else sa.true()
    if known_key is not None and bound.grows:
        known = bound.key <= bound.typed(known_key)
    statement = sa.select(
        sa.func.max(sa.case((sa.and_(modified <= now, _dated(bound)), modified))).label("modified_at"),
        sa.func.coalesce(sa.func.sum(sa.case((known, 1), else_=0)), 0).label("found_again"),
    )
    return statement if since is None else statement.where(modified >= since)


def count_window(bound: BoundTable, start: datetime, end: datetime) -> sa.Select[Any]:
    """One row: how many rows were modified in [start, end]."""
    modified = _modified(bound)
    return sa.select(sa.func.count().label("rows")).select_from(bound.table).where(modified >= start, modified <= end)


def count_all(bound: BoundTable) -> sa.Select[Any]:
    """One row: how many rows the table has."""
    return sa.select(sa.func.count().label("rows")).select_from(bound.table)


def changed(
    bound: BoundTable, since: datetime | None, before: datetime | None, after: Place | None, limit: int
) -> sa.Select[Any]:
    """A page of (owner, key, modified) in [since, before), by modification and key, behind the place `after`."""
    modified, key = _modified(bound), bound.key
    statement = sa.select(bound.owner.label("owner"), key.label("key"), modified.label("modified"))
    if since is not None:
        statement = statement.where(modified >= since)
    if before is not None:
        statement = statement.where(modified < before)
    if after is not None:
        moment, last = after
        statement = statement.where(sa.or_(modified > moment, sa.and_(modified == moment, key > last)))
    return statement.where(_dated(bound)).order_by(modified, key).limit(limit)


def added(bound: BoundTable, last_key: Any, after: Any, limit: int) -> sa.Select[Any]:
    """A page of (owner, key) that a walk by modification can't find: keys above `last_key` (None: all), and rows
    without a modification. Of keys that don't grow the latter only."""
    key = bound.key
    statement = sa.select(bound.owner.label("owner"), key.label("key"))
    if not bound.grows:
        statement = statement.where(_undated(bound))
    elif last_key is not None:
        statement = statement.where(sa.or_(key > last_key, _undated(bound)))
    if after is not None:
        statement = statement.where(key > after)
    return statement.order_by(key).limit(limit)


def root_page(bound: BoundTable, after: Any, limit: int) -> sa.Select[Any]:
    """Whole rows by primary key, behind `after`."""
    statement = sa.select(*bound.table.c)
    if after is not None:
        statement = statement.where(bound.key > after)
    return statement.order_by(bound.key).limit(limit)


def children_between(bound: BoundTable, above: Any, up_to: Any) -> sa.Select[Any]:
    """Whole child rows with `above` < owner ≤ `up_to`; an open start includes children that name no record."""
    owner = bound.owner
    statement = sa.select(*bound.table.c)
    if above is not None:
        statement = statement.where(owner > above)
        if up_to is not None:
            statement = statement.where(owner <= up_to)
    elif up_to is not None:
        statement = statement.where(sa.or_(owner <= up_to, owner.is_(None)))
    return statement.order_by(owner, bound.key)


def rows_of_owners(bound: BoundTable, owners: Sequence[Any]) -> sa.Select[Any]:
    """Whole rows of these records."""
    return sa.select(*bound.table.c).where(bound.owner.in_(owners)).order_by(bound.owner, bound.key)


def rows_without_owner(bound: BoundTable) -> sa.Select[Any]:
    """Whole child rows that name no record."""
    return sa.select(*bound.table.c).where(bound.owner.is_(None)).order_by(bound.key)


def whole(bound: BoundTable) -> sa.Select[Any]:
    """A reference table."""
    return sa.select(*bound.table.c).order_by(*bound.table.c)
