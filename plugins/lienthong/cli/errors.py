"""How a command ends that failed: two lines in Vietnamese, and of what nobody foresaw a traceback without values."""

from __future__ import annotations

import logging
import os
from datetime import datetime
from pathlib import Path
from types import TracebackType

from lienthong.model.errors import DefectError
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.model.printable import printable
from lienthong.model.traces import WITHHELD, kind_of, places, trace
from lienthong.pipeline.failures import Failure
from lienthong.settings import var_folder
from lienthong.views.errors import failure_words


def error_lines(failure: Failure) -> list[str]:
    """What is wrong and what to do: first in Vietnamese, then in the error's own words."""
    return [f"Lỗi: {failure.sentence}", f"  Chi tiết: {failure.said}"]


def unforeseen_lines(error: BaseException, kept: Path | None) -> list[str]:
    """An error that nobody foresaw: its kind, and where its traceback lies. Its own words may quote a row."""
    where = f"kèm tệp {kept}" if kept else "kèm các dòng dưới đây"
    what, _ = failure_words(DefectError.__name__, "")
    place = " < ".join(places(error)[:3])
    lines = [f"Lỗi: {what}. Việc cần làm: báo nhóm phát triển, {where} (không có dữ liệu cá nhân)."]
    lines.append(f"  Chi tiết: {kind_of(error)}{f' at {place}' if place else ''}; {WITHHELD}.")
    return lines if kept else [*lines, trace(error)]


def keep_trace(error: BaseException) -> Path | None:
    """Write the traceback of `error`, without a message or a value, into `var/errors`; None where that can't be."""
    now = datetime.now(BUSINESS_ZONE)
    path = var_folder() / "errors" / f"loi-{now:%Y%m%d-%H%M%S}-{os.getpid()}.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{now.isoformat()}\n{trace(error)}", encoding="utf-8")
    except OSError:
        return None
    return path


def withhold_values() -> None:
    """Warnings of libraries reach the terminal without control characters, and their tracebacks without values."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_Printable())


class _Printable(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None
        return printable(super().format(record))

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        return trace(ei[1]) if ei[1] is not None else ""
