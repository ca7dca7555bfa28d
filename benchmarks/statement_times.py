"""Seconds per SQL statement of a process, by the name of its file: at the cursor, so that COPY is seen too."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg2.extensions
from psycopg2.sql import Composable
from sqlalchemy import Engine, event, text
from sqlalchemy.dialects.postgresql.psycopg2 import dialect

from lienthong.settings import PROJECT

_PURPOSE = re.compile(r"-- Purpose: ([^\n]{1,70})")
_PARAMETERS = re.compile(r"%\(\w+\)s(?:(?:::\w+)?, %\(\w+\)s)*(?:(?:::\w+)?, %\(\w*$)?")
_LITERALS = re.compile(r"'[^']*'?")
_COPY = re.compile(r"\s*COPY\s+([\w.\"]+|\()", re.IGNORECASE)
_LENGTH = 110


@dataclass
class StatementTimes:
    """Name → [seconds, calls] of everything this process asked of any PostgreSQL, filled from all its threads.

    Waiting for rows counts apart, as `<name> [fetch]`; the ends of transactions are `commit` and `rollback`.
    """

    found: dict[str, list[float]] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Watch every connection that SQLAlchemy opens from now on."""
        folder = PROJECT / "include" / "sql"
        compiler: Any = dialect
        for file in sorted(folder.rglob("*.sql")):
            if file.parent.name != "migrations":
                compiled = str(text(file.read_text(encoding="utf-8")).compile(dialect=compiler()))
                self._names[compiled] = file.relative_to(folder).with_suffix("").as_posix()

        @event.listens_for(Engine, "do_connect")
        def connect(found: Any, record: Any, arguments: Any, options: dict[str, Any]) -> None:
            if found.driver == "psycopg2":
                options["connection_factory"] = lambda dsn, **more: TimedConnection(self, dsn, **more)

    def longest(self, number: int) -> dict[str, dict[str, float]]:
        """The statements that took longest, longest first: name → seconds, calls."""
        ordered = sorted(self.found.items(), key=lambda item: -item[1][0])[:number]
        return {name: {"s": round(seconds, 3), "calls": int(calls)} for name, (seconds, calls) in ordered}

    @contextmanager
    def timing(self, name: str) -> Iterator[None]:
        """Count what happens inside under `name`."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - begun
            with self._lock:
                entry = self.found.setdefault(name, [0.0, 0])
                entry[0] += spent
                entry[1] += 1

    def name_of(self, statement: str) -> str:
        """The statement's file, else the purpose in its header comment, else what it is about without any value."""
        known = self._names.get(statement)
        if known:
            return known
        purpose = _PURPOSE.search(statement, 0, 20_000)
        if purpose:
            return f"… {purpose.group(1)}"
        copied = _COPY.match(statement)
        if copied:
            return f"COPY {copied.group(1)}".replace('"', "")
        verb = statement.lstrip()[:6].upper().strip()
        place = statement.find("FROM ") if verb in ("SELECT", "DECLAR", "WITH") else 0
        about = _PARAMETERS.sub("?", _LITERALS.sub("?", " ".join(statement[max(place, 0) : place + 600].split())))
        return f"{verb} … {about}"[:_LENGTH] if place > 0 else about[:_LENGTH]


class TimedConnection(psycopg2.extensions.connection):
    """A connection whose cursors and transaction ends are timed."""

    def __init__(self, times: StatementTimes, dsn: str, **options: Any) -> None:
        super().__init__(dsn, **options)
        self.times = times
        self.cursor_factory = TimedCursor

    def commit(self) -> None:
        with self.times.timing("commit"):
            super().commit()

    def rollback(self) -> None:
        with self.times.timing("rollback"):
            super().rollback()


class TimedCursor(psycopg2.extensions.cursor):
    """Times every round trip to the server."""

    _name = ""

    @property
    def _times(self) -> StatementTimes:
        connection: Any = self.connection
        times: StatementTimes = connection.times
        return times

    def _called(self, query: Any) -> str:
        statement = query.as_string(self) if isinstance(query, Composable) else query
        self._name = self._times.name_of(statement.decode() if isinstance(statement, bytes) else statement)
        return self._name

    def execute(self, query: Any, vars: Any = None) -> None:
        name = self._called(query)
        with self._times.timing(name):
            super().execute(query, vars)

    def executemany(self, query: Any, vars_list: Any) -> None:
        name = self._called(query)
        with self._times.timing(name):
            super().executemany(query, vars_list)

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
        name = self._called(sql)
        with self._times.timing(name):
            super().copy_expert(sql, file, size)

    def fetchone(self) -> Any:
        with self._times.timing(f"{self._name} [fetch]"):
            return super().fetchone()

    def fetchmany(self, size: int | None = None) -> Any:
        with self._times.timing(f"{self._name} [fetch]"):
            return super().fetchmany() if size is None else super().fetchmany(size)

    def fetchall(self) -> Any:
        with self._times.timing(f"{self._name} [fetch]"):
            return super().fetchall()
