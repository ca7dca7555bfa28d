"""Keep violations and quarantine in step with what a load says, inside the transaction that merges it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from lienthong.warehouse.planning import without_nested_loops
from lienthong.warehouse.statements import run


def apply_gate(
    connection: Connection, *, tenant: str, source_id: str, load_id: int, manifest_url: str, now: datetime
) -> None:  # fmt: skip
    """Note, resolve, quarantine and release according to staging.violation of this load. The caller commits.

    Called after the load's verdicts stand: rows set aside as duplicate or stale say nothing. A dossier that the load
    read speaks for all its children; records the load did not read are left as they are. Safe to call twice.
    """
    load = {"tenant": tenant, "source_id": source_id, "load_id": load_id}
    with without_nested_loops(connection):
        run(connection, "quality/upsert_violation", **load)
        run(connection, "quality/resolve_violation", **load)
        run(connection, "quality/upsert_quarantine", **load, manifest_url=manifest_url, now=now)
        run(connection, "quality/release_quarantine", **load, now=now)
