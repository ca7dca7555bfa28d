"""Builds a province's OpenCPS database from the world."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

from psycopg2 import sql

from simulator.catalogue import PROVINCES
from simulator.opencps import local_catalogue
from simulator.opencps.copying import copy_rows, transaction
from simulator.opencps.rows import Row, rows_of
from simulator.opencps.schema import INDEXES, TABLES, ddl, key_ddl
from simulator.world import World

DOSSIER_TABLES = ("opencps_dossier", "opencps_dossieraction", "opencps_paymentfile", "opencps_dossierfile")
_CHUNK = 4000
_MARK = "CREATE TABLE simulator.installation (seed bigint, size bigint, month text, moves bigint)"


@dataclass(frozen=True)
class Installation:
    """Which world a database holds. `moves` is the number of `advance` calls already applied."""

    seed: int
    size: int
    month: str
    moves: int

    @classmethod
    def of(cls, world: World, province: str) -> Installation:
        return cls(world.seed, world.size, world.month, world.moves[province])


def installed(engine_url: str) -> Installation | None:
    """What was installed into this database, or None."""
    with transaction(engine_url) as cursor:
        cursor.execute("SELECT to_regclass('simulator.installation')")
        if cursor.fetchone()[0] is None:
            return None
        cursor.execute("SELECT seed, size, month, moves FROM simulator.installation")
        row = cursor.fetchone()
    return Installation(*row) if row else None


def install(world: World, province: str, engine_url: str) -> bool:
    """Write the province's tables in one transaction; False when this very world is there already.

    Everything that a former world left in the database is dropped.
    """
    if installed(engine_url) == Installation.of(world, province):
        return False
    with transaction(engine_url) as cursor:
        for table in TABLES:
            cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute("DROP SCHEMA IF EXISTS simulator CASCADE")
        cursor.execute("CREATE SCHEMA simulator")
        cursor.execute(_MARK)
        for statement in ddl():
            cursor.execute(statement)
        for table, rows in local_catalogue.rows(PROVINCES[province], world.catalogue).items():
            copy_rows(cursor, table, rows)
        plans = iter(world.plans[province])
        while chunk := list(islice(plans, _CHUNK)):
            batch: dict[str, list[Row]] = {table: [] for table in DOSSIER_TABLES}
            for plan in chunk:
                for table, rows in rows_of(world.facts(plan), world.catalogue).items():
                    batch[table].extend(rows)
            for table, rows in batch.items():
                copy_rows(cursor, table, rows)
        for statement in (*key_ddl(), *INDEXES):
            cursor.execute(statement)
        mark(cursor, world, province)
    return True


def mark(cursor: Any, world: World, province: str) -> None:
    """Note which world the database now holds."""
    cursor.execute("DELETE FROM simulator.installation")
    cursor.execute(
        "INSERT INTO simulator.installation VALUES (%s, %s, %s, %s)",
        (world.seed, world.size, world.month, world.moves[province]),
    )


def create_reader(engine_url: str, role: str, password: str) -> None:
    """A login that may only read the OpenCPS tables. Safe to repeat; the password is set anew."""
    name = sql.Identifier(role)
    with transaction(engine_url) as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
        if not cursor.fetchone():
            cursor.execute(sql.SQL("CREATE ROLE {}").format(name))
        cursor.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD %s").format(name), (password,))
        cursor.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name))
        cursor.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(name))
