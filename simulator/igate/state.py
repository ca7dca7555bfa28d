"""An iGate behind its doors: the account, tokens, switches, ordered faults, and a record of every call."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

from simulator.catalogue import PROVINCES
from simulator.changes import Change
from simulator.igate.search import Searcher
from simulator.igate.store import Store
from simulator.igate.switches import FaultKind, IgateSwitches
from simulator.world import World

REFRESH_TTL_S = 1800.0


@dataclass(frozen=True)
class IgateAccount:
    """What a reader logs in with."""

    client_id: str
    username: str
    password: str

    @classmethod
    def of(cls, province: str) -> IgateAccount:
        return cls("lienthong-dongbo", f"dongbo.{province.lower()}", f"igate-{province.lower()}")


@dataclass(frozen=True)
class IgateCall:
    """One call. `page` is -1 outside the search; nothing of the content is kept."""

    number: int
    endpoint: str
    status: int
    page: int = -1


class Igate:
    """State of one province's iGate. `mover` is what `/_sim/advance` calls: the store, or whoever keeps the world."""

    def __init__(
        self, world: World, province: str, *, switches: IgateSwitches | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.province = PROVINCES[province]
        self.store = Store(world, province)
        self.searcher = Searcher(self.store)
        self.account = IgateAccount.of(province)
        self.mover: Callable[[int, int], list[Change]] = self.store.advance
        self.calls: deque[IgateCall] = deque(maxlen=100_000)
        self.counts: Counter[str] = Counter()
        self._clock, self._offset = clock, 0.0
        self._tokens: dict[str, float] = {}
        self._refreshes: dict[str, float] = {}
        self._faults: defaultdict[str, deque[FaultKind]] = defaultdict(deque)
        self._lock = threading.Lock()
        self._numbers = 0
        self.switches = switches or IgateSwitches()

    @property
    def switches(self) -> IgateSwitches:
        return self._switches

    @switches.setter
    def switches(self, value: IgateSwitches) -> None:
        self._switches = value
        self._pages = 0  # counted from here on, for `refuse_after_pages` and `shift_every`
        self._refused = False

    def now(self) -> float:
        return self._clock() + self._offset

    def pass_time(self, seconds: float) -> None:
        """Let `seconds` go by, for tokens."""
        self._offset += seconds

    def give_token(self) -> tuple[str, str]:
        """A new access token and its refresh token; tokens that have expired are forgotten."""
        access, refresh, now = secrets.token_urlsafe(48), secrets.token_urlsafe(48), self.now()
        with self._lock:
            self._tokens = {token: end for token, end in self._tokens.items() if end > now}
            self._refreshes = {token: end for token, end in self._refreshes.items() if end > now}
            self._tokens[access] = now + self.switches.token_ttl_s
            self._refreshes[refresh] = now + REFRESH_TTL_S
        return access, refresh

    def may_refresh(self, token: str) -> bool:
        return self._refreshes.get(token, 0.0) > self.now()

    def knows(self, token: str) -> bool:
        """Whether the token is good now."""
        with self._lock:
            if self._refused and self.switches.refuse_for_good:
                return False
            return self._tokens.get(token, 0.0) > self.now()

    def refuse_tokens(self) -> None:
        """All tokens given so far are worthless from now on."""
        with self._lock:
            self._tokens.clear()

    def begin_page(self) -> bool:
        """Count a search that comes in with a good token; False when its token is refused half-way."""
        switches = self.switches
        if switches.refuse_after_pages and self._pages >= switches.refuse_after_pages and not self._refused:
            self._refused = True
            self.refuse_tokens()
            return False
        self._pages += 1
        return True

    @property
    def shifts_now(self) -> bool:
        """Whether this page is one on which rows slide."""
        every = self.switches.shift_every
        return bool(every) and self._pages % every == 0

    def fail_next(self, endpoint: str, kind: FaultKind | str, times: int = 1) -> None:
        """Order a failure for the next `times` calls of `endpoint` (token, search, detail, fees, or "*" for any)."""
        with self._lock:
            self._faults[endpoint].extend([FaultKind(kind)] * times)

    def take_fault(self, endpoint: str) -> FaultKind | None:
        """The fault ordered for this call, if any."""
        with self._lock:
            for name in (endpoint, "*"):
                if self._faults[name]:
                    return self._faults[name].popleft()
        return None

    def note(self, endpoint: str, status: int, page: int = -1) -> None:
        """Remember an answered call; status 0 is one that got no whole answer."""
        with self._lock:
            self._numbers += 1
            self.counts[endpoint] += 1
            self.calls.append(IgateCall(self._numbers, endpoint, status, page))

    def reset(self) -> None:
        """Forget tokens, calls, faults and switches; the dossiers stay as they are."""
        with self._lock:
            self._tokens.clear()
            self._refreshes.clear()
            self._faults.clear()
            self.calls.clear()
            self.counts.clear()
        self.switches = IgateSwitches()
