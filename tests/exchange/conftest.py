"""A portal and a province for the tests of the exchange. They share one warehouse, emptied before each test: copying a
database for every one of them would cost more than the tests.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from devstack.postgres import Postgres
from lienthong.warehouse.engine import engine_for
from simulator.portal import PortalServer, PortalSwitches
from tests.exchange.world import Province

_WRITTEN = ("dossier", "exchange", "registry")


@pytest.fixture(scope="session")
def exchange_warehouse(postgres: Postgres, warehouse_template: str) -> Iterator[Engine]:
    name = "exchange_warehouse"
    postgres.drop_database(name)
    postgres.create_database(name, warehouse_template)
    engine = engine_for(postgres.url(name))
    yield engine
    engine.dispose()
    postgres.drop_database(name)


def empty(engine: Engine) -> None:
    """Nothing in the schemas that the exchange reads and writes."""
    with engine.begin() as connection:
        tables = connection.exec_driver_sql(
            "SELECT string_agg(c.oid::regclass::text, ', ') FROM pg_class AS c"
            " INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace"
            " WHERE n.nspname = ANY(%s) AND c.relkind IN ('p', 'r') AND NOT c.relispartition",
            (list(_WRITTEN),),
        ).scalar_one()
        connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY")


@pytest.fixture
def warehouse(exchange_warehouse: Engine) -> Engine:
    """A migrated warehouse with nothing in it that the exchange reads and writes."""
    empty(exchange_warehouse)
    return exchange_warehouse


@pytest.fixture(scope="session")
def running_portal() -> Iterator[PortalServer]:
    with PortalServer() as portal:
        yield portal


@pytest.fixture
def portal(running_portal: PortalServer) -> Iterator[PortalServer]:
    """An empty portal with default switches."""
    running_portal.portal.reset()
    running_portal.switches = PortalSwitches()
    yield running_portal
    running_portal.portal.reset()


@pytest.fixture
def province(warehouse: Engine, portal: PortalServer) -> Province:
    """H17 with no dossiers yet, its source sending."""
    return Province(warehouse, portal)
