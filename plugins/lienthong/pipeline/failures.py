"""What an error that ended a job means, for every door: in Vietnamese, in words that may be told, tried again or not.

A terminal error needs a person; a transient one is worth another try. So is anything unforeseen unless it is a plain
defect of the code; its own words are dropped, for messages of drivers and parsers quote the values they choked on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lienthong.disk import disk_full
from lienthong.model.errors import LienThongError, TerminalError
from lienthong.model.traces import kind_of, places
from lienthong.views.errors import failure_words

#: With which a command ends that failed, whatever the reason.
EXIT_CODE = 1
_DEFECTS = (TypeError, AttributeError, LookupError, NameError, ArithmeticError, AssertionError)


@dataclass(frozen=True)
class Failure:
    """`kind`: class of the error, or of what it means; `said`: words that may be told, '' when none may; `lasting`:
    another try would fail alike; `foreseen`: an error of our own, or one of others that we know the meaning of.
    """

    kind: str
    said: str = ""
    lasting: bool = False
    foreseen: bool = False

    @property
    def sentence(self) -> str:
        """What happened and what to do, in Vietnamese."""
        what, next_step = failure_words(self.kind, self.said)
        return f"{what}. Việc cần làm: {next_step}."


def failure_of(error: BaseException) -> Failure:
    """What `error` means. Never raises."""
    ours = error if isinstance(error, LienThongError) else meaning_of(error)
    if ours is not None:
        return Failure(type(ours).__name__, str(ours), isinstance(ours, TerminalError), foreseen=True)
    return Failure(type(error).__name__, describe(error), isinstance(error, _DEFECTS))


def meaning_of(error: BaseException) -> LienThongError | None:
    """Our words for a full disk, or for what the warehouse said, that arrive as an error of others."""
    if isinstance(error, OSError):
        return disk_full(error, error.filename if isinstance(error.filename, str) else ".")
    from psycopg2 import Error
    from sqlalchemy.exc import DBAPIError

    from lienthong.warehouse.outages import meaning

    return meaning(error) if isinstance(error, Error | DBAPIError) else None


def describe(error: BaseException) -> str:
    """Type, SQLSTATE and places in our code of an unforeseen error, without its message."""
    place = " < ".join(places(error, leave_out=(Path(__file__).name,))) or "an unknown place"
    return (
        f"Unexpected {kind_of(error)} at {place}. Its message is withheld: it may quote personal data. "
        "Next: if the next try fails too, repeat the step with `lienthong` on the command line."
    )
