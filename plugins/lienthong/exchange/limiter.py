"""A token bucket per tenant and endpoint, kept in the warehouse so that every process draws from the same one."""

from __future__ import annotations

import threading
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


#: Tokens are fetched for this long at once, to spare the warehouse a transaction per call.
RESERVED_S = 0.05


@dataclass
class SharedBucket:
    """Reserves tokens in exchange.bucket and sleeps until they are due. `clock` and `sleep` are the process's own.

    Thread-safe: what one thread reserved, no other takes.
    """

    engine: Engine
    tenant: str
    settings: PortalSettings
    clock: Callable[[], datetime] = field(default=_utc_now)
    sleep: Callable[[float], None] = field(default=time.sleep)
    _own: threading.local = field(default_factory=threading.local)

    def wait(self, endpoint: Endpoint) -> None:
        self._reserve(endpoint)
        self._reserved()[endpoint] -= 1

    def _reserve(self, endpoint: Endpoint) -> None:
        reserved = self._reserved()
        if reserved.get(endpoint, 0) > 0:
            return
        limit = self.settings.limits.of(endpoint)
        count = max(1, min(int(limit.rate * RESERVED_S), int(limit.burst)))
        with self.engine.begin() as connection:
            tokens = run(
                connection,
                "exchange/take_token",
                tenant=self.tenant,
                endpoint=endpoint.value,
                rate=limit.rate,
                burst=limit.burst,
                count=count,
                now=self.clock(),
            ).scalar_one()
        if tokens < 0:
            self.sleep(-float(tokens) / limit.rate)
        reserved[endpoint] = count

    def _reserved(self) -> dict[Endpoint, int]:
        """Of this thread."""
        if not hasattr(self._own, "tokens"):
            self._own.tokens = {}
        tokens: dict[Endpoint, int] = self._own.tokens
        return tokens
