"""Sending progress steps: after the dossier, in order, never twice (portal-exchange §2.4; promises 4 and 5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.engine import Connection

from lienthong.exchange.client import Answer, PortalClient
from lienthong.exchange.dossiers import Patience, unreachable
from lienthong.exchange.leases import Item, Leases
from lienthong.exchange.payload import is_complete_step
from lienthong.exchange.replies import Outcome
from lienthong.exchange.settings import PortalSettings
from lienthong.exchange.wanted import WantedStep
from lienthong.model.errors import PortalAccessError, PortalUnreachableError
from lienthong.warehouse.statements import run

ACKNOWLEDGED = "acknowledged"
OWED = "owed"
REJECTED = "rejected"
UNSETTLED = "unsettled"


@dataclass
class StepSender:
    """Sends the owed steps of acknowledged dossiers; one call carries steps of one dossier.

    The portal has no key for a step, so one that may have arrived is never sent again by itself: it stays `unsettled`.
    """

    leases: Leases
    client: PortalClient
    settings: PortalSettings
    patience: Patience
    sent: int = 0

    def send_batch(self) -> bool:
        """Claim some dossiers and send their steps; False when no step is owed."""
        items = self.leases.claim_progress()
        owed = self._owed(items)
        try:
            for item in items:
                steps = [step for step in item.wanted.steps if step.key in owed[item.dossier_id]]
                for chunk in chunks(steps, self.settings.step_chunk):
                    self._push(item, chunk)
        except (PortalUnreachableError, PortalAccessError):
            self.leases.release(items)
            raise
        self.leases.release(items)
        return bool(items)

    def _push(self, item: Item, steps: Sequence[WantedStep]) -> None:
        if not steps:
            return
        self.client.prepare()
        steps = self._dispatch(item, steps)
        if not steps:
            return
        try:
            answer = self.client.send_steps([step.payload for step in steps])
        except (PortalUnreachableError, PortalAccessError):  # no session: nothing was sent
            self._finish(item, steps, OWED, None)
            raise
        if answer.outcome is Outcome.UNKNOWN:
            self._finish(item, steps, UNSETTLED, answer)
            self.patience.unanswered(answer)
            return
        self.patience.answered()
        if answer.outcome in (Outcome.OK, Outcome.EXISTS):
            self.sent += self._finish(item, steps, ACKNOWLEDGED, answer)
        elif answer.outcome is Outcome.REJECTED and len(steps) == 1:
            self._finish(item, steps, REJECTED, answer)
        elif answer.outcome is Outcome.REJECTED and self.settings.refusals_are_whole:
            self._finish(item, steps, OWED, answer)
            half = len(steps) // 2
            self._push(item, steps[:half])
            self._push(item, steps[half:])
        elif answer.outcome is Outcome.REJECTED:  # some of them may be on the portal
            self._finish(item, steps, UNSETTLED, answer)
        else:
            self._finish(item, steps, OWED, answer)
            raise unreachable(answer, self.leases.tenant)

    def _owed(self, items: Sequence[Item]) -> dict[str, set[str]]:
        owed: dict[str, set[str]] = defaultdict(set)
        if items:
            with self.leases.engine.begin() as connection:
                for row in run(
                    connection,
                    "exchange/read_owed_steps",
                    tenant=self.leases.tenant,
                    dossier_ids=[item.dossier_id for item in items],
                ):
                    owed[row.dossier_id].add(row.step_key)
        return owed

    def _dispatch(self, item: Item, steps: Sequence[WantedStep]) -> list[WantedStep]:
        """Renew the dossier's lease and mark the steps, in one transaction; none when the lease is lost."""
        now = self.leases.clock()
        with self.leases.engine.begin() as connection:
            renewed = run(
                connection,
                "exchange/renew_delivery",
                tenant=self.leases.tenant,
                dossier_id=item.dossier_id,
                fence=item.fence,
                lease_until=now + timedelta(seconds=self.settings.lease_s),
            ).all()
            if not renewed:
                return []
            rows = run(
                connection,
                "exchange/dispatch_steps",
                tenant=self.leases.tenant,
                dossier_id=item.dossier_id,
                fence=item.fence,
                step_keys=[step.key for step in steps],
                hashes=[step.hash for step in steps],
                now=now,
            )
            marked = {row.step_key for row in rows}
        return [step for step in steps if step.key in marked]

    def _finish(self, item: Item, steps: Sequence[WantedStep], state: str, answer: Answer | None) -> int:
        def finish(connection: Connection) -> int:
            self.leases.lock(connection, [item])
            rows = run(
                connection,
                "exchange/finish_steps",
                tenant=self.leases.tenant,
                dossier_id=item.dossier_id,
                fence=item.fence,
                step_keys=[step.key for step in steps],
                state=state,
                outcome=answer.outcome.value if answer else None,
                code=answer.code if answer else None,
                now=self.leases.clock(),
            ).all()
            return len(rows)

        return self.leases.write(finish)


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
