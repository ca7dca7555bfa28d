"""One world, one installed database and one portal to look at; tests that change them make their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psycopg2
import psycopg2.extras
import pytest

from devstack.postgres import Postgres
from simulator.igate import IgateServer
from simulator.opencps import install
from simulator.portal import PortalServer
from simulator.world import World
from tests.simulator.igate_reader import Reader

SEED, SIZE, MONTH = 766, 700, "2026-10"
Rows = list[dict[str, Any]]


@pytest.fixture(scope="session")
def world() -> World:
    """A world that nobody moves."""
    return World.generate(SEED, SIZE, MONTH)


@pytest.fixture
def movable_world() -> World:
    """A world of the test's own."""
    return World.generate(SEED, SIZE, MONTH)


@pytest.fixture(scope="session")
def danang(world: World, postgres: Postgres) -> Iterator[str]:
    """URL of Đà Nẵng's installed database; nobody changes it."""
    name = "simtest_h17"
    postgres.drop_database(name)
    postgres.create_database(name)
    install(world, "H17", postgres.url(name))
    yield postgres.url(name)
    postgres.drop_database(name)


def query(url: str, statement: str, *parameters: object) -> Rows:
    """Rows of a statement as dicts."""
    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    try:
        with connection, connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(statement, parameters or None)
            return [dict(row) for row in cursor.fetchall()]
    finally:
        connection.close()


@pytest.fixture(scope="session")
def ask() -> Callable[..., Rows]:
    """`query`, for tests."""
    return query


@pytest.fixture
def portal(world: World) -> Iterator[PortalServer]:
    """A fresh, empty portal."""
    with PortalServer(world) as server:
        yield server


class Client:
    """The least a client of the portal can be: one session of one province."""

    def __init__(self, server: PortalServer, province: str = "H17") -> None:
        self.account = server.account(province)
        self.http = httpx.Client(base_url=server.url, headers={"dstcode": "VN:GOV:test"}, timeout=20)
        self.session = self.log_in()["session"]

    def log_in(self) -> dict[str, Any]:
        body = {"username": self.account.username, "password": self.account.password}
        return dict(self.http.post("/mapi/login", json=body).json())

    def call(self, service: str, **parameters: Any) -> dict[str, Any]:
        body = {"session": self.session, "madonvi": self.account.sender, "service": service, **parameters}
        return dict(self.http.post("/mapi/g", json=body).json())

    def create(self, *dossiers: dict[str, Any]) -> dict[str, Any]:
        return self.call("DongBoHoSoMC", isUpdating="False", data=list(dossiers))

    def update(self, *dossiers: dict[str, Any]) -> dict[str, Any]:
        return self.call("DongBoHoSoMC", isUpdating="True", data=list(dossiers))

    def progress(self, *steps: dict[str, Any]) -> dict[str, Any]:
        return self.call("CapNhatTienDoHoSoMC", data=list(steps))


@pytest.fixture
def client(portal: PortalServer) -> Iterator[Client]:
    """Đà Nẵng, logged in."""
    made = Client(portal)
    yield made
    made.http.close()


@pytest.fixture
def connect(portal: PortalServer) -> Callable[[str], Client]:
    """Clients of other provinces."""
    return lambda province: Client(portal, province)


@pytest.fixture(scope="session")
def igate_world() -> World:
    """A world with two iGates that nobody moves."""
    return World.generate(SEED, 400, MONTH, provinces=("H21", "H13"))


@pytest.fixture(scope="session")
def gialai_running(igate_world: World) -> Iterator[IgateServer]:
    with IgateServer(igate_world, "H21") as server:
        yield server


@pytest.fixture
def gialai(gialai_running: IgateServer) -> Iterator[IgateServer]:
    """Gia Lai's iGate as if just started; its world is not to be moved."""
    gialai_running.igate.reset()
    yield gialai_running
    gialai_running.igate.reset()


@pytest.fixture
def reader(gialai: IgateServer) -> Iterator[Reader]:
    """Logged in at Gia Lai."""
    made = Reader(gialai)
    yield made
    made.http.close()


@pytest.fixture
def moving() -> Iterator[Reader]:
    """Logged in at a Gia Lai of the test's own, which it may move."""
    with IgateServer(World.generate(SEED, 150, MONTH, provinces=("H21",)), "H21") as server:
        made = Reader(server)
        yield made
        made.http.close()
