"""One push to the portal for one tenant: dossiers first, then their progress, until nothing is owed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from lienthong.exchange.client import PortalClient
from lienthong.exchange.dossiers import DossierSender, Patience
from lienthong.exchange.leases import Leases
from lienthong.exchange.limiter import SharedBucket
from lienthong.exchange.progress import StepSender
from lienthong.exchange.settings import PortalSettings
from lienthong.exchange.summary import delivery_summary
from lienthong.model.codes import DeliveryState
from lienthong.model.errors import TransientError
from lienthong.warehouse.statements import run


@dataclass(frozen=True)
class PushSummary:
    """`delivered` = `created` + `updated`, `steps_sent` and `calls`: this drain. The others: the tenant after it."""

    delivered: int
    created: int
    updated: int
    blocked: int
    rejected: int
    unsettled: int
    waiting: int
    owed: int
    steps_sent: int
    calls: int


def drain(
    engine: Engine, client: PortalClient, tenant: str, settings: PortalSettings, now: datetime, run_key: str
) -> PushSummary:
    """Send what `derive` found owed. Safe to run twice at once and to kill at any point.

    Raises PortalUnreachableError or PortalAccessError when the portal stops answering or refuses the account; what was
    done until then is recorded, what was certainly not sent stays owed, what is uncertain is asked about next time.
    """
    with engine.begin() as connection:
        run(connection, "ops/ensure_tenant", tenant=tenant)
    if client.limiter is None:
        client.limiter = SharedBucket(engine, tenant, settings)
    leases = Leases(engine, client, tenant, settings, now, run_key)
    patience = Patience(settings.max_attempts, tenant)
    dossiers = DossierSender(leases, client, settings, patience)
    steps = StepSender(leases, client, settings, patience)
    try:
        while dossiers.send_batch() or steps.send_batch():
            pass
    except BaseException:
        with suppress(TransientError):  # the evidence of the last calls must not hide what went wrong
            leases.record_calls()
        raise
    leases.record_calls()
    states = delivery_summary(engine, tenant).states
    return PushSummary(
        delivered=len(dossiers.created) + len(dossiers.updated),
        created=len(dossiers.created),
        updated=len(dossiers.updated),
        blocked=states[DeliveryState.BLOCKED],
        rejected=states[DeliveryState.REJECTED],
        unsettled=states[DeliveryState.UNSETTLED],
        waiting=states[DeliveryState.WAITING],
        owed=states[DeliveryState.OWED],
        steps_sent=steps.sent,
        calls=leases.calls,
    )
