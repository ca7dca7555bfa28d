"""What a network does to a call, and which call it happens to: drawn by a seed, or ordered for the next calls."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from simulator.streams import stream


class Fault(StrEnum):
    """One thing that happens to one call. `reaches`: whether the portal gets the request while the client waits."""

    CUT_BEFORE = "cut_before"  # the connection breaks, the portal gets nothing
    CUT_AFTER = "cut_after"  # the portal gets it, its answer is lost
    CUT_MIDDLE = "cut_middle"  # half of the answer comes
    SLOW = "slow"  # the answer is held for `hold_s`
    DRIP = "drip"  # the answer comes byte by byte, headers first
    DOUBLED_ANSWER = "doubled_answer"  # the answer comes twice on the same connection
    GARBLED_BYTES = "garbled_bytes"  # some bytes of the body are others
    GARBLED_NUL = "garbled_nul"  # NUL in the body
    GARBLED_TRUNCATED = "garbled_truncated"  # half of the body, with a length that fits
    ENDLESS = "endless"  # a body without end
    GZIP_BOMB = "gzip_bomb"  # a small compressed body that is large
    BUSY_429 = "busy_429"  # 429 with Retry-After, the portal gets nothing
    BUSY_503 = "busy_503"  # 503 likewise
    LATE_REQUEST = "late_request"  # the connection breaks; the portal gets it after some more calls of that dossier
    DOUBLED_REQUEST = "doubled_request"  # the portal gets it twice, the client sees the second answer

    @property
    def reaches(self) -> bool:
        return self not in (Fault.CUT_BEFORE, Fault.BUSY_429, Fault.BUSY_503, Fault.LATE_REQUEST)


@dataclass(frozen=True)
class Passage:
    """One call as the network saw it. `late`: a held request that was passed on now. No content is kept."""

    service: str
    fault: Fault | None = None
    late: bool = False


class Plan:
    """Thread-safe. Orders come first; then, while it is on, each call draws its fault by `shares` (they sum to ≤ 1)."""

    def __init__(self, seed: int, shares: Mapping[Fault, float]) -> None:
        self._lock = threading.Lock()
        self._random = stream(seed, "network")
        self._orders: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._shares: dict[Fault, float] = {}
        self._services: frozenset[str] | None = None
        self._on = True
        self.shares = dict(shares)

    @property
    def shares(self) -> dict[Fault, float]:
        return dict(self._shares)

    @shares.setter
    def shares(self, shares: Mapping[Fault, float]) -> None:
        if any(share < 0 for share in shares.values()) or sum(shares.values()) > 1.0 + 1e-9:
            raise ValueError("shares of faults are not negative and sum to 1 at most")
        with self._lock:
            self._shares = {Fault(fault): float(share) for fault, share in shares.items()}

    def only(self, services: Iterable[str] | None) -> None:
        """Draw faults for calls of these services only; None: for all."""
        with self._lock:
            self._services = None if services is None else frozenset(services)

    def turn(self, *, on: bool) -> None:
        """Draw faults from now on, or forget all orders and draw none."""
        with self._lock:
            self._on = on
            if not on:
                self._orders.clear()

    def order(self, service: str, fault: Fault | str, times: int = 1) -> None:
        """The next `times` calls of `service` ("login", a service name, "*" for any) get `fault`, even while off."""
        with self._lock:
            self._orders[service].extend([Fault(fault)] * times)

    def fault_of(self, service: str) -> Fault | None:
        """What happens to the call that just came in."""
        with self._lock:
            for name in (service, "*"):
                if self._orders[name]:
                    return self._orders[name].popleft()
            if not self._on or not self._shares or (self._services is not None and service not in self._services):
                return None
            drawn = self._random.random()
            for fault, share in self._shares.items():
                drawn -= share
                if drawn < 0:
                    return fault
        return None

    def number(self, below: int) -> int:
        """A drawn number, for details of a fault."""
        with self._lock:
            return int(self._random.random() * below)
