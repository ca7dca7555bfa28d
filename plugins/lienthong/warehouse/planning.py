"""Hints for PostgreSQL's planner where it can't know how many rows it will meet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import Connection

from lienthong.warehouse.statements import run


@contextmanager
def without_nested_loops(connection: Connection) -> Iterator[None]:
    """No nested loops for the statements inside, where others will do.

    For rows written or chosen in the same statement or transaction nothing tells how many there are: the planner takes
    them for one row and compares all with all (measured: minutes instead of a second for 50,000 dossiers).
    """
    before = run(connection, "ops/plan_nested_loops", setting="off").one().setting
    yield
    run(connection, "ops/plan_nested_loops", setting=before)
