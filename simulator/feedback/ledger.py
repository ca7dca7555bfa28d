"""The truth ledger of petitions and ratings, in an SQLite file of its own."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TABLE = """
CREATE TABLE feedback (
    kind TEXT NOT NULL, desk TEXT NOT NULL, province TEXT NOT NULL, number INTEGER NOT NULL, truth TEXT NOT NULL,
    children TEXT NOT NULL, defects TEXT NOT NULL, gone INTEGER NOT NULL, PRIMARY KEY (province, desk, number)
)
"""


@dataclass(frozen=True, slots=True)
class FeedbackEntry:
    """One record. `kind` is petition or rating; `desk` is pakn, hotline or rating; `number` the key in that system.

    `truth` and `children` (steps or marks) are free of the fault in `defects`. `gone`: it was deleted for good.
    """

    kind: str
    desk: str
    province: str
    number: int
    truth: dict[str, Any]
    children: tuple[dict[str, Any], ...]
    defects: tuple[str, ...]
    gone: bool = False


def write_feedback_ledger(entries: Iterable[FeedbackEntry], path: Path) -> None:
    """Write the whole ledger, replacing it in one step."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    connection = sqlite3.connect(draft)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute(_TABLE)
        connection.executemany("INSERT INTO feedback VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(_row, entries))
        connection.commit()
    finally:
        connection.close()
    draft.replace(path)


def update_feedback_ledger(entries: Iterable[FeedbackEntry], path: Path) -> None:
    """Write some entries of an existing ledger file anew, in one transaction."""
    connection = sqlite3.connect(path, timeout=30)
    try:
        with connection:
            connection.executemany(
                "INSERT OR REPLACE INTO feedback VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(_row, entries)
            )
    finally:
        connection.close()


def read_feedback_ledger(path: Path, desk: str | None = None) -> Iterator[FeedbackEntry]:
    """The entries of a ledger file, ordered by province, desk and number."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        rows = connection.execute(
            "SELECT * FROM feedback WHERE ?1 IS NULL OR desk = ?1 ORDER BY province, desk, number", (desk,)
        )
        for kind, at, province, number, truth, children, defects, gone in rows:
            yield FeedbackEntry(
                kind, at, province, number, json.loads(truth), tuple(json.loads(children)), tuple(json.loads(defects)),
                bool(gone),
            )  # fmt: skip
    finally:
        connection.close()


def _row(entry: FeedbackEntry) -> tuple[object, ...]:
    def text(value: object) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    return (
        entry.kind, entry.desk, entry.province, entry.number, text(entry.truth), text(entry.children),
        text(entry.defects), entry.gone,
    )  # fmt: skip
