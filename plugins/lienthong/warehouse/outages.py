"""What an error of the warehouse's driver means: away, full, busy, in trouble, or a statement that it refused.

Hooked into every engine of the warehouse, so that no caller meets the driver's own error: its words quote statements
and rows ("Failing row contains (…)"). They are taken from it as well, for it stays in the chain of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from sqlalchemy.engine import Engine, ExceptionContext
from sqlalchemy.event import listen
from sqlalchemy.exc import DBAPIError

from lienthong.connections import WAREHOUSE
from lienthong.model.errors import (
    BusyError,
    DefectError,
    DiskFullError,
    LienThongError,
    WarehouseRefusedError,
    WarehouseTroubleError,
    WarehouseUnreachableError,
)
from lienthong.model.traces import forget_words, places

#: Classes and codes of PostgreSQL's appendix A.
_AWAY = ("08", "57P01", "57P02", "57P03", "57P05")
_FULL = "53100"
_BUSY = {"55P03": "a lock was not free", "40P01": "a deadlock was broken up", "40001": "another writer came first"}
_TROUBLE = ("25006", "53", "58", "XX")  # 25006: a standby that may only be read
#: Of these PostgreSQL's own sentence may be told: it speaks of files, memory and connections.
_WORDS_OF_THE_SERVER = ("25006", "53", "58", "XX001", "XX002")
#: A statement that PostgreSQL can't understand, or may not run: another try fails alike.
_SYNTAX_OR_ACCESS = "42"
_NOT_ALLOWED = "42501"
_NO_SCHEMA = ("42P01", "42703", "42883", "3F000")
_HERE = ("outages.py", "statements.py")
#: What psycopg2 raises for a broken connection, without a SQLSTATE. Its subclasses speak of statements.
_BROKEN = (psycopg2.OperationalError, psycopg2.InterfaceError)


def watch(engine: Engine) -> None:
    """From now on what this engine's driver says is told by our errors."""
    listen(engine, "handle_error", _translate)


@contextmanager
def translating(source: str | None = None, load: int | None = None) -> Iterator[None]:
    """The same for what goes past an engine (COPY through the driver), and fill in whose work was interrupted."""
    try:
        yield
    except LienThongError as error:
        error.source = error.source or source
        error.load = load if error.load is None else error.load
        if isinstance(error.__cause__, psycopg2.Error):
            raise error from None
        raise
    except (psycopg2.Error, DBAPIError) as error:
        meant = meaning(error)
        meant.source, meant.load = source, load
        raise meant from None


def meaning(error: BaseException) -> LienThongError:
    """Our error for one of the driver (SQLAlchemy's wrapper or not), which has no words afterwards."""
    meant = outage(error) or _refused(error)
    forget_words(error)
    return meant


def outage(error: BaseException) -> LienThongError | None:
    """What to tell about a driver's error (SQLAlchemy's wrapper or not); None when it is about the statement."""
    invalidated = isinstance(error, DBAPIError) and error.connection_invalidated
    original = error.orig if isinstance(error, DBAPIError) else error
    code = str(getattr(original, "pgcode", None) or "")
    if code == _FULL:
        return _full()
    if code in _BUSY:
        return BusyError(
            f"Another copy of this step, or another writer, is still at work: {_BUSY[code]} (SQLSTATE {code}).",
            next_step="nothing: it is tried again later.",
        )
    if code.startswith(_AWAY) or invalidated or (not code and _is_broken(original)):
        return _away(type(original).__name__ + (f", SQLSTATE {code}" if code else ""))
    if code.startswith(_TROUBLE):
        words = _primary(original) if code.startswith(_WORDS_OF_THE_SERVER) else ""
        told = words or "memory, connections, a quota, the server itself"
        return WarehouseTroubleError(
            f"The warehouse could not do its work (SQLSTATE {code}: {told}).",
            next_step="the same step is tried again by itself; if it lasts, look at the log of the PostgreSQL server.",
            key=WAREHOUSE,
        )
    return None


def named_in(told: str, what: str) -> LienThongError:
    """For a tool that passes on only the text of an operational error: what it means for `what` it was doing."""
    return _full() if "DiskFull" in told else _away(f"OperationalError at {what}")


def _translate(context: ExceptionContext) -> BaseException | None:
    if context.is_pre_ping:  # a stale connection of the pool: SQLAlchemy replaces it
        return None
    error = context.sqlalchemy_exception or context.original_exception
    if not isinstance(context.original_exception, psycopg2.Error):
        return None
    meant = meaning(error)
    meant.__suppress_context__ = True
    return meant


def _refused(error: BaseException) -> LienThongError:
    """About the statement or its rows: what refused it and where it was run, never PostgreSQL's sentence."""
    original = error.orig if isinstance(error, DBAPIError) else error
    code = str(getattr(original, "pgcode", None) or "")
    facts = [type(original).__name__, f"SQLSTATE {code}" if code else "", *_named(original)]
    place = " < ".join(places(error, leave_out=_HERE)[:3])
    told = f"The warehouse refused a statement ({', '.join(filter(None, facts))}){f' at {place}' if place else ''}."
    if code in _NO_SCHEMA:
        return DefectError(told, next_step="run `lienthong migrate`, then this step again; if it stays, report it.")
    if code == _NOT_ALLOWED:
        return DefectError(
            told,
            next_step="run `lienthong migrate`, which gives every role the rights of its step, and check that the "
            "login of this step's connection is a member of its group (docs/operate.md); if it stays, report it.",
            key=WAREHOUSE,
        )
    kind = DefectError if code.startswith(_SYNTAX_OR_ACCESS) else WarehouseRefusedError
    return kind(
        told,
        next_step="report it with this message; what was believed before stays. PostgreSQL's words are withheld, for "
        "they quote the row.",
    )


def _named(error: object) -> list[str]:
    """Constraint, table and column of an error, as far as PostgreSQL names them."""
    diag = getattr(error, "diag", None)
    table = ".".join(filter(None, (getattr(diag, "schema_name", None), getattr(diag, "table_name", None))))
    found = {
        "constraint": getattr(diag, "constraint_name", None),
        "table": table,
        "column": getattr(diag, "column_name", None),
    }
    return [f"{what} {name}" for what, name in found.items() if name]


def _primary(error: object) -> str:
    return str(getattr(getattr(error, "diag", None), "message_primary", None) or "")


def _is_broken(error: BaseException | None) -> bool:
    """psycopg2 gives a plain DatabaseError when libpq has no words for what happened to the connection."""
    return isinstance(error, _BROKEN) or type(error) is psycopg2.DatabaseError


def _away(how: str) -> WarehouseUnreachableError:
    return WarehouseUnreachableError(
        f"The warehouse does not answer, or went away in the middle ({how}).",
        next_step="the same step is tried again by itself; if it goes on, check the PostgreSQL server, the network "
        f"and the connection {WAREHOUSE}.",
        key=WAREHOUSE,
    )


def _full() -> DiskFullError:
    return DiskFullError(
        "The disk of the warehouse is full (SQLSTATE 53100); nothing half-written stays.",
        next_step="free space on the disk of the PostgreSQL server or enlarge it; the same step is tried again by "
        "itself.",
        key=WAREHOUSE,
    )
