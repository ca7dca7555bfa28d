"""Sending dossiers: settle what is uncertain, create or update, halve what is refused (portal-exchange §2.1, §2.2)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from lienthong.exchange.client import Answer
from lienthong.exchange.crew import Finished
from lienthong.exchange.items import Inquiry, Item, Job, Move, Results
from lienthong.exchange.leases import BEFORE_ALL, CLAIM, Leases
from lienthong.exchange.patience import Patience, unreachable
from lienthong.exchange.replies import Call, CallOutcome
from lienthong.exchange.results import Ledger
from lienthong.exchange.settings import PortalSettings

#: The rule that parks a dossier whose calls or look-ups stay without an answer while the portal answers others.
UNANSWERED = "unanswered"


@dataclass
class DossierSender:
    """Decides which call comes next for each leased dossier, and what an answer means. Counts what was newly taken."""

    leases: Leases
    ledger: Ledger
    settings: PortalSettings
    patience: Patience
    created: set[str] = field(default_factory=set)
    updated: set[str] = field(default_factory=set)
    #: Dossiers without an answer, by whether the call writes (else it was a look-up): were they in doubt before?
    doubted: dict[bool, dict[str, bool]] = field(default_factory=lambda: {True: {}, False: {}})
    _after: str | None = BEFORE_ALL
    _ready: deque[Job] = field(default_factory=deque)
    _open: dict[str, Item] = field(default_factory=dict)
    _perhaps_sent: set[str] = field(default_factory=set)
    _sent_as: dict[str, Call] = field(default_factory=dict)

    def start(self) -> None:
        """Look at all deliveries again, from the first."""
        self._after = BEFORE_ALL

    def jobs(self, most: int) -> list[Job]:
        """At most `most` calls to make now; what they send is noted as sent."""
        while len(self._ready) < most and self._after is not None:
            self._claim()
        jobs = [self._ready.popleft() for _ in range(min(most, len(self._ready)))]
        sending = [item for job in jobs if job.call is not Call.LOOKUP for item in job.items]
        ours = self.leases.dispatch(sending)
        if refused := [item for item in sending if item.dossier_id not in ours]:  # parked, held, or no longer ours
            self._give_back(refused)
        kept = []
        for job in jobs:
            items = job.items
            if job.call is not Call.LOOKUP:
                items = tuple(item for item in items if item.dossier_id in ours)
            if items:
                kept.append(Job(job.call, items, inquiry=job.inquiry))
        return kept

    def take(self, finished: Sequence[Finished]) -> None:
        """Judge calls that came back and write what they came to, in one transaction."""
        results = Results()
        for one in finished:
            self.ledger.note(one.calls)
            if one.answer is not None:
                self._judge(one.job, one.answer, results)
            elif one.error is not None:
                self.patience.stop_for(one.error)  # before anything was sent: `give_back` releases it
        done = self.ledger.write(results)
        for item, _ in results.moves.get(Move.ACKNOWLEDGE, ()):
            if item.dossier_id in done.moves[Move.ACKNOWLEDGE]:
                (self.updated if self._sent_as[item.dossier_id] is Call.UPDATE else self.created).add(item.dossier_id)

    def give_back(self) -> None:
        """Release what was certainly not sent, when the drain has to stop."""
        self._ready = deque()
        self._give_back(list(self._open.values()))

    def _give_back(self, items: Sequence[Item]) -> None:
        results = Results()
        for item in items:  # what an earlier call may have brought there stays known as perhaps ours
            results.add(Move.RELEASE_SENT if item.dossier_id in self._perhaps_sent else Move.RELEASE, [item])
        self._close(items)
        self.ledger.write(results)

    def _claim(self) -> None:
        """What is certain goes first, in batches. What stayed unanswered before goes alone: it may be why."""
        assert self._after is not None
        items, self._after = self.leases.claim_deliveries(self._after, max(CLAIM, self.settings.batch_size))
        self._open |= {item.dossier_id: item for item in items}
        self._perhaps_sent |= {item.dossier_id for item in items if item.sent_before}
        self._send([item for item in items if item.on_portal], Call.UPDATE)
        self._send([item for item in items if not item.on_portal and not item.in_doubt], Call.CREATE)
        # Only a create without an answer has to be asked about: an update that is repeated changes nothing.
        asked = [item for item in items if not item.on_portal and item.in_doubt]
        if self.patience.asks:
            self._ask(asked)
        elif asked:
            results = Results()
            self._put_off(asked, results)
            self.ledger.write(results)

    def _send(self, items: Sequence[Item], call: Call) -> None:
        fresh = [item for item in items if not item.attempts]
        size = self.settings.batch_size
        self._ready.extend(Job(call, tuple(fresh[at : at + size])) for at in range(0, len(fresh), size))
        self._ready.extend(Job(call, (item,)) for item in items if item.attempts)

    def _ask(self, items: Sequence[Item], *, contradicted: bool = False) -> None:
        inquiry = Inquiry(len(items), contradicted)
        self._ready.extend(Job(Call.LOOKUP, (item,), inquiry=inquiry) for item in items)

    def _judge(self, job: Job, answer: Answer, results: Results) -> None:
        if job.inquiry is not None:
            self._judge_look(job.items[0], job.inquiry, answer, results)
            return
        outcome, items = answer.outcome, job.items
        if outcome is CallOutcome.UNKNOWN:
            self._doubt(items, answer, results, writing=True)
            self.patience.unanswered(job.call, answer)
            return
        if outcome in (CallOutcome.RETRY, CallOutcome.RATE_LIMITED, CallOutcome.RELOGIN):  # it did not arrive
            self.patience.stop_for(unreachable(answer, self.leases.tenant))
            return
        self.patience.answered(job.call)
        if outcome is CallOutcome.OK:
            self._close(items)
            self._sent_as |= {item.dossier_id: job.call for item in items}
            results.add(Move.ACKNOWLEDGE, items, answer)
        elif outcome is CallOutcome.EXISTS and len(items) > 1:
            self._ask(items, contradicted=True)
        elif outcome is CallOutcome.EXISTS:
            self._found(items[0], results)
            self._ready.appendleft(Job(Call.UPDATE, items))
        elif len(items) > 1:
            if not self.settings.refusals_are_whole:
                self._perhaps_sent.update(item.dossier_id for item in items)
            half = len(items) // 2
            self._ready.extendleft((Job(job.call, items[half:]), Job(job.call, items[:half])))
        else:
            self._close(items)
            results.add(Move.REJECT, items, answer)

    def _judge_look(self, item: Item, inquiry: Inquiry, answer: Answer, results: Results) -> None:
        inquiry.open -= 1
        if answer.outcome is CallOutcome.RATE_LIMITED:
            self.patience.stop_for(unreachable(answer, self.leases.tenant))
            return
        if answer.outcome is CallOutcome.OK and answer.result:
            self._found(item, results)
            inquiry.present.append(item)
        elif answer.outcome is CallOutcome.OK:
            results.add(Move.ABSENT, [item])
            inquiry.absent.append(item)
        else:
            self._doubt([item], answer, results, writing=False)
        if answer.outcome in (CallOutcome.OK, CallOutcome.REJECTED):
            self.patience.answered(Call.LOOKUP)
        else:
            self.patience.unanswered(Call.LOOKUP, answer)
            if not self.patience.asks:
                self._stop_asking(results)
        if inquiry.open == 0:
            self._go_on(inquiry)

    def _go_on(self, inquiry: Inquiry) -> None:
        if inquiry.contradicted and not inquiry.present:  # the portal contradicts itself: take them one by one
            self._ready.extend(Job(Call.CREATE, (item,)) for item in inquiry.absent)
            return
        self._send(inquiry.absent, Call.CREATE)
        self._send(inquiry.present, Call.UPDATE)

    def _stop_asking(self, results: Results) -> None:
        """Look-ups stay without an answer: what still has to be asked about waits, the rest goes on."""
        waiting = [job for job in self._ready if job.call is Call.LOOKUP]
        self._ready = deque(job for job in self._ready if job.call is not Call.LOOKUP)
        for job in waiting:
            assert job.inquiry is not None
            self._put_off(job.items, results)
            job.inquiry.open -= 1
            if job.inquiry.open == 0:
                self._go_on(job.inquiry)

    def _put_off(self, items: Sequence[Item], results: Results) -> None:
        """Ask another time; nothing was tried, so nothing counts against these."""
        self._close(items)
        results.add(Move.DOUBT, items, self.patience.last_silence)

    def _doubt(self, items: Sequence[Item], answer: Answer, results: Results, *, writing: bool) -> None:
        self._close(items)
        self.doubted[writing].update({item.dossier_id: item.in_doubt for item in items})
        results.add(Move.DOUBT, items, answer)

    def _found(self, item: Item, results: Results) -> None:
        """It is on the portal. If no earlier call of ours can have brought it there, another program did, perhaps with
        its steps.
        """
        ours = item.dossier_id in self._perhaps_sent
        results.add(Move.PRESENT if ours else Move.TAKE_OVER, [item])

    def _close(self, items: Sequence[Item]) -> None:
        for item in items:
            self._open.pop(item.dossier_id, None)
