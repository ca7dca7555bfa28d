"""Adopt: what another program already delivered becomes acknowledged, so that `own` sends only what differs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from lienthong.connections import Role
from lienthong.model.errors import ArgumentError
from lienthong.pipeline.push import account_of, covers_of, modes_of
from lienthong.pipeline.runtime import Runtime
from lienthong.pipeline.shadow import require_payloads

if TYPE_CHECKING:
    from lienthong.exchange.adoption import AdoptionSummary


def adopt(
    rt: Runtime,
    tenant: str,
    run_key: str,
    *,
    frozen_at: datetime | None = None,
    assume_finished_before: datetime | None = None,
    verify: bool = False,
    verify_assumed: bool = False,
    accept_presence: bool = False,
    limit: int | None = None,
) -> AdoptionSummary:
    """Decide what of a tenant's dossiers is on the portal already; returns all that is known after it.

    `frozen_at`: when the other program sent last (the first call without it takes now; later calls keep it).
    `assume_finished_before`: final dossiers whose last event is older are taken as delivered, set-based. `verify`: the
    portal is asked about the others, at most `limit` in this run; `verify_assumed`: about the assumed ones too.
    `accept_presence`: take what the portal holds without showing its contents as delivered. Every part can be repeated,
    interrupted and run twice at once.
    """
    from lienthong.exchange.adoption import adopt_assumed, adopt_compared, adoption_summary, open_adoption
    from lienthong.exchange.client import PortalClient
    from lienthong.exchange.derive import derive
    from lienthong.exchange.settings import load_portal_settings
    from lienthong.exchange.shadow import Asker, Scope

    if assume_finished_before is None and not (verify or verify_assumed or accept_presence):
        raise ArgumentError(
            "Nothing says how to adopt.",
            key=tenant,
            next_step="choose verify (ask the portal) or assume_finished_before (declare), or both.",
        )
    modes = modes_of(rt, tenant)
    require_payloads(tenant, modes)
    engine, settings = rt.warehouse(Role.PUSHER), load_portal_settings(rt.settings.portal)
    derive(engine, tenant, modes, covers_of(rt, tenant))
    adoption = open_adoption(engine, tenant, frozen_at, rt.now())
    if assume_finished_before is not None:
        adopt_assumed(engine, tenant, adoption, assume_finished_before, rt.now())
    try:
        if verify or verify_assumed:
            scope = Scope(since=adoption.frozen_at, undecided=True, assumed=verify_assumed)
            with PortalClient(account_of(rt, tenant), settings, tenant=tenant) as client:
                Asker(engine, client, tenant, settings, rt.now(), run_key).ask(scope, limit)
    finally:
        adopt_compared(engine, tenant, adoption, rt.now(), accept_presence=accept_presence)
    return adoption_summary(engine, tenant)
