"""One login per role of the warehouse, each with a password of its own, on a server that is ours."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping

from psycopg2 import sql
from sqlalchemy.engine import make_url

from devstack.postgres import LOGIN_PREFIX, Postgres
from devstack.private import write_private
from lienthong.connections import Role
from lienthong.warehouse.bootstrap.roles import GROUPS


def login_name(role: Role) -> str:
    """Name of the login of `role`; the server asks names that begin so for their password."""
    return f"{LOGIN_PREFIX}{role.value}"


def kept_passwords(server: Postgres) -> dict[Role, str]:
    """Passwords of the server's logins; made at the first call, kept beside its data for their owner only."""
    file = server.home / "logins.json"
    if not file.exists():
        write_private(file, json.dumps({role.value: secrets.token_urlsafe(24) for role in Role}))
    kept = json.loads(file.read_text())
    return {role: str(kept[role.value]) for role in Role}


def make_logins(server: Postgres, passwords: Mapping[Role, str]) -> None:
    """Make the logins, members of the groups that the migration made, or give them these passwords again."""
    with server.administrator() as cursor:
        for role, password in passwords.items():
            name = login_name(role)
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,))
            verb = sql.SQL("ALTER" if cursor.fetchone() else "CREATE")
            setting = sql.SQL("{} ROLE {} LOGIN PASSWORD {}")
            cursor.execute(setting.format(verb, sql.Identifier(name), sql.Literal(password)))
            cursor.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(GROUPS[role]), sql.Identifier(name)))


def prepare_warehouse(server: Postgres, database: str) -> None:
    """The newest schema, and a login for each role."""
    from lienthong.warehouse.bootstrap.migrate import upgrade
    from lienthong.warehouse.engine import engine_for

    upgrade(engine_for(server.url(database)))
    make_logins(server, kept_passwords(server))


def role_urls(url: str, passwords: Mapping[Role, str]) -> dict[str, str]:
    """SQLAlchemy URLs of the warehouse at `url` by connection id, one per login."""
    return {
        role.conn_id: make_url(url).set(username=login_name(role), password=password).render_as_string(False)
        for role, password in passwords.items()
    }


def warehouse_urls(server: Postgres, database: str) -> dict[str, str]:
    """As `role_urls`, of a warehouse that `prepare_warehouse` prepared. There is no login for all steps."""
    return role_urls(server.url(database), kept_passwords(server))
