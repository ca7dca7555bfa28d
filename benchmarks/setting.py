"""What a benchmark's processes are given by environment, as by Airflow: contracts, connections, folders, a clock."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import make_url

from lienthong.connections import WAREHOUSE, Connection
from lienthong.model.errors import ContractError
from lienthong.pipeline.runtime import Runtime
from lienthong.settings import PROJECT, Settings
from simulator.portal.server import PortalServer

#: After the simulated month, so that its dossiers are not dated ahead.
CLOCK = datetime(2026, 11, 1, 1, tzinfo=UTC)


def source_id(tenant: str) -> str:
    return f"opencps_{tenant.lower()}"


@dataclass(frozen=True)
class Setting:
    """`folder` holds landing, reports and the contracts; `connections` are by id."""

    folder: Path
    connections: Mapping[str, Connection]

    @classmethod
    def prepare(cls, folder: Path, warehouse_url: str, sources: Mapping[str, str], portal: PortalServer) -> Setting:
        """Empty the folder, copy the contracts of the provinces in `sources` (tenant → URL), name all connections."""
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "sources").mkdir(parents=True)
        connections = {WAREHOUSE: _database(WAREHOUSE, warehouse_url)}
        for tenant, url in sources.items():
            name = source_id(tenant)
            shutil.copy(PROJECT / "include" / "sources" / f"{name}.yaml", folder / "sources")
            connections[f"src_{name}"] = _database(f"src_{name}", url)
            account = f"portal_{tenant.lower()}"
            connections[account] = _portal(account, portal, tenant)
        return cls(folder, connections)

    @property
    def runtime(self) -> Runtime:
        """For what this process does itself."""
        settings = Settings(
            PROJECT, self._landing, self.folder / "reports", self.folder / "sources", PROJECT / _PORTAL
        )  # fmt: skip
        return Runtime(settings, self._resolve, lambda: CLOCK)

    def environment(self) -> dict[str, str]:
        """For a phase's process."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "LIENTHONG"))}
        return (
            inherited
            | {
                "LIENTHONG_HOME": str(PROJECT),
                "LIENTHONG_VAR": str(self.folder),
                "LIENTHONG_LANDING_URL": self._landing,
                "LIENTHONG_SOURCES": str(self.folder / "sources"),
                "LIENTHONG_PORTAL": str(PROJECT / _PORTAL),
                "PYTHONPATH": os.pathsep.join((str(PROJECT), str(PROJECT / "plugins"))),
                "GX_ANALYTICS_ENABLED": "False",
                "NO_PROXY": "127.0.0.1,localhost",
                "no_proxy": "127.0.0.1,localhost",
            }
            | {f"AIRFLOW_CONN_{name.upper()}": _json(found) for name, found in self.connections.items()}
        )

    @property
    def _landing(self) -> str:
        return (self.folder / "landing").as_uri()

    def _resolve(self, conn_id: str) -> Connection:
        if conn_id not in self.connections:
            raise ContractError(f"Connection {conn_id!r} is not known.", key=conn_id, next_step="name it in Setting.")
        return self.connections[conn_id]


_PORTAL = Path("include") / "exchange" / "portal.yaml"


def _database(conn_id: str, url: str) -> Connection:
    parsed = make_url(url)
    return Connection(conn_id, "postgres", parsed.host, parsed.port, parsed.username, parsed.password, parsed.database)


def _portal(conn_id: str, portal: PortalServer, tenant: str) -> Connection:
    parts, account = urlsplit(portal.url), portal.account(tenant)
    extra = {
        "auth_endpoint": "/mapi/login",
        "integration_endpoint": "/mapi/g",
        "share_endpoint": "/mapi/g",
        "madonvi": account.sender,
        "dstcode": "VN:GOV:000.00.00.G22:vpcpdvcprovider",
    }
    return Connection(conn_id, "http", parts.hostname, parts.port, account.username, account.password, "http", extra)


def _json(found: Connection) -> str:
    return json.dumps(
        {
            "conn_type": found.kind, "host": found.host, "port": found.port, "login": found.login,
            "password": found.password, "schema": found.schema, "extra": dict(found.extra),
        }
    )  # fmt: skip
