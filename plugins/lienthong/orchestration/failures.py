"""What a failing step becomes for Airflow: another try or none, in words that are safe to log (`pipeline.failures`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowTaskTimeout

from lienthong.orchestration.logbook import note_failure

if TYPE_CHECKING:
    from lienthong.pipeline.failures import Failure

P = ParamSpec("P")
R = TypeVar("R")
#: Where a translated error keeps the failure that it stands for.
_FAILURE = "lienthong_failure"


def guarded(step: Callable[P, R]) -> Callable[P, R]:
    """Translate the errors of `step`, and say in the log what failed before Airflow adds its frames.

    A lasting failure fails the task at once, any other is tried again. The translated error has no cause: Airflow would
    log the original's words.
    """

    @wraps(step)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        from lienthong.pipeline.failures import Failure, failure_of

        try:
            return step(*args, **kwargs)
        except AirflowException:
            raise
        except AirflowTaskTimeout as error:
            note_failure(Failure(type(error).__name__))
            raise
        except Exception as error:
            failure = failure_of(error)
        translated = (AirflowFailException if failure.lasting else AirflowException)(failure.said)
        setattr(translated, _FAILURE, failure)
        note_failure(failure)
        raise translated

    return wrapped


def failure_behind(error: object) -> Failure:
    """The failure that a task's error stands for. Words that did not pass through `guarded` are withheld."""
    from lienthong.pipeline.failures import Failure

    failure = getattr(error, _FAILURE, None)
    return failure if isinstance(failure, Failure) else Failure(type(error).__name__ if error is not None else "")
