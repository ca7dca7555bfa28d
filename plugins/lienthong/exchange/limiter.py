"""A token bucket per tenant and endpoint, kept in the warehouse so that every process draws from the same one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy import Engine

from lienthong.exchange.settings import Endpoint, PortalSettings
from lienthong.warehouse.statements import run


class Limiter(Protocol):
    """Something that makes a caller wait until it may call."""

    def wait(self, endpoint: Endpoint) -> None:
        """Return when one call to `endpoint` may be made."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class SharedBucket:
    """Reserves a token in exchange.bucket and sleeps until it is due. `clock` and `sleep` are the process's own."""

    engine: Engine
    tenant: str
    settings: PortalSettings
    clock: Callable[[], datetime] = field(default=_utc_now)
    sleep: Callable[[float], None] = field(default=time.sleep)

    def wait(self, endpoint: Endpoint) -> None:
        limit = self.settings.limits.of(endpoint)
        with self.engine.begin() as connection:
            tokens = run(
                connection,
                "exchange/take_token",
                tenant=self.tenant,
                endpoint=endpoint.value,
                rate=limit.rate,
                burst=limit.burst,
                now=self.clock(),
            ).scalar_one()
        if tokens < 0:
            self.sleep(-float(tokens) / limit.rate)
