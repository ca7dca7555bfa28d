"""`make up`, `make status` and `make down` with real processes; the tests build on each other in the order written.

The first journey of the data is left out here: `test_airflow_real.py` makes it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from devstack.postgres import Postgres, free_port, home_for
from devstack.standing import Part, Standing

pytestmark = [pytest.mark.xdist_group("airflow"), pytest.mark.timeout(420)]

REPO = Path(__file__).resolve().parents[2]
NAMES = ["postgresql", "simulator", "api-server", "scheduler", "dag-processor", "triggerer"]
HOMES = home_for(REPO, "tests")


@dataclass(frozen=True)
class Home:
    """One stack of these tests and the port of its Airflow."""

    var: Path
    postgres: Path
    port: int

    @property
    def standing(self) -> Standing:
        return Standing(self.var, Postgres(self.postgres))

    def command(self, *arguments: str) -> list[str]:
        places = ["--var", str(self.var), "--postgres-home", str(self.postgres)]
        return [sys.executable, "-m", "devstack.up", *places, *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), cwd=REPO, capture_output=True, text=True, timeout=240, check=False
        )

    def up(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("up", "--port", str(self.port), "--every", "30", "--size", "40", *arguments)

    def parts(self) -> dict[str, Part]:
        return {part.name: part for part in self.standing.parts()}

    def family(self) -> set[psutil.Process]:
        """Every process that names this stack in its arguments or works in its folders, and its offspring."""
        places = (str(self.var), str(self.postgres))
        found: set[psutil.Process] = set()
        for process in psutil.process_iter():
            try:
                told = [*process.cmdline(), process.cwd()]
                if process.pid != os.getpid() and any(place in text for text in told for place in places):
                    found |= {process, *process.children(recursive=True)}
            except psutil.Error:  # gone meanwhile, or of another user
                continue
        return found


def _home(name: str) -> Home:
    return Home(HOMES / f"standing-{name}", HOMES / f"standing-pg-{name}", free_port())


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    for left in HOMES.glob("standing-pg-*"):  # by test processes that were killed
        name = left.name.rpartition("-")[2]
        if not Path(f"/proc/{name}").exists():
            _home(name).standing.delete()
    made = _home(str(os.getpid()))
    made.var.mkdir(parents=True)
    (made.var / "seeded").touch()
    yield made
    made.standing.delete()
    made.var.with_suffix(".lock").unlink(missing_ok=True)


@pytest.fixture(scope="module")
def running(home: Home) -> Home:
    done = home.up()
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"http://127.0.0.1:{home.port}" in done.stdout
    assert f"admin / {_password(home)}" in done.stdout
    return home


def _password(home: Home) -> str:
    secrets: dict[str, str] = json.loads((home.var / "airflow" / "secrets.json").read_text())
    return secrets["password"]


def test_a_port_that_is_taken_is_named_with_its_holder_and_nothing_is_started(home: Home, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        other = Home(tmp_path / "up", tmp_path / "pg", taken.getsockname()[1])
        done = other.up()
    assert done.returncode == 1
    assert f"Cổng {other.port}" in done.stdout
    assert f"tiến trình {os.getpid()}" in done.stdout
    assert not other.postgres.exists()
    assert other.family() == set()


def test_an_interrupted_start_leaves_nothing_and_bars_a_second_one_meanwhile(home: Home) -> None:
    starting = subprocess.Popen(
        home.command("up", "--port", str(home.port), "--size", "40"), cwd=REPO, stdout=subprocess.PIPE, text=True
    )
    record = home.var / "world" / "run" / "simulator.json"
    while not record.exists():
        assert starting.poll() is None
        time.sleep(0.05)
    second = home.run("down")
    starting.send_signal(signal.SIGINT)
    said, _ = starting.communicate(timeout=60)
    assert second.returncode == 1
    assert "đang chạy" in second.stdout
    assert starting.returncode == 130
    assert "Đã ngắt" in said
    assert home.family() == set()


def test_every_component_runs_and_is_healthy(running: Home) -> None:
    parts = running.parts()
    assert list(parts) == NAMES
    assert [part.name for part in parts.values() if not part.healthy] == []
    assert all(os.getsid(part.pid) == part.pid for part in parts.values()), "each leads a session of its own"
    health = httpx.get(f"http://127.0.0.1:{running.port}/api/v2/monitor/health", trust_env=False).json()
    assert {name: health[name]["status"] for name in health} == dict.fromkeys(health, "healthy")


def test_status_shows_components_dags_and_loads(running: Home) -> None:
    done = running.run("status")
    assert done.returncode == 0, done.stdout + done.stderr
    for name in (*NAMES, "dossier_sync__opencps_h17", "portal_push", "Đồng hồ của thế giới mô phỏng: ", "Gửi lên Cổng"):
        assert name in done.stdout


def test_secrets_are_in_private_files_and_in_no_process_list_or_log(running: Home) -> None:
    password = _password(running)
    assert password in running.standing.login_file.read_text()
    for file in (running.standing.login_file, running.standing.environment_file, running.var / "airflow/secrets.json"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(running.var.stat().st_mode) == 0o700
    reader = (running.var / "world" / "run" / "reader.secret").read_text()
    arguments = " ".join(argument for process in running.family() for argument in process.cmdline())
    logs = " ".join(log.read_text(errors="replace") for log in running.standing.logs.glob("*.log"))
    for secret in (password, reader):
        assert secret not in arguments
        assert secret not in logs


def test_a_second_up_starts_again_what_died_and_no_doubles(running: Home) -> None:
    before = running.parts()
    dead = before["scheduler"].pid
    workers = psutil.Process(dead).children(recursive=True)
    os.kill(dead, signal.SIGKILL)
    done = running.up()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Vừa khởi động: scheduler." in done.stdout
    assert _password(running) not in done.stdout
    after = running.parts()
    assert [name for name in NAMES if after[name].pid != before[name].pid] == ["scheduler"]
    assert all(part.healthy for part in after.values())
    assert [worker.pid for worker in workers if _alive(worker)] == []
    commands = [" ".join(process.cmdline()) for process in running.family()]
    assert sum("airflow scheduler" in command for command in commands) == 1


def test_down_leaves_no_process_and_keeps_the_data(running: Home) -> None:
    leaders = {psutil.Process(part.pid) for part in running.parts().values()}
    family = running.family().union(leaders, *(leader.children(recursive=True) for leader in leaders))
    assert len(family) > len(leaders), "workers belong to it"
    done = running.run("down")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [process.pid for process in family if _alive(process)] == []
    assert running.family() == set()
    assert [part.pid for part in running.parts().values()] == [0] * len(NAMES)
    running.standing.postgres.start()
    assert not running.standing.postgres.create_database("warehouse"), "it is still there"
    world = running.standing.outside.world()
    assert world is not None
    assert world.size == 40


def test_another_world_is_refused_instead_of_mixed_with_the_kept_one(running: Home) -> None:
    done = running.run("up", "--size", "41")
    assert done.returncode == 1
    assert "make up-clean" in done.stdout


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
