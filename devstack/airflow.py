"""A real Airflow for one machine: its home, its metadata database and its processes, started one by one.

For `make demo`, `make up` and the tests: SimpleAuthManager and LocalExecutor, everything on the loopback interface.
`airflow standalone` is not used: it leaves children behind when it is ended.
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
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import psycopg2
from sqlalchemy.engine import make_url

from devstack.airflow_api import AirflowApi
from devstack.postgres import free_port
from devstack.private import open_private, write_private
from devstack.processes import Child, ProcessError, end_all

USER = "admin"
MIGRATE_TIMEOUT_S = 180.0
HEALTHY_TIMEOUT_S = 120.0
COMPONENTS: dict[str, tuple[str, ...]] = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),  # the log server would listen on every interface
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
#: The api-server would wait for clients' idle connections; it holds nothing that could be lost.
GRACES = {"api-server": 1.0}
#: What the demo and the tests need: no task of theirs is ever deferred.
WITHOUT_TRIGGERER = ("api-server", "scheduler", "dag-processor")


@dataclass(frozen=True)
class AirflowHome:
    """One Airflow. `environment` holds what its tasks need beyond it: AIRFLOW_CONN_…, LIENTHONG_….

    `checkout` holds `dags` and `plugins`; `dags` may lie elsewhere. Files are parsed again every `parse_every_s`.
    `fixed_port` 0 means any free one. `detached` components outlive the process that starts them.
    """

    folder: Path
    database_url: str
    checkout: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    dags: Path | None = None
    workers: int = 8  # two pushes of a province wait for each other in their workers; loads need some beside them
    parse_every_s: int = 20
    components: tuple[str, ...] = WITHOUT_TRIGGERER
    fixed_port: int = 0
    detached: bool = False

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @cached_property
    def port(self) -> int:
        return self.fixed_port or free_port()

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
            write_private(file, json.dumps(made))
        loaded: dict[str, str] = json.loads(file.read_text())
        return loaded

    def prepare(self) -> None:
        """Write configuration and password file (mode 0600)."""
        self.logs.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        write_private(self.folder / "passwords.json", json.dumps({USER: self.secrets["password"]}) + "\n")
        config = RawConfigParser()
        config.read_dict(self._configuration())
        partial = self.folder / "airflow.cfg.new"
        with open_private(partial) as sink:
            config.write(sink)
        partial.replace(self.folder / "airflow.cfg")

    @property
    def fingerprint(self) -> str:
        """Changes with anything that running components have read once: configuration and environment."""
        text = json.dumps([self._configuration(), dict(self.environment), version("apache-airflow")], default=str)
        return sha256(text.encode()).hexdigest()

    def begin_migration(self) -> None:
        """Start to bring the metadata database up to date, unless it is known to be."""
        if self._revision() is None or self._stamp.read_text() != self._migrated():
            self._migration.start(self._command("db", "migrate"), self._environment(), self.folder)

    def finish_migration(self) -> None:
        """Wait for the migration that was begun."""
        self._migration.wait(MIGRATE_TIMEOUT_S)
        self._stamp.write_text(self._migrated())

    def cancel_migration(self) -> None:
        """End the migration that was begun, if it still runs; it is begun anew the next time."""
        self._migration.stop()

    def start(self) -> None:
        """Start the components and return when all of them are healthy. Call from the thread that stays alive."""
        self.begin()
        self.wait_healthy()

    def begin(self) -> list[Child]:
        """Start the components that don't run, and return them."""
        environment = self._environment()
        begun = [child for child in self.children if not child.pid]
        for child in begun:
            child.start(self._command(*COMPONENTS[child.name]), environment, self.folder)
        return begun

    def wait_healthy(self) -> None:
        """Return when every component has shown since its start that it works; ProcessError when one has not."""
        deadline = time.monotonic() + HEALTHY_TIMEOUT_S
        while not all(self.health().values()):
            self.check()
            if time.monotonic() > deadline:
                raise ProcessError(f"Airflow is not healthy after {HEALTHY_TIMEOUT_S:.0f} s. Next: read {self.logs}")
            time.sleep(0.3)

    def health(self) -> dict[str, bool]:
        """Per component, whether it runs and has shown since its start that it works."""
        beats = self.api.heartbeats()
        found = {}
        for child in self.children:
            since, beat = child.since, beats.get(child.name)
            found[child.name] = since is not None and beat is not None and beat >= since
        return found

    def check(self) -> None:
        """ProcessError when a component has ended."""
        for child in self.children:
            child.check()

    def stop(self) -> None:
        """End all components and everything that they started; also leftovers of an earlier run of this home."""
        end_all((*self.children, self._migration), GRACES)

    @cached_property
    def api(self) -> AirflowApi:
        return AirflowApi(self.url, USER, self.secrets["password"])

    @property
    def children(self) -> tuple[Child, ...]:
        """The components, in the order in which they are started."""
        return tuple(self._children.values())

    @cached_property
    def _children(self) -> dict[str, Child]:
        return {
            name: Child(name, self.folder / "run", self.logs / f"{name}.log", detached=self.detached)
            for name in COMPONENTS
            if name in self.components
        }

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
                "instance_name": "Liên Thông (thế giới mô phỏng)",
                "base_url": self.url,
                "workers": 1,
                "secret_key": self.secrets["secret_key"],
            },
            "api_auth": {"jwt_secret": self.secrets["jwt_secret"]},
            "logging": {"base_log_folder": self.logs, "colored_console_log": False},
            "scheduler": {"scheduler_idle_sleep_time": 0.3},
            "dag_processor": {"refresh_interval": self.parse_every_s, "min_file_process_interval": self.parse_every_s},
        }
