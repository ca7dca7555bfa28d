"""A ministry's system behind its door: the dossiers it holds, switches, ordered faults, a record of every call."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from simulator import sectors
from simulator.changes import Change
from simulator.facts import Facts
from simulator.plans import Plan
from simulator.sectoral.switches import Switches
from simulator.world import World

S = TypeVar("S", bound=Switches)


class FaultKind(StrEnum):
    """One failure of the next call of an endpoint."""

    HTML_PAGE = "html_page"  # a proxy's page with status 200
    HTTP_500 = "http_500"
    HTTP_503 = "http_503"  # with Retry-After
    SLOW = "slow"  # the right answer after `slow_s`
    TRUNCATED_JSON = "truncated_json"  # the body ends in the middle
    GARBLED = "garbled"  # the right answer in an encoding that nobody names
    DROP = "drop"  # the connection breaks in the middle of the answer
    REFUSE = "refuse"  # the system's own "no", with status 200
    BUSY = "busy"  # the system's own "later", with status 200


@dataclass(frozen=True)
class Call:
    """One call; nothing of its content is kept but the window of days that was asked for."""

    number: int
    endpoint: str
    status: int
    first: str = ""
    last: str = ""


class Desk(Generic[S]):
    """State of one system. `mover` is what `/_sim/advance` calls: the world, or whoever keeps it."""

    def __init__(
        self, world: World, source_id: str, switches: S, *, clock: Callable[[], float] = time.monotonic
    ) -> None:  # fmt: skip
        self.world, self.sector = world, sectors.SECTORS[source_id]
        self.switches, self._defaults = switches, switches
        self.lock = threading.RLock()
        self.mover: Callable[[int, int], list[Change]] = self.advance
        self.calls: deque[Call] = deque(maxlen=100_000)
        self.counts: Counter[str] = Counter()
        self._clock, self._offset = clock, 0.0
        self._faults: defaultdict[str, deque[FaultKind]] = defaultdict(deque)
        self._numbers = 0

    def between(self, first: int, end: int) -> list[Facts]:
        """Dossiers taken in from `first` until before `end` (instants), in order of reception and number."""
        with self.lock:
            plans = [plan for plan in self.plans if first <= plan.received < end]
            plans.sort(key=lambda plan: (plan.received, plan.code or "", plan.dossier_id))
            return [self.world.facts(plan) for plan in plans]

    @property
    def plans(self) -> list[Plan]:
        return self.world.held[self.sector.source_id]

    def advance(self, seed: int, changes: int = 20, at: int = 0) -> list[Change]:
        """Move the world on between two requests (`sectors.advance`)."""
        with self.lock:
            return sectors.advance(self.world, self.sector.source_id, seed, changes, at)

    def now(self) -> float:
        return self._clock() + self._offset

    def pass_time(self, seconds: float) -> None:
        """Let `seconds` go by, for sessions."""
        self._offset += seconds

    def fail_next(self, endpoint: str, kind: FaultKind | str, times: int = 1) -> None:
        """Order a failure for the next `times` calls of `endpoint` ("*": of any)."""
        with self.lock:
            self._faults[endpoint].extend([FaultKind(kind)] * times)

    def take_fault(self, endpoint: str) -> FaultKind | None:
        """The fault ordered for this call, if any."""
        with self.lock:
            for name in (endpoint, "*"):
                if self._faults[name]:
                    return self._faults[name].popleft()
        return None

    def note(self, endpoint: str, status: int, first: str = "", last: str = "") -> None:
        """Remember an answered call."""
        with self.lock:
            self._numbers += 1
            self.counts[endpoint] += 1
            self.calls.append(Call(self._numbers, endpoint, status, first, last))

    def reset(self) -> None:
        """Forget calls, faults and switches; the dossiers stay as they are."""
        with self.lock:
            self._faults.clear()
            self.calls.clear()
            self.counts.clear()
        self.switches = self._defaults
