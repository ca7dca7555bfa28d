"""Records that are no longer at their source: noted when a load is staged, believed when it is merged."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.engine import Connection

from lienthong.model.codes import LoadMode
from lienthong.warehouse.ledger import Load
from lienthong.warehouse.planning import without_nested_loops
from lienthong.warehouse.statements import of_kind, run


def note(connection: Connection, load: Load, listed: Collection[str] = ()) -> None:
    """Compare what the load found with what is believed: only a full load, which reads everything, misses a record.

    `listed`: keys that the source shows but that could not be loaded. For the transaction in which
    `fingerprints.find_known` was asked, before anything staged is set aside.
    """
    scope = {"tenant": load.tenant, "load_id": load.load_id}
    of_source = scope | {"source_id": load.source_id, "reading_no": load.reading_no}
    run(connection, "staging/clear_sightings", scope)
    with without_nested_loops(connection):  # how many have vanished, the planner can't know
        run(connection, of_kind(load.kind, "note_seen_again"), of_source)
        if load.mode is LoadMode.FULL:
            run(connection, of_kind(load.kind, "note_unseen"), of_source | {"listed": list(listed)})


def apply(connection: Connection, load: Load) -> None:
    """Make what was noted of the load the word on what vanished, in merge's transaction."""
    scope = {"tenant": load.tenant, "load_id": load.load_id}
    of_source = scope | {"source_id": load.source_id, "observed_at": load.observed_at}
    run(connection, of_kind(load.kind, "apply_sightings"), of_source)
    run(connection, "staging/clear_sightings", scope)
