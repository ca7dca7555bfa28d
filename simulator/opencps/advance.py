"""What moved in the world is written into a province's OpenCPS database, row by row."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from simulator.changes import LATE_IMPORT_BACK, Change, ChangeKind, replay
from simulator.opencps.copying import copy_rows, transaction
from simulator.opencps.install import DOSSIER_TABLES, mark
from simulator.opencps.rows import Row, rows_of
from simulator.opencps.schema import primary_key
from simulator.plans import Plan
from simulator.world import World

__all__ = ["LATE_IMPORT_BACK", "Change", "ChangeKind", "advance", "replay", "write_changes"]


def advance(
    world: World, province: str, engine_url: str, seed: int, changes: int = 20, at: int = 0
) -> list[Change]:  # fmt: skip
    """`changes.replay`, and the same in the database; one transaction."""
    made = replay(world, province, seed, changes, at)
    write_changes(world, province, engine_url, {change.dossier_id for change in made})
    return made


def write_changes(world: World, province: str, engine_url: str, dossier_ids: Collection[int]) -> None:
    """Bring the rows of some dossiers, and the note of which world this is, up to the world; one transaction."""
    with transaction(engine_url) as cursor:
        for dossier_id in sorted(dossier_ids):
            _write(cursor, world, world.plan(province, dossier_id))
        mark(cursor, world, province)


def _write(cursor: Any, world: World, plan: Plan) -> None:
    """Replace the rows that differ, and only those: an untouched row keeps its modifiedDate."""
    fresh = rows_of(world.facts(plan), world.catalogue)
    for table in DOSSIER_TABLES:
        key = primary_key(table)
        rows = fresh[table]
        changed = [row for row in rows if _differs(cursor, table, key, row)]
        for row in changed:
            cursor.execute(f'DELETE FROM {table} WHERE "{key}" = %s', (row[key],))
        copy_rows(cursor, table, changed)


def _differs(cursor: Any, table: str, key: str, row: Row) -> bool:
    names = list(row)
    cursor.execute(
        'SELECT {} FROM {} WHERE "{}" = %s'.format(", ".join(f'"{name}"' for name in names), table, key), (row[key],)
    )
    found = cursor.fetchone()
    return found is None or [_text(value) for value in found] != [_text(row[name]) for name in names]


def _text(value: object) -> object:
    return value if value is None or isinstance(value, bool) else str(value)
