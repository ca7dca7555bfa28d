"""Reading a source database: one read-only snapshot, the source's own clock, and errors that say whose fault it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.pool import NullPool

from lienthong.connections import Connection
from lienthong.model.errors import (
    ContractError,
    LienThongError,
    SchemaDriftError,
    SourceAccessError,
    SourceUnreachableError,
)
from lienthong.model.traces import forget_words
from lienthong.sources.kit.sql.rows_to_arrow import BATCH_BYTES

CONNECT_TIMEOUT_S = 10
#: How long a source may be silent, unless its contract says otherwise.
READ_TIMEOUT_S = 600
#: The server gives up first, and says why.
_GRACE_S = 10
#: Rows that are asked of a driver at a time: they may be wide.
_STEP_ROWS = 16

#: SQLSTATEs and MySQL error numbers.
_ACCESS = {"28000", "28P01", "42501", 1045, 1142, 1143, 1227, 1698}
_WAITED = {"55P03", "57014", 1205, 1969, 3024}
_TIMED_OUT = re.compile(r"timed out|timeout")
_DRIFT = {"42703", "42P01", 1054, 1146}
#: PostgreSQL refuses a login without a SQLSTATE that psycopg2 would show.
_REFUSED_LOGIN = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry|not permitted to log in"
    r"|role \".*\" does not exist"
)
#: The log-in is right, but the account has no right on this database.
_NO_RIGHT = {1044}
_NO_RIGHT_WORDS = re.compile(r"permission denied for database")
_NO_DATABASE = {"3D000", 1049}
_NO_SUCH_DATABASE = re.compile(r"database \".*\" does not exist")
#: Why a log-in failed → how drivers put it. Only the cause is told.
_CAUSES = {
    cause: re.compile(said, re.IGNORECASE)
    for cause, said in {
        "could not translate host name": r"could not translate host name|name or service not known|getaddrinfo"
        r"|name resolution|nodename nor servname|no address associated",
        "connection refused": r"connection refused|actively refused",
        "received invalid response to SSL negotiation": r"received invalid response to ssl negotiation",
        "expected authentication request from server": r"expected authentication request from server",
        "database does not exist": r"database \".*\" does not exist|unknown database",
        "no pg_hba.conf entry": r"pg_hba|is not allowed to connect",
        "authentication failed": r"authentication failed|no password supplied|role \".*\" does not exist"
        r"|not permitted to log in|access denied for user",
        "permission denied for database": r"permission denied for database",
        "certificate verify failed": r"certificate.verify.failed",
        "server closed the connection unexpectedly": r"server closed the connection unexpectedly",
        "timed out": r"timeout|timed out",
        "TLS failed": r"certificate|\bssl\b|\btls\b",
    }.items()
}


@dataclass(frozen=True)
class SourceDatabase:
    """An open snapshot of a source. `load` is only for messages."""

    connection: sa.Connection
    source_id: str
    load: int | None

    def clock(self) -> datetime:
        """The database's time, in UTC."""
        utc = self.connection.dialect.name in ("mysql", "mariadb")
        moment = self.connection.execute(sa.select(sa.func.utc_timestamp() if utc else sa.func.now())).scalar_one()
        if not isinstance(moment, datetime):
            moment = datetime.fromisoformat(str(moment))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    def row(self, statement: sa.Select[Any]) -> sa.Row[Any]:
        return self.connection.execute(statement).one()

    def pages(self, statement: sa.Select[Any], fetch_rows: int) -> Iterator[Sequence[sa.Row[Any]]]:
        """The result in pieces of at most `fetch_rows`, through a server-side cursor where the driver has them.

        From MySQL, whose whole rows come this way, also of about BATCH_BYTES of text: memory must not grow with the
        rows' width. PostgreSQL's whole rows come by `copy_out`.
        """
        wide = self.connection.dialect.name in ("mysql", "mariadb")
        step = min(fetch_rows, _STEP_ROWS) if wide else fetch_rows
        options = {"stream_results": True, "yield_per": step}
        with self.connection.execute(statement, execution_options=options) as result:
            yield from _bounded(result.partitions(), fetch_rows - step) if wide else result.partitions()


def _bounded(parts: Iterable[Sequence[sa.Row[Any]]], rows: int) -> Iterator[Sequence[sa.Row[Any]]]:
    """`parts` put together until there are more than `rows` rows or BATCH_BYTES of text."""
    held: list[sa.Row[Any]] = []
    size = 0
    for some in parts:
        held += some
        size += sum(len(value) for row in some for value in row if isinstance(value, str | bytes))
        if len(held) > rows or size >= BATCH_BYTES:
            yield held
            held, size = [], 0
    if held:
        yield held


@contextmanager
def reading(
    connection: Connection, source_id: str, load: int | None = None, timeout_s: int = READ_TIMEOUT_S
) -> Iterator[SourceDatabase]:
    """A read-only transaction that sees the source at one instant.

    `timeout_s`: how long the source may be silent, be it that a table is locked, be it that a statement takes so long.
    SourceUnreachableError, SourceAccessError, SchemaDriftError, or ContractError for a connection that leads to no
    database; messages never hold a password or a row's value.
    """
    try:
        url = connection.sqlalchemy_url()
        engine = sa.create_engine(
            url, poolclass=NullPool, hide_parameters=True, connect_args=_connect_args(url, timeout_s)
        )
    except (exc.ArgumentError, exc.NoSuchModuleError, ModuleNotFoundError) as error:
        raise ContractError(
            f"Connection {connection.conn_id!r} of kind {connection.kind!r} is not a database we can read "
            f"({type(error).__name__}).",
            next_step="correct the connection's type, or its extra.driver.",
            source=source_id,
            load=load,
            key=connection.conn_id,
        ) from None
    opened = False
    try:
        with engine.connect() as plain:
            opened = True
            with plain.execution_options(**_snapshot_options(plain.dialect.name)).begin():
                for setting in _limits(plain.dialect.name, timeout_s):
                    plain.execute(setting)
                yield SourceDatabase(plain, source_id, load)
    except exc.DBAPIError as error:
        explained = _explained(error, connection, source_id, load, opened, timeout_s)
        forget_words(error)  # it stays in the chain, and may quote a row
        raise explained from None
    finally:
        engine.dispose()


def _connect_args(url: sa.URL, timeout_s: int) -> dict[str, object]:
    backend = url.get_backend_name()
    if backend == "postgresql":
        # A server that vanished without a word: TCP tells, where the statement's own limit can't.
        dead = {"keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 6}
        return {
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": "lienthong",
            "tcp_user_timeout": timeout_s * 1000,
            **dead,
        }
    if backend not in ("mysql", "mariadb"):
        return {}
    limits: dict[str, object] = {"connect_timeout": CONNECT_TIMEOUT_S}
    if url.get_driver_name() in ("pymysql", "mysqldb"):
        limits["read_timeout"] = timeout_s + _GRACE_S
    if url.get_driver_name() == "pymysql" and url.password:
        limits["password"] = url.password.encode()  # as clients send it; the driver itself knows Latin-1 only
    return limits


def _limits(dialect: str, timeout_s: int) -> list[sa.Executable]:
    """Settings of this transaction or session: how long a statement, or its wait for a lock, may take."""
    if dialect == "postgresql":
        names = ("lock_timeout", "statement_timeout")
        return [sa.select(*(sa.func.set_config(name, f"{timeout_s}s", True) for name in names))]
    if dialect in ("mysql", "mariadb"):
        # What the other of the two has no name for stands in its own kind of comment.
        statement = (
            f"/*M!100101 , max_statement_time = {timeout_s} */ /*!50708 , max_execution_time = {timeout_s}000 */"
        )
        return [
            sa.text(f"SET SESSION lock_wait_timeout = {timeout_s} {statement}"),
            sa.text("SET SESSION TRANSACTION READ ONLY"),
        ]
    return []


def _snapshot_options(dialect: str) -> dict[str, Any]:
    if dialect == "postgresql":
        return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return {"isolation_level": "REPEATABLE READ"} if dialect in ("mysql", "mariadb") else {}


def _explained(
    error: exc.DBAPIError, connection: Connection, source_id: str, load: int | None, opened: bool, timeout_s: int
) -> LienThongError:
    code = getattr(error.orig, "pgcode", None) or next(iter(getattr(error.orig, "args", ())), None)
    # To tell kinds of failures apart; never told: they may quote anything.
    words = "" if opened else str(error.orig).strip().partition("\n")[0]
    kind = type(error.orig).__name__ + (f", {code}" if isinstance(code, int) or _is_sqlstate(code) else "")
    if cause := _cause(words):
        kind = f"{kind}: {cause}"
    where = f"Connection {connection.conn_id!r} ({connection.host or 'local'}:{connection.port or 'default port'})"
    known: dict[str, Any] = {"source": source_id, "load": load, "key": connection.conn_id}
    if code in _NO_DATABASE or (not opened and _NO_SUCH_DATABASE.search(words)):
        return ContractError(
            f"{where}: the server has no such database ({kind}).",
            next_step="correct the database (schema) of the connection.",
            **known,
        )
    if code in _NO_RIGHT or (not opened and _NO_RIGHT_WORDS.search(words)):
        return SourceAccessError(
            f"{where}: our account may not use the database {connection.schema!r} ({kind}).",
            next_step="have SELECT granted on it, or correct the database (schema) of the connection; login and "
            "password are right.",
            **known,
        )
    if opened and (code in _WAITED or (code == 2013 and _TIMED_OUT.search(str(error.orig)))):
        return SourceUnreachableError(
            f"{where}: the source kept us waiting for more than {timeout_s} s ({kind}): a table is locked, or the "
            "server is overloaded.",
            next_step="run the load again (Airflow does so by itself); if it lasts, ask the source's operator what "
            "holds the lock, or raise read.timeout_s in the contract.",
            **known,
        )
    if code in _ACCESS or (not opened and _REFUSED_LOGIN.search(words)):
        return SourceAccessError(
            f"{where}: the source refused our account or a table ({kind}).",
            next_step="check login, password and database of the connection, and that the account may SELECT.",
            **known,
        )
    if code in _DRIFT:
        return SchemaDriftError(
            f"{where}: a table or column vanished while it was read ({kind}).",
            next_step="run the load again; it will name the column.",
            **known,
        )
    if not opened or isinstance(error, exc.OperationalError | exc.InterfaceError) or error.connection_invalidated:
        return SourceUnreachableError(
            f"{where}: the source does not answer ({kind}).",
            next_step="run the load again (Airflow does so by itself); if it lasts, check the network and the source "
            "system.",
            **known,
        )
    return SourceAccessError(
        f"{where}: the source could not be read ({kind}).",
        next_step="look at the source's own log at this time, then run the load again.",
        **known,
    )


def _is_sqlstate(code: object) -> bool:
    return isinstance(code, str) and re.fullmatch(r"[0-9A-Z]{5}", code) is not None


def _cause(words: str) -> str:
    """Which of the usual causes the driver's words about a failed log-in speak of; '' for any other."""
    return next((cause for cause, said in _CAUSES.items() if said.search(words)), "")
