"""What the demo and `make up` ask the warehouse; where it is comes from the environment."""

from __future__ import annotations

from contextlib import suppress

from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from lienthong.connections import Role
from lienthong.model.errors import LienThongError


def deliveries() -> tuple[int, int]:
    """Dossiers that the portal has acknowledged, and those still owed to it, all provinces."""
    from lienthong.exchange.summary import delivery_summary
    from lienthong.model.codes import DeliveryState
    from lienthong.pipeline.push import tenants
    from lienthong.pipeline.runtime import Runtime

    rt = Runtime.from_environment()
    states = [delivery_summary(rt.warehouse(Role.READER), tenant).states for tenant in tenants(rt)]
    owed = (DeliveryState.OWED, DeliveryState.SENDING, DeliveryState.UNSETTLED)
    return (
        sum(counts[DeliveryState.ACKNOWLEDGED] for counts in states),
        sum(counts[state] for counts in states for state in owed),
    )


def explain(console: Console) -> None:
    """What the ledger says about loads that failed, if it can still be asked."""
    from lienthong.pipeline.runtime import Runtime
    from lienthong.warehouse.statements import run

    rt = Runtime.from_environment()
    with suppress(LienThongError, SQLAlchemyError), rt.warehouse(Role.READER).connect() as connection:
        for load in run(connection, "ops/read_latest_loads").all():
            if load.error:
                console.print(f"{load.source_id}: {load.error}", markup=False, soft_wrap=True)
