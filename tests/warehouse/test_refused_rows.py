"""A row that the warehouse refuses: neither the error, nor what is chained to it, nor the server's log holds it.

The role of these tests is an ordinary one of a server that nobody prepared: it logs all that PostgreSQL would log.
"""

from __future__ import annotations

import io
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import psycopg2
import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.engine import Connection
from typer.testing import CliRunner

from devstack.postgres import NO_ROWS_IN_LOG, Postgres
from lienthong.cli import app
from lienthong.connections import WAREHOUSE
from lienthong.model.errors import DefectError, LienThongError, WarehouseRefusedError
from lienthong.model.traces import chain
from lienthong.warehouse import outages
from lienthong.warehouse.copying import copy_in
from lienthong.warehouse.engine import engine_for
from lienthong.warehouse.server_log import loud_settings

PERSON = ("Nguyễn Thị Hoa", "048190001234", "0905123456", "12 Lê Lợi")
COLUMNS = "name, identity_no, phone, address, age"
LOUD = {"log_min_messages": "warning", "log_error_verbosity": "default", "log_min_error_statement": "error"}


@dataclass(frozen=True)
class Foreign:
    """A role on a server whose log is not ours, and the log."""

    server: Postgres
    admin: Engine
    url: str

    def engine(self) -> Engine:
        """As the product opens its warehouse; new sessions."""
        engine_for.cache_clear()
        return engine_for(self.url)

    def logged(self, act: Callable[[], object]) -> str:
        """What the server wrote into its log meanwhile."""
        before = self.server.log.stat().st_size
        act()
        with self.server.log.open("rb") as log:
            log.seek(before)
            return log.read().decode()


@pytest.fixture
def foreign(postgres: Postgres, warehouse_url: str) -> Iterator[Foreign]:
    admin = create_engine(warehouse_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql("CREATE ROLE ordinary LOGIN")
        for name, setting in LOUD.items():
            connection.exec_driver_sql(f"ALTER ROLE ordinary SET {name} = '{setting}'")
        connection.exec_driver_sql(
            "CREATE TABLE public.people (name text, identity_no text UNIQUE, phone text, address text, "
            "age integer CONSTRAINT grown_up CHECK (age >= 0)); GRANT ALL ON public.people TO ordinary"
        )
    yield Foreign(postgres, admin, make_url(warehouse_url).set(username="ordinary").render_as_string(False))
    engine_for.cache_clear()
    with admin.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ordinary'; "
            "DROP OWNED BY ordinary; DROP ROLE ordinary"
        )
    admin.dispose()


def violate(connection: Connection) -> None:
    connection.execute(
        text(f"INSERT INTO people ({COLUMNS}) VALUES (:name, :identity, :phone, :address, -1)"),
        dict(zip(("name", "identity", "phone", "address"), PERSON, strict=True)),
    )


def copy_badly(connection: Connection) -> None:
    copy_in(connection, f"COPY people ({COLUMNS}) FROM STDIN WITH (FORMAT csv)", io.StringIO(",".join([*PERSON, "x"])))


def cast(connection: Connection) -> None:
    connection.execute(text("SELECT CAST(:name AS integer)"), {"name": PERSON[0]})


def go_past_the_engine(connection: Connection) -> None:
    with outages.translating(), connection.connection.cursor() as cursor:
        cursor.execute("INSERT INTO people VALUES (%s, %s, %s, %s, -1)", PERSON)


def refused(engine: Engine, act: Callable[[Connection], None]) -> LienThongError:
    with pytest.raises(LienThongError) as caught, engine.begin() as connection:
        act(connection)
    return caught.value


def everything_told(error: BaseException) -> str:
    """What any printer of tracebacks could print, chained errors that are hidden included."""
    told = traceback.format_exception(error)
    return "".join(told) + "".join(f"{one} {one!r} {one.args} {vars(one)}" for one in chain(error))


def quoted(told: str) -> list[str]:
    return [value for value in PERSON if value in told]


@pytest.mark.parametrize(
    ("act", "facts"),
    [
        (violate, ("CheckViolation", "SQLSTATE 23514", "constraint grown_up", "table public.people")),
        (copy_badly, ("InvalidTextRepresentation", "SQLSTATE 22P02")),
        (cast, ("InvalidTextRepresentation", "SQLSTATE 22P02")),
        (go_past_the_engine, ("CheckViolation", "SQLSTATE 23514", "constraint grown_up")),
    ],
)
def test_a_refused_row_is_told_by_kind_and_constraint_and_never_by_its_values(
    foreign: Foreign, act: Callable[[Connection], None], facts: tuple[str, ...]
) -> None:
    error = refused(foreign.engine(), act)
    assert isinstance(error, WarehouseRefusedError)
    assert not [fact for fact in facts if fact not in str(error)]
    assert quoted(everything_told(error)) == []
    for one in chain(error):
        assert quoted(str(getattr(one, "pgerror", ""))) == []


def test_a_statement_that_cannot_be_run_is_a_defect_and_a_missing_table_asks_for_the_migration(
    foreign: Foreign,
) -> None:
    error = refused(foreign.engine(), lambda connection: connection.execute(text("SELECT * FROM nowhere")))
    assert isinstance(error, DefectError)
    assert "lienthong migrate" in error.next_step


def test_an_unprepared_server_logs_the_row_and_the_administrator_is_told_what_to_set(foreign: Foreign) -> None:
    engine = foreign.engine()
    assert set(PERSON) <= set(quoted(foreign.logged(lambda: refused(engine, violate)))), "or the tests prove nothing"
    with engine.connect() as connection:
        loud = {one.name: one.wanted for one in loud_settings(connection)}
    assert loud == {name: NO_ROWS_IN_LOG[name] for name in LOUD}


def test_migrating_warns_where_rows_would_get_into_the_log(foreign: Foreign, monkeypatch: pytest.MonkeyPatch) -> None:
    url = make_url(foreign.url)
    with foreign.admin.connect() as connection:
        connection.exec_driver_sql("GRANT ALL ON public.schema_version TO ordinary")
    monkeypatch.setenv(f"AIRFLOW_CONN_{WAREHOUSE.upper()}", f"postgres://ordinary@{url.host}:{url.port}/{url.database}")
    done = CliRunner().invoke(app, ["migrate"])
    assert done.exit_code == 0, done.exception
    assert "CẢNH BÁO: nhật ký của máy chủ PostgreSQL" in done.output
    assert "log_min_messages = log (đang là warning)" in done.output
    with foreign.admin.connect() as connection:
        connection.exec_driver_sql("ALTER ROLE ordinary RESET ALL")
    engine_for.cache_clear()
    assert "CẢNH BÁO" not in CliRunner().invoke(app, ["migrate"]).output


def test_a_session_that_may_keeps_every_row_out_of_the_log(foreign: Foreign) -> None:
    with foreign.admin.connect() as connection:
        for name in LOUD:
            connection.exec_driver_sql(f"GRANT SET ON PARAMETER {name} TO ordinary")
    engine = foreign.engine()
    for act in (violate, copy_badly, cast, go_past_the_engine):
        assert quoted(foreign.logged(partial(refused, engine, act))) == []
    with engine.connect() as connection:
        assert loud_settings(connection) == ()


def test_a_prepared_server_logs_no_row_whoever_asks(foreign: Foreign) -> None:
    with foreign.admin.connect() as connection:
        connection.exec_driver_sql("ALTER ROLE ordinary RESET ALL")

    def as_anybody() -> None:
        session = psycopg2.connect(make_url(foreign.url).set(drivername="postgresql").render_as_string(False))
        with pytest.raises(psycopg2.errors.CheckViolation), session.cursor() as cursor:
            cursor.execute("INSERT INTO people VALUES (%s, %s, %s, %s, -1)", PERSON)
        session.close()

    assert quoted(foreign.logged(as_anybody)) == []
    with foreign.engine().connect() as connection:
        assert loud_settings(connection) == ()
