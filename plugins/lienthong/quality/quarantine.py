"""Keep violations and quarantine in step with what a load says, inside the transaction that merges it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from lienthong.warehouse.ledger import Load
from lienthong.warehouse.planning import without_nested_loops
from lienthong.warehouse.statements import of_kind, run


def apply_gate(connection: Connection, load: Load, now: datetime) -> None:
    """Note, resolve, quarantine and release according to staging.violation of this load. The caller commits.

    Called after the load's verdicts stand: rows set aside as duplicate or stale say nothing. A record that the load
    read speaks for all its children; records the load did not read are left as they are. Safe to call twice.
    """
    scope = {"tenant": load.tenant, "source_id": load.source_id, "load_id": load.load_id}
    pointer = {"manifest_url": load.manifest_url or "", "now": now}
    with without_nested_loops(connection):
        run(connection, of_kind(load.kind, "upsert_violation"), scope)
        run(connection, of_kind(load.kind, "resolve_violation"), scope)
        run(connection, of_kind(load.kind, "upsert_quarantine"), scope | pointer)
        run(connection, of_kind(load.kind, "release_quarantine"), scope | {"now": now})
