"""A world whose provinces run iGate, up for as long as a test needs it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devstack.postgres import Postgres
from lienthong.warehouse.engine import engine_for
from simulator.igate import IgateServer
from simulator.portal.server import PortalServer
from simulator.world import World
from tests.world import MONTH, SEED, Live

TENANT, SOURCE = "H21", "igate_h21"
_numbers = itertools.count(1)


@contextmanager
def running_igate(
    request: pytest.FixtureRequest, size: int, *, template: str | None = None, world: World | None = None
) -> Iterator[Live]:
    """Gia Lai's iGate, the portal, and an empty warehouse, or a copy of `template`."""
    postgres: Postgres = request.getfixturevalue("postgres")
    name = f"live_igate_{next(_numbers)}"
    postgres.drop_database(name)
    postgres.create_database(name, template or request.getfixturevalue("warehouse_template"))
    folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("igate")
    world = world or World.generate(SEED, size, MONTH, provinces=(TENANT,))
    with PortalServer(world) as portal, IgateServer(world, TENANT) as igate:
        live = Live(world, {}, portal, postgres.url(name), folder, igates={TENANT: igate})
        try:
            yield live
        finally:
            live.engine.dispose()
            engine_for(postgres.url(name)).dispose()
            postgres.drop_database(name)
