"""The stack that `make up` leaves running: PostgreSQL, the simulated world and Airflow, each in a session of its own.

Everything lies in one folder, apart from that of the demo. `standing_up` brings it about.
"""

from __future__ import annotations

import os
import shlex
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from devstack.airflow import COMPONENTS, USER, AirflowHome
from devstack.logins import warehouse_urls
from devstack.outside import OutsideWorld
from devstack.postgres import SUPERUSER, Postgres
from devstack.private import write_private
from devstack.processes import began, stat
from devstack.standing_settings import Settings

CHECKOUT = Path(__file__).resolve().parents[1]
WAREHOUSE, METADATA = "warehouse", "airflow"
PARSE_EVERY_S = 30


@dataclass(frozen=True)
class Part:
    """One component as it stands: `pid` 0 when it doesn't run, `where` an address if it has one."""

    name: str
    pid: int
    since: datetime | None
    healthy: bool
    where: str = ""


class Standing:
    """One stack of one checkout. `var` holds all of its files, `postgres` the databases."""

    def __init__(self, var: Path, postgres: Postgres) -> None:
        self.var = var
        self.postgres = postgres
        self.logs = var / "airflow" / "logs"
        self.outside = OutsideWorld(var / "world", CHECKOUT, self.logs, detached=True)
        self.login_file = var / "login.txt"
        self.environment_file = var / "environment.sh"
        self.seeded_file = var / "seeded"
        self.fingerprint_file = var / "airflow" / "run" / "started-with"
        self._settings_file = var / "settings.json"

    @property
    def settings(self) -> Settings | None:
        """Those of the last start; None before the first."""
        return Settings.kept(self._settings_file)

    def keep(self, settings: Settings) -> None:
        settings.keep(self._settings_file)

    def airflow(self, settings: Settings, environment: dict[str, str] | None = None) -> AirflowHome:
        """Airflow with these settings; without an environment it can be asked and ended, but not started."""
        return AirflowHome(
            self.var / "airflow",
            self.postgres.url(METADATA) if (self.postgres.home / "port").exists() else "",
            CHECKOUT,
            environment=environment or {},
            parse_every_s=PARSE_EVERY_S,
            components=tuple(COMPONENTS),
            fixed_port=settings.port,
            detached=True,
        )

    def environment(self, settings: Settings) -> dict[str, str]:
        """What tasks and the command line need to know; the world has to have been ready once."""
        ready = self.outside.finish()
        return ready.connections(warehouse_urls(self.postgres, WAREHOUSE)) | {
            "LIENTHONG_HOME": str(CHECKOUT),
            "LIENTHONG_VAR": str(self.var),
            "LIENTHONG_SCHEDULES": settings.schedules(ready.syncs),
        }

    def tell(self, airflow: AirflowHome) -> None:
        """Write the log-in, and the environment for a shell, where only their owner can read them."""
        password = airflow.secrets["password"]
        write_private(self.login_file, f"{airflow.url}\nuser: {USER}\npassword: {password}\n")
        ready = self.outside.finish()
        told = {
            **airflow.environment,
            "AIRFLOW_HOME": str(airflow.folder),
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.postgres.port),
            "PGUSER": SUPERUSER,
            "PGDATABASE": WAREHOUSE,
            "WORLD_STATE": str(self.outside.state_folder),
            "PORTAL_URL": ready.portal_url,
            **{f"{source_id.upper()}_URL": service.url for source_id, service in ready.every_service.items()},
        }
        places = f"{self.postgres.tools()}:{CHECKOUT / '.venv' / 'bin'}"
        lines = [f"export {name}={shlex.quote(text)}" for name, text in sorted(told.items())]
        write_private(self.environment_file, "\n".join([*lines, f'export PATH={shlex.quote(places)}:"$PATH"']) + "\n")

    def parts(self) -> list[Part]:
        """Every component as it stands now; none before the first start."""
        settings = self.settings
        if settings is None:
            return []
        airflow, world, pid = self.airflow(settings), self.outside.child, self.postgres.pid
        server, health = stat(pid), airflow.health()
        return [
            Part("postgresql", pid, began(server.started) if server else None, self.postgres.is_running()),
            Part("simulator", world.pid, world.since, self.world_answers(), self._portal_url()),
            *(
                Part(child.name, child.pid, child.since, health[child.name], _address(airflow, child.name))
                for child in airflow.children
            ),
        ]

    def world_answers(self) -> bool:
        """Whether the simulated world runs and serves."""
        if not self.outside.child.pid or not (url := self._portal_url()):
            return False
        try:
            return httpx.get(f"{url}/_sim/health", timeout=5.0, trust_env=False).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def check(self) -> None:
        """ProcessError when a component has ended."""
        if settings := self.settings:
            self.airflow(settings).check()
        self.outside.check()

    def down(self) -> int:
        """End everything, and return how many components ran."""
        ran = sum(1 for part in self.parts() if part.pid)
        self.airflow(self.settings or Settings()).stop()
        self.outside.stop()
        self.postgres.stop()
        return ran

    def delete(self) -> None:
        """End everything and delete it, databases included."""
        self.down()
        for folder in (self.var, self.postgres.home):
            shutil.rmtree(folder, ignore_errors=True)

    def adopt_environment(self, settings: Settings) -> None:
        """Let this process see the stack's warehouse and sources, as its tasks do."""
        os.environ.update(self.environment(settings))

    def _portal_url(self) -> str:
        ready = self.outside.ready()
        return ready.portal_url if ready else ""


def _address(airflow: AirflowHome, name: str) -> str:
    return airflow.url if name == "api-server" else ""
