"""A real Airflow for one machine: its home, its metadata database and its processes, started one by one.

For the demo and the tests only: SimpleAuthManager and LocalExecutor, everything on the loopback interface. `airflow
standalone` is not used: it starts a triggerer that nothing here needs and leaves children behind when it is ended.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from configparser import RawConfigParser
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TextIO

import psycopg2
from sqlalchemy.engine import make_url

from devstack.airflow_api import AirflowApi
from devstack.postgres import free_port
from devstack.processes import TERMINATE_S, Child, ProcessError

USER = "admin"
MIGRATE_TIMEOUT_S = 180.0
HEALTHY_TIMEOUT_S = 120.0
COMPONENTS: dict[str, tuple[str, ...]] = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),  # the log server would listen on every interface
    "dag-processor": ("dag-processor",),
}


@dataclass(frozen=True)
class AirflowHome:
    """One Airflow. `environment` holds what its tasks need beyond it: AIRFLOW_CONN_…, LIENTHONG_….

    `checkout` holds `dags` and `plugins`; `dags` may lie elsewhere. Files are parsed again every `parse_every_s`.
    """

    folder: Path
    database_url: str
    checkout: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    dags: Path | None = None
    workers: int = 4
    parse_every_s: int = 20

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @cached_property
    def port(self) -> int:
        return free_port()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def secrets(self) -> dict[str, str]:
        """Made once per home and kept: sessions and encrypted values survive a restart."""
        file = self.folder / "secrets.json"
        if not file.exists():
            made = {
                "fernet_key": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
                "jwt_secret": secrets.token_urlsafe(48),
                "secret_key": secrets.token_urlsafe(48),
                "password": secrets.token_urlsafe(12),
            }
            _write_private(file, json.dumps(made))
        loaded: dict[str, str] = json.loads(file.read_text())
        return loaded

    def prepare(self) -> None:
        """Write configuration and password file (mode 0600)."""
        self.logs.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        _write_private(self.folder / "passwords.json", json.dumps({USER: self.secrets["password"]}) + "\n")
        config = RawConfigParser()
        config.read_dict(self._configuration())
        partial = self.folder / "airflow.cfg.new"
        with _open_private(partial) as sink:
            config.write(sink)
        partial.replace(self.folder / "airflow.cfg")

    def begin_migration(self) -> None:
        """Start to bring the metadata database up to date, unless it is known to be."""
        if self._revision() is None or self._stamp.read_text() != self._migrated():
            self._migration.start(self._command("db", "migrate"), self._environment(), self.folder)

    def finish_migration(self) -> None:
        """Wait for the migration that was begun."""
        self._migration.wait(MIGRATE_TIMEOUT_S)
        self._stamp.write_text(self._migrated())

    def start(self) -> None:
        """Start the components and return when all of them are healthy. Call from the thread that stays alive."""
        environment = self._environment()
        for name, arguments in COMPONENTS.items():
            self._children[name].start(self._command(*arguments), environment, self.folder)
        deadline = time.monotonic() + HEALTHY_TIMEOUT_S
        while not self.api.is_healthy():
            self.check()
            if time.monotonic() > deadline:
                raise ProcessError(f"Airflow is not healthy after {HEALTHY_TIMEOUT_S:.0f} s. Next: read {self.logs}")
            time.sleep(0.3)

    def check(self) -> None:
        """ProcessError when a component has ended."""
        for child in self.children:
            child.check()

    def stop(self) -> None:
        """End all components and everything that they started; also leftovers of an earlier run of this home."""
        children = (*self.children, self._migration)
        for child in children:
            child.signal()
        for child in reversed(children):
            # The api-server, last, would wait for clients' idle connections; it holds nothing that could be lost.
            child.finish(1.0 if child.name == "api-server" else TERMINATE_S)

    @cached_property
    def api(self) -> AirflowApi:
        return AirflowApi(self.url, USER, self.secrets["password"])

    @property
    def children(self) -> tuple[Child, ...]:
        """The components, in the order in which they are started."""
        return tuple(self._children.values())

    @cached_property
    def _children(self) -> dict[str, Child]:
        return {name: Child(name, self.folder / "run", self.logs / f"{name}.log") for name in COMPONENTS}

    @cached_property
    def _migration(self) -> Child:
        return Child("db-migrate", self.folder / "run", self.logs / "db-migrate.log")

    @property
    def _stamp(self) -> Path:
        """Which Airflow brought the metadata database to which revision; looking it up this way takes no seconds."""
        file = self.folder / "migrated"
        file.touch()
        return file

    def _migrated(self) -> str:
        return f"{version('apache-airflow')} {self._revision()}"

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "airflow", *arguments]

    def _environment(self) -> dict[str, str]:
        """The caller's environment without its own Airflow, if any, plus what this Airflow needs."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "_AIRFLOW"))}
        return inherited | {
            "AIRFLOW_HOME": str(self.folder),
            "GX_ANALYTICS_ENABLED": "False",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "PYTHONUNBUFFERED": "1",
            **self.environment,
        }

    def _revision(self) -> str | None:
        """Airflow's revision of the metadata database, None when it has none yet."""
        url = make_url(self.database_url)
        connection = psycopg2.connect(host=url.host, port=url.port, user=url.username, dbname=url.database)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT to_regclass('alembic_version')")
                if cursor.fetchone() == (None,):
                    return None
                cursor.execute("SELECT version_num FROM alembic_version")
                row = cursor.fetchone()
                return str(row[0]) if row else None
        finally:
            connection.close()

    def _configuration(self) -> dict[str, dict[str, object]]:
        return {
            "core": {
                "dags_folder": self.dags or self.checkout / "dags",
                "plugins_folder": self.checkout / "plugins",
                "executor": "LocalExecutor",
                "parallelism": self.workers,
                "load_examples": False,
                "fernet_key": self.secrets["fernet_key"],
                "hostname_callable": "socket.gethostname",
                "simple_auth_manager_users": f"{USER}:admin",
                "simple_auth_manager_passwords_file": self.folder / "passwords.json",
                "execution_api_server_url": f"{self.url}/execution/",
            },
            "database": {"sql_alchemy_conn": self.database_url},
            "api": {
                "host": "127.0.0.1",
                "port": self.port,
                "base_url": self.url,
                "workers": 1,
                "secret_key": self.secrets["secret_key"],
            },
            "api_auth": {"jwt_secret": self.secrets["jwt_secret"]},
            "logging": {"base_log_folder": self.logs, "colored_console_log": False},
            "scheduler": {"scheduler_idle_sleep_time": 0.3},
            "dag_processor": {"refresh_interval": self.parse_every_s, "min_file_process_interval": self.parse_every_s},
        }


def _open_private(file: Path) -> TextIO:
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w")


def _write_private(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with _open_private(file) as sink:
        sink.write(text)
