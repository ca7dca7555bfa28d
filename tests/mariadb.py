"""A real MariaDB for tests, and OpenCPS databases in it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from devstack.mariadb import MariaDb
from simulator.opencps import schema

#: Environment variable with the URL of a MariaDB (mysql+pymysql://…) whose account may create databases and accounts.
ADDRESS = "LIENTHONG_TEST_MARIADB"
_numbers = itertools.count(1)


@dataclass
class MariaServer:
    """`address`: a URL without database; `own`: the server, where the test process started it itself."""

    address: str
    own: MariaDb | None = None
    databases: list[str] = field(default_factory=list)

    def url(self, database: str, user: str | None = None) -> str:
        """URL of a database; for another account than ours, one without a password."""
        url = sa.make_url(self.address).set(database=database)
        if user is not None:
            url = sa.URL.create(url.drivername, user, None, url.host, url.port, database)
        return url.render_as_string(hide_password=False)

    def create_opencps(self) -> str:
        """URL of a new, empty OpenCPS database."""
        name = f"lienthong_opencps_{next(_numbers)}"
        self.run("", f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        self.run(name, *schema.mysql_ddl())
        self.databases.append(name)
        return self.url(name)

    def create_account(self, name: str, *grants: str) -> str:
        """An account with these rights ("SELECT ON db.table"), and no password; returns its name."""
        given = [f"GRANT {grant} TO {name}@'%'" for grant in grants]
        self.run("", f"DROP USER IF EXISTS {name}@'%'", f"CREATE USER {name}@'%'", *given)
        return name

    def drop_databases(self) -> None:
        while self.databases:
            self.run("", f"DROP DATABASE IF EXISTS {self.databases.pop()}")

    def run(self, database: str, *statements: str) -> None:
        engine = sa.create_engine(self.url(database), poolclass=sa.NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))
        engine.dispose()


def copy_opencps(source: str, target: str, tables: Sequence[str] = schema.TABLES) -> None:
    """Every row of the OpenCPS database `source` into `target`, whose own rows go."""
    reader, writer = (sa.create_engine(url, poolclass=sa.NullPool) for url in (source, target))
    with reader.connect() as rows, writer.begin() as copy:
        for table in tables:
            columns = schema.columns(table)
            name = table.replace("dictitem", "dictItem")
            there = sa.table(table, *(sa.column(column) for column in columns))
            found = [dict(row) for row in rows.execute(sa.select(there)).mappings()]
            copy.exec_driver_sql(f"DELETE FROM {name}")
            if found:
                copy.execute(sa.table(name, *(sa.column(column) for column in columns)).insert(), found)
    reader.dispose()
    writer.dispose()
