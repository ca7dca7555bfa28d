"""What all clients of one account share: the session, and how long the portal wants to be left alone."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from lienthong.model.errors import LienThongError, PortalUnreachableError
from lienthong.model.periods import BUSINESS_ZONE


class Access:
    """Thread-safe. `clock` counts seconds.

    One log-in serves all: who needs a session while another client logs in waits for it and shares what it comes to.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._logging_in = threading.Lock()
        self._lock = threading.Lock()
        self._session: str | None = None
        self._session_until = 0.0
        self._log_ins = 0
        self._failed: LienThongError | None = None
        self._quiet_until: float | None = None

    def session(self, log_in: Callable[[], str], life_s: float) -> str:
        """The session that is in use, or a new one of `log_in`; raises what that raised."""
        before = self._log_ins
        if found := self._valid():
            return found
        with self._logging_in:
            if found := self._valid():
                return found
            if self._log_ins != before and self._failed is not None:  # somebody tried while this one waited
                raise copy.copy(self._failed)
            try:
                made = log_in()
            except LienThongError as error:
                self._failed = error
                raise
            else:
                self._failed = None
                with self._lock:
                    self._session, self._session_until = made, self._clock() + life_s
                return made
            finally:
                self._log_ins += 1

    def refuse(self, session: str) -> None:
        """The portal refused `session`; one that another client opened since then stays."""
        with self._lock:
            if self._session == session:
                self._session = None

    def leave_alone(self, seconds: float) -> None:
        """The portal asked for no call during this time (Retry-After)."""
        with self._lock:
            self._quiet_until = max(self._quiet_until or 0.0, self._clock() + seconds)

    def wait_until_welcome(self, longest_s: float, sleep: Callable[[float], None], tenant: str) -> None:
        """Sleep for as long as the portal asked; PortalUnreachableError at once when it is more than `longest_s`."""
        with self._lock:
            until = self._quiet_until
        left = 0.0 if until is None else until - self._clock()
        if left > longest_s:
            at = (datetime.now(UTC) + timedelta(seconds=left)).astimezone(BUSINESS_ZONE)
            raise PortalUnreachableError(
                f"The portal asks not to be called before {at:%H:%M:%S %d/%m/%Y} (Retry-After).",
                next_step="the first push after that time continues where this one stopped.",
                source=tenant,
            )
        if left > 0:
            sleep(left)
        with self._lock:
            if self._quiet_until == until:
                self._quiet_until = None

    def _valid(self) -> str | None:
        with self._lock:
            return self._session if self._clock() < self._session_until else None
