"""Statements live in include/sql, one file each; this module finds and runs them with bind parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import CursorResult, TextClause, text
from sqlalchemy.engine import Connection

from lienthong.model.kinds import KindSpec
from lienthong.settings import PROJECT

SQL_FOLDER = PROJECT / "include" / "sql"


@cache
def read(name: str) -> str:
    """Text of `include/sql/<name>.sql`, e.g. `ops/open_load`."""
    path: Path = SQL_FOLDER / f"{name}.sql"
    return path.read_text(encoding="utf-8")


@cache
def statement(name: str) -> TextClause:
    """The statement as SQLAlchemy text; `:name` marks bind parameters, `::` casts are left alone."""
    return text(read(name))


def run(
    connection: Connection, name: str, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None, /,
    **named: Any,
) -> CursorResult[Any]:  # fmt: skip
    """Run one statement file. Parameters are given as keywords, or as one mapping (or a sequence of mappings)."""
    return connection.execute(statement(name), parameters if parameters is not None else named)


def of_kind(kind: KindSpec, name: str) -> str:
    """The statement of a kind that was made from its specification, e.g. `kinds/dossier/apply_records`."""
    return f"kinds/{kind.name}/{name}"
