"""What a failing step becomes for Airflow: another try or none, in words that are safe to log.

A terminal error fails the task at once, a transient one is tried again. So is anything unexpected unless it is a plain
defect of the code; its own words are dropped, for messages of drivers and parsers quote the values they choked on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowTaskTimeout

from lienthong.disk import disk_full
from lienthong.model.errors import LienThongError, TerminalError
from lienthong.model.traces import kind_of, places
from lienthong.orchestration.logbook import note_failure

P = ParamSpec("P")
R = TypeVar("R")
_DEFECTS = (TypeError, AttributeError, LookupError, NameError, ArithmeticError, AssertionError)
#: Where a translated error keeps what may be told of the original.
_TOLD = "lienthong_told"


@dataclass(frozen=True)
class Told:
    """What may be told of a failure: the class of the error, and its words if they are our own (else '')."""

    kind: str
    words: str


def guarded(step: Callable[P, R]) -> Callable[P, R]:
    """Translate the errors of `step`, and say in the log what failed before Airflow adds its frames.

    The translated error has no cause: Airflow would log the original's words.
    """

    @wraps(step)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        failure: AirflowException
        try:
            return step(*args, **kwargs)
        except AirflowException:
            raise
        except AirflowTaskTimeout as error:
            note_failure(type(error).__name__, "")
            raise
        except TerminalError as error:
            failure, kind = AirflowFailException(str(error)), type(error).__name__
        except LienThongError as error:
            failure, kind = AirflowException(str(error)), type(error).__name__
        except Exception as error:
            meant = outage_of(error)
            if meant is not None:
                lasting = isinstance(meant, TerminalError)
                failure = (AirflowFailException if lasting else AirflowException)(str(meant))
                kind = type(meant).__name__
            else:
                failure = (AirflowFailException if _is_defect(error) else AirflowException)(describe(error))
                kind = type(error).__name__
        setattr(failure, _TOLD, Told(kind, str(failure)))
        note_failure(kind, str(failure))
        raise failure

    return wrapped


def told_by(error: object) -> Told:
    """What may be told of what a task raised. Words that did not pass through `guarded` are withheld."""
    told = getattr(error, _TOLD, None)
    return told if isinstance(told, Told) else Told(type(error).__name__ if error is not None else "", "")


def outage_of(error: Exception) -> LienThongError | None:
    """Our words for a full disk, or for what the warehouse said, that reached a task as an error of others."""
    if isinstance(error, OSError):
        return disk_full(error, error.filename if isinstance(error.filename, str) else ".")
    from psycopg2 import Error
    from sqlalchemy.exc import DBAPIError

    from lienthong.warehouse.outages import meaning

    return meaning(error) if isinstance(error, Error | DBAPIError) else None


def describe(error: Exception) -> str:
    """Type, SQLSTATE and places in our code of an unexpected error, without its message."""
    place = " < ".join(places(error, leave_out=(Path(__file__).name,))) or "an unknown place"
    return (
        f"Unexpected {kind_of(error)} at {place}. Its message is withheld: it may quote personal data. "
        "Next: if the next try fails too, repeat the step with `lienthong` on the command line."
    )


def _is_defect(error: Exception) -> bool:
    """Whether another try would fail alike: a mistake in our code."""
    return isinstance(error, _DEFECTS)
