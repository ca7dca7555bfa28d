"""The suite's fixtures: a bench per source, a warehouse beside it, a state after the first load to begin from."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from devstack.postgres import Postgres
from lienthong.warehouse.engine import engine_for
from simulator.portal.server import PortalServer
from simulator.world import World
from tests.sources.conformance.matrix import proving, summary
from tests.sources.conformance.registry import BENCHES
from tests.sources.conformance.rig import Rig
from tests.world import Live

_numbers = itertools.count(1)

pytest_terminal_summary = summary


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "proves(*facts): what a test of the conformance suite shows")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        proving(item)


@pytest.fixture(scope="session", params=BENCHES)
def source(request: pytest.FixtureRequest) -> str:
    """Name of a bench: every test runs for every source."""
    if request.param.endswith("MariaDB"):
        request.getfixturevalue("mariadb")  # where there is none, a skip says so
    return str(request.param)


@pytest.fixture(scope="session")
def catalogued(postgres: Postgres, warehouse_template: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A warehouse to copy from that knows the catalogue and nothing else."""
    name = "conformance_catalogued"
    postgres.drop_database(name)
    postgres.create_database(name, warehouse_template)
    world = World.generate(1, 4, "2026-10", provinces=("H17",))
    with PortalServer(world) as portal:
        live = Live(
            world,
            {"H17": "postgresql://nobody@localhost/unused"},
            portal,
            postgres.url(name),
            tmp_path_factory.mktemp("catalogue"),
        )
        live.sync_catalogue()
        live.engine.dispose()
        engine_for.cache_clear()
    return name


class Yard:
    """Puts up rigs, and takes them down at the end."""

    def __init__(self, request: pytest.FixtureRequest, source: str) -> None:
        self.request, self.source, self.stack = request, source, ExitStack()
        self.postgres: Postgres = request.getfixturevalue("postgres")

    def rig(self, *, loaded: bool = False) -> Rig:
        """A new bench with a new warehouse; `loaded`: as it is after the first load."""
        template = _loaded(self.request, self.source) if loaded else self.request.getfixturevalue("catalogued")
        folder: Path = self.request.getfixturevalue("tmp_path_factory").mktemp(f"rig{next(_numbers)}")
        name = f"conform_{next(_numbers)}"
        self.postgres.drop_database(name)
        self.postgres.create_database(name, template)
        self.stack.callback(self.postgres.drop_database, name)
        url = self.postgres.url(name)
        self.stack.callback(lambda: engine_for(url).dispose())
        _, make = BENCHES[self.source]
        bench = self.stack.enter_context(make(self.request, folder))
        return Rig(bench, url, folder, runs=int(loaded))


#: Source → database with what its first load left, made when it is first asked for.
_first_loads: dict[str, str] = {}


def _loaded(request: pytest.FixtureRequest, source: str) -> str:
    if source not in _first_loads:
        yard = Yard(request, source)
        rig = yard.rig()
        rig.load()
        rig.engine.dispose()
        name = f"conformance_loaded_{len(_first_loads)}"
        yard.postgres.drop_database(name)
        yard.postgres.create_database(name, str(rig.engine.url.database))
        _first_loads[source] = name
        yard.stack.close()
    return _first_loads[source]


@pytest.fixture
def fresh(request: pytest.FixtureRequest, source: str) -> Iterator[Rig]:
    """A source that was never loaded."""
    yard = Yard(request, source)
    with yard.stack:
        yield yard.rig()


@pytest.fixture
def loaded(request: pytest.FixtureRequest, source: str) -> Iterator[Rig]:
    """A source after its first load."""
    yard = Yard(request, source)
    with yard.stack:
        yield yard.rig(loaded=True)


@pytest.fixture(scope="module")
def yard(request: pytest.FixtureRequest, source: str) -> Iterator[Yard]:
    """For stories that several tests of a module read."""
    made = Yard(request, source)
    with made.stack:
        yield made
