"""Where a tenant's deliveries stand: counts by state and by reason, nothing about single dossiers."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from lienthong.exchange.elsewhere import EXPECTED_ELSEWHERE, SENT_ELSEWHERE
from lienthong.model.codes import DeliveryState, SourceMode
from lienthong.warehouse.statements import run

#: Why a dossier waits that we may not send, whatever its own state (see `wanted.want`, `elsewhere`).
WATCHED = (
    *(f"source_{mode.value}" for mode in (SourceMode.OBSERVE, SourceMode.SHADOW)),
    SENT_ELSEWHERE,
    EXPECTED_ELSEWHERE,
)


@dataclass(frozen=True)
class DeliverySummary:
    """Dossiers by state (every state is present), blocked and waiting dossiers by reason, steps by state.

    A dossier counts under each of its reasons.
    """

    tenant: str
    states: dict[DeliveryState, int]
    reasons: dict[str, int]
    waiting_reasons: dict[str, int]
    steps: dict[str, int]

    @property
    def watched(self) -> int:
        """Those of the waiting dossiers whose source is only observed or shadowed, or that a ministry sends."""
        held = sum(self.waiting_reasons.get(reason, 0) for reason in WATCHED)
        return min(held, self.states[DeliveryState.WAITING])  # one that is still being sent is held, but not waiting


def delivery_summary(engine: Engine, tenant: str) -> DeliverySummary:
    """Count the deliveries of one tenant; `reasons` are those of blocked dossiers."""
    with engine.begin() as connection:
        counted = {row.state: row.dossiers for row in run(connection, "exchange/count_states", tenant=tenant)}
        reasons = run(connection, "exchange/count_reasons", tenant=tenant).all()
        steps = {row.state: row.steps for row in run(connection, "exchange/count_step_states", tenant=tenant)}
    return DeliverySummary(
        tenant,
        {state: counted.get(state.value, 0) for state in DeliveryState},
        {row.reason: row.dossiers for row in reasons if row.hold == DeliveryState.BLOCKED.value},
        {row.reason: row.dossiers for row in reasons if row.hold == DeliveryState.WAITING.value},
        steps,
    )
