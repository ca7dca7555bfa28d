"""The national catalogue (procedures, agencies) into the registry, before any dossier: the gate looks codes up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from lienthong.connections import Role
from lienthong.model.errors import ContractError, LienThongError, PortalAccessError, PortalUnreachableError
from lienthong.pipeline.runtime import Runtime
from lienthong.warehouse.statements import run

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from lienthong.exchange.client import PortalClient
    from lienthong.registry.catalogue import CatalogueSummary


def loaded_tenants(rt: Runtime) -> list[str]:
    """Tenants of which something is believed, whatever their contracts say at this moment."""
    with rt.warehouse(Role.READER).connect() as connection:
        return [row.tenant for row in run(connection, "ops/read_loaded_tenants")]


def sync_catalogue(rt: Runtime, run_key: str) -> dict[str, object]:
    """Sync once for all tenants, through the first province's account that the portal answers; returns counts."""
    from lienthong.exchange.client import PortalClient
    from lienthong.exchange.settings import load_portal_settings

    contracts = rt.contracts().values()
    accounts = {contract.tenant: told.account for contract in contracts if (told := contract.section.delivery)}
    # A province whose contract can't be read at this moment keeps its agencies.
    tenants = sorted({*accounts, *loaded_tenants(rt)})
    settings = load_portal_settings(rt.settings.portal)
    refused: list[LienThongError] = []
    for tenant, conn_id in sorted(accounts.items()):
        try:
            with PortalClient(rt.resolve(conn_id), settings, tenant=tenant) as client:
                done = sync_through(rt.warehouse(Role.PUSHER), client, tenants, run_key, rt.now())
            return asdict(done) | {"accounts_refused": [error.key for error in refused]}
        except (PortalUnreachableError, PortalAccessError, ContractError) as error:
            error.key = error.key or conn_id
            refused.append(error)  # the next province's account may do
    if refused:
        raise refused[-1]
    raise ContractError(
        "No source contract names a portal account.",
        next_step=f"add a contract to {rt.settings.sources.name}/ with a portal_connection.",
    )


def sync_through(
    engine: Engine, client: PortalClient, tenant_codes: Sequence[str], run_key: str, now: datetime
) -> CatalogueSummary:
    """Read the national catalogue through one tenant's account and write what changed. The same `run_key` is one sync.

    Raises CollapsedExtractError when a list collapsed; PortalUnreachableError and PortalAccessError from the client. In
    all three cases the registry's agencies and procedures stay as they are.
    """
    from lienthong.exchange.catalogue import read_catalogue
    from lienthong.registry.catalogue import finished_sync, seed_tenants, store_catalogue

    seed_tenants(engine)
    done = finished_sync(engine, run_key)
    return done or store_catalogue(engine, read_catalogue(engine, client, tenant_codes, run_key), run_key, now)
