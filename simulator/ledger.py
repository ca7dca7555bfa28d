"""The truth ledger: for every dossier what the portal ought to hold, and which fault its rows carry."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

_DISAGREEMENTS = """
CREATE TABLE disagreement (
    source_id TEXT NOT NULL, code TEXT NOT NULL, field TEXT NOT NULL, province_says TEXT NOT NULL,
    holder_says TEXT NOT NULL, PRIMARY KEY (source_id, code, field)
)
"""
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
    `duplicate_of` is the dossierId that a `duplicate_row` repeats, else 0. `province` names a sectoral system
    (`bgtvt_h17`) where the dossier is the one that this system holds; `truth` then has only what it can tell.
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


@dataclass(frozen=True, slots=True, order=True)
class Disagreement:
    """One field of one dossier that a province's copy says otherwise than the sectoral system, in wire words."""

    source_id: str
    code: str
    field: str
    province_says: str
    holder_says: str


def write_ledger(entries: Iterable[Entry], path: Path, disagreements: Iterable[Disagreement] = ()) -> None:
    """Write the whole ledger to an SQLite file, replacing it in one step."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    connection = sqlite3.connect(draft)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute(_TABLE)
        connection.execute(_DISAGREEMENTS)
        connection.executemany("INSERT INTO disagreement VALUES (?, ?, ?, ?, ?)", map(astuple, disagreements))
        connection.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?)", (_row(entry) for entry in entries))
        connection.commit()
    finally:
        connection.close()
    draft.replace(path)


def update_ledger(entries: Iterable[Entry], path: Path, disagreements: Iterable[Disagreement] | None = None) -> None:
    """Write some entries of an existing ledger file, and all disagreements when given, anew; in one transaction."""
    connection = sqlite3.connect(path, timeout=30)
    try:
        with connection:
            if disagreements is not None:
                connection.execute("DELETE FROM disagreement")
                connection.executemany("INSERT INTO disagreement VALUES (?, ?, ?, ?, ?)", map(astuple, disagreements))
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


def read_disagreements(path: Path, source_id: str | None = None) -> list[Disagreement]:
    """What the ledger knows of disagreements, sorted; of one sectoral system, or of all."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        rows = connection.execute(
            "SELECT * FROM disagreement WHERE ?1 IS NULL OR source_id = ?1 ORDER BY source_id, code, field",
            (source_id,),
        )
        return [Disagreement(*row) for row in rows]
    finally:
        connection.close()


def _row(entry: Entry) -> tuple[object, ...]:
    return (
        entry.province, entry.dossier_id, entry.code, _json(entry.truth), _json(entry.steps), _json(entry.defects),
        entry.duplicate_of,
    )  # fmt: skip


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
