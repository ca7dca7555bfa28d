"""Shadow: what would be sent, compared with what the portal shows. Nothing is sent, nothing is decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.connections import Role
from lienthong.model.codes import SourceMode
from lienthong.model.errors import ContractError
from lienthong.pipeline.push import account_of, covers_of, modes_of
from lienthong.pipeline.runtime import Runtime

if TYPE_CHECKING:
    from lienthong.exchange.shadow import ShadowSummary


def require_payloads(tenant: str, modes: dict[str, SourceMode]) -> None:
    """ContractError when every source of a tenant is only observed: no payloads are built then."""
    if all(mode is SourceMode.OBSERVE for mode in modes.values()):
        raise ContractError(
            "Every source of this tenant is in mode observe: there are no payloads to compare.",
            key=tenant,
            next_step="set `mode: shadow` in the contract; nothing is sent in shadow either.",
        )


def shadow(rt: Runtime, tenant: str, run_key: str, *, limit: int | None = None, again: bool = False) -> ShadowSummary:
    """Ask the portal about at most `limit` dossiers of a tenant (None: all) that were not compared yet, and count all
    comparisons. A run that is interrupted is continued by the next; `again` forgets earlier comparisons.
    """
    from lienthong.exchange.client import PortalClient
    from lienthong.exchange.derive import derive
    from lienthong.exchange.settings import load_portal_settings
    from lienthong.exchange.shadow import Asker, Scope, forget_comparisons, shadow_summary

    modes = modes_of(rt, tenant)
    require_payloads(tenant, modes)
    engine, settings = rt.warehouse(Role.PUSHER), load_portal_settings(rt.settings.portal)
    derive(engine, tenant, modes, covers_of(rt, tenant))
    if again:
        forget_comparisons(engine, tenant, rt.now())
    with PortalClient(account_of(rt, tenant), settings, tenant=tenant) as client:
        Asker(engine, client, tenant, settings, rt.now(), run_key).ask(Scope(), limit)
    return shadow_summary(engine, tenant)
