"""A small world, generated once; its databases copied for every test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devstack.postgres import Postgres
from simulator.opencps.install import install
from simulator.portal.server import PortalServer
from simulator.world import World
from tests.world import MONTH, PROVINCES, SEED, SIZE, SMALL, Live

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def world() -> World:
    """The world nobody may change (tests that advance it generate their own)."""
    return World.generate(SEED, SIZE, MONTH)


@pytest.fixture(scope="session")
def small_world(postgres: Postgres) -> World:
    """As `world`, with fewer dossiers: for tests that push."""
    return World.generate(SEED, SMALL, MONTH)


@pytest.fixture(scope="session")
def source_templates(postgres: Postgres, world: World) -> dict[str, str]:
    """Databases of the provinces to copy from; tenant → database name."""
    return _installed(postgres, world, "template")


@pytest.fixture(scope="session")
def small_source_templates(postgres: Postgres, small_world: World) -> dict[str, str]:
    """As `source_templates`, of the small world."""
    return _installed(postgres, small_world, "small")


def _installed(postgres: Postgres, world: World, name: str) -> dict[str, str]:
    names = {}
    for tenant in PROVINCES:
        names[tenant] = f"opencps_{tenant.lower()}_{name}"
        postgres.drop_database(names[tenant])
        postgres.create_database(names[tenant])
        install(world, tenant, postgres.url(names[tenant]))
    return names


@contextmanager
def running(
    request: pytest.FixtureRequest,
    world: World | None = None,
    warehouse_template: str | None = None,
    *,
    small: bool = False,
) -> Iterator[Live]:
    """A running world with an empty warehouse, or a copy of `warehouse_template`, for as long as the block lasts.

    `world`: one that the caller may advance; its databases start as the shared ones (same seed, size, month), or as
    those of the `small` world.
    """
    postgres: Postgres = request.getfixturevalue("postgres")
    templates: dict[str, str] = request.getfixturevalue("small_source_templates" if small else "source_templates")
    number = next(_numbers)
    sources = {tenant: f"src_{tenant.lower()}_{number}" for tenant in templates}
    warehouse = f"live_{number}"
    databases = {warehouse: warehouse_template or request.getfixturevalue("warehouse_template")}
    databases |= {sources[tenant]: template for tenant, template in templates.items()}
    for name, template in databases.items():
        postgres.drop_database(name)
        postgres.create_database(name, template)
    folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("live")
    shared: World = request.getfixturevalue("small_world" if small else "world")
    with PortalServer(world or shared) as portal:
        urls = {tenant: postgres.url(name) for tenant, name in sources.items()}
        started = Live(world or shared, urls, portal, postgres.url(warehouse), folder, logins=True)
        yield started
    started.disconnect()
    for name in databases:
        postgres.drop_database(name)


@pytest.fixture(scope="session")
def loaded_warehouse(request: pytest.FixtureRequest, postgres: Postgres) -> str:
    """A warehouse to copy from, into which the catalogue and both provinces have been loaded."""
    with running(request) as live:
        return _loaded(postgres, live, "loaded_template")


@pytest.fixture(scope="session")
def small_loaded_warehouse(request: pytest.FixtureRequest, postgres: Postgres) -> str:
    """As `loaded_warehouse`, of the small world."""
    with running(request, small=True) as live:
        return _loaded(postgres, live, "small_loaded_template")


def _loaded(postgres: Postgres, live: Live, name: str) -> str:
    live.sync_catalogue()
    for tenant in PROVINCES:
        live.load(f"opencps_{tenant.lower()}")
    live.disconnect()
    postgres.drop_database(name)
    postgres.create_database(name, live.engine.url.database or "")
    return name


@pytest.fixture(scope="session")
def delivered(request: pytest.FixtureRequest) -> Iterator[Live]:
    """Catalogue, both provinces loaded, everything pushed: once for all tests that only read.

    Their modules name the group `truth`, so that one worker has it.
    """
    with running(request) as live:
        live.sync_catalogue()
        for tenant in PROVINCES:
            live.load(f"opencps_{tenant.lower()}")
            live.push(tenant)
        yield live


@pytest.fixture
def loaded(request: pytest.FixtureRequest, loaded_warehouse: str) -> Iterator[Live]:
    """A running world, both provinces loaded once."""
    with running(request, warehouse_template=loaded_warehouse) as started:
        yield started


@pytest.fixture
def live(request: pytest.FixtureRequest) -> Iterator[Live]:
    """A running world with an empty warehouse."""
    with running(request) as started:
        yield started


@pytest.fixture
def moving(request: pytest.FixtureRequest) -> Iterator[Live]:
    """A running world of its own, that the test may advance."""
    with running(request, World.generate(SEED, SIZE, MONTH)) as started:
        yield started
