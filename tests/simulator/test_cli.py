"""`python -m simulator` as the demo uses it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest

from devstack.postgres import Postgres
from simulator.desks import Desks
from simulator.feedback import keeping, read_feedback_ledger
from simulator.ledger import read_ledger
from simulator.outside import Outside
from simulator.state import State
from simulator.world import World

REPO = Path(__file__).resolve().parents[2]


def command(name: str, postgres: Postgres, folder: Path, *more: str) -> list[str]:
    arguments = ["--postgres-url", postgres.url("postgres"), "--state-dir", str(folder), "--database-prefix", "simcli_"]
    return [sys.executable, "-m", "simulator", name, *arguments, *more]


@contextmanager
def world_up(postgres: Postgres, folder: Path, *more: str) -> Iterator[dict[str, Any]]:
    """The running simulator's ready line."""
    with served(command("up", postgres, folder, "--size", "60", "--seed", "9", *more)) as ready:
        yield ready


@contextmanager
def served(arguments: list[str]) -> Iterator[dict[str, Any]]:
    """The ready line of a running command; ends it with SIGTERM and expects a clean end."""
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
        assert set(ready["services"]) == {"igate_h21", "igate_h13"}
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
        accounts = [ready["accounts"][code] for code in ("H17", "H26", "H21", "H13")]
        assert len({tuple(account) for account in accounts}) == 4


def log_in(service: dict[str, str]) -> httpx.Client:
    """A client of an iGate that `up` named."""
    form = {"grant_type": "password", **{name: service[name] for name in ("client_id", "username", "password")}}
    token = httpx.post(service["token_url"], data=form).json()["access_token"]
    return httpx.Client(base_url=service["url"], headers={"Authorization": f"Bearer {token}"})


def shown(service: dict[str, str]) -> list[dict[str, Any]]:
    """Everything an iGate lists, newest first."""
    with log_in(service) as client:
        query = {"size": 1000, "sort": "updatedDate,desc"}
        return list(client.get("/pa/dossier/search", params=query).json()["content"])


def test_igate_provinces_need_no_database_and_move_on_while_they_are_served(tmp_path: Path) -> None:
    def run(name: str, *more: str) -> list[str]:
        return [sys.executable, "-m", "simulator", name, "--state-dir", str(tmp_path), *more]

    with served(run("up", "--provinces", "H21,H13", "--size", "60")) as ready:
        assert ready["sources"] == {}
        before = shown(ready["services"]["igate_h21"])
        beside = shown(ready["services"]["igate_h13"])
        moved = subprocess.run(
            run("advance", "--province", "H21", "--changes", "6"), cwd=REPO, capture_output=True, text=True, check=True
        )
        changes = json.loads(moved.stdout)["changes"]
        after = shown(ready["services"]["igate_h21"])
        assert {int(item["id"][-8:], 16) for item in after if item not in before} == {
            change["dossier_id"] for change in changes
        }
        assert shown(ready["services"]["igate_h13"]) == beside
        known = {entry.dossier_id: entry for entry in read_ledger(tmp_path / "ledger.sqlite", "H21")}
        assert {int(item["id"][-8:], 16) for item in after} == set(known)
    alone = subprocess.run(  # nobody serves now
        run("advance", "--province", "H21", "--changes", "4"), cwd=REPO, capture_output=True, text=True, check=True
    )
    assert len(json.loads(alone.stdout)["changes"]) == 4
    with served(run("up", "--provinces", "H21,H13", "--size", "60")) as again:
        assert len(shown(again["services"]["igate_h21"])) > len(after) - 1
        assert shown(again["services"]["igate_h13"]) == beside
        assert shown(again["services"]["igate_h21"])[0] not in after


def test_sectoral_systems_are_served_move_on_and_stay_away_when_not_asked_for(tmp_path: Path) -> None:
    def run(name: str, *more: str) -> list[str]:
        return [sys.executable, "-m", "simulator", name, "--state-dir", str(tmp_path), *more]

    with served(run("up", "--provinces", "H21", "--size", "100", "--held", "sheet_h21")) as ready:
        [listed] = list(Path(ready["services"]["sheet_h21"]["url"].removeprefix("file://")).iterdir())
        subprocess.run(run("advance", "--province", "sheet_h21", "--changes", "4"), cwd=REPO, check=True)
        assert len(list(listed.parent.iterdir())) == 2
    known = list(read_ledger(tmp_path / "ledger.sqlite", "sheet_h21"))
    assert len(known) == 10
    with served(run("up", "--provinces", "H21", "--size", "100", "--held", "")) as bare:
        assert set(bare["services"]) == {"igate_h21"}


def test_a_live_world_moves_on_by_itself_and_goes_on_after_a_restart(postgres: Postgres, tmp_path: Path) -> None:
    live = ("--live-every", "0.2", "--live-changes", "2", "--provinces", "H17,H21")
    counts = []
    for _ in range(2):
        started = time.time()
        with world_up(postgres, tmp_path, *live) as ready:
            url = ready["sources"]["opencps_h17"]
            counts.append(latest(url)[0])
            wait_until(lambda url=url, then=started: latest(url)[1] >= then)  # type: ignore[misc]
            wait_until(lambda ready=ready, then=started: newest(ready["services"]["igate_h21"]) >= then)  # type: ignore[misc]
        entries = {entry.dossier_id for entry in read_ledger(tmp_path / "ledger.sqlite", "H17")}
        assert len(entries) >= latest(url)[0]
    assert counts[1] >= counts[0]


def latest(url: str) -> tuple[int, float]:
    """Dossiers of an OpenCPS database, and their newest modifiedDate in seconds since 1970."""
    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT count(*), extract(epoch FROM max("modifiedDate") AT TIME ZONE 'Asia/Ho_Chi_Minh')
                FROM opencps_dossier"""
            )
            dossiers, moment = cursor.fetchone()
            return int(dossiers), float(moment)
    finally:
        connection.close()


def newest(service: dict[str, str]) -> float:
    text = httpx.get(f"{service['url']}/_sim/health").json()["newest"]
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()


def wait_until(done: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_an_unknown_province_is_one_clear_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "simulator", "up", "--state-dir", str(tmp_path), "--provinces", "H17,H99"],
        cwd=REPO, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "no province H99" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_province_needs_a_database(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "simulator", "up", "--state-dir", str(tmp_path), "--provinces", "H17", "--size", "5"],
        cwd=REPO, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "--postgres-url" in done.stderr


def test_petitions_and_ratings_move_on_with_their_province_and_survive_a_restart(tmp_path: Path) -> None:
    def listed(ready: dict[str, Any]) -> list[str]:
        account = ready["petitions"]["pakn_h17"]
        login = {"username": account["username"], "password": account["password"]}
        token = httpx.post(f"{account['url']}/api/v1/auth/token", json=login).json()["accessToken"]
        answer = httpx.get(
            f"{account['url']}/api/v1/petitions", params={"pageSize": 200}, headers={"Authorization": f"Bearer {token}"}
        ).json()
        return [item["updatedAt"] for item in answer["data"]["items"]]

    world = World.generate(766, 60, provinces=("H17",))
    folded = State(766, 60, "2026-10", ("H17",))
    feedbacks = keeping.all_of(tmp_path, world)
    with Desks(feedbacks) as desks:
        before = listed({**desks.services()})
        assert set(desks.services()["petitions"]) == {"pakn_h17", "hotline1022_h17"}
        assert set(desks.services()["ratings"]) == {"rating_h17"}
        outside = Outside(tmp_path, folded, world, {}, {}, feedbacks)
        for _ in range(3):
            outside.advance("H17", 766, 12)
        after = listed({**desks.services()})
    assert max(after) > max(before)
    with Desks(keeping.all_of(tmp_path, world)) as again:
        assert listed({**again.services()}) == after
    kept = list(read_feedback_ledger(tmp_path / "feedback.sqlite", "pakn"))
    assert len(kept) == len(after)
