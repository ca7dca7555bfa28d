"""What a command prints: lines in Vietnamese, or one JSON document for programs."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.model.printable import escaped, printable

if TYPE_CHECKING:
    from rich.console import Console

AsJson = Annotated[bool, typer.Option("--json", help="In một tài liệu JSON thay cho chữ.")]

#: Wider lines are hard to read.
WIDTH = 100


def terminal() -> Console:
    """A console of at most WIDTH columns."""
    from lienthong.reports.screen import Screen

    console = Screen()
    console.width = min(console.width, WIDTH)
    return console


def say(text: str, *, err: bool = False) -> None:
    """One or more lines to the terminal (`err`: standard error), whatever others wrote into them."""
    typer.echo(printable(text), err=err)


def to_json(found: object) -> str:
    """One document; days and moments as ISO 8601, decimals as numbers. TypeError for a value without a JSON form."""
    return escaped(json.dumps(found, ensure_ascii=False, indent=1, default=_plain))


def _plain(value: object) -> str | float:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
