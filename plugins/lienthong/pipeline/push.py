"""Push: what a province owes the portal is derived from hashes, then drained. No province waits for another."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lienthong.connections import Role
from lienthong.model.codes import HistoryPolicy, SourceMode
from lienthong.model.errors import ArgumentError, ContractError
from lienthong.pipeline.runtime import Runtime
from lienthong.warehouse.statements import run

if TYPE_CHECKING:
    from sqlalchemy import Row

    from lienthong.connections import Connection
    from lienthong.sources.contract import SourceContract
    from lienthong.sources.sections import Delivery


def tenants(rt: Runtime) -> list[str]:
    """Provinces and ministries with at least one source whose records are sent, sorted."""
    return sorted({contract.tenant for contract in rt.contracts().values() if contract.section.delivery})


def owing(rt: Runtime) -> list[str]:
    """Those of `tenants` for which a push would find something to do now, sorted."""
    from lienthong.exchange.elsewhere import told_modes
    from lienthong.exchange.settings import load_portal_settings

    found, settings = [], load_portal_settings(rt.settings.portal)
    with rt.warehouse(Role.PUSHER).connect() as connection:
        for tenant in tenants(rt):
            modes = json.dumps(told_modes(connection, tenant, modes_of(rt, tenant), covers_of(rt, tenant)))
            owes = run(
                connection,
                "exchange/is_owing",
                tenant=tenant,
                modes=modes,
                now=rt.now(),
                settling=settings.settles_steps,
                most_attempts=settings.park_after,
                doubted_before=rt.now() - timedelta(seconds=settings.look_after_s),
            )
            if owes.scalar_one_or_none():
                found.append(tenant)
    return found


def _unreadable(rt: Runtime, tenant: str) -> list[Row[Any]]:
    """Sources whose contract is there but has an error now: what the ledger last knew of them holds on."""
    with rt.warehouse(Role.PUSHER).connect() as connection:
        rows = run(connection, "ops/read_sources").all()
    return [
        row
        for row in rows
        if row.tenant == tenant and row.mode and (rt.settings.sources / f"{row.source_id}.yaml").exists()
    ]


def contracts_of(rt: Runtime, tenant: str) -> list[SourceContract]:
    """The usable contracts of a tenant's sources whose records go to the portal.

    When there is none: ArgumentError, or ContractError if one can't be read.
    """
    from lienthong.sources.contract import read_contracts

    contracts = read_contracts(rt.settings.sources)
    sent = [contract for contract in contracts.valid.values() if contract.section.delivery]
    found = [contract for contract in sent if contract.tenant == tenant]
    if found:
        return found
    if contracts.errors:
        raise ContractError(
            f"No usable contract has tenant {tenant!r}, and {len(contracts.errors)} can't be used.",
            key=tenant,
            next_step="run `lienthong contracts` and correct what it names.",
        )
    there = ", ".join(sorted({contract.tenant for contract in sent}))
    raise ArgumentError(
        f"No contract has tenant {tenant!r}.",
        key=tenant,
        next_step=f"choose one of {there}." if there else "write a contract first: `lienthong source add`.",
    )


def deliveries_of(rt: Runtime, tenant: str) -> dict[str, Delivery]:
    """Source id → how its records are sent. Errors as `contracts_of`; all name the same account of the portal."""
    told = {contract.source_id: contract.section.delivery for contract in contracts_of(rt, tenant)}
    return {source_id: delivery for source_id, delivery in told.items() if delivery}


def account_of(rt: Runtime, tenant: str) -> Connection:
    """The portal account that a tenant sends through."""
    return rt.resolve(next(iter(deliveries_of(rt, tenant).values())).account)


def modes_of(rt: Runtime, tenant: str) -> dict[str, SourceMode]:
    """Source id → mode, of every source of a tenant that has a contract and whose records are sent."""
    deliveries = deliveries_of(rt, tenant)
    kept = {row.source_id: SourceMode(row.mode) for row in _unreadable(rt, tenant)}
    return kept | {source_id: delivery.mode for source_id, delivery in deliveries.items()}


def covers_of(rt: Runtime, tenant: str) -> dict[str, str]:
    """Procedure → the source with the copies of a ministry's dossiers of it: the tenant sends nothing of these."""
    deliveries = deliveries_of(rt, tenant)
    kept = {row.source_id: row.covers for row in _unreadable(rt, tenant) if row.source_id not in deliveries}
    told = kept | {source_id: delivery.covers for source_id, delivery in deliveries.items()}
    return {code: source_id for source_id, covers in sorted(told.items()) for code in covers}


def push(rt: Runtime, tenant: str, run_key: str, *, send_history: bool = False) -> dict[str, object]:
    """Derive what the tenant owes and deliver it; returns the counts of this run and the totals after it.

    A source that comes to `own` with old dossiers nobody adopted sends nothing, and a TerminalError says so after the
    other sources of the tenant were served; `send_history` (or `history: send` in its contract) lets it send them.
    """
    from lienthong.exchange.client import PortalClient
    from lienthong.exchange.derive import derive
    from lienthong.exchange.drain import drain
    from lienthong.exchange.senders import open_senders
    from lienthong.exchange.settings import load_portal_settings

    deliveries, modes, covers = deliveries_of(rt, tenant), modes_of(rt, tenant), covers_of(rt, tenant)
    engine, settings = rt.warehouse(Role.PUSHER), load_portal_settings(rt.settings.portal)
    owns = {
        source_id: send_history or delivery.history is HistoryPolicy.SEND
        for source_id, delivery in deliveries.items()
        if delivery.mode is SourceMode.OWN
    }
    refused = open_senders(engine, tenant, owns, settings, rt.now(), covers)
    derived = derive(engine, tenant, modes, covers)
    result: dict[str, object] = {"tenant": tenant, "derived": asdict(derived)}
    closed = {refusal.source_id for refusal in refused}
    if any(mode is SourceMode.OWN and source_id not in closed for source_id, mode in modes.items()):
        with PortalClient(account_of(rt, tenant), settings, tenant=tenant) as client:
            result["pushed"] = asdict(drain(engine, client, tenant, settings, rt.now(), run_key))
    if refused:
        raise refused[0].error()
    return result
