"""What a command did, told at a terminal: lines in Vietnamese, or one JSON document for programs."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.freshness.wording import ERROR_WORDS
from lienthong.model.errors import LienThongError

if TYPE_CHECKING:
    from rich.console import Console

AsJson = Annotated[bool, typer.Option("--json", help="In một tài liệu JSON thay cho chữ.")]

#: Wider lines are hard to read.
WIDTH = 100


def terminal() -> Console:
    """A console of at most WIDTH columns."""
    from rich.console import Console

    console = Console()
    console.width = min(console.width, WIDTH)
    return console


def to_json(found: object) -> str:
    """One document; days and moments as ISO 8601, decimals as numbers. TypeError for a value without a JSON form."""
    return json.dumps(found, ensure_ascii=False, indent=1, default=_plain)


def error_lines(error: LienThongError) -> list[str]:
    """What is wrong and what to do: first by kind, in Vietnamese, then in the error's own words."""
    known = ERROR_WORDS.get(type(error).__name__)
    if known is None:
        return [f"Lỗi: {error}"]
    what, next_step = known
    return [f"Lỗi: {what}. Việc cần làm: {next_step}.", f"  Chi tiết: {error}"]


def _plain(value: object) -> str | float:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
