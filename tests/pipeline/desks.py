"""A world whose citizens say something: the national PAKN, Đà Nẵng's 1022 and its ratings, while a test needs them."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from devstack.postgres import Postgres
from lienthong.connections import Connection
from lienthong.settings import PROJECT
from lienthong.warehouse.engine import engine_for
from simulator.desks import Desks
from simulator.feedback import Desk, Feedback, FeedbackEntry
from simulator.portal.server import PortalServer
from simulator.service import ServiceServer
from simulator.world import World
from tests.world import MONTH, SEED, Live, portal_connection

TENANT = "H17"
PAKN, HOTLINE, RATINGS = "pakn_h17", "hotline1022_h17", "rating_h17"
#: Source → what the ledger calls its desk.
DESKS = {PAKN: Desk.PAKN.value, HOTLINE: Desk.HOTLINE.value, RATINGS: "rating"}
_numbers = itertools.count(1)


@dataclass
class Said:
    """What citizens say, the running services, and a warehouse for it."""

    feedback: Feedback
    desks: Desks
    live: Live

    def server(self, source: str) -> ServiceServer:
        return {PAKN: self.desks.pakn, HOTLINE: self.desks.hotlines[TENANT], RATINGS: self.desks.ratings[TENANT]}[
            source
        ]

    def entries(self, source: str) -> dict[str, FeedbackEntry]:
        """The ledger's entries of a source by the key that the source gives them."""
        found = (entry for entry in self.feedback.ledger() if entry.desk == DESKS[source])
        prefix = "h17-" if source == PAKN else ""
        return {f"{prefix}{entry.number}": entry for entry in found}

    def contract(self, source: str, old: str, new: str) -> None:
        """Replace a piece of a source's contract."""
        path = self.live.settings.sources / f"{source}.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def connect(self, source: str, **changes: Any) -> None:
        """Change a source's connection."""
        held = self.live.connections[f"src_{source}"]
        self.live.connections[held.conn_id] = Connection(**{**vars(held), **changes})


@contextmanager
def running_desks(request: pytest.FixtureRequest, size: int = 0, *, share: float = 0.008) -> Iterator[Said]:
    """The desks of Đà Nẵng, the portal for the catalogue, and a warehouse that has the catalogue."""
    postgres: Postgres = request.getfixturevalue("postgres")
    name = f"live_desks_{next(_numbers)}"
    postgres.drop_database(name)
    postgres.create_database(name, request.getfixturevalue("warehouse_template"))
    folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("desks")
    world = World.generate(SEED, 300, MONTH, provinces=(TENANT,))
    feedback = Feedback.of(world, TENANT, size=size, share=share)
    with PortalServer(world) as portal, Desks({TENANT: feedback}) as desks:
        live = Live(world, {}, portal, postgres.url(name), folder)
        live.clock = datetime(2026, 11, 2, 1, tzinfo=UTC)
        services = {source: account for kind in desks.services().values() for source, account in kind.items()}
        for source in (*DESKS, "opencps_h17"):  # the last names the account by which the catalogue is read
            shutil.copy(PROJECT / "include" / "sources" / f"{source}.yaml", live.settings.sources)
        for source in DESKS:
            parts = urlsplit(services[source]["url"])
            live.connections[f"src_{source}"] = Connection(
                f"src_{source}", "http", parts.hostname, parts.port, services[source]["username"],
                services[source]["password"], "http",
            )  # fmt: skip
        live.connections["portal_h17"] = portal_connection("portal_h17", portal, TENANT)
        try:
            yield Said(feedback, desks, live)
        finally:
            live.engine.dispose()
            engine_for(postgres.url(name)).dispose()
            postgres.drop_database(name)
