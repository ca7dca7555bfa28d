"""Connections by id. Airflow's own store serves tasks; the command line reads the same `AIRFLOW_CONN_…` variables."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sqlalchemy.engine import URL

from lienthong.model.errors import ContractError, TerminalError

#: Connection id of the warehouse, for every step that has no connection of its own.
WAREHOUSE = "lienthong_warehouse"


class Role(StrEnum):
    """Whose rights a step needs in the warehouse (docs/operate.md)."""

    LOADER = "loader"
    PUSHER = "pusher"
    SCORER = "scorer"
    READER = "reader"
    MIGRATOR = "migrator"

    @property
    def conn_id(self) -> str:
        """Connection id of this role's own login."""
        return f"{WAREHOUSE}_{self.value}"


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


def warehouse_connection(resolve: Resolver, role: Role | None = None) -> Connection:
    """The warehouse, as `role` if it has a connection of its own, else as the one login that all steps share."""
    if role is not None:
        with suppress(ContractError):
            return resolve(role.conn_id)
    return resolve(WAREHOUSE)


class UnreadableConnectionError(TerminalError, ValueError):
    """A connection is set, but can't be understood. Never shows its content: that holds a password."""


def from_environment(conn_id: str) -> Connection:
    """Resolve `conn_id` from `AIRFLOW_CONN_<ID>` (JSON or URI form), for the command line.

    ContractError when it is not set, UnreadableConnectionError when it can't be understood.
    """
    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    text = os.environ.get(variable, "").strip()
    if not text:
        raise ContractError(
            f"Connection {conn_id!r} is not known.",
            next_step=f"the command line reads the environment only: export {variable}=… (docs/sources.md).",
            key=conn_id,
        )
    try:
        return _from_json(conn_id, text) if text.startswith("{") else _from_uri(conn_id, text)
    except _UnclearError as unclear:
        what, next_step = unclear.args
    # Raised outside of the handler: the parser's own error quotes what it read.
    raise UnreadableConnectionError(
        f"Connection {conn_id!r} can't be understood: {what}.",
        next_step=f"correct {variable}: {next_step}",
        key=conn_id,
    )


class _UnclearError(Exception):
    """What is wrong with a connection's text, and what to write instead; without anything of the text."""


_JSON_FORM = '{"conn_type": "postgres", "host": …, "port": 5432, "login": …, "password": …, "schema": …}.'
_URI_FORM = "postgres://<login>:<password>@<host>:5432/<database>, https://… or the JSON form (docs/sources.md)."
_ENCODED = "write special characters of login and password as %40 (@), %2F (/), %3A (:), %23 (#), %3F (?), %25 (%)."


def _from_json(conn_id: str, text: str) -> Connection:
    try:
        raw = json.loads(text)
        extra = raw.get("extra") or {}
        extra = json.loads(extra) if isinstance(extra, str) else extra
    except ValueError:
        raise _UnclearError("it is not valid JSON", _JSON_FORM) from None
    if not isinstance(extra, dict):
        raise _UnclearError("its extra is not a JSON object", _JSON_FORM)
    if not raw.get("conn_type"):
        raise _UnclearError("it has no conn_type", _JSON_FORM)
    for name in ("conn_type", "host", "login", "password", "schema"):
        if not isinstance(raw.get(name), str | None):
            raise _UnclearError(f"its {name} is not text", f"put the {name} in quotation marks.")
    try:
        port = int(raw["port"]) if raw.get("port") not in (None, "") else None
    except (ValueError, TypeError):
        port = -1
    if port is not None and not 0 <= port <= 65_535:
        raise _UnclearError("its port is not a number from 0 to 65535", _JSON_FORM)
    kind, host, login, password, schema = (raw.get(n) for n in ("conn_type", "host", "login", "password", "schema"))
    return Connection(conn_id, kind, host, port, login, password, schema, extra)


def _from_uri(conn_id: str, text: str) -> Connection:
    try:
        parts = urlsplit(text)
    except ValueError:
        raise _UnclearError("it is not a URI, or its password holds a special character", _ENCODED) from None
    if not parts.scheme or "://" not in text:
        raise _UnclearError("it is neither a URI nor JSON", f"write {_URI_FORM}")
    # Half a password would be taken for the host, and errors name the host.
    if parts.fragment or text.count("@") > ("@" in parts.netloc):
        raise _UnclearError("it is not clear where its password ends and its host begins", _ENCODED)
    try:
        port = parts.port
    except ValueError:
        raise _UnclearError("its port is not a number, or its password holds a special character", _ENCODED) from None
    return Connection(
        conn_id,
        parts.scheme.replace("-", "_"),
        unquote(parts.hostname or "") or None,
        port,
        unquote(parts.username or "") or None,
        unquote(parts.password or "") or None,
        parts.path.lstrip("/") or None,
        dict(parse_qsl(parts.query)),
    )
