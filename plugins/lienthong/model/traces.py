"""What may be told of an error of others: its kind, its code and where it was raised. Its words may quote a row."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType

PACKAGE = Path(__file__).resolve().parents[1]
WITHHELD = "its words are withheld: they may quote a row"
_FRAMES = 6


def kind_of(error: BaseException) -> str:
    """`psycopg2.errors.CheckViolation, SQLSTATE 23514`, `pymysql.err.IntegrityError, 1062`: class and code."""
    original = getattr(error, "orig", None) or error
    kind = f"{type(original).__module__}.{type(original).__qualname__}".removeprefix("builtins.")
    code = _code(original)
    if code is None:
        return kind
    return f"{kind}, {code}" if isinstance(code, int) else f"{kind}, SQLSTATE {code}"


def places(error: BaseException, *, leave_out: tuple[str, ...] = ()) -> list[str]:
    """Where in our code `error` was raised and who called, innermost first; `leave_out`: names of files."""
    raised = [
        f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}"
        for frame in reversed(traceback.extract_tb(error.__traceback__))
        if _is_ours(frame.filename, leave_out)
    ]
    calling = [
        f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno} in {frame.f_code.co_name}"
        for frame in _callers()
        if _is_ours(frame.f_code.co_filename, leave_out)
    ]
    return list(dict.fromkeys([*raised, *calling]))[:_FRAMES]


def trace(error: BaseException) -> str:
    """The traceback of `error` and of what led to it, without a message, a value or a line of code."""
    parts = []
    for one in chain(error):
        frames = [
            f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(one.__traceback__)
        ]
        parts.append("\n".join([f"{kind_of(one)} ({WITHHELD})", *frames]))
    return "\n\n".join(parts) + "\n"


def chain(error: BaseException) -> Iterator[BaseException]:
    """`error`, what a wrapper holds, its causes and contexts, and the members of a group: each once."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        members = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        waiting += [getattr(one, "orig", None), one.__cause__, one.__context__, *members]


def forget_words(error: BaseException) -> None:
    """Take the words from every error of a database driver in the chain of `error`: whoever prints one prints a row.

    Class, SQLSTATE and MySQL's number stay.
    """
    for one in chain(error):
        if not (hasattr(one, "pgcode") or hasattr(one, "orig") or type(one).__module__.startswith("pymysql")):
            continue
        code = _code(one)
        one.args = (code, WITHHELD) if isinstance(code, int) else (WITHHELD,)
        if hasattr(one, "orig"):  # SQLAlchemy's: a statement may hold values as literals
            vars(one).update(statement=None, params=None)
        if hasattr(one, "pgcode"):  # psycopg2's: the text once more, and the cursor with the statement
            with suppress(Exception):
                one.__setstate__({"pgerror": None, "pgcode": code, "cursor": None})


def _code(error: BaseException) -> str | int | None:
    """PostgreSQL's SQLSTATE or MySQL's number."""
    state = getattr(error, "pgcode", None)
    if state:
        return str(state)
    first = next(iter(error.args), None)
    return first if isinstance(first, int) and type(error).__module__.startswith("pymysql") else None


def _callers() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_ours(filename: str, leave_out: tuple[str, ...]) -> bool:
    path = Path(filename)
    return path.is_relative_to(PACKAGE) and path.name not in (*leave_out, Path(__file__).name)
