"""A month's scores: over what was loaded, then over as many dossiers as are wanted, multiplied in the warehouse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from benchmarks.running import Runner
from benchmarks.server import Server
from benchmarks.sources import MONTH

#: Of the dossiers with a code, so many in a hundred are taken for acknowledged: scores join the deliveries.
_ACKNOWLEDGED_PERCENT = 95


def measure(runner: Runner, database: str, tenants: Sequence[str], wanted: int) -> list[dict[str, Any]]:
    """Refresh the facts (timed apart), score; with `wanted` above what is there, multiply facts and score again."""
    runner.server.checkpoint()
    runner.run("facts", "score", tenants=list(tenants)).pop("result")
    entries = [_score(runner, database, "loaded")]
    if wanted > entries[0]["dossiers"]:
        multiply(runner.server, database, wanted)
        runner.server.checkpoint()
        entries.append(_score(runner, database, "multiplied"))
    return entries


def _score(runner: Runner, database: str, kind: str) -> dict[str, Any]:
    measured = runner.run("score", kind, month=MONTH, run_key=f"bench-{kind}")
    measured.pop("result")
    with runner.server.cursor(database) as cursor:
        cursor.execute("SELECT count(*), count(*) FILTER (WHERE active_until = 'infinity') FROM indices.dossier_fact")
        dossiers, open_ones = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM exchange.delivery")
        deliveries = cursor.fetchone()[0]
    return {
        "kind": kind, "dossiers": dossiers, "open": open_ones, "deliveries": deliveries, "work_s": measured["work_s"]
    }  # fmt: skip


def multiply(server: Server, database: str, wanted: int) -> None:
    """Repeat the facts under other ids until there are about `wanted`, and give those with a code a delivery."""
    with server.cursor(database, autocommit=False) as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute("SELECT count(*) FROM indices.dossier_fact")
        copies = math.ceil(wanted / max(int(cursor.fetchone()[0]), 1))
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'indices.dossier_fact'::regclass AND attnum > 0 "
            "AND NOT attisdropped AND attgenerated = '' ORDER BY attnum"
        )
        names = [row[0] for row in cursor.fetchall()]
        values = ["md5(f.dossier_id::text || n)::uuid" if name == "dossier_id" else f"f.{name}" for name in names]
        cursor.execute(
            f"INSERT INTO indices.dossier_fact ({', '.join(names)}) "
            f"SELECT {', '.join(values)} FROM indices.dossier_fact AS f CROSS JOIN generate_series(2, %s) AS n "
            "ORDER BY n",
            (copies,),
        )
        cursor.execute(
            """
            INSERT INTO exchange.delivery (
                tenant, dossier_id, dossier_code, source_id, mode, derived_version, wanted_version, wanted_hash, recipe,
                sent_version, sent_hash, sent_recipe, sent_code, sent_at,
                acked_version, acked_hash, acked_recipe, acked_code, acked_at, presence
            )
            SELECT
                f.tenant, f.dossier_id, f.dossier_id::text, 'bench', 'own', 1, 1, '\\x01', 1,
                1, '\\x01', 1, f.dossier_id::text, f.received_at,
                1, '\\x01', 1, f.dossier_id::text, f.received_at, 'present'
            FROM indices.dossier_fact AS f
            WHERE f.received_at IS NOT NULL AND abs(hashtext(f.dossier_id::text)) %% 100 < %s
            ON CONFLICT DO NOTHING
            """,
            (_ACKNOWLEDGED_PERCENT,),
        )
    with server.cursor(database) as cursor:
        cursor.execute("VACUUM (ANALYZE) indices.dossier_fact")
        cursor.execute("VACUUM (ANALYZE) exchange.delivery")
