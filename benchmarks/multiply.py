"""More dossiers inside a source database: copies of the simulated ones under other ids and other numbers.

A world in Python costs a third of a millisecond per dossier and its rows ten times as much; a copy in SQL costs
almost nothing. Shares of statuses, faults and children stay those of the world. What the copies share with their
original: people, texts, dates, procedures, agencies and the addresses of files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.opencps.install import DOSSIER_TABLES
from simulator.opencps.schema import INDEXES, columns, key_ddl, primary_key

#: Keys that are a multiple of the dossier's id, as the simulator gives them.
_PER_DOSSIER = {"dossierId": 1, "dossierActionId": 64, "dossierFileId": 32, "paymentFileId": 4}
_ACTIONS = ("previousActionId", "nextActionId")
WELL_FORMED = r"-\d{6}-\d{4}$"


def multiply(cursor: Any, copies: int) -> None:
    """Make every dossier of the database with its children `copies` times as many; one transaction, made once."""
    if copies == 1:
        return
    for table in DOSSIER_TABLES:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey")
    for index in INDEXES:
        cursor.execute(f"DROP INDEX {index.split()[2]}")
    cursor.execute(
        'SELECT min("dossierId"), max("dossierId") FROM (SELECT "dossierId" FROM opencps_dossier '
        'UNION ALL SELECT "dossierId" FROM opencps_dossieraction) AS every'
    )
    first, last = cursor.fetchone()
    cursor.execute(
        'SELECT coalesce(max(right("dossierNo", 4)::integer), 0) FROM opencps_dossier WHERE "dossierNo" ~ %s',
        (WELL_FORMED,),
    )
    numbers = {"ids": last - first + 1, "serials": cursor.fetchone()[0] + 1, "last": last, "form": WELL_FORMED}
    for number in range(1, copies):
        for table in DOSSIER_TABLES:
            _copy_table(cursor, table, numbers | {"copy": number})
    for statement in key_ddl():
        if statement.split()[2] in DOSSIER_TABLES:
            cursor.execute(statement)
    for statement in INDEXES:
        cursor.execute(statement)


def _copy_table(cursor: Any, table: str, numbers: Mapping[str, Any]) -> None:
    names = list(columns(table))
    expressions = [_expression(table, name) for name in names]
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(_quoted(name) for name in names)}) "
        f'SELECT {", ".join(expressions)} FROM {table} AS o WHERE o."dossierId" <= %(last)s',
        numbers,
    )


def _expression(table: str, name: str) -> str:
    column = f"o.{_quoted(name)}"
    if name == primary_key(table) or name == "dossierId":
        return f"{column} + %(copy)s::bigint * %(ids)s * {_PER_DOSSIER[name]}"
    if name in _ACTIONS or (table == "opencps_dossier" and name == "dossierActionId"):
        return f"CASE WHEN {column} > 0 THEN {column} + %(copy)s::bigint * %(ids)s * 64 ELSE {column} END"
    if name in ("uuid_", "referenceUid"):
        return f"md5({column} || %(copy)s::text)::uuid::text"
    if name == "dossierNo":  # a further running number of that agency and day; a malformed one stays malformed
        return (
            f"CASE WHEN {column} ~ %(form)s THEN left({column}, -4) || lpad((right({column}, 4)::integer "
            f"+ %(copy)s * %(serials)s)::text, greatest(4, length((right({column}, 4)::integer "
            f"+ %(copy)s * %(serials)s)::text)), '0') ELSE {column} || '/' || %(copy)s::text END"
        )
    return column


def _quoted(name: str) -> str:
    return f'"{name}"'
