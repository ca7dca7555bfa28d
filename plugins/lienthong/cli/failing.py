"""What a command leaves behind of an error that nobody foresaw: a traceback without values."""

from __future__ import annotations

import logging
import os
from datetime import datetime
from pathlib import Path
from types import TracebackType

from lienthong.model.periods import BUSINESS_ZONE
from lienthong.model.printable import printable
from lienthong.model.traces import trace
from lienthong.settings import var_folder


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


def tell_without_values() -> None:
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
