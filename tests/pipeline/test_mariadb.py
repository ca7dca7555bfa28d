"""The same province in MariaDB and in PostgreSQL comes to the same warehouse, load by load."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from lienthong.connections import Connection
from simulator.opencps.advance import advance
from simulator.world import World
from tests.mariadb import MariaServer, copy_opencps
from tests.pipeline.conftest import running
from tests.world import MONTH, SEED, SIZE, Live

pytestmark = pytest.mark.xdist_group("mariadb")

SOURCE, CONNECTION = "opencps_h17", "src_opencps_h17"


@pytest.fixture
def pair(request: pytest.FixtureRequest, mariadb: MariaServer) -> Iterator[tuple[Live, Live, str]]:
    """One world twice, its H17 in MariaDB and in PostgreSQL, and MariaDB's URL."""
    world = World.generate(SEED, SIZE, MONTH)
    url = mariadb.create_opencps()
    parts = sa.make_url(url)
    with running(request, world) as ours, running(request, world) as theirs:
        copy_opencps(theirs.sources["H17"], url)
        ours.connections[CONNECTION] = Connection(
            CONNECTION, "mysql", parts.host, parts.port, parts.username, parts.password, parts.database
        )
        for live in (ours, theirs):
            live.sync_catalogue()
        yield ours, theirs, url
    mariadb.drop_databases()


def test_loads_from_mariadb_come_to_what_loads_from_postgresql_come_to(
    pair: tuple[Live, Live, str], mariadb: MariaServer
) -> None:
    ours, theirs, url = pair
    first = ours.load(SOURCE)
    assert first == theirs.load(SOURCE)
    assert first["dossier"]["inserted"] > 300
    assert ours.contents() == theirs.contents()

    advance(theirs.world, "H17", theirs.sources["H17"], seed=3, changes=25)
    copy_opencps(theirs.sources["H17"], url)
    moved = ours.load(SOURCE)
    assert moved == theirs.load(SOURCE)
    assert moved["dossier"]["updated"] > 0
    assert ours.contents() == theirs.contents()

    again = ours.load(SOURCE, mode="full")
    assert again == theirs.load(SOURCE, mode="full")
    assert again["dossier"]["updated"] == again["dossier"]["inserted"] == 0
    assert ours.contents() == theirs.contents()

    key = ours.rows(
        f"SELECT source_key FROM dossier.source_record WHERE status = 10 AND source_id = '{SOURCE}' LIMIT 1"
    )
    quarantined = ours.rows("SELECT count(*) FROM quality.quarantine")
    mariadb.run(
        str(sa.make_url(url).database),
        "UPDATE opencps_dossier SET originality = -originality, dueDate = '0000-00-00 00:00:00', extendDate = NULL, "
        f"modifiedDate = '2026-10-31 20:00:00' WHERE dossierId = {key[0][0]}",
    )
    ours.load(SOURCE)
    assert ours.rows(
        "SELECT status, due_at, blocked_reasons::text LIKE '%status_mapped%' "
        f"FROM dossier.source_record WHERE source_key = '{key[0][0]}'"
    ) == [(None, None, True)]
    assert ours.rows("SELECT count(*) FROM quality.quarantine") == quarantined
    found = ours.rows("SELECT kind, name, seen FROM ops.finding WHERE kind IN ('removed', 'zero_date') ORDER BY 1")
    assert found == [("removed", "-3", 1), ("zero_date", "opencps_dossier.dueDate", 1)]
