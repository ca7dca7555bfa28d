"""One push to the portal for one tenant: dossiers first, then their progress, until nothing is owed.

One thread leases, decides and writes; the crew's workers only call. So results of several calls are committed together,
and no worker waits for the warehouse.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Engine

from lienthong.exchange.client import Answer, PortalClient
from lienthong.exchange.crew import Crew, Finished
from lienthong.exchange.dossiers import UNANSWERED, DossierSender
from lienthong.exchange.items import Job, StepState
from lienthong.exchange.leases import Leases
from lienthong.exchange.limiter import SharedBucket
from lienthong.exchange.looks import Looker
from lienthong.exchange.patience import CallGroup, Patience, unreachable
from lienthong.exchange.payload import as_sent
from lienthong.exchange.progress import StepSender
from lienthong.exchange.replies import Call, CallOutcome
from lienthong.exchange.results import Ledger
from lienthong.exchange.settings import PortalSettings
from lienthong.exchange.summary import delivery_summary
from lienthong.model.codes import DeliveryState
from lienthong.model.errors import LienThongError, TransientError
from lienthong.warehouse.statements import run


@dataclass(frozen=True)
class PushSummary:
    """`delivered` = `created` + `updated`, `steps_sent`, `owed_again` (the portal showed an older state after a period
    of doubt) and `calls`: this drain. The others: the tenant after it; `steps_unsettled` may have arrived.
    """

    delivered: int
    created: int
    updated: int
    blocked: int
    rejected: int
    unsettled: int
    parked: int
    waiting: int
    owed: int
    steps_sent: int
    steps_unsettled: int
    owed_again: int
    calls: int


class Sender(Protocol):
    """Knows what to call next and what an answer means."""

    def jobs(self, most: int) -> list[Job]: ...

    def take(self, finished: Sequence[Finished]) -> None: ...

    def give_back(self) -> None: ...


def drain(
    engine: Engine, client: PortalClient, tenant: str, settings: PortalSettings, now: datetime, run_key: str
) -> PushSummary:
    """Send what `derive` found owed. Safe to run twice at once and to kill at any point.

    Raises PortalUnreachableError or PortalAccessError when the portal stops answering or refuses the account; what was
    done until then is recorded, what was certainly not sent stays owed, what is uncertain is asked about next time.
    """
    with engine.begin() as connection:
        run(connection, "ops/ensure_tenant", tenant=tenant)
    if client.limiter is None:
        client.limiter = SharedBucket(engine, tenant, settings)
    leases = Leases(engine, tenant, settings, now, run_key)
    ledger = Ledger(leases)
    patience = Patience(settings.max_attempts, tenant)
    dossiers = DossierSender(leases, ledger, settings, patience)
    steps = StepSender(leases, ledger, settings, patience)
    looker = Looker(leases, ledger, settings, patience)

    def make(one: PortalClient, job: Job) -> Answer:
        if job.call is Call.LOOKUP:
            return one.find_dossier(job.items[0].code)
        if job.call is Call.PROGRESS:
            return one.send_steps([step.payload for _, step in job.steps])
        payloads = [
            as_sent(item.wanted.payload, v2=settings.send_v2_fields)
            for item in job.items
            if item.wanted.payload is not None
        ]
        return one.send_dossiers(payloads, updating=job.call is Call.UPDATE)

    try:
        with Crew(client, settings.workers, make) as crew:
            while True:
                made = _run(crew, dossiers, CallGroup.DOSSIERS, patience)
                if patience.is_over(CallGroup.DOSSIERS) and not _is_there(client, patience):
                    break
                made += _run(crew, steps, CallGroup.STEPS, patience)
                if not made or patience.is_over(CallGroup.DOSSIERS) or patience.is_over(CallGroup.STEPS):
                    break
                dossiers.start()
                steps.start()
            if not (patience.is_over(CallGroup.DOSSIERS) or patience.is_over(CallGroup.STEPS)):
                _run(crew, looker, CallGroup.LOOKS, patience)
        _count_doubts(leases, client, patience, dossiers, steps)
        _raise_silence(patience)
    except BaseException as error:
        with suppress(TransientError):  # the evidence of the last calls must not hide what went wrong
            ledger.note(client.take_calls())
            ledger.keep_calls()
            if error is patience.stop:
                _count_doubts(leases, None, patience, dossiers, steps)
        raise
    ledger.note(client.take_calls())
    ledger.keep_calls()
    summary = delivery_summary(engine, tenant)
    states = summary.states
    return PushSummary(
        delivered=len(dossiers.created) + len(dossiers.updated),
        created=len(dossiers.created),
        updated=len(dossiers.updated),
        blocked=states[DeliveryState.BLOCKED],
        rejected=states[DeliveryState.REJECTED],
        unsettled=states[DeliveryState.UNSETTLED],
        parked=states[DeliveryState.PARKED],
        waiting=states[DeliveryState.WAITING],
        owed=states[DeliveryState.OWED],
        steps_sent=steps.sent,
        steps_unsettled=summary.steps.get(StepState.UNSETTLED, 0),
        owed_again=looker.owed_again,
        calls=ledger.calls,
    )


def _run(crew: Crew, sender: Sender, kind: CallGroup, patience: Patience) -> int:
    """Let one sender work until it has nothing more, or its kind of call is over; how many calls it made. Raises
    `patience.stop`.
    """
    made = 0
    while True:
        goes_on = patience.stop is None and (kind is CallGroup.LOOKS or not patience.is_over(kind))
        if goes_on and (free := patience.most_in_flight(crew.size) - crew.busy) > 0:
            for job in sender.jobs(free):
                crew.submit(job)
                made += 1
        if not crew.busy:
            break
        sender.take(crew.finished())
    if not goes_on:
        sender.give_back()
    if patience.stop is not None:
        raise patience.stop
    return made


def _is_there(client: PortalClient, patience: Patience) -> bool:
    """Whether the portal answers a look-up now, when it answered none of those who were asked to take something."""
    try:
        answer = client.find_dossier("")
    except LienThongError:
        return False
    there = answer.outcome in (CallOutcome.OK, CallOutcome.REJECTED)
    if there:
        patience.answered(Call.LOOKUP)
    return there


def _count_doubts(
    leases: Leases, client: PortalClient | None, patience: Patience, dossiers: DossierSender, steps: StepSender
) -> None:
    """A try without an answer counts against a dossier or a step when the portal answered others, or answers a look-up
    of `client` now: then it is not the portal. Nobody asks for a first doubt.
    """
    for writing, doubted in dossiers.doubted.items():
        heard = patience.heard(CallGroup.DOSSIERS, CallGroup.LOOKS) if writing else patience.heard(CallGroup.LOOKS)
        if client and any(doubted.values()) and not heard:
            heard = _is_there(client, patience)
        if doubted and heard:
            leases.count_doubts(sorted(doubted), UNANSWERED)
    if steps.doubted and patience.heard():
        leases.count_step_doubts(steps.doubted)


def _raise_silence(patience: Patience) -> None:
    """PortalUnreachableError when calls that write were given up, or nobody answered anything that was asked."""
    silence = patience.last_silence
    if silence is None:
        return
    given_up = patience.is_over(CallGroup.DOSSIERS) or patience.is_over(CallGroup.STEPS)
    if given_up or (not patience.asks and not patience.heard(CallGroup.DOSSIERS, CallGroup.STEPS)):
        raise unreachable(silence, patience.tenant)
