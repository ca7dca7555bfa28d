"""COPY into the warehouse through the driver: past the engine, so what it refuses is translated here."""

from __future__ import annotations

from typing import IO, Any

from psycopg2 import sql
from sqlalchemy.engine import Connection

from lienthong.warehouse import outages

#: psycopg2's own.
SEND_BYTES = 8192


def copy_in(connection: Connection, command: str | sql.Composed, rows: IO[Any], send_bytes: int = SEND_BYTES) -> None:
    """`COPY … FROM STDIN` of what `rows` holds, in the caller's transaction. Errors as an engine of the warehouse."""
    driver: Any = connection.connection
    with outages.translating(), driver.cursor() as cursor:
        cursor.copy_expert(command, rows, send_bytes)
