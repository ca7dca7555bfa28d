"""Whose fault is a silence: the portal's, which ends a drain, or one dossier's, which must not hold up the others."""

from __future__ import annotations

from dataclasses import dataclass, field

from lienthong.exchange.client import Answer
from lienthong.exchange.replies import Call
from lienthong.model.errors import LienThongError, PortalUnreachableError


def unreachable(answer: Answer, tenant: str) -> PortalUnreachableError:
    """The error for an answer that was none."""
    return PortalUnreachableError(
        f"The portal does not answer {answer.service} ({answer.outcome}, HTTP {answer.http_status}).",
        next_step="the next push continues where this one stopped; check the portal if it lasts.",
        source=tenant,
        key=answer.service,
    )


@dataclass
class Patience:
    """What a drain knows about the portal. `stop` is why it must not send any more.

    `limit` calls in a row that write and stay without an answer end the drain: each one more would leave another batch
    in doubt. As many look-ups end the asking only: what was certain goes on. A failed look-up is never anybody's doubt.
    """

    limit: int
    tenant: str
    stop: LienThongError | None = None
    last_silence: Answer | None = None
    _silent: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    _heard: dict[bool, bool] = field(default_factory=lambda: {True: False, False: False})

    def answered(self, call: Call) -> None:
        """The portal gave an answer that can be understood."""
        self._silent[call.writes] = 0
        self._heard[call.writes] = True

    def unanswered(self, call: Call, answer: Answer) -> None:
        """It did not; record what that call came to all the same."""
        self._silent[call.writes] += 1
        self.last_silence = answer
        if call.writes and self._silent[True] >= self.limit:
            self.stop_for(unreachable(answer, self.tenant))

    def stop_for(self, error: LienThongError) -> None:
        """Send nothing more; the first reason stays."""
        if self.stop is None:
            self.stop = error

    def most_in_flight(self, size: int) -> int:
        """How many calls may be under way: one until the portal answers, and one again while it is silent."""
        return size if (self._heard[True] or self._heard[False]) and not self._silent[True] else 1

    def heard(self, *, writing: bool) -> bool:
        """Whether the portal answered any call of this kind."""
        return self._heard[writing]

    @property
    def asks(self) -> bool:
        """Whether look-ups are worth another call."""
        return self._silent[False] < self.limit
