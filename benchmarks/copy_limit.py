"""The physical limit: the same canonical rows by COPY into logged tables with the same columns and keys.

After the first load each table's rows are written to a file (not timed). Then, per table and in one transaction of its
own, the file is sent by COPY … FROM STDIN into an empty table that was created (or truncated) in an earlier
transaction, so that every row goes through the log. One connection, one table after the other.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.server import Server

#: The canonical rows: dossiers (what is personal lies apart), steps, documents, fees.
TABLES = ("source_record", "person", "step", "document", "fee")


def measure(server: Server, database: str, tenants: Sequence[str], folder: Path, runs: int = 3) -> dict[str, Any]:
    """Seconds per run and table, and their median in sum; rows and bytes of the text that is sent."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [(table, f"{table}__{tenant.lower()}") for tenant in tenants for table in TABLES]
    with server.cursor(database) as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS copy_limit CASCADE")
        cursor.execute("CREATE SCHEMA copy_limit")
        rows: dict[str, int] = {}
        size: dict[str, int] = {}
        for table, name in names:
            cursor.execute(f"CREATE TABLE copy_limit.{name} (LIKE dossier.{name} INCLUDING ALL)")
            _drop_what_is_no_key(cursor, name)
            with (folder / name).open("wb") as sink:
                cursor.copy_expert(f"COPY dossier.{name} TO STDOUT", sink)
            rows[table] = rows.get(table, 0) + max(int(cursor.rowcount), 0)
            size[table] = size.get(table, 0) + (folder / name).stat().st_size
    found: list[dict[str, float]] = []
    cpu: list[float] = []
    for _ in range(runs):
        with server.cursor(database) as cursor:
            for _, name in names:
                cursor.execute(f"TRUNCATE copy_limit.{name}")
        server.checkpoint()
        before = server.spent()
        seconds: dict[str, float] = {}
        for table, name in names:
            seconds[table] = round(seconds.get(table, 0.0) + _copy(server, database, name, folder / name), 3)
        found.append(seconds)
        cpu.append(server.spent().since(before).cpu_s)
    with server.cursor(database) as cursor:
        cursor.execute("DROP SCHEMA copy_limit CASCADE")
    for _, name in names:
        (folder / name).unlink()
    sums = [sum(seconds.values()) for seconds in found]
    return {
        "work_s": round(statistics.median(sums), 3),
        "server_cpu_s": round(statistics.median(cpu), 3),
        "runs_s": [round(total, 3) for total in sums],
        "tables": {
            table: {
                "rows": rows[table],
                "bytes": size[table],
                "s": round(statistics.median(seconds[table] for seconds in found), 3),
            }
            for table in TABLES
        },
        "rows": sum(rows.values()),
        "bytes": sum(size.values()),
    }


def _drop_what_is_no_key(cursor: Any, name: str) -> None:
    """Indexes that only make reading fast are no part of the limit."""
    cursor.execute(
        "SELECT indexrelid::regclass::text FROM pg_index"
        " WHERE indrelid = %s::regclass AND NOT indisprimary AND NOT indisunique",
        (f"copy_limit.{name}",),
    )
    for (index,) in cursor.fetchall():
        cursor.execute(f"DROP INDEX {index}")


def _copy(server: Server, database: str, name: str, file: Path) -> float:
    with server.cursor(database, autocommit=False) as cursor, file.open("rb") as content:
        begun = time.perf_counter()
        cursor.copy_expert(f"COPY copy_limit.{name} FROM STDIN", content)
        cursor.connection.commit()
        return time.perf_counter() - begun
