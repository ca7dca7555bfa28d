"""A city with OpenCPS, whose dossiers are partly handled in two ministries' systems, and a unit that drops files."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from devstack.postgres import Postgres
from lienthong.connections import Connection
from lienthong.settings import PROJECT
from lienthong.warehouse.engine import engine_for
from simulator.bgtvt import BgtvtServer
from simulator.gplx import GplxServer
from simulator.opencps.install import install
from simulator.portal.server import PortalServer
from simulator.sheets import SheetDrop
from simulator.world import World
from tests.world import MONTH, SEED, Live, portal_connection

HELD = ("bgtvt_h17", "gplx_h17")
CITY = "opencps_h17"
_numbers = itertools.count(1)


@dataclass
class Ministries:
    """The city, and what else runs."""

    live: Live
    bgtvt: BgtvtServer
    gplx: GplxServer

    def load_all(self) -> None:
        for source in (CITY, *HELD):
            self.live.load(source)


def connect(live: Live, source_id: str, connection: Connection) -> None:
    """Give the world a contract (with quick retries) and its connection."""
    text = (PROJECT / "include" / "sources" / f"{source_id}.yaml").read_text(encoding="utf-8")
    quick = re.sub(r"backoff_ms: \d+", "backoff_ms: 1", text)
    (live.settings.sources / f"{source_id}.yaml").write_text(quick, encoding="utf-8")
    live.connections[connection.conn_id] = connection


def edit(live: Live, source_id: str, old: str, new: str) -> None:
    """Change a contract's text."""
    path = live.settings.sources / f"{source_id}.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def service_connection(source_id: str, server: BgtvtServer | GplxServer) -> Connection:
    told = server.service()
    parts = urlsplit(told["url"])
    return Connection(
        f"src_{source_id}",
        "http",
        parts.hostname,
        parts.port,
        told["username"],
        told["password"],
        "http",
        told["extra"],
    )


@contextmanager
def running_ministries(
    request: pytest.FixtureRequest, size: int, *, world: World | None = None
) -> Iterator[Ministries]:
    """Đà Nẵng's OpenCPS, both ministries, the portal, and an empty warehouse."""
    postgres: Postgres = request.getfixturevalue("postgres")
    number = next(_numbers)
    warehouse, source = f"live_sectors_{number}", f"src_sectors_{number}"
    for name, template in ((warehouse, request.getfixturevalue("warehouse_template")), (source, None)):
        postgres.drop_database(name)
        if template:
            postgres.create_database(name, template)
        else:
            postgres.create_database(name)
    folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("sectors")
    world = world or World.generate(SEED, size, MONTH, provinces=("H17",), held=HELD)
    install(world, "H17", postgres.url(source))
    with PortalServer(world) as portal, BgtvtServer(world) as bgtvt, GplxServer(world) as gplx:
        live = Live(world, {"H17": postgres.url(source)}, portal, postgres.url(warehouse), folder)
        connect(live, "bgtvt_h17", service_connection("bgtvt_h17", bgtvt))
        connect(live, "gplx_h17", service_connection("gplx_h17", gplx))
        try:
            yield Ministries(live, bgtvt, gplx)
        finally:
            live.engine.dispose()
            engine_for(postgres.url(warehouse)).dispose()
            for name in (warehouse, source):
                postgres.drop_database(name)


@contextmanager
def running_unit(request: pytest.FixtureRequest, size: int = 300) -> Iterator[tuple[Live, SheetDrop]]:
    """The unit's folder (with nothing in it), the portal, and an empty warehouse."""
    postgres: Postgres = request.getfixturevalue("postgres")
    warehouse = f"live_unit_{next(_numbers)}"
    postgres.drop_database(warehouse)
    postgres.create_database(warehouse, request.getfixturevalue("warehouse_template"))
    folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("unit")
    world = World.generate(SEED, size, MONTH, provinces=("H21",), held=("sheet_h21",))
    with PortalServer(world) as portal:
        live = Live(world, {}, portal, postgres.url(warehouse), folder)
        unit = SheetDrop(world, (folder / "drop").as_uri())
        connect(live, "sheet_h21", Connection("src_sheet_h21", "fs", extra=unit.service()))
        live.connections["portal_h21"] = portal_connection("portal_h21", portal, "H21")
        try:
            yield live, unit
        finally:
            live.engine.dispose()
            engine_for(postgres.url(warehouse)).dispose()
            postgres.drop_database(warehouse)
