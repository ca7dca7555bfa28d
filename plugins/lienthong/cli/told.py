"""What a command did, told at a terminal: lines in Vietnamese, or one JSON document for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.freshness.wording import ERROR_WORDS
from lienthong.model.errors import DefectError, LienThongError
from lienthong.model.printable import escaped, printable
from lienthong.model.traces import WITHHELD, kind_of, places, trace

if TYPE_CHECKING:
    from rich.console import Console

    from lienthong.warehouse.server_log import LoudSetting

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


def error_lines(error: LienThongError) -> list[str]:
    """What is wrong and what to do: first by kind, in Vietnamese, then in the error's own words."""
    known = ERROR_WORDS.get(type(error).__name__)
    if known is None:
        return [f"Lỗi: {error}"]
    what, next_step = known
    return [f"Lỗi: {what}. Việc cần làm: {next_step}.", f"  Chi tiết: {error}"]


def unforeseen_lines(error: BaseException, kept: Path | None) -> list[str]:
    """An error that nobody foresaw: its kind, and where its traceback lies. Its own words may quote a row."""
    where = f"kèm tệp {kept}" if kept else "kèm các dòng dưới đây"
    what, _ = ERROR_WORDS[DefectError.__name__]
    place = " < ".join(places(error)[:3])
    lines = [f"Lỗi: {what}. Việc cần làm: báo nhóm phát triển, {where} (không có dữ liệu cá nhân)."]
    lines.append(f"  Chi tiết: {kind_of(error)}{f' at {place}' if place else ''}; {WITHHELD}.")
    return lines if kept else [*lines, trace(error)]


def loud_lines(found: Sequence[LoudSetting]) -> list[str]:
    """That the warehouse's server would write rows into its log, and what its administrator sets instead."""
    if not found:
        return []
    settings = ", ".join(f"{one.name} = {one.wanted} (đang là {one.setting})" for one in found)
    return [
        "CẢNH BÁO: nhật ký của máy chủ PostgreSQL của kho có thể ghi dữ liệu cá nhân của hồ sơ. Việc cần làm: quản trị "
        f"máy chủ đặt {settings}; xem docs/operate.md."
    ]


def missing_role_lines(missing: Sequence[str]) -> list[str]:
    """That steps share rights because this server lacks groups, and who makes them."""
    if not missing:
        return []
    return [
        f"LƯU Ý: máy chủ PostgreSQL của kho chưa có nhóm quyền {', '.join(missing)}, nên chưa cấp quyền riêng cho từng "
        "bước được. Việc cần làm: quản trị máy chủ chạy deploy/postgres/20-roles.sh, rồi chạy lại `lienthong migrate`; "
        "xem docs/operate.md."
    ]


def _plain(value: object) -> str | float:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
