"""What a failing step becomes for Airflow: another try or none, in words that are safe to log.

A terminal error fails the task at once, a transient one is tried again. So is anything unexpected unless it is a plain
defect of the code; its own words are dropped, for messages of drivers and parsers quote the values they choked on.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from lienthong.model.errors import LienThongError, TerminalError

P = ParamSpec("P")
R = TypeVar("R")
_FRAMES = 6
_DEFECTS = (TypeError, AttributeError, LookupError, NameError, ArithmeticError, AssertionError)
_SYNTAX_OR_ACCESS = "42"


def guarded(step: Callable[P, R]) -> Callable[P, R]:
    """Translate the errors of `step`. The translated error has no cause: Airflow would log the original's words."""

    @wraps(step)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        failure: AirflowException
        try:
            return step(*args, **kwargs)
        except AirflowException:
            raise
        except TerminalError as error:
            failure = AirflowFailException(str(error))
        except LienThongError as error:
            failure = AirflowException(str(error))
        except Exception as error:
            failure = (AirflowFailException if _is_defect(error) else AirflowException)(describe(error))
        raise failure

    return wrapped


def describe(error: Exception) -> str:
    """Type, SQLSTATE and places in our code of an unexpected error, without its message."""
    sqlstate = _sqlstate(error)
    frames = [
        f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
        if f"{Path('/lienthong')}/" in frame.filename and Path(frame.filename).name != Path(__file__).name
    ]
    kind = f"{type(error).__module__}.{type(error).__qualname__}" + (f" (SQLSTATE {sqlstate})" if sqlstate else "")
    place = " < ".join(reversed(frames[-_FRAMES:])) or "an unknown place"
    return (
        f"Unexpected {kind} at {place}. Its message is withheld: it may quote personal data. "
        "Next: if the next try fails too, repeat the step with `lienthong` on the command line."
    )


def _sqlstate(error: Exception) -> str | None:
    """PostgreSQL's code of an error, through SQLAlchemy's wrapper."""
    code = getattr(getattr(error, "orig", error), "pgcode", None)
    return str(code) if code else None


def _is_defect(error: Exception) -> bool:
    """Whether another try would fail alike: a mistake in our code, or a statement that PostgreSQL can't understand."""
    return isinstance(error, _DEFECTS) or (_sqlstate(error) or "").startswith(_SYNTAX_OR_ACCESS)
