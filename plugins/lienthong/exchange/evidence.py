"""What the portal answered, into the warehouse: the state it leads to and the evidence of the calls, together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.engine import Connection
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from lienthong.exchange.client import Answer, PortalClient
from lienthong.model.errors import WarehouseUnreachableError
from lienthong.warehouse.statements import run

#: Seconds for which an answer is held while the warehouse is away (well within a lease), and between two tries.
HOLD_S = 60.0
PAUSE_S = 0.5

T = TypeVar("T")


def write_answer(
    engine: Engine, tenant: str, run_key: str, calls: Sequence[Answer], work: Callable[[Connection], T]
) -> T:  # fmt: skip
    """Run `work` in one transaction with the evidence of `calls`; returns its result.

    Nobody else knows what the portal said. So it is held on to while the warehouse is away for a moment, and written
    when it is back; WarehouseUnreachableError after `HOLD_S`. `work` is safe to repeat.
    """

    def write() -> T:
        with engine.begin() as connection:
            done = work(connection)
            record_calls(connection, tenant, run_key, calls)
        return done

    return Retrying(
        retry=retry_if_exception_type(WarehouseUnreachableError),
        stop=stop_after_delay(HOLD_S),
        wait=wait_fixed(PAUSE_S),
        reraise=True,
    )(write)


def keep_calls(engine: Engine, client: PortalClient, run_key: str) -> int:
    """Keep the evidence of calls that changed nothing; returns their number."""
    calls = client.take_calls()
    with engine.begin() as connection:
        record_calls(connection, client.tenant, run_key, calls)
    return len(calls)


def record_calls(connection: Connection, tenant: str, run_key: str, calls: Sequence[Answer]) -> None:
    """Keep the evidence of some calls: service, size, outcome, codes, duration; never their content."""
    if not calls:
        return
    run(
        connection,
        "exchange/insert_calls",
        [
            {
                "tenant": tenant,
                "run_key": run_key,
                "service": call.service,
                "items": call.items,
                "outcome": call.outcome.value,
                "http_status": call.http_status,
                "code": call.code,
                "duration_ms": call.duration_ms,
                "called_at": call.called_at,
            }
            for call in calls
        ],
    )
