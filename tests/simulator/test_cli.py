"""`python -m simulator` as the demo uses it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest

from devstack.postgres import Postgres
from simulator.ledger import read_ledger

REPO = Path(__file__).resolve().parents[2]


def command(name: str, postgres: Postgres, folder: Path, *more: str) -> list[str]:
    arguments = ["--postgres-url", postgres.url("postgres"), "--state-dir", str(folder), "--database-prefix", "simcli_"]
    return [sys.executable, "-m", "simulator", name, *arguments, *more]


@contextmanager
def world_up(postgres: Postgres, folder: Path, *more: str) -> Iterator[dict[str, Any]]:
    """The running simulator's ready line; ends it with SIGTERM and expects a clean end."""
    arguments = command("up", postgres, folder, "--size", "60", "--seed", "9", *more)
    process = subprocess.Popen(arguments, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        yield json.loads(line)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.fixture(autouse=True)
def no_databases(postgres: Postgres) -> Iterator[None]:
    for phase in range(2):
        for name in ("simcli_h17", "simcli_h26"):
            postgres.drop_database(name)
        if phase == 0:
            yield


def count(url: str) -> int:
    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM opencps_dossier")
            return int(cursor.fetchone()[0])
    finally:
        connection.close()


def create(ready: dict[str, Any], dossier: dict[str, Any]) -> str:
    """Log in and create one dossier; the portal's message."""
    username, password = ready["accounts"]["H17"]
    with httpx.Client(base_url=ready["portal_url"], headers={"dstcode": "x"}) as client:
        session = client.post("/mapi/login", json={"username": username, "password": password}).json()["session"]
        body = {"session": session, "madonvi": "000.00.00.H17", "service": "DongBoHoSoMC", "isUpdating": "False"}
        return str(client.post("/mapi/g", json={**body, "data": [dossier]}).json()["message"])


def test_the_world_comes_up_stays_and_moves_on(postgres: Postgres, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.sqlite"
    with world_up(postgres, tmp_path, "--reader-role", "sim_cli_reader", "--reader-password", "r") as ready:
        assert ready["ready"] is True
        assert set(ready["sources"]) == {"opencps_h17", "opencps_h26"}
        entries = list(read_ledger(ledger, "H17"))
        assert count(ready["sources"]["opencps_h17"]) == len(entries) >= 60
        one = next(entry for entry in entries if entry.clean and entry.code)
        assert "thành công" in create(ready, one.truth)
        moved = subprocess.run(
            command("advance", postgres, tmp_path, "--changes", "6"),
            cwd=REPO,
            capture_output=True,
            text=True,
            check=True,
        )
        changes = json.loads(moved.stdout)["changes"]
        assert len(changes) == 6
    after = {entry.dossier_id: entry for entry in read_ledger(ledger, "H17")}
    before = {entry.dossier_id: entry for entry in entries}
    assert {key for key, entry in after.items() if before.get(key) != entry} == {
        change["dossier_id"] for change in changes if change["wire_changed"]
    }
    with world_up(postgres, tmp_path) as again:
        assert count(again["sources"]["opencps_h17"]) == len(after)
        assert "đã tồn tại" in create(again, one.truth)


def test_another_world_starts_with_an_empty_portal(postgres: Postgres, tmp_path: Path) -> None:
    with world_up(postgres, tmp_path) as ready:
        one = next(entry for entry in read_ledger(tmp_path / "ledger.sqlite", "H17") if entry.clean and entry.code)
        create(ready, one.truth)
    with world_up(postgres, tmp_path, "--month", "2026-09") as other:
        assert httpx.get(f"{other['portal_url']}/_sim/health").json()["dossiers"] == 0


def test_moving_a_world_that_is_not_there_is_one_clear_error(postgres: Postgres, tmp_path: Path) -> None:
    done = subprocess.run(command("advance", postgres, tmp_path), cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "python -m simulator up" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_province_has_an_account_of_its_own(postgres: Postgres, tmp_path: Path) -> None:
    with world_up(postgres, tmp_path) as ready:
        assert ready["accounts"]["H17"] != ready["accounts"]["H26"]
