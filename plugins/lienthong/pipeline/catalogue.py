"""The national catalogue (procedures, agencies) into the registry, before any dossier: the gate looks codes up."""

from __future__ import annotations

from dataclasses import asdict

from lienthong.model.errors import ContractError, PortalUnreachableError
from lienthong.pipeline.runtime import Runtime


def sync_catalogue(rt: Runtime, run_key: str) -> dict[str, object]:
    """Sync once for all tenants, through the first province's account that the portal answers; returns counts."""
    from lienthong.exchange.catalogue import sync_catalogue as sync
    from lienthong.exchange.client import PortalClient
    from lienthong.exchange.settings import load_portal_settings

    accounts = {contract.tenant: contract.portal_connection for contract in rt.contracts().values()}
    settings = load_portal_settings(rt.settings.include / "exchange" / "portal.yaml")
    unreachable: PortalUnreachableError | None = None
    for tenant, conn_id in sorted(accounts.items()):
        try:
            with PortalClient(rt.resolve(conn_id), settings, tenant=tenant) as client:
                return asdict(sync(rt.warehouse(), client, sorted(accounts), run_key, rt.now()))
        except PortalUnreachableError as error:
            unreachable = error
    if unreachable is not None:
        raise unreachable
    raise ContractError(
        "No source contract names a portal account.",
        next_step=f"add a contract to {rt.settings.sources.name}/ with portal_connection.",
    )
