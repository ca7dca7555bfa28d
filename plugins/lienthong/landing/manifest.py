"""The manifest of a landed batch: what was read, how far, and the hash of every file. Nothing here is personal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lienthong.model.codes import LoadMode

#: Number of the manifest's layout. Raise it when a reader of the old layout would misunderstand the new one.
FORMAT = 1
NAME = "manifest.json"


@dataclass(frozen=True)
class Watermark:
    """How far one table of a source has been read.

    `modified_at`: newest modification that the source's own clock had reached; `last_key`: highest primary key, as text
    (manifests and ledgers of earlier versions hold numbers); `overlap_rows`: rows inside the overlap window before
    `modified_at`, which the next load must find again.
    """

    table: str
    modified_at: datetime | None
    last_key: str | None
    overlap_rows: int

    def __post_init__(self) -> None:
        if isinstance(self.last_key, int):
            object.__setattr__(self, "last_key", str(self.last_key))


@dataclass(frozen=True)
class LandedFile:
    """One Parquet file. `part` counts the files of a table from 0; `name` is relative to the manifest."""

    name: str
    part: int
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class LandedTable:
    """One table of the source. `columns` are (name, Arrow type) as landed; a table without rows has no files."""

    name: str
    columns: tuple[tuple[str, str], ...]
    rows: int
    files: tuple[LandedFile, ...]


@dataclass(frozen=True)
class BatchFacts:
    """What the extraction knows about a batch besides its files.

    `observed_at` is the source's clock (UTC) when reading began. `watermarks` is empty unless the load may move them.
    `unmapped_columns` are columns that the source has and nobody maps or ignores: a finding, by table. `clock_ahead`:
    how far the source's clock was ahead of ours then; None where it doesn't tell. `began_fence`: the try of the load in
    which reading began; None: this one.
    """

    mode: LoadMode
    observed_at: datetime
    contract_hash: str
    codes_hash: str
    window_from: datetime | None = None
    window_to: datetime | None = None
    watermarks: Mapping[str, Watermark] = field(default_factory=dict)
    unmapped_columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    clock_ahead: timedelta | None = None
    began_fence: int | None = None


@dataclass(frozen=True)
class Manifest:
    """A landed batch: whose it is, what is known about it, and its tables."""

    tenant: str
    source_id: str
    load_id: int
    fence: int
    facts: BatchFacts
    tables: Mapping[str, LandedTable]

    def to_json(self) -> str:
        facts = self.facts
        return json.dumps(
            {
                "format": FORMAT,
                "tenant": self.tenant,
                "source_id": self.source_id,
                "load_id": self.load_id,
                "fence": self.fence,
                "mode": facts.mode.value,
                "window_from": _text(facts.window_from),
                "window_to": _text(facts.window_to),
                "observed_at": facts.observed_at.isoformat(),
                "contract_hash": facts.contract_hash,
                "codes_hash": facts.codes_hash,
                "watermarks": [
                    {**vars(mark), "modified_at": _text(mark.modified_at)} for mark in facts.watermarks.values()
                ],
                "unmapped_columns": {table: list(names) for table, names in facts.unmapped_columns.items()},
                "clock_ahead_s": facts.clock_ahead.total_seconds() if facts.clock_ahead is not None else None,
                "began_fence": facts.began_fence,
                "tables": [
                    {
                        "name": table.name,
                        "rows": table.rows,
                        "columns": [list(column) for column in table.columns],
                        "files": [vars(file) for file in table.files],
                    }
                    for table in self.tables.values()
                ],
            },
            indent=1,
            ensure_ascii=False,
        )

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """The manifest in `text`; ValueError, KeyError or TypeError when it is not one."""
        raw = json.loads(text)
        if raw["format"] != FORMAT:
            raise ValueError(f"manifest format {raw['format']}, expected {FORMAT}")
        ahead = raw.get("clock_ahead_s")  # batches of before have neither
        facts = BatchFacts(
            mode=LoadMode(raw["mode"]),
            observed_at=datetime.fromisoformat(raw["observed_at"]),
            contract_hash=raw["contract_hash"],
            codes_hash=raw["codes_hash"],
            window_from=_instant(raw["window_from"]),
            window_to=_instant(raw["window_to"]),
            watermarks={
                mark["table"]: Watermark(**{**mark, "modified_at": _instant(mark["modified_at"])})
                for mark in raw["watermarks"]
            },
            unmapped_columns={table: tuple(names) for table, names in raw["unmapped_columns"].items()},
            clock_ahead=timedelta(seconds=ahead) if ahead is not None else None,
            began_fence=raw.get("began_fence"),
        )
        tables = {table["name"]: _table(table) for table in raw["tables"]}
        return cls(raw["tenant"], raw["source_id"], raw["load_id"], raw["fence"], facts, tables)


def _table(raw: Mapping[str, Any]) -> LandedTable:
    columns = tuple((name, kind) for name, kind in raw["columns"])
    return LandedTable(raw["name"], columns, raw["rows"], tuple(LandedFile(**file) for file in raw["files"]))


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
