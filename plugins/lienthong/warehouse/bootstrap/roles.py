"""The roles of the warehouse: made, given what is there, and given their rights.

Rights belong to group roles that nobody logs in with (`lienthong_loader`, …); a login is a member of one. Roles belong
to the whole server and a login may not be allowed to make them, so everything here does what it can: without roles a
warehouse works as before, all steps with the login that owns it (docs/operate.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.engine import Connection

from lienthong.connections import Role
from lienthong.warehouse.statements import run

#: Name of a role's group.
GROUPS = {role: f"lienthong_{role.value}" for role in Role}


@contextmanager
def acting_as_migrator(engine: Engine, connection: Connection) -> Iterator[None]:
    """Make the roles that are missing, hand what is there to the group `lienthong_migrator`, and act as it meanwhile:
    whoever migrates, objects have one owner. A login that may not goes on as itself.

    `engine`: of the same login; the hand-over commits after every object, to hold each lock for a moment only.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as alone:
        run(alone, "bootstrap/create_roles")
        run(alone, "bootstrap/open_database")
        run(alone, "bootstrap/hand_over")
    run(connection, "bootstrap/act_as_migrator")
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        run(connection, "bootstrap/act_as_oneself")
        connection.commit()


def grant_rights(connection: Connection) -> None:
    """Give every role that is there the rights of its step, and take from it what is no longer one of them.

    A login that does not own the tables gives nothing.
    """
    if run(connection, "bootstrap/owns_tables").scalar_one():
        run(connection, "bootstrap/grant_rights")


def missing_roles(connection: Connection) -> list[str]:
    """Names of groups that this server does not have."""
    found = {str(row.rolname) for row in run(connection, "bootstrap/read_roles", groups=list(GROUPS.values()))}
    return sorted(set(GROUPS.values()) - found)
