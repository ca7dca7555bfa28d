"""The simulated outside world as a child process, and the connections that lead to it."""

from __future__ import annotations

import json
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

from devstack.private import write_private
from devstack.processes import Child, ProcessError
from lienthong.model.kinds import KINDS
from lienthong.model.sync_dags import sync_dag

READY_TIMEOUT_S = 120.0
READER = "opencps_reader"


@dataclass(frozen=True)
class WorldOptions:
    """What the world is made from; None leaves it to the simulator."""

    size: int | None = None
    seed: int | None = None
    month: str | None = None
    provinces: tuple[str, ...] | None = None
    held: tuple[str, ...] | None = None

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> WorldOptions:
        """Those of a world that the simulator keeps, as its world.json says."""
        return cls(
            int(kept["size"]), int(kept["seed"]), str(kept["month"]), tuple(kept.get("provinces", ("H17", "H26"))),
            tuple(kept.get("held", ())),
        )  # fmt: skip

    def asks_for_another_than(self, kept: WorldOptions) -> bool:
        """Whether anything that is chosen here differs."""
        return any(value not in (None, getattr(kept, name)) for name, value in vars(self).items())

    def arguments(self) -> list[str]:
        """Options of the simulator."""
        chosen = {name: value for name, value in vars(self).items() if value is not None}
        return [f"--{name}={','.join(value) if isinstance(value, tuple) else value}" for name, value in chosen.items()]


@dataclass(frozen=True)
class Service:
    """A source that is reached over HTTP: where its token is fetched, if it has one, and the account; or a folder."""

    url: str
    token_url: str = ""
    client_id: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    extra: Mapping[str, str] = field(default_factory=dict)

    def connection(self) -> dict[str, Any]:
        """A connection in Airflow's JSON form, as the source's profile expects it."""
        if not self.url.startswith("http"):
            return {"conn_type": "fs", "extra": {"url": self.url}}
        token = {"token_url": self.token_url, "client_id": self.client_id} if self.token_url else {}
        return _http_connection(self.url, self.username, self.password) | {"extra": {**token, **self.extra}}


@dataclass(frozen=True)
class Ready:
    """Where the world can be reached: database URL or service by source id, account (name, password) by province.

    `sources` and `services` hold dossiers; `desks` what citizens say, by kind of record and source id.
    """

    portal_url: str
    sources: Mapping[str, str]
    accounts: Mapping[str, tuple[str, str]]
    ledger: Path
    services: Mapping[str, Service] = field(default_factory=dict)
    desks: Mapping[str, Mapping[str, Service]] = field(default_factory=dict)

    @property
    def syncs(self) -> list[str]:
        """The DAG of every source of the world, in the order of kinds: a rating comes after the dossier it is of."""
        held = {"dossier": (*self.sources, *self.services), **self.desks}
        return [sync_dag(kind, source_id) for kind in KINDS for source_id in sorted(held.get(kind, ()))]

    @property
    def every_service(self) -> dict[str, Service]:
        """All sources that are no database, by source id."""
        found = dict(self.services)
        for services in self.desks.values():
            found |= services
        return found

    def connections(self, warehouse: Mapping[str, str]) -> dict[str, str]:
        """`AIRFLOW_CONN_…` variables for the contracts in include/sources and for the warehouse: URL by connection."""
        made = {conn_id: database_connection(url) for conn_id, url in warehouse.items()}
        for source_id, url in self.sources.items():
            made[f"src_{source_id}"] = database_connection(url)
        for source_id, service in self.every_service.items():
            made[f"src_{source_id}"] = service.connection()
        for province, (login, password) in self.accounts.items():
            made[f"portal_{province.lower()}"] = self._portal_connection(province, login, password)
        return {f"AIRFLOW_CONN_{conn_id.upper()}": json.dumps(made[conn_id]) for conn_id in sorted(made)}

    def _portal_connection(self, province: str, login: str, password: str) -> dict[str, Any]:
        return _http_connection(self.portal_url, login, password) | {
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


def _http_connection(url: str, login: str, password: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {
        "conn_type": "http",
        "host": parts.hostname,
        "port": parts.port,
        "schema": parts.scheme,
        "login": login,
        "password": password,
    }


class OutsideWorld:
    """`python -m simulator up` in its own session. What it knows survives in `folder` between runs."""

    def __init__(self, folder: Path, checkout: Path, logs: Path, *, detached: bool = False) -> None:
        self.state_folder = folder / "state"
        self._folder = folder
        self._checkout = checkout
        self.child = Child("simulator", folder / "run", logs / "simulator.log", detached=detached)
        self._answer_file = folder / "run" / "simulator.answer"  # holds the simulated accounts: not part of the log

    def begin(
        self, postgres_url: str, options: WorldOptions, environment: Mapping[str, str], serving: Sequence[str] = ()
    ) -> None:
        """Start it, with further options `serving`; call from the thread that stays alive."""
        command = [sys.executable, "-m", "simulator", "up", "--postgres-url", postgres_url]
        command += ["--state-dir", str(self.state_folder)]
        command += ["--reader-role", READER, *serving, *options.arguments()]
        # The server trusts the loopback interface; a password keeps the connection complete.
        secret = {"SIMULATOR_READER_PASSWORD": self._reader_password()}
        self.child.start(command, {**environment, **secret}, self._checkout, self._answer_file)

    def finish(self) -> Ready:
        """Wait until it is ready to serve."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        while (ready := self.ready()) is None:
            self.child.check()
            if time.monotonic() > deadline:
                raise ProcessError(
                    f"The simulated world is not ready after {READY_TIMEOUT_S:.0f} s. Next: {self.child.log}"
                )
            time.sleep(0.1)
        return ready

    def check(self) -> None:
        """ProcessError when it has ended."""
        self.child.check()

    def stop(self) -> None:
        """End it; also a leftover of an earlier run."""
        self.child.stop()

    def ready(self) -> Ready | None:
        """What it said when it was ready; None when it has not said so yet."""
        text = self._answer_file.read_text(encoding="utf-8") if self._answer_file.exists() else ""
        if not text.endswith("\n"):
            return None
        raw = json.loads(text)
        accounts = {province: (login, password) for province, (login, password) in raw["accounts"].items()}
        services = {source_id: Service(**service) for source_id, service in raw.get("services", {}).items()}
        desks = {
            kind: {source_id: Service(**service) for source_id, service in raw.get(f"{kind}s", {}).items()}
            for kind in ("petition", "rating")
        }
        return Ready(raw["portal_url"], raw["sources"], accounts, Path(raw["ledger"]), services, desks)

    def world(self) -> WorldOptions | None:
        """What the world that is kept was made from; None before it was first made."""
        file = self.state_folder / "world.json"
        return WorldOptions.of(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None

    def _reader_password(self) -> str:
        """Made once: what was told to others stays true when the world is started again."""
        file = self._folder / "run" / "reader.secret"
        if not file.exists():
            write_private(file, secrets.token_urlsafe(12))
        return file.read_text()
