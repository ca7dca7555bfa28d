"""What a failing step becomes for Airflow: another try or none, in words that are safe to log.

A terminal error fails the task at once, a transient one is tried again. Anything unexpected is tried again too, but its
own words are dropped: messages of drivers and parsers quote the values they choked on.
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
            failure = AirflowException(describe(error))
        raise failure

    return wrapped


def describe(error: BaseException) -> str:
    """Type, SQLSTATE and places in our code of an unexpected error, without its message."""
    sqlstate = getattr(getattr(error, "orig", error), "pgcode", None)
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
