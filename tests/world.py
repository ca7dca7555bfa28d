"""The simulated world of the end-to-end tests: two provinces' databases and the portal, wired to a Runtime."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Engine, create_engine, make_url, text

from devstack.logins import login_name
from lienthong.connections import WAREHOUSE, Connection, Role
from lienthong.model.errors import ContractError
from lienthong.pipeline import load as loading
from lienthong.pipeline.catalogue import sync_catalogue
from lienthong.pipeline.push import push
from lienthong.pipeline.runtime import Runtime
from lienthong.settings import PROJECT, Settings
from simulator.igate import IgateServer
from simulator.portal.server import PortalServer
from simulator.world import World
from tests.logins import PASSWORDS

#: Dossiers per province: for every kind of defect, and for tests that push, where each step is a call of the portal.
SEED, SIZE, SMALL, MONTH = 7, 400, 120, "2026-10"
PROVINCES = ("H17", "H26")
STEPS: Mapping[str, Callable[[Runtime, int], object]] = {
    "extract": loading.extract,
    "stage": loading.stage,
    "gate": loading.gate,
    "merge": loading.merge,
}


def database_connection(conn_id: str, url: str) -> Connection:
    """A connection as Airflow would hold it."""
    parsed = make_url(url)
    return Connection(conn_id, "postgres", parsed.host, parsed.port, parsed.username, parsed.password, parsed.database)


def portal_connection(conn_id: str, portal: PortalServer, tenant: str) -> Connection:
    """The portal account of one province."""
    parts, account = urlsplit(portal.url), portal.account(tenant)
    return Connection(
        conn_id,
        "http",
        parts.hostname,
        parts.port,
        account.username,
        account.password,
        "http",
        {
            "auth_endpoint": "/mapi/login",
            "integration_endpoint": "/mapi/g",
            "share_endpoint": "/mapi/g",
            "madonvi": account.sender,
            "dstcode": "VN:GOV:000.00.00.G22:vpcpdvcprovider",
        },
    )


def igate_connection(conn_id: str, igate: IgateServer) -> Connection:
    """The account that reads one iGate."""
    parts, account = urlsplit(igate.url), igate.account
    return Connection(
        conn_id,
        "http",
        parts.hostname,
        parts.port,
        account.username,
        account.password,
        "http",
        {"token_url": igate.token_url, "client_id": account.client_id},
    )


@dataclass(frozen=True)
class Wiring:
    """What a Runtime is made of; can be handed to another process. `logins`: each role has its own, as on a server."""

    settings: Settings
    connections: Mapping[str, Connection]
    clock: datetime
    logins: bool = False

    @property
    def rt(self) -> Runtime:
        return Runtime(self.settings, self.resolve, lambda: self.clock)

    def resolve(self, conn_id: str) -> Connection:
        role = next((role for role in Role if role.conn_id == conn_id), None)
        if role is not None and self.logins and WAREHOUSE in self.connections:
            return replace(
                self.connections[WAREHOUSE], conn_id=conn_id, login=login_name(role), password=PASSWORDS[role]
            )
        if conn_id not in self.connections:
            raise ContractError(f"Connection {conn_id!r} is not known.", key=conn_id, next_step="create it.")
        return self.connections[conn_id]


@dataclass
class Live:
    """Everything running: the world, its databases, iGates and portal, and a Runtime over a warehouse of its own.

    Only the contracts of provinces that are up are there.
    """

    world: World
    sources: dict[str, str]
    portal: PortalServer
    warehouse_url: str
    folder: Path
    settings: Settings = field(init=False)
    connections: dict[str, Connection] = field(init=False)
    clock: datetime = datetime(2026, 11, 1, 1, tzinfo=UTC)
    runs: int = 0
    igates: Mapping[str, IgateServer] = field(default_factory=dict)
    logins: bool = False

    def __post_init__(self) -> None:
        contracts = self.folder / "sources"
        contracts.mkdir()
        up = {f"opencps_{tenant.lower()}" for tenant in self.sources}
        up |= {f"igate_{tenant.lower()}" for tenant in self.igates}
        for source in up:
            shutil.copy(PROJECT / "include" / "sources" / f"{source}.yaml", contracts)
        portal = self.folder / "portal.yaml"
        shutil.copy(PROJECT / "include" / "exchange" / "portal.yaml", portal)
        self.settings = Settings(
            PROJECT, (self.folder / "landing").as_uri(), self.folder / "reports", contracts, portal
        )
        self.connections = {WAREHOUSE: database_connection(WAREHOUSE, self.warehouse_url)}
        for tenant in self.sources:
            source = f"src_opencps_{tenant.lower()}"
            self.connections[source] = database_connection(source, self.sources[tenant])
        for tenant, igate in self.igates.items():
            source = f"src_igate_{tenant.lower()}"
            self.connections[source] = igate_connection(source, igate)
        for tenant in (*self.sources, *self.igates):
            account = f"portal_{tenant.lower()}"
            self.connections[account] = portal_connection(account, self.portal, tenant)

    @property
    def wiring(self) -> Wiring:
        return Wiring(self.settings, self.connections, self.clock, self.logins)

    @property
    def rt(self) -> Runtime:
        return self.wiring.rt

    @property
    def engine(self) -> Engine:
        return self.rt.warehouse()

    def disconnect(self) -> None:
        """End this process's sessions in the warehouse, of every login."""
        for role in (None, *Role):
            with suppress(ContractError):  # the test took the connection away
                self.rt.warehouse(role).dispose()

    def key(self, name: str) -> str:
        """A new run key."""
        self.runs += 1
        return f"{name}-{self.folder.name}-{self.runs}"

    def sync_catalogue(self) -> dict[str, object]:
        return sync_catalogue(self.rt, self.key("catalogue"))

    def load(self, source_id: str, **options: Any) -> dict[str, dict[str, int]]:
        """One load; entity → outcome → rows."""
        result = loading.load_once(self.rt, source_id, self.key(source_id), **options)
        return result["counts"]  # type: ignore[return-value]

    def push(self, tenant: str) -> dict[str, Any]:
        return push(self.rt, tenant, self.key("push"))

    def rows(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of the warehouse."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), parameters)]

    def at_source(self, tenant: str, *statements: str) -> None:
        """Change a province's own database."""
        engine = create_engine(self.sources[tenant])
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """What the warehouse believes, without load ids: equal for equal knowledge, however it got there."""
        columns = {
            "source_record": "tenant, source_id, source_key, dossier_id, version, record_hash, blocked_reasons",
            "person": "tenant, source_id, source_key, version, md5(person::text)",
            "step": "tenant, source_id, source_key, child_key, version, md5(step::text)",
            "document": "tenant, source_id, source_key, child_key, version, md5(document::text)",
            "fee": "tenant, source_id, source_key, child_key, version, md5(fee::text)",
            "dossier": "tenant, dossier_id, dossier_code, source_id, source_key, version",
            "source_record_history": "tenant, source_id, source_key, version",
        }
        believed = {
            name: self.rows(f"SELECT {what} FROM dossier.{name} ORDER BY 1, 2, 3, 4") for name, what in columns.items()
        }
        believed["quarantine"] = self.rows(
            "SELECT tenant, source_id, entity, source_key, child_key, reasons, state "
            "FROM quality.quarantine ORDER BY 1, 2, 3, 4, 5"
        )
        believed["watermark"] = self.rows(
            "SELECT tenant, source_id, table_name, modified_at, last_key FROM ops.watermark ORDER BY 1, 2, 3"
        )
        return believed
