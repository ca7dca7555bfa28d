"""What became of the rows of a load, adding up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from lienthong.model.kinds import KINDS
from lienthong.views import labels
from lienthong.warehouse import ledger
from lienthong.warehouse.statements import run


@dataclass(frozen=True)
class EntityCounts:
    """Rows of one entity, by outcome as in `labels.OUTCOMES`."""

    entity: str
    outcomes: Mapping[str, int]

    @property
    def label(self) -> str:
        return labels.ENTITIES[self.entity]


@dataclass(frozen=True)
class LoadView:
    """One load: every entity's rows by what became of them (none before it is merged), and the error it ended with."""

    load_id: int
    source_id: str
    tenant: str
    entities: tuple[EntityCounts, ...]
    error: str | None = None

    @property
    def brought_nothing_new(self) -> bool:
        """It was counted, and every record read again is as it was."""
        return bool(self.entities) and not any(
            counts.outcomes["inserted"] or counts.outcomes["updated"] for counts in self.entities
        )


def read_load_view(connection: Connection, load_id: int, error: str | None = None) -> LoadView:
    """One load; `error` as the ledger has it, if it is to be shown."""
    load = ledger.read_load(connection, load_id)
    rows = run(connection, "ops/read_load_counts", tenant=load.tenant, load_id=load_id).mappings().all()
    counts = {row["entity"]: {outcome: int(row[outcome]) for outcome in labels.OUTCOMES} for row in rows}
    return LoadView(
        load_id,
        load.source_id,
        load.tenant,
        tuple(EntityCounts(entity, counts[entity]) for entity in in_order(counts)),
        error,
    )


def read_newest_loads(connection: Connection) -> list[LoadView]:
    """The newest load of every source."""
    loads = run(connection, "ops/read_latest_loads").all()
    return [read_load_view(connection, load.load_id, load.error) for load in loads]


def in_order(found: Mapping[str, object]) -> list[str]:
    """The entities of `found`: each kind's root, then its children."""
    return [entity for kind in KINDS.values() for entity in kind.entity_names if entity in found]
