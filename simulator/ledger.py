"""The truth ledger: for every dossier what the portal ought to hold, and which fault its rows carry."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TABLE = """
CREATE TABLE ledger (
    province TEXT NOT NULL, dossier_id INTEGER NOT NULL, code TEXT, truth TEXT NOT NULL, steps TEXT NOT NULL,
    defects TEXT NOT NULL, duplicate_of INTEGER NOT NULL, PRIMARY KEY (province, dossier_id)
)
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One dossier. `truth` and `steps` are in wire words (portal-exchange §2.3, §2.4).

    `code` is None as long as there is none (OpenCPS: before reception). `truth` is free of the fault in `defects`.
    For `orphan_child` the dossier row does not exist (iGate: it was deleted softly) and `truth` is empty.
    `duplicate_of` is the dossierId that a `duplicate_row` repeats, else 0.
    """

    province: str
    dossier_id: int
    code: str | None
    truth: dict[str, Any]
    steps: tuple[dict[str, Any], ...]
    defects: tuple[str, ...]
    duplicate_of: int

    @property
    def clean(self) -> bool:
        return not self.defects


def write_ledger(entries: Iterable[Entry], path: Path) -> None:
    """Write the whole ledger to an SQLite file, replacing it in one step."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    connection = sqlite3.connect(draft)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute(_TABLE)
        connection.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?)", (_row(entry) for entry in entries))
        connection.commit()
    finally:
        connection.close()
    draft.replace(path)


def update_ledger(entries: Iterable[Entry], path: Path) -> None:
    """Write some entries of an existing ledger file anew, in one transaction."""
    connection = sqlite3.connect(path, timeout=30)
    try:
        with connection:
            connection.executemany("INSERT OR REPLACE INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?)", map(_row, entries))
    finally:
        connection.close()


def read_ledger(path: Path, province: str | None = None) -> Iterator[Entry]:
    """The entries of a ledger file, ordered by province and dossierId."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        rows = connection.execute(
            "SELECT * FROM ledger WHERE ?1 IS NULL OR province = ?1 ORDER BY province, dossier_id", (province,)
        )
        for code, dossier_id, key, truth, steps, defects, duplicate_of in rows:
            yield Entry(
                code,
                dossier_id,
                key,
                json.loads(truth),
                tuple(json.loads(steps)),
                tuple(json.loads(defects)),
                duplicate_of,
            )
    finally:
        connection.close()


def _row(entry: Entry) -> tuple[object, ...]:
    return (
        entry.province, entry.dossier_id, entry.code, _json(entry.truth), _json(entry.steps), _json(entry.defects),
        entry.duplicate_of,
    )  # fmt: skip


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
