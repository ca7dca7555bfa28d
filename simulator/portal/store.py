"""What the portal holds: dossiers and progress steps, in SQLite, in memory or in a file that survives a restart."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS dossier (
    code TEXT PRIMARY KEY, sender TEXT NOT NULL, body TEXT NOT NULL, writes INTEGER NOT NULL,
    first_call INTEGER NOT NULL, last_call INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS step (
    number INTEGER PRIMARY KEY, code TEXT NOT NULL, sender TEXT NOT NULL, body TEXT NOT NULL, call INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS step_code ON step (code);
"""


@dataclass(frozen=True)
class StoredDossier:
    """One dossier as last accepted. `writes` counts create and updates; `*_call` are numbers of calls."""

    code: str
    sender: str
    body: dict[str, Any]
    writes: int
    first_call: int
    last_call: int


@dataclass(frozen=True)
class StoredStep:
    """One progress step, in order of arrival."""

    number: int
    code: str
    sender: str
    body: dict[str, Any]
    call: int


class Store:
    """Thread-safe. Writes of one call are one transaction: use `writing()`."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_TABLES)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All or nothing for what happens inside."""
        with self._lock:
            self._db.execute("BEGIN")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def dossier(self, code: str) -> StoredDossier | None:
        with self._lock:
            row = self._db.execute("SELECT * FROM dossier WHERE code = ?", (code,)).fetchone()
        return _dossier(row) if row else None

    def dossiers(self, province: str | None = None, limit: int = -1, offset: int = 0) -> list[StoredDossier]:
        """Dossiers in order of code; `province` is a sender such as H17."""
        with self._lock:
            rows = self._db.execute(
                "SELECT * FROM dossier WHERE ?1 IS NULL OR sender = ?1 ORDER BY code LIMIT ?2 OFFSET ?3",
                (province, limit, offset),
            ).fetchall()
        return [_dossier(row) for row in rows]

    def steps(self, code: str | None = None, limit: int = -1, offset: int = 0) -> list[StoredStep]:
        """Steps in order of arrival, of one dossier or of all."""
        with self._lock:
            rows = self._db.execute(
                "SELECT * FROM step WHERE ?1 IS NULL OR code = ?1 ORDER BY number LIMIT ?2 OFFSET ?3",
                (code, limit, offset),
            ).fetchall()
        return [StoredStep(number, key, sender, json.loads(body), call) for number, key, sender, body, call in rows]

    def count(self, province: str | None = None) -> tuple[int, int]:
        """(dossiers, steps)."""
        with self._lock:
            row = self._db.execute(
                "SELECT (SELECT count(*) FROM dossier WHERE ?1 IS NULL OR sender = ?1),"
                " (SELECT count(*) FROM step WHERE ?1 IS NULL OR sender = ?1)",
                (province,),
            ).fetchone()
        return int(row[0]), int(row[1])

    def put_dossier(self, code: str, sender: str, body: dict[str, Any], call: int) -> None:
        """Insert or overwrite one dossier."""
        self._db.execute(
            "INSERT INTO dossier VALUES (?1, ?2, ?3, 1, ?4, ?4) ON CONFLICT (code) DO UPDATE"
            " SET body = excluded.body, writes = writes + 1, last_call = excluded.last_call",
            (code, sender, _json(body), call),
        )

    def add_step(self, code: str, sender: str, body: dict[str, Any], call: int) -> None:
        """Append one step, whether or not it is there already."""
        self._db.execute(
            "INSERT INTO step (code, sender, body, call) VALUES (?, ?, ?, ?)", (code, sender, _json(body), call)
        )

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._db.executescript("DELETE FROM dossier; DELETE FROM step;")

    def snapshot(self, path: Path) -> None:
        """Copy everything into an SQLite file, which `Store(path)` opens again."""
        target = sqlite3.connect(path)
        try:
            with self._lock:
                self._db.backup(target)
        finally:
            target.close()

    def close(self) -> None:
        with self._lock:
            self._db.close()


def _dossier(row: tuple[Any, ...]) -> StoredDossier:
    code, sender, body, writes, first_call, last_call = row
    return StoredDossier(code, sender, json.loads(body), writes, first_call, last_call)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
