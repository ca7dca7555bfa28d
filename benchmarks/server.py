"""The PostgreSQL that holds sources and warehouse of a benchmark: its databases, its settings, what it spends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil  # type: ignore[import-untyped]
import psycopg2
from psycopg2 import sql

from devstack.postgres import Postgres

SETTINGS = (
    "server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_level", "shared_buffers", "work_mem",
    "maintenance_work_mem", "effective_cache_size", "max_wal_size", "checkpoint_timeout", "autovacuum", "jit",
    "max_parallel_workers_per_gather",
)  # fmt: skip


@dataclass(frozen=True)
class Spent:
    """What a server spent so far: CPU seconds of all its processes, bytes written to its log."""

    cpu_s: float
    wal_bytes: int

    def since(self, before: Spent) -> Spent:
        return Spent(self.cpu_s - before.cpu_s, self.wal_bytes - before.wal_bytes)


@dataclass(frozen=True)
class Server:
    """A running server."""

    postgres: Postgres

    @contextmanager
    def cursor(self, database: str = "postgres", autocommit: bool = True) -> Iterator[Any]:
        """A cursor; without autocommit everything is one transaction, committed at the end."""
        connection = psycopg2.connect(self.postgres.url(database).replace("+psycopg2", "", 1))
        connection.autocommit = autocommit
        try:
            with connection.cursor() as cursor:
                yield cursor
            if not autocommit:
                connection.commit()
        finally:
            connection.close()

    def has(self, database: str) -> bool:
        with self.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,))
            return cursor.fetchone() is not None

    def databases(self, prefix: str) -> list[str]:
        """Names that begin with `prefix`."""
        with self.cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY 1", (prefix,))
            return [row[0] for row in cursor.fetchall()]

    def copy(self, original: str, name: str) -> None:
        """A database as a copy of another; what had the name before is dropped. File by file: no WAL of gigabytes."""
        self.postgres.drop_database(name)
        with self.cursor() as cursor:
            cursor.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                    sql.Identifier(name), sql.Identifier(original)
                )
            )

    def rename(self, old: str, new: str) -> None:
        self.postgres.drop_database(new)
        with self.cursor() as cursor:
            cursor.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new)))

    def checkpoint(self) -> None:
        """Write out what earlier work left dirty, so that it is not paid for by what is measured next."""
        with self.cursor() as cursor:
            cursor.execute("CHECKPOINT")

    def size_mib(self, database: str) -> int:
        with self.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(%s)", (database,))
            return round(int(cursor.fetchone()[0]) / 2**20)

    def settings(self) -> dict[str, str]:
        """The settings that decide how fast and how safe it is."""
        with self.cursor() as cursor:
            cursor.execute(
                "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)", (list(SETTINGS),)
            )
            return dict(sorted(cursor.fetchall()))

    def spent(self) -> Spent:
        """All backends, also those that have ended, autovacuum and checkpointer included."""
        postmaster = psutil.Process(int((self.postgres.data / "postmaster.pid").read_text().split()[0]))
        times = postmaster.cpu_times()
        cpu = times.user + times.system + times.children_user + times.children_system
        for child in postmaster.children():
            try:
                own = child.cpu_times()
            except psutil.NoSuchProcess:
                continue  # ended this moment; its time is the postmaster's at the next look
            cpu += own.user + own.system
        with self.cursor() as cursor:
            cursor.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
            return Spent(cpu, int(cursor.fetchone()[0]))
