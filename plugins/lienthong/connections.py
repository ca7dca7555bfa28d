"""Connections by id. Airflow's own store serves tasks; the command line reads the same `AIRFLOW_CONN_…` variables."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sqlalchemy.engine import URL

from lienthong.model.errors import ContractError

#: Connection id of the warehouse.
WAREHOUSE = "lienthong_warehouse"

#: Keys of a connection's extra that a database driver takes for TLS (psycopg2's, then PyMySQL's).
TLS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "ssl_ca", "ssl_cert", "ssl_key")


@dataclass(frozen=True)
class Connection:
    """A resolved connection. `kind` is Airflow's conn_type; the password never appears in its repr."""

    conn_id: str
    kind: str
    host: str | None = None
    port: int | None = None
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    schema: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def sqlalchemy_url(self) -> URL:
        """URL of a database connection; `extra.driver` overrides the driver (e.g. `mysql+pymysql`); `TLS` too."""
        drivers = {"postgres": "postgresql+psycopg2", "postgresql": "postgresql+psycopg2", "mysql": "mysql+pymysql"}
        driver = self.extra.get("driver") or drivers.get(self.kind, self.kind)
        tls = {key: str(self.extra[key]) for key in TLS if key in self.extra}
        return URL.create(driver, self.login, self.password, self.host, self.port, self.schema, tls)

    def http_url(self) -> str:
        """Base URL of an HTTP connection, without a trailing slash. `schema` holds http or https."""
        scheme = self.schema or "https"
        port = f":{self.port}" if self.port else ""
        host = (self.host or "").rstrip("/")
        return host + port if "://" in host else f"{scheme}://{host}{port}"


Resolver = Callable[[str], Connection]


def from_environment(conn_id: str) -> Connection:
    """Resolve `conn_id` from `AIRFLOW_CONN_<ID>` (JSON or URI form). ContractError when it is not set."""
    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    text = os.environ.get(variable)
    if not text:
        raise ContractError(
            f"Connection {conn_id!r} is not known.",
            next_step=f"create it in Airflow (Admin, Connections) or set {variable}.",
            key=conn_id,
        )
    if text.lstrip().startswith("{"):
        raw = json.loads(text)
        extra = raw.get("extra") or {}
        return Connection(
            conn_id,
            raw["conn_type"],
            raw.get("host"),
            raw.get("port"),
            raw.get("login"),
            raw.get("password"),
            raw.get("schema"),
            json.loads(extra) if isinstance(extra, str) else extra,
        )
    parts = urlsplit(text)
    return Connection(
        conn_id,
        parts.scheme.replace("-", "_"),
        unquote(parts.hostname or "") or None,
        parts.port,
        unquote(parts.username or "") or None,
        unquote(parts.password or "") or None,
        parts.path.lstrip("/") or None,
        dict(parse_qsl(parts.query)),
    )
