"""Sending dossiers: settle what is uncertain, create or update, halve what is refused (portal-exchange §2.1, §2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lienthong.exchange.client import Answer, PortalClient
from lienthong.exchange.leases import Item, Leases
from lienthong.exchange.payload import as_sent
from lienthong.exchange.replies import Outcome
from lienthong.exchange.settings import PortalSettings
from lienthong.model.errors import PortalAccessError, PortalUnreachableError


@dataclass
class Patience:
    """Stops a drain when the portal takes calls and answers none: each one more would leave another batch in doubt."""

    limit: int
    tenant: str
    silent: int = 0

    def answered(self) -> None:
        """The portal gave an answer that can be understood."""
        self.silent = 0

    def unanswered(self, answer: Answer) -> None:
        """It did not. PortalUnreachableError after `limit` such calls in a row; record what they came to first."""
        self.silent += 1
        if self.silent >= self.limit:
            raise unreachable(answer, self.tenant)


def unreachable(answer: Answer, tenant: str) -> PortalUnreachableError:
    """The error for an answer that was none."""
    return PortalUnreachableError(
        f"The portal does not answer {answer.service} ({answer.outcome}, HTTP {answer.http_status}).",
        next_step="the next push continues where this one stopped; check the portal if it lasts.",
        source=tenant,
        key=answer.service,
    )


@dataclass
class DossierSender:
    """Sends what is owed, one claimed batch at a time. Counts what the portal newly took."""

    leases: Leases
    client: PortalClient
    settings: PortalSettings
    patience: Patience
    created: set[str] = field(default_factory=set)
    updated: set[str] = field(default_factory=set)
    _open: dict[str, Item] = field(default_factory=dict)
    _perhaps_sent: set[str] = field(default_factory=set)

    def send_batch(self) -> bool:
        """Claim and send one batch; False when nothing is owed. A stop gives back what was certainly not sent."""
        items = self.leases.claim_deliveries()
        self._open = {item.dossier_id: item for item in items}
        self._perhaps_sent = {item.dossier_id for item in items if item.sent_before}
        try:
            known, new = self._settled(items)
            self._push(new, updating=False)
            self._push(known, updating=True)
        except (PortalUnreachableError, PortalAccessError):
            self.leases.release(list(self._open.values()))
            raise
        return bool(items)

    def _settled(self, items: Sequence[Item]) -> tuple[list[Item], list[Item]]:
        """(held by the portal, not held). Only a create without an answer has to be asked about: an update that is
        repeated changes nothing.
        """
        known = [item for item in items if item.on_portal]
        new = [item for item in items if not item.on_portal and not item.in_doubt]
        asked = [item for item in items if not item.on_portal and item.in_doubt]
        present, absent = self._ask(asked)
        return known + present, new + absent

    def _ask(self, items: Sequence[Item]) -> tuple[list[Item], list[Item]]:
        present: list[Item] = []
        absent: list[Item] = []
        for item in items:
            answer = self.client.find_dossier(item.code)
            if answer.outcome is Outcome.OK:
                if answer.result:
                    self._found(item)
                    present.append(item)
                else:
                    self.leases.settle([item], present=False)
                    absent.append(item)
            elif answer.outcome is Outcome.REJECTED:
                self._closed([item], self.leases.doubt([item], answer))
            else:
                raise unreachable(answer, self.leases.tenant)
        return present, absent

    def _push(self, items: Sequence[Item], *, updating: bool) -> None:
        """Send; a refused batch is halved until the refused dossier stands alone."""
        if not items:
            return
        self.client.prepare()
        items = self._ours(self.leases.dispatch(items), items)
        if not items:
            return
        payloads = [
            as_sent(item.wanted.payload, v2=self.settings.send_v2_fields)
            for item in items
            if item.wanted.payload is not None
        ]
        answer = self.client.send_dossiers(payloads, updating=updating)
        if answer.outcome is Outcome.UNKNOWN:
            self._closed(items, self.leases.doubt(items, answer))
            self.patience.unanswered(answer)
            return
        self.patience.answered()
        if answer.outcome is Outcome.OK:
            taken = self._closed(items, self.leases.acknowledge(items, answer))
            (self.updated if updating else self.created).update(taken)
        elif answer.outcome is Outcome.EXISTS:
            self._push_existing(items)
        elif answer.outcome is Outcome.REJECTED and len(items) > 1:
            if not self.settings.refusals_are_whole:
                self._perhaps_sent.update(item.dossier_id for item in items)
            half = len(items) // 2
            self._push(items[:half], updating=updating)
            self._push(items[half:], updating=updating)
        elif answer.outcome is Outcome.REJECTED:
            self._closed(items, self.leases.reject(items, answer))
        else:
            raise unreachable(answer, self.leases.tenant)

    def _push_existing(self, items: Sequence[Item]) -> None:
        """Some of these are on the portal already. Alone it is clear which; in a batch the portal is asked."""
        if len(items) == 1:
            self._found(items[0])
            self._push(items, updating=True)
            return
        present, absent = self._ask(items)
        if not present:  # the portal contradicts itself: take them one by one
            for item in absent:
                self._push([item], updating=False)
            return
        self._push(absent, updating=False)
        self._push(present, updating=True)

    def _found(self, item: Item) -> None:
        """It is on the portal. If no earlier call of ours can have brought it there, another program did, perhaps with
        its steps.
        """
        if item.dossier_id in self._perhaps_sent:
            self.leases.settle([item], present=True)
        else:
            self.leases.take_over([item])

    def _ours(self, kept: Sequence[Item], items: Sequence[Item]) -> list[Item]:
        """Forget the items whose lease another drain took."""
        ids = {item.dossier_id for item in kept}
        for item in items:
            if item.dossier_id not in ids:
                self._open.pop(item.dossier_id, None)
        return list(kept)

    def _closed(self, items: Sequence[Item], done: set[str]) -> set[str]:
        for item in items:
            self._open.pop(item.dossier_id, None)
        return done
