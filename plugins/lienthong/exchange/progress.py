"""Sending progress steps: after the dossier, in order, dossiers side by side (portal-exchange §2.4; promises 4 and 5).

The portal has no key for a step. One that may have arrived is `unsettled`. It is settled by itself where the portal
shows a dossier's steps (`lookup_steps`) or takes a repeated step for none (`steps_sent_twice: ignore`); else people
decide.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lienthong.exchange.client import Answer
from lienthong.exchange.crew import Finished
from lienthong.exchange.items import Item, Job, Move, Results, StepResult, StepState
from lienthong.exchange.leases import BEFORE_ALL, Leases
from lienthong.exchange.patience import Patience, unreachable
from lienthong.exchange.payload import is_complete_step
from lienthong.exchange.replies import Call, CallOutcome
from lienthong.exchange.results import Ledger
from lienthong.exchange.settings import PortalSettings
from lienthong.exchange.shown_steps import shown_steps
from lienthong.exchange.wanted import WantedStep
from lienthong.warehouse.statements import run

Chunk = tuple[tuple[Item, WantedStep], ...]


@dataclass
class _Chain:
    """One dossier's steps: `chunks` still to be sent, one after the other; `doubtful` ones with their attempts.
    `alone`: doubtful or refused together with others', they share no call any more.
    """

    item: Item
    chunks: deque[Chunk] = field(default_factory=deque)
    doubtful: dict[str, int] = field(default_factory=dict)
    alone: bool = False


@dataclass
class StepSender:
    """Decides which steps are sent next, and what an answer means. A dossier's next call waits for its last answer."""

    leases: Leases
    ledger: Ledger
    settings: PortalSettings
    patience: Patience
    sent: int = 0
    #: Steps, (dossier id, key), that a call or a look-up of this drain left doubtful.
    doubted: set[tuple[str, str]] = field(default_factory=set)
    _after: str | None = BEFORE_ALL
    _chains: dict[str, _Chain] = field(default_factory=dict)
    _ready: deque[Job] = field(default_factory=deque)

    def start(self) -> None:
        """Look at all dossiers with owed steps again, from the first."""
        self._after = BEFORE_ALL

    def jobs(self, most: int) -> list[Job]:
        """At most `most` calls to make now; what they send is noted as sent."""
        wanted = most * (self.settings.step_chunk if self.settings.mix_steps else 1)
        while len(self._ready) < wanted and self._after is not None:
            self._claim()
        jobs = list(self._mixed(most)) if self.settings.mix_steps else self._next(most)
        marked = self.leases.dispatch_steps([step for job in jobs for step in job.steps])
        kept, lost = [], Results()
        for job in jobs:
            if job.call is Call.LOOKUP:
                kept.append(job)
                continue
            steps = tuple((item, step) for item, step in job.steps if (item.dossier_id, step.key) in marked)
            there = {item.dossier_id for item, _ in steps}
            if steps:
                kept.append(Job(job.call, tuple(item for item in job.items if item.dossier_id in there), steps))
            for item in job.items:
                if item.dossier_id not in there:
                    self._advance(item.dossier_id, lost)
        if lost.moves:
            self.ledger.write(lost)
        return kept

    def take(self, finished: Sequence[Finished]) -> None:
        """Judge calls that came back and write what they came to, in one transaction."""
        results = Results()
        for one in finished:
            self.ledger.note(one.calls)
            if one.answer is None:  # nothing was sent
                assert one.error is not None
                self.patience.stop_for(one.error)
                results.add_steps(one.job.steps, StepState.OWED, None)
            elif one.job.call is Call.LOOKUP:
                self._judge_look(one.job.items[0], one.answer, results)
            else:
                self._judge(one.job, one.answer, results)
        sent = {(item.dossier_id, step.key) for one in finished for item, step in one.job.steps}
        done = self.ledger.write(results)
        self.sent += len(done.steps[StepState.ACKNOWLEDGED] & sent)
        self.doubted |= done.steps[StepState.UNSETTLED]

    def give_back(self) -> None:
        """Release the dossiers that are still held, when the drain has to stop."""
        results = Results()
        results.add(Move.RELEASE, [chain.item for chain in self._chains.values()])
        self._chains, self._ready = {}, deque()
        self.ledger.write(results)

    def _claim(self) -> None:
        assert self._after is not None
        items, self._after = self.leases.claim_progress(self._after)
        owed, doubtful = self._open_steps(items)
        results = Results()
        for item in items:
            chain = _Chain(item)
            self._chains[item.dossier_id] = chain
            doubts = {key: tries for key, tries in doubtful[item.dossier_id].items() if self._settles(tries)}
            if doubts and self.settings.lookup_steps and self.patience.asks:
                chain.doubtful, chain.alone = doubts, True
                self._ready.append(Job(Call.LOOKUP, (item,)))
                continue
            if doubts and self.settings.lookup_steps:  # asked another time; later steps wait behind the doubtful ones
                self._drop(item.dossier_id, results)
                continue
            chain.alone = bool(doubts)
            results.steps += [StepResult(item, key, StepState.OWED, None) for key in doubts]
            self._fill(chain, owed[item.dossier_id] | doubts.keys(), results)
        if results.moves or results.steps:
            self.ledger.write(results)

    def _settles(self, attempts: int) -> bool:
        return self.settings.settles_steps and attempts < self.settings.park_after

    def _fill(self, chain: _Chain, keys: set[str], results: Results) -> None:
        believed = {step.key for step in chain.item.wanted.steps}
        self.leases.forget_steps(chain.item, keys - believed)
        steps = [step for step in chain.item.wanted.steps if step.key in keys]
        # What stayed doubtful before goes alone: it may be why.
        for chunk in chunks(steps, 1 if chain.alone else self.settings.step_chunk):
            chain.chunks.append(tuple((chain.item, step) for step in chunk))
        self._advance(chain.item.dossier_id, results)

    def _advance(self, dossier_id: str, results: Results) -> None:
        """The dossier's next call, or its release when there is none."""
        chain = self._chains.get(dossier_id)
        if chain is None:
            return
        if chain.chunks:
            self._ready.append(Job(Call.PROGRESS, (chain.item,), chain.chunks.popleft()))
        else:
            self._drop(dossier_id, results)

    def _drop(self, dossier_id: str, results: Results) -> None:
        if chain := self._chains.pop(dossier_id, None):
            results.add(Move.RELEASE, [chain.item])

    def _next(self, most: int) -> list[Job]:
        return [self._ready.popleft() for _ in range(min(most, len(self._ready)))]

    def _mixed(self, most: int) -> Iterator[Job]:
        """Calls that carry steps of several dossiers, as many as fit. An incomplete step still goes alone."""
        for _ in range(most):
            if not self._ready:
                return
            job = self._ready.popleft()
            steps, items = list(job.steps), list(job.items)
            while self._ready and self._fits(job, len(steps), self._ready[0]):
                other = self._ready.popleft()
                steps += other.steps
                items += other.items
            yield Job(job.call, tuple(items), tuple(steps))

    def _fits(self, job: Job, steps: int, other: Job) -> bool:
        return (
            steps + len(other.steps) <= self.settings.step_chunk and self._is_mixable(job) and self._is_mixable(other)
        )

    def _is_mixable(self, job: Job) -> bool:
        return (
            job.call is Call.PROGRESS
            and not any(self._chains[item.dossier_id].alone for item in job.items)
            and all(is_complete_step(step.payload) for _, step in job.steps)
        )

    def _judge(self, job: Job, answer: Answer, results: Results) -> None:
        outcome, steps = answer.outcome, job.steps
        if outcome in (CallOutcome.RETRY, CallOutcome.RATE_LIMITED, CallOutcome.RELOGIN):  # it did not arrive
            results.add_steps(steps, StepState.OWED, answer)
            self.patience.stop_for(unreachable(answer, self.leases.tenant))
            return
        if outcome is CallOutcome.UNKNOWN:
            self.patience.unanswered(Call.PROGRESS, answer)
        else:
            self.patience.answered(Call.PROGRESS)
        whole = self.settings.refusals_are_whole or self.settings.repeats_are_harmless
        if outcome in (CallOutcome.OK, CallOutcome.EXISTS):
            results.add_steps(steps, StepState.ACKNOWLEDGED, answer)
        elif outcome is CallOutcome.REJECTED and len(steps) == 1:
            results.add_steps(steps, StepState.REJECTED, answer)
        elif outcome is CallOutcome.REJECTED and whole:
            results.add_steps(steps, StepState.OWED, answer)
            self._halve(steps)
        else:  # no answer, or a refusal of which some may be on the portal
            results.add_steps(steps, StepState.UNSETTLED, answer)
        for item in job.items:
            if outcome is CallOutcome.UNKNOWN and self.settings.settles_steps:
                self._drop(item.dossier_id, results)  # its later steps wait until these are settled
            else:
                self._advance(item.dossier_id, results)

    def _halve(self, steps: Chunk) -> None:
        """Put refused steps back, before their dossiers' later ones: apart by dossier, or of one dossier in halves."""
        by_dossier: dict[str, list[tuple[Item, WantedStep]]] = defaultdict(list)
        for item, step in steps:
            by_dossier[item.dossier_id].append((item, step))
        size = len(steps) if len(by_dossier) > 1 else len(steps) // 2
        for dossier_id, own in by_dossier.items():
            chain = self._chains[dossier_id]
            chain.alone = True
            parts = [tuple(own[at : at + size]) for at in range(0, len(own), size)]
            chain.chunks.extendleft(reversed(parts))

    def _judge_look(self, item: Item, answer: Answer, results: Results) -> None:
        """Steps that the portal shows have arrived, the others are owed. Where it shows none, nobody knows."""
        chain = self._chains[item.dossier_id]
        if answer.outcome in (CallOutcome.OK, CallOutcome.REJECTED):
            self.patience.answered(Call.LOOKUP)
        else:
            self.patience.unanswered(Call.LOOKUP, answer)
        if answer.outcome is CallOutcome.RATE_LIMITED:
            self.patience.stop_for(unreachable(answer, self.leases.tenant))
        doubtful = [step for step in item.wanted.steps if step.key in chain.doubtful]
        shown = None
        if answer.outcome is CallOutcome.OK and doubtful and self.settings.lookup_steps:
            shown = shown_steps(answer.result, item.code, self.settings.lookup_steps, [s.payload for s in doubtful])
        if shown is None:
            tries = chain.doubtful.items()
            results.steps += [StepResult(item, key, StepState.UNSETTLED, answer, before) for key, before in tries]
            self._drop(item.dossier_id, results)
            return
        for step, arrived in zip(doubtful, shown, strict=True):
            state = StepState.ACKNOWLEDGED if arrived else StepState.OWED
            results.steps.append(StepResult(item, step.key, state, answer))
        missing = {step.key for step, arrived in zip(doubtful, shown, strict=True) if not arrived}
        self._fill(chain, self._open_steps([item])[0][item.dossier_id] | missing, results)

    def _open_steps(self, items: Sequence[Item]) -> tuple[dict[str, set[str]], dict[str, dict[str, int]]]:
        """By dossier: the keys of owed steps, and of doubtful ones with their attempts."""
        owed: dict[str, set[str]] = defaultdict(set)
        doubtful: dict[str, dict[str, int]] = defaultdict(dict)
        if items:
            with self.leases.engine.begin() as connection:
                rows = run(
                    connection,
                    "exchange/read_open_steps",
                    tenant=self.leases.tenant,
                    dossier_ids=[item.dossier_id for item in items],
                )
                for row in rows:
                    if row.state == StepState.OWED:
                        owed[row.dossier_id].add(row.step_key)
                    else:
                        doubtful[row.dossier_id][row.step_key] = int(row.attempts)
        return owed, doubtful


def chunks(steps: Sequence[WantedStep], size: int) -> list[list[WantedStep]]:
    """Steps in order, at most `size` to a call. An incomplete step goes alone: refused among others, it could vanish
    behind an answer that reads like a success.
    """
    found: list[list[WantedStep]] = []
    alone = True
    for step in steps:
        complete = is_complete_step(step.payload)
        if alone or not complete or len(found[-1]) == size:
            found.append([])
        found[-1].append(step)
        alone = not complete
    return found
