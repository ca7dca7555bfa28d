"""Rows into PostgreSQL by COPY, and connections from SQLAlchemy-style URLs."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg2

from simulator.opencps.rows import Row
from simulator.opencps.schema import columns

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@contextmanager
def transaction(url: str) -> Iterator[Any]:
    """A cursor in one transaction: committed at the end, rolled back on any error."""
    connection = psycopg2.connect(url.replace("+psycopg2", "", 1))
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def copy_rows(cursor: Any, table: str, rows: Sequence[Row]) -> int:
    """Write `rows` (all with the same keys) with COPY; returns how many."""
    if not rows:
        return 0
    names = [name for name in columns(table) if name in rows[0]]
    unknown = set(rows[0]) - set(names)
    if unknown:
        raise KeyError(f"{table} has no column {', '.join(sorted(unknown))}")
    buffer = io.StringIO()
    for row in rows:
        buffer.write("\t".join(_field(row[name]) for name in names))
        buffer.write("\n")
    buffer.seek(0)
    quoted = ", ".join(f'"{name}"' for name in names)
    cursor.copy_expert(f"COPY {table} ({quoted}) FROM STDIN", buffer)
    return len(rows)


def _field(value: object) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value).translate(_ESCAPES)
