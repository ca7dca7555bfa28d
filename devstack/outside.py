"""The simulated outside world as a child process, and the connections that lead to it."""

from __future__ import annotations

import json
import secrets
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

from devstack.processes import Child, ProcessError

READY_TIMEOUT_S = 120.0
READER = "opencps_reader"


@dataclass(frozen=True)
class WorldOptions:
    """What the world is made from; None leaves it to the simulator."""

    size: int | None = None
    seed: int | None = None
    month: str | None = None


@dataclass(frozen=True)
class Ready:
    """Where the world can be reached: database URL by source id, account (name, password) by province."""

    portal_url: str
    sources: Mapping[str, str]
    accounts: Mapping[str, tuple[str, str]]
    ledger: Path

    def connections(self, warehouse_url: str) -> dict[str, str]:
        """`AIRFLOW_CONN_…` variables for the contracts in include/sources and for the warehouse."""
        made = {"lienthong_warehouse": database_connection(warehouse_url)}
        for source_id, url in self.sources.items():
            made[f"src_{source_id}"] = database_connection(url)
        for province, (login, password) in self.accounts.items():
            made[f"portal_{province.lower()}"] = self._portal_connection(province, login, password)
        return {f"AIRFLOW_CONN_{conn_id.upper()}": json.dumps(made[conn_id]) for conn_id in sorted(made)}

    def _portal_connection(self, province: str, login: str, password: str) -> dict[str, Any]:
        parts = urlsplit(self.portal_url)
        return {
            "conn_type": "http",
            "host": parts.hostname,
            "port": parts.port,
            "schema": parts.scheme,
            "login": login,
            "password": password,
            "extra": {
                "auth_endpoint": "/mapi/login",
                "integration_endpoint": "/mapi/g",
                "share_endpoint": "/mapi/g",
                "madonvi": f"000.00.00.{province}",
                "dstcode": "VN:GOV:000.00.00.G22:vpcpdvcprovider",
            },
        }


def database_connection(url: str) -> dict[str, Any]:
    """A PostgreSQL connection in Airflow's JSON form."""
    parsed = make_url(url)
    return {
        "conn_type": "postgres",
        "host": parsed.host,
        "port": parsed.port,
        "login": parsed.username,
        "password": parsed.password,
        "schema": parsed.database,
    }


class OutsideWorld:
    """`python -m simulator up` in its own session. What it knows survives in `folder` between runs."""

    def __init__(self, folder: Path, checkout: Path, logs: Path) -> None:
        self._folder = folder
        self._checkout = checkout
        self._child = Child("simulator", folder / "run", logs / "simulator.log")
        self._answer_file = folder / "run" / "simulator.answer"  # holds the simulated accounts: not part of the log

    def begin(self, postgres_url: str, options: WorldOptions, environment: Mapping[str, str]) -> None:
        """Start it; call from the thread that stays alive."""
        chosen = {"--size": options.size, "--seed": options.seed, "--month": options.month}
        command = [sys.executable, "-m", "simulator", "up", "--postgres-url", postgres_url]
        command += ["--state-dir", str(self._folder / "state")]
        # The server trusts the loopback interface; a password keeps the connection complete.
        command += ["--reader-role", READER, f"--reader-password={secrets.token_urlsafe(12)}"]
        command += [f"{name}={value}" for name, value in chosen.items() if value is not None]
        self._child.start(command, environment, self._checkout, self._answer_file)

    def finish(self) -> Ready:
        """Wait until it is ready to serve."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        while (ready := self._answer()) is None:
            self._child.check()
            if time.monotonic() > deadline:
                raise ProcessError(
                    f"The simulated world is not ready after {READY_TIMEOUT_S:.0f} s. Next: {self._child.log}"
                )
            time.sleep(0.1)
        return ready

    def check(self) -> None:
        """ProcessError when it has ended."""
        self._child.check()

    def stop(self) -> None:
        """End it; also a leftover of an earlier run."""
        self._child.stop()

    def _answer(self) -> Ready | None:
        text = self._answer_file.read_text(encoding="utf-8")
        if not text.endswith("\n"):
            return None
        raw = json.loads(text)
        accounts = {province: (login, password) for province, (login, password) in raw["accounts"].items()}
        return Ready(raw["portal_url"], raw["sources"], accounts, Path(raw["ledger"]))
