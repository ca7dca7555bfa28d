"""The portal behind its doors: accounts, sessions, switches, ordered faults, and a record of every call."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from simulator.catalogue import PROVINCES, Catalogue, Province, catalogue
from simulator.portal.store import Store
from simulator.portal.switches import FaultKind, PortalSwitches


@dataclass(frozen=True)
class Account:
    """A sender's login. `codes` are the provinces whose dossiers it may write: its own and those merged into it."""

    username: str
    password: str
    province: str
    sender: str
    codes: frozenset[str]

    @classmethod
    def of(cls, province: Province) -> Account:
        lower = province.code.lower()
        return cls(
            f"dvc_{lower}",
            f"portal-{lower}",
            province.code,
            province.sender,
            frozenset({province.code, *province.closed}),
        )


@dataclass(frozen=True)
class Call:
    """One answered (or failed) call. `codes` are the MaHoSo it carried; no other content is kept."""

    number: int
    service: str
    sender: str
    is_updating: str
    codes: tuple[str, ...]
    answer: str


class Portal:
    """State of one portal. `clock` gives seconds and may be moved on with `pass_time`."""

    def __init__(
        self, *, store: Store | None = None, store_path: Path | None = None, switches: PortalSwitches | None = None,
        clock: Callable[[], float] = time.monotonic, reference: Catalogue | None = None,
    ) -> None:  # fmt: skip
        self.store = store or Store(store_path)
        self.switches = switches or PortalSwitches()
        self.catalogue = reference or catalogue()
        self.accounts = {account.username: account for account in map(Account.of, PROVINCES.values())}
        self.calls: deque[Call] = deque(maxlen=200_000)
        self.counts: Counter[str] = Counter()
        self._clock, self._offset = clock, 0.0
        self._sessions: dict[str, tuple[Account, float]] = {}
        self._faults: defaultdict[str, deque[FaultKind]] = defaultdict(deque)
        self._lock = threading.Lock()
        self._numbers = 0

    def now(self) -> float:
        return self._clock() + self._offset

    def pass_time(self, seconds: float) -> None:
        """Let `seconds` go by, for sessions."""
        self._offset += seconds

    def log_in(self, username: str, password: str) -> str | None:
        """A new session, or None."""
        account = self.accounts.get(username)
        if account is None or not secrets.compare_digest(account.password.encode(), password.encode()):
            return None
        session = secrets.token_hex(16)
        with self._lock:
            self._sessions[session] = (account, self.now() + self.switches.session_ttl_s)
        return session

    def account_of(self, session: str) -> Account | None:
        """Whose session it is, or None when it is unknown or expired."""
        with self._lock:
            found = self._sessions.get(session)
            if found and found[1] <= self.now():
                del self._sessions[session]
                found = None
        return found[0] if found else None

    def expire_sessions(self) -> None:
        with self._lock:
            self._sessions.clear()

    def fail_next(self, service: str, kind: FaultKind | str, times: int = 1) -> None:
        """Order a failure for the next `times` calls of `service` ("login", a service name, or "*" for any)."""
        with self._lock:
            self._faults[service].extend([FaultKind(kind)] * times)

    def forget_faults(self) -> None:
        """No fault that was ordered happens any more."""
        with self._lock:
            self._faults.clear()

    def take_fault(self, service: str) -> FaultKind | None:
        """The fault ordered for this call, if any."""
        with self._lock:
            for name in (service, "*"):
                if self._faults[name]:
                    return self._faults[name].popleft()
        return None

    def next_call(self, service: str) -> int:
        """Number of a call that has just come in."""
        with self._lock:
            self._numbers += 1
            self.counts[service] += 1
            return self._numbers

    def reset(self) -> None:
        """Forget dossiers, steps, calls, sessions, faults and switches."""
        self.store.reset()
        with self._lock:
            self._sessions.clear()
            self._faults.clear()
            self.calls.clear()
            self.counts.clear()
        self.switches = PortalSwitches()
