"""The log of the warehouse's server: no row may get into it.

PostgreSQL writes a refused row (DETAIL), the line of a COPY (CONTEXT) and a statement with its values into its log. The
settings that keep them out are the administrator's (docs/operate.md); a session takes over those that it may, and the
others are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.engine import Connection
from sqlalchemy.event import listen

from lienthong.warehouse.statements import read, run


@dataclass(frozen=True)
class LoudSetting:
    """A setting with which the server would log rows, and what it has to be."""

    name: str
    setting: str
    wanted: str


def watch(engine: Engine) -> None:
    """From now on new sessions of this engine keep rows out of the server's log."""

    def quieten(session: Any, _record: object) -> None:
        quiet(session)

    listen(engine, "connect", quieten)


def quiet(session: Any) -> None:
    """The same for one session of the driver's own."""
    with session.cursor() as cursor:
        cursor.execute(read("ops/quiet_server_log"))
    session.commit()


def options(connection: Connection) -> str:
    """The same as options for another session of this role, which somebody opens who takes nothing else."""
    return " ".join(f"-c {row.name}={row.setting}" for row in run(connection, "ops/quiet_server_log"))


def loud_settings(connection: Connection) -> tuple[LoudSetting, ...]:
    """What would still let rows into the log; empty when all is well."""
    return tuple(LoudSetting(**row) for row in run(connection, "ops/read_loud_log_settings").mappings())
