"""Bring a warehouse to the newest schema (Alembic; each revision runs one reviewed file of include/sql/migrations)."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

from lienthong.warehouse import outages
from lienthong.warehouse.bootstrap.roles import acting_as_migrator, grant_rights
from lienthong.warehouse.statements import run

_MIGRATIONS = Path(__file__).parent / "migrations"
_HEAD = "head"


def upgrade(engine: Engine, revision: str = _HEAD) -> None:
    """Upgrade to `revision`, and at the newest give each role its rights again: also after a restore, or when a role
    came later than the schema. Two callers at once: the second waits and finds nothing to do.
    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with outages.translating(), engine.connect() as connection:
        run(connection, "ops/lock_migrations")
        connection.commit()
        try:
            with acting_as_migrator(engine, connection):
                config.attributes["connection"] = connection
                command.upgrade(config, revision)
                if revision == _HEAD:
                    grant_rights(connection)
                connection.commit()
        finally:
            connection.rollback()
            run(connection, "ops/unlock_migrations")
            connection.commit()
