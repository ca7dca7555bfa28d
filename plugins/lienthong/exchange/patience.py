"""Whose fault is a silence: the portal's, which ends a drain, or one dossier's, which must not hold up the others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from lienthong.exchange.answer import Answer
from lienthong.exchange.replies import Call
from lienthong.model.errors import LienThongError, PortalUnreachableError


class CallGroup(StrEnum):
    """Calls whose silences are counted together."""

    DOSSIERS = "dossiers"
    STEPS = "steps"
    LOOKS = "looks"

    @classmethod
    def of(cls, call: Call) -> CallGroup:
        return cls.LOOKS if not call.writes else cls.STEPS if call is Call.PROGRESS else cls.DOSSIERS


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

    `limit` calls of a kind in a row that stay without an answer end that kind of call in this drain: each one more that
    writes would leave another batch in doubt. Look-ups that nobody answers keep nothing from being sent.
    """

    limit: int
    tenant: str
    stop: LienThongError | None = None
    last_silence: Answer | None = None
    _silent: Counter[CallGroup] = field(default_factory=Counter)
    _heard: set[CallGroup] = field(default_factory=set)

    def answered(self, call: Call) -> None:
        """The portal gave an answer that can be understood."""
        kind = CallGroup.of(call)
        self._silent[kind] = 0
        self._heard.add(kind)

    def unanswered(self, call: Call, answer: Answer) -> None:
        """It did not; record what that call came to all the same."""
        self._silent[CallGroup.of(call)] += 1
        self.last_silence = answer

    def stop_for(self, error: LienThongError) -> None:
        """Send nothing more; the first reason stays."""
        if self.stop is None:
            self.stop = error

    def is_over(self, kind: CallGroup) -> bool:
        """Whether calls of this kind are worth no further try in this drain."""
        return self._silent[kind] >= self.limit

    def most_in_flight(self, size: int) -> int:
        """How many calls may be under way: one until the portal answers, and one again while it is silent."""
        calm = not self._silent[CallGroup.DOSSIERS] and not self._silent[CallGroup.STEPS]
        return size if self._heard and calm else 1

    def heard(self, *kinds: CallGroup) -> bool:
        """Whether the portal answered any call of these kinds; of any kind without arguments."""
        return bool(self._heard & set(kinds or CallGroup))

    @property
    def asks(self) -> bool:
        """Whether look-ups are worth another call."""
        return not self.is_over(CallGroup.LOOKS)
