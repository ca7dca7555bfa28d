"""Fixtures that everything shares: one embedded PostgreSQL per test process, a fresh warehouse per test."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy import Engine, create_engine

REPO = Path(__file__).resolve().parents[1]
for folder in (REPO, REPO / "plugins"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")

from devstack.logins import make_logins  # noqa: E402
from devstack.mariadb import MariaDb, programs  # noqa: E402
from devstack.postgres import Postgres, home_for  # noqa: E402
from lienthong.warehouse.bootstrap.migrate import upgrade  # noqa: E402
from lienthong.warehouse.engine import engine_for  # noqa: E402
from tests.logins import PASSWORDS  # noqa: E402
from tests.mariadb import ADDRESS, MariaServer  # noqa: E402

#: A pull request is judged by the same examples each time; at home chance looks further.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI") == "true":
    settings.load_profile("ci")

_numbers = itertools.count(1)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Tests of one file, or of one `xdist_group`, run on one worker."""
    from tests.distribution import ByFileAndGroup

    return ByFileAndGroup(config, log) if config.getvalue("dist") == "loadgroup" else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running server of this test process; nothing of it survives the session."""
    homes = home_for(REPO, "tests")
    for left in homes.glob("server-*"):  # by test processes that were killed
        if not Path(f"/proc/{left.name.rpartition('-')[2]}").exists():
            _remove(Postgres(left))
    server = Postgres(homes / f"server-{os.getpid()}", durable=False)
    server.start()
    yield server
    _remove(server)


def _remove(server: Postgres | MariaDb) -> None:
    server.stop()
    shutil.rmtree(server.home, ignore_errors=True)


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaServer]:
    """A MariaDB of this test process, or the server whose address is given; where there is neither, a skip says so."""
    address = os.environ.get(ADDRESS)
    if address:
        yield MariaServer(address)
        return
    if programs() is None:
        missing = (
            f"no MariaDB here: install mariadb-server-core and mariadb-client-core, or give a server's URL in {ADDRESS}"
        )
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    homes = home_for(REPO, "tests")
    for left in homes.glob("mariadb-*"):  # by test processes that were killed
        if not Path(f"/proc/{left.name.rpartition('-')[2]}").exists():
            _remove(MariaDb(left))
    own = MariaDb(homes / f"mariadb-{os.getpid()}")
    try:
        own.start()
        yield MariaServer(own.url(""), own)
    finally:
        _remove(own)


@pytest.fixture(scope="session")
def warehouse_template(postgres: Postgres) -> str:
    """A migrated database that the tests' warehouses are copied from; the server has a login for each role."""
    name = "warehouse_template"
    postgres.drop_database(name)
    postgres.create_database(name)
    engine = create_engine(postgres.url(name))
    upgrade(engine)
    engine.dispose()
    make_logins(postgres, PASSWORDS)
    return name


@pytest.fixture
def new_database(postgres: Postgres) -> Iterator[Callable[..., str]]:
    """Creates databases for one test and drops them after it; returns their SQLAlchemy URL."""
    made: list[str] = []

    def create(name: str, template: str = "template0") -> str:
        database = f"{name}_{next(_numbers)}"
        postgres.drop_database(database)
        postgres.create_database(database, template)
        made.append(database)
        return postgres.url(database)

    yield create
    for database in made:
        postgres.drop_database(database)


@pytest.fixture
def warehouse_url(new_database: Callable[..., str], warehouse_template: str) -> str:
    """URL of an empty, migrated warehouse."""
    return new_database("warehouse", warehouse_template)


@pytest.fixture
def warehouse(warehouse_url: str) -> Iterator[Engine]:
    """Engine of an empty, migrated warehouse."""
    engine = engine_for(warehouse_url)
    yield engine
    engine.dispose()
