"""Leases and fencing tokens on delivery rows: who may send a dossier, and whose results count (promises 2-4)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.engine import Connection

from lienthong.exchange.believed import load_believed
from lienthong.exchange.client import Answer, PortalClient
from lienthong.exchange.evidence import keep_calls, write_answer
from lienthong.exchange.payload import PAYLOAD_RECIPE
from lienthong.exchange.settings import PortalSettings
from lienthong.exchange.wanted import Wanted, mode_of, store_wanted, want
from lienthong.model.codes import DeliveryState
from lienthong.model.errors import DefectError
from lienthong.warehouse.statements import run

#: How often one drain may claim the same dossier: once for itself, once for its steps, a few times to settle doubts.
MOST_TURNS = 20

T = TypeVar("T")


@dataclass(frozen=True)
class Item:
    """One leased dossier, as it is believed at this moment. `acknowledged_before` and `sent_before` (in a turn
    before this one) are about the code it carries now.
    """

    fence: int
    due: DeliveryState
    in_doubt: bool
    acknowledged_before: bool
    sent_before: bool
    presence: str
    attempts: int
    wanted: Wanted

    @property
    def dossier_id(self) -> str:
        return self.wanted.dossier.dossier_id

    @property
    def code(self) -> str:
        return self.wanted.dossier.dossier_code or ""

    @property
    def on_portal(self) -> bool:
        """Whether the portal is known to hold this code."""
        return self.acknowledged_before or self.presence == "present"


@dataclass
class Leases:
    """One drain's hold on deliveries of one tenant. Every method is one transaction and keeps the calls' evidence.

    Methods return the dossier ids that were still ours; what another drain took over is left alone.
    """

    engine: Engine
    client: PortalClient
    tenant: str
    settings: PortalSettings
    now: datetime
    run_key: str
    calls: int = 0
    _turns: Counter[str] = field(default_factory=Counter)
    _started: float = field(default_factory=time.monotonic)

    def clock(self) -> datetime:
        """The drain's own time: `now` plus what has passed since it began."""
        return self.now + timedelta(seconds=time.monotonic() - self._started)

    def claim_deliveries(self) -> list[Item]:
        """Lease what is owed, unsettled or left behind; dossiers that turn out not to be owed are given back."""
        return self._claim("exchange/claim_deliveries", {DeliveryState.OWED, DeliveryState.UNSETTLED})

    def claim_progress(self) -> list[Item]:
        """Lease acknowledged dossiers that owe steps."""
        return self._claim("exchange/claim_progress", {DeliveryState.ACKNOWLEDGED})

    def dispatch(self, items: Sequence[Item]) -> list[Item]:
        """Write down what is about to be sent and renew the leases; the items that are still ours."""
        if not items:
            return []
        now = self.clock()
        with self.engine.begin() as connection:
            self.lock(connection, items)
            rows = run(
                connection,
                "exchange/dispatch_deliveries",
                tenant=self.tenant,
                dossier_ids=[item.dossier_id for item in items],
                fences=[item.fence for item in items],
                versions=[item.wanted.dossier.version for item in items],
                hashes=[item.wanted.hash for item in items],
                dossier_codes=[item.code for item in items],
                recipe=PAYLOAD_RECIPE,
                lease_until=now + timedelta(seconds=self.settings.lease_s),
                now=now,
            )
            ours = {row.dossier_id for row in rows}
        return [item for item in items if item.dossier_id in ours]

    def acknowledge(self, items: Sequence[Item], answer: Answer) -> set[str]:
        """The portal took them."""
        return self._finish("exchange/acknowledge_deliveries", items, now=self.clock(), **_last(answer))

    def reject(self, items: Sequence[Item], answer: Answer) -> set[str]:
        """The portal refused them; the same payload is not sent again."""
        return self._finish("exchange/reject_deliveries", items, **_last(answer))

    def doubt(self, items: Sequence[Item], answer: Answer) -> set[str]:
        """Nobody knows; asked about again after a delay that doubles."""
        delay = max((self.settings.settle_delay(item.attempts + 1) for item in items), default=0.0)
        return self._finish(
            "exchange/doubt_deliveries", items, next_attempt_at=self.clock() + timedelta(seconds=delay), **_last(answer)
        )

    def settle(self, items: Sequence[Item], *, present: bool) -> set[str]:
        """The portal said whether it holds them; the leases stay."""
        return self._finish("exchange/settle_deliveries", items, presence="present" if present else "absent")

    def take_over(self, items: Sequence[Item]) -> set[str]:
        """The portal holds them and we never sent them: their steps up to now may be there; the leases stay."""
        return self._finish("exchange/take_over_deliveries", items, now=self.clock())

    def release(self, items: Sequence[Item]) -> set[str]:
        """Give leases back: nothing of this turn is on the portal."""
        return self._finish("exchange/release_deliveries", items)

    def lock(self, connection: Connection, items: Sequence[Item]) -> None:
        """Lock the items' rows in key order, as derive does, so that neither waits for the other in a circle."""
        ids = [item.dossier_id for item in items]
        run(connection, "exchange/lock_deliveries", tenant=self.tenant, dossier_ids=ids)

    def write(self, work: Callable[[Connection], T]) -> T:
        """What the portal answered, with the evidence of the calls; see `evidence.write_answer`."""
        done, calls = write_answer(self.engine, self.client, self.run_key, work)
        self.calls += calls
        return done

    def record_calls(self) -> None:
        """Keep the evidence of the calls since the last answer."""
        self.calls += keep_calls(self.engine, self.client, self.run_key)

    def _claim(self, statement: str, due: set[DeliveryState]) -> list[Item]:
        """Claim until something due is found or nothing is left to claim."""
        while True:
            now = self.clock()
            with self.engine.begin() as connection:
                rows = run(
                    connection,
                    statement,
                    tenant=self.tenant,
                    run_key=self.run_key,
                    size=self.settings.batch_size,
                    now=now,
                    lease_until=now + timedelta(seconds=self.settings.lease_s),
                ).all()
                ids = [row.dossier_id for row in rows]
                run(connection, "exchange/abandon_steps", tenant=self.tenant, dossier_ids=ids)
            if not rows:
                return []
            fences = {row.dossier_id: row.fence for row in rows}
            self._refuse_circles(fences)
            items = self._refresh(fences)
            self.release([item for item in items if item.due not in due])
            found = [item for item in items if item.due in due]
            if found:
                return found

    def _refuse_circles(self, dossier_ids: Iterable[str]) -> None:
        """A dossier that keeps coming back in one drain is a fault of ours; better a stop than a drain without end."""
        self._turns.update(dossier_ids)
        dossier_id, turns = self._turns.most_common(1)[0]
        if turns > MOST_TURNS:
            raise DefectError(
                f"One dossier was claimed {turns} times in one push and never settled.",
                next_step="compare its rows in exchange.delivery and exchange.step_delivery; report it as a fault.",
                source=self.tenant,
                key=dossier_id,
            )

    def _refresh(self, fences: dict[str, int]) -> list[Item]:
        """Derive the leased dossiers again: what is sent is what is believed now, or nothing."""
        with self.engine.begin() as connection:
            modes = run(connection, "exchange/read_modes", tenant=self.tenant).scalar_one()
            believed = load_believed(connection, self.tenant, list(fences))
            page = {d.dossier_id: want(d, mode_of(modes, d.source_id)) for d in believed}
            store_wanted(connection, self.tenant, list(page.values()))
            rows = run(
                connection,
                "exchange/read_leased",
                tenant=self.tenant,
                dossier_ids=list(page),
                run_key=self.run_key,
            )
            return [
                Item(
                    row.fence,
                    DeliveryState(row.due),
                    row.in_doubt,
                    row.acknowledged_before,
                    row.sent_before,
                    row.presence,
                    row.attempts,
                    page[row.dossier_id],
                )
                for row in rows
                if row.fence == fences[row.dossier_id]
            ]

    def _finish(self, statement: str, items: Sequence[Item], **values: Any) -> set[str]:
        if not items:
            return set()

        def finish(connection: Connection) -> set[str]:
            self.lock(connection, items)
            rows = run(
                connection,
                statement,
                tenant=self.tenant,
                dossier_ids=[item.dossier_id for item in items],
                fences=[item.fence for item in items],
                **values,
            )
            return {row.dossier_id for row in rows}

        return self.write(finish)


def _last(answer: Answer) -> dict[str, str | None]:
    return {"outcome": answer.outcome.value, "code": answer.code, "message": answer.message or None}
