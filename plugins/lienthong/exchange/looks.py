"""A look at the portal after a period of doubt: a late request may have overwritten what was acknowledged since.

That can't be prevented, only found: when a call that writes stayed without an answer, the dossier is asked about once
`look_after_s` have passed, and what the portal shows decides. What is older there than here is owed again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from lienthong.exchange.compare import Verdict, compare
from lienthong.exchange.crew import Finished
from lienthong.exchange.items import Item, Job, Move, Results
from lienthong.exchange.leases import BEFORE_ALL, Leases
from lienthong.exchange.patience import Patience, unreachable
from lienthong.exchange.payload import as_sent
from lienthong.exchange.replies import Call, CallOutcome
from lienthong.exchange.results import Ledger
from lienthong.exchange.settings import PortalSettings


@dataclass
class Looker:
    """Asks about acknowledged dossiers whose doubt is `look_after_s` old. `owed_again`: what was found different."""

    leases: Leases
    ledger: Ledger
    settings: PortalSettings
    patience: Patience
    owed_again: int = 0
    _after: str | None = BEFORE_ALL
    _ready: deque[Job] = field(default_factory=deque)
    _open: dict[str, Item] = field(default_factory=dict)

    def jobs(self, most: int) -> list[Job]:
        """At most `most` look-ups to make now; none when the portal doesn't answer them."""
        while len(self._ready) < most and self._after is not None and self.patience.asks:
            items, self._after = self.leases.claim_doubted(self._after)
            self._open |= {item.dossier_id: item for item in items}
            self._ready.extend(Job(Call.LOOKUP, (item,)) for item in items)
        if not self.patience.asks and self._ready:
            results = Results()
            results.add(Move.RELEASE, [self._open.pop(job.items[0].dossier_id) for job in self._ready])
            self._ready.clear()
            self.ledger.write(results)
        return [self._ready.popleft() for _ in range(min(most, len(self._ready)))]

    def take(self, finished: Sequence[Finished]) -> None:
        """Judge look-ups that came back. What failed is asked again after another `look_after_s`."""
        results = Results()
        for one in finished:
            self.ledger.note(one.calls)
            item = one.job.items[0]
            if one.answer is None:
                assert one.error is not None
                self.patience.stop_for(one.error)
                continue
            self._open.pop(item.dossier_id, None)
            if one.answer.outcome is CallOutcome.RATE_LIMITED:
                self.patience.stop_for(unreachable(one.answer, self.leases.tenant))
            if one.answer.outcome in (CallOutcome.OK, CallOutcome.REJECTED):
                self.patience.answered(Call.LOOKUP)
            else:
                self.patience.unanswered(Call.LOOKUP, one.answer)
            if one.answer.outcome is not CallOutcome.OK:
                results.add(Move.LOOK_LATER, [item], one.answer)
                continue
            assert item.wanted.payload is not None
            payload = as_sent(item.wanted.payload, v2=self.settings.send_v2_fields)
            verdict = compare(payload, one.answer.result, self.settings).verdict
            lost = verdict in (Verdict.MISSING, Verdict.DIFFERENT)
            results.add(Move.OWE_AGAIN if lost else Move.LOOKED, [item], one.answer)
        self.owed_again += len(self.ledger.write(results).moves[Move.OWE_AGAIN])

    def give_back(self) -> None:
        """Release the dossiers that are still held."""
        if self._open:
            results = Results()
            results.add(Move.RELEASE, self._open.values())
            self._open, self._ready = {}, deque()
            self.ledger.write(results)
