"""Facts: the inputs of verdicts, one narrow row per dossier, derived again only for dossiers that changed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.engine import Connection

from lienthong.model.capabilities import Capability
from lienthong.warehouse.statements import run

#: Number of the derivation in `indices/refresh_facts.sql`. Raise it with the derivation: all facts are derived anew.
FACT_RECIPE = 3
_MANY = 10_000


@dataclass(frozen=True)
class FactChange:
    """What a refresh did: facts derived (new or changed), and the newest merge they reach."""

    tenant: str
    changed: int
    merge_no: int | None


def refresh_facts(connection: Connection, tenant: str) -> FactChange:
    """Bring the facts of `tenant` up to what is believed now, in the caller's transaction.

    The tenant is held still until that transaction ends, so facts and the merge they reach belong together. A second
    call changes nothing; a second caller at the same time waits. Only what was merged since the last refresh is looked
    at; everything when there was none, or when it was by another recipe. Dossiers are never deleted, nor are facts.
    """
    if run(connection, "ops/lock_tenant", tenant=tenant).first() is None:
        run(connection, "ops/ensure_tenant", tenant=tenant)
        run(connection, "ops/lock_tenant", tenant=tenant)
    state = run(connection, "indices/read_fact_state", tenant=tenant).one_or_none()
    reached = state.merge_no if state is not None and state.recipe == FACT_RECIPE else None
    changed = run(
        connection,
        "indices/refresh_facts",
        tenant=tenant,
        recipe=FACT_RECIPE,
        reached=reached,
        capabilities=[capability.value for capability in Capability],
    ).rowcount
    record = {"tenant": tenant, "recipe": FACT_RECIPE}
    merge_no: int | None = run(connection, "indices/record_fact_state", record).scalar_one()
    if changed > _MANY:
        run(connection, "indices/analyze_facts", tenant=tenant)
    return FactChange(tenant, changed, merge_no)
