"""Push: what a province owes the portal is derived from hashes, then drained. No province waits for another."""

from __future__ import annotations

from dataclasses import asdict

from lienthong.model.codes import SourceMode
from lienthong.model.errors import ContractError
from lienthong.pipeline.runtime import Runtime
from lienthong.warehouse.statements import run


def tenants(rt: Runtime) -> list[str]:
    """Provinces and ministries with at least one source, sorted."""
    return sorted({contract.tenant for contract in rt.contracts().values()})


def _unreadable_modes(rt: Runtime, tenant: str) -> dict[str, SourceMode]:
    """Modes of sources whose contract is there but has an error now: what the ledger last knew holds on."""
    with rt.warehouse().connect() as connection:
        rows = run(connection, "ops/read_sources").all()
    return {
        row.source_id: SourceMode(row.mode)
        for row in rows
        if row.tenant == tenant and (rt.settings.sources / f"{row.source_id}.yaml").exists()
    }


def push(rt: Runtime, tenant: str, run_key: str) -> dict[str, object]:
    """Derive what the tenant owes and deliver it; returns the counts of this run and the totals after it."""
    from lienthong.exchange.client import PortalClient
    from lienthong.exchange.derive import derive
    from lienthong.exchange.drain import drain
    from lienthong.exchange.settings import load_portal_settings

    contracts = [contract for contract in rt.contracts().values() if contract.tenant == tenant]
    if not contracts:
        raise ContractError(
            f"No usable contract belongs to {tenant}.", key=tenant, next_step="check include/sources/ for errors."
        )
    engine = rt.warehouse()
    modes = _unreadable_modes(rt, tenant) | {contract.source_id: contract.mode for contract in contracts}
    derived = derive(engine, tenant, modes, rt.now())
    if SourceMode.OWN not in modes.values():
        return {"tenant": tenant, "derived": asdict(derived)}
    settings = load_portal_settings(rt.settings.portal)
    with PortalClient(rt.resolve(contracts[0].portal_connection), settings, tenant=tenant) as client:
        pushed = drain(engine, client, tenant, settings, rt.now(), run_key)
    return {"tenant": tenant, "derived": asdict(derived), "pushed": asdict(pushed)}
