"""A real backfill of a load DAG: windows join, the watermark stays, nothing is doubled, reprocessing reads again.

And what its scheduled runs read, which needs no more than the same Airflow.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from devstack.postgres import Postgres
from lienthong.connections import WAREHOUSE, Connection
from lienthong.model.periods import BUSINESS_ZONE
from simulator.opencps.install import install
from simulator.portal.server import PortalServer
from simulator.world import World
from tests.orchestration.conftest import REPO
from tests.world import database_connection, portal_connection

pytestmark = [pytest.mark.xdist_group("airflow"), pytest.mark.timeout(400)]

SOURCE, TENANT = "opencps_h17", "H17"
RUNNER = Path(__file__).with_name("run_backfill.py")
#: Ticks of "0 1 * * *" in Vietnam's time.
TICKS = [f"2026-10-{day:02d}T01:00:00+07:00" for day in (12, 13, 14)]

#: The next Sunday, when the contract wants everything to be read.
SUNDAY = datetime.now(BUSINESS_ZONE).replace(hour=1, minute=0, second=0, microsecond=0)
SUNDAY += timedelta(days=7 - SUNDAY.isoweekday() % 7)

Rows = list[tuple[object, ...]]


@pytest.fixture(scope="module")
def loads(postgres: Postgres, warehouse_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the warehouse after an ordinary run at the second tick, a backfill over all three, and a second one that
    reprocesses them.
    """
    world = World.generate(7, 60, "2026-10")
    folder = tmp_path_factory.mktemp("backfill")
    contracts = folder / "sources"
    contracts.mkdir()
    lines = (REPO / "include" / "sources" / f"{SOURCE}.yaml").read_text("utf-8").splitlines()
    daily = ['schedule: "0 1 * * *"' if line.startswith("schedule:") else line for line in lines]
    (contracts / f"{SOURCE}.yaml").write_text("\n".join(daily), "utf-8")
    for name, template in {"backfill_source": "template0", "backfill_warehouse": warehouse_template}.items():
        postgres.drop_database(name)
        postgres.create_database(name, template)
    install(world, TENANT, postgres.url("backfill_source"))
    with PortalServer(world) as portal:
        connections = (
            database_connection(WAREHOUSE, postgres.url("backfill_warehouse")),
            database_connection(f"src_{SOURCE}", postgres.url("backfill_source")),
            portal_connection("portal_h17", portal, TENANT),
        )
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "_AIRFLOW"))}
        done = subprocess.run(
            [sys.executable, str(RUNNER), f"dossier_sync__{SOURCE}", TICKS[1], TICKS[0], TICKS[2], SUNDAY.isoformat()],
            env=kept
            | {f"AIRFLOW_CONN_{each.conn_id.upper()}": as_json(each) for each in connections}
            | {
                "AIRFLOW_HOME": str(folder / "airflow"),
                "AIRFLOW__CORE__DAGS_FOLDER": str(REPO / "dags"),
                "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPO / "plugins"),
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                "LIENTHONG_VAR": str(folder / "var"),
                "LIENTHONG_SOURCES": str(contracts),
                "PYTHONPATH": str(REPO / "plugins"),
                "NO_PROXY": "127.0.0.1",
            },
            capture_output=True, text=True, check=False, timeout=380,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    yield postgres.url("backfill_warehouse")
    for name in ("backfill_source", "backfill_warehouse"):
        postgres.drop_database(name)


def as_json(connection: Connection) -> str:
    return json.dumps(
        {
            "conn_type": connection.kind, "host": connection.host, "port": connection.port, "login": connection.login,
            "password": connection.password, "schema": connection.schema, "extra": dict(connection.extra),
        }
    )  # fmt: skip


def rows(url: str, query: str) -> Rows:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return found


def windows(url: str) -> Rows:
    """Mode, window in Vietnam's time, and state of every load, in the order of their opening."""
    local = "to_char({} AT TIME ZONE 'Asia/Ho_Chi_Minh', 'DD HH24:MI')"
    return rows(
        url,
        f"SELECT mode, {local.format('window_from')}, {local.format('window_to')}, state FROM ops.load "
        "ORDER BY load_id",
    )


def test_each_run_of_a_backfill_is_a_range_load_and_their_windows_join(loads: str) -> None:
    first, third = ("range", "11 01:00", "12 01:00", "merged"), ("range", "13 01:00", "14 01:00", "merged")
    ordinary = ("incremental", None, None, "merged")
    assert windows(loads)[:3] == [ordinary, first, third], "what has run already is left alone unless it is reprocessed"


def test_a_backfill_that_reprocesses_reads_every_window_again(loads: str) -> None:
    assert windows(loads)[3:6] == [
        ("range", "11 01:00", "12 01:00", "merged"),
        ("range", "12 01:00", "13 01:00", "merged"),
        ("range", "13 01:00", "14 01:00", "merged"),
    ]


def test_the_scheduled_run_of_a_tick_of_full_reads_everything(loads: str) -> None:
    assert windows(loads)[6:] == [("full", None, None, "merged")]


def test_a_backfill_moves_no_watermark_and_doubles_nothing(loads: str) -> None:
    [(ordinary,)] = rows(loads, "SELECT load_id FROM ops.load WHERE mode = 'incremental'")
    assert rows(loads, "SELECT DISTINCT load_id FROM ops.watermark") == [(ordinary,)]
    counts = "sum(extracted), sum(inserted), sum(updated), sum(unchanged)"
    again = rows(
        loads, f"SELECT {counts} FROM ops.load_count INNER JOIN ops.load USING (tenant, load_id) WHERE mode = 'range'"
    )
    [(extracted, inserted, updated, unchanged)] = again
    assert extracted == unchanged > 0
    assert inserted == updated == 0
    assert rows(loads, "SELECT count(*) FROM dossier.source_record_history") == [(0,)]
