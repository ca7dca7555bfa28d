"""Leases and fencing tokens on delivery rows: who may send a dossier, and whose results count (promises 2-4)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.engine import Connection

from lienthong.exchange.believed import load_believed
from lienthong.exchange.elsewhere import standing
from lienthong.exchange.items import Item
from lienthong.exchange.payload import PAYLOAD_RECIPE
from lienthong.exchange.settings import PortalSettings
from lienthong.exchange.wanted import Wanted, WantedStep, sound, store_wanted, want
from lienthong.model.codes import DeliveryState
from lienthong.warehouse.statements import run

#: How often one drain may claim the same dossier: once for itself, once for its steps, a few times to settle doubts.
MOST_TURNS = 20
#: Dossiers claimed and read at once, so that few transactions serve many calls.
CLAIM = 200
BEFORE_ALL = "00000000-0000-0000-0000-000000000000"
CIRCLING = "circling"
_PAPERS = {"papers": True, "steps": False}
_STEPS = {"papers": False, "steps": True}


@dataclass
class Leases:
    """One drain's hold on deliveries of one tenant. Every method is one transaction."""

    engine: Engine
    tenant: str
    settings: PortalSettings
    now: datetime
    run_key: str
    _turns: Counter[str] = field(default_factory=Counter)
    _started: float = field(default_factory=time.monotonic)

    def clock(self) -> datetime:
        """The drain's own time: `now` plus what has passed since it began."""
        return self.now + timedelta(seconds=time.monotonic() - self._started)

    def claim_deliveries(self, after: str = BEFORE_ALL, size: int = CLAIM) -> tuple[list[Item], str | None]:
        """Lease up to `size` dossiers after an id that are owed, unsettled or left behind, and the id to go on after
        (None: none is left). Dossiers that turn out not to be owed are given back.
        """
        standing = {DeliveryState.OWED, DeliveryState.UNSETTLED}
        return self._claim("exchange/claim_deliveries", standing, _PAPERS, after=after, size=size)

    def claim_progress(self, after: str = BEFORE_ALL, size: int = CLAIM) -> tuple[list[Item], str | None]:
        """The same for acknowledged dossiers whose steps can go on, among the next `size` that have open steps."""
        values = {"settling": self.settings.settles_steps, "most_attempts": self.settings.park_after}
        with self.engine.begin() as connection:
            page = run(connection, "exchange/page_progress", tenant=self.tenant, after=after, size=size, **values)
            ids = [row.dossier_id for row in page]
        items, _ = self._claim(
            "exchange/claim_progress", {DeliveryState.ACKNOWLEDGED}, _STEPS, dossier_ids=ids, size=size, **values
        )  # fmt: skip
        return items, ids[-1] if len(ids) == size else None

    def claim_doubted(self, after: str = BEFORE_ALL, size: int = CLAIM) -> tuple[list[Item], str | None]:
        """The same for acknowledged dossiers that a late request may have overwritten and that are due for a look."""
        before = self.clock() - timedelta(seconds=self.settings.look_after_s)
        standing = {DeliveryState.ACKNOWLEDGED}
        return self._claim("exchange/claim_doubted", standing, _PAPERS, after=after, size=size, doubted_before=before)

    def dispatch(self, items: Sequence[Item]) -> set[str]:
        """Write down what is about to be sent and renew the leases; the ids of dossiers that are still ours."""
        if not items:
            return set()
        now = self.clock()
        with self.engine.begin() as connection:
            self.lock(connection, [item.dossier_id for item in items])
            rows = run(
                connection,
                "exchange/dispatch_deliveries",
                tenant=self.tenant,
                dossier_ids=[item.dossier_id for item in items],
                fences=[item.fence for item in items],
                versions=[item.wanted.dossier.version for item in items],
                hashes=[item.hash for item in items],
                dossier_codes=[item.code for item in items],
                recipe=PAYLOAD_RECIPE,
                lease_until=self._lease_until(now),
                now=now,
            )
            return {row.dossier_id for row in rows}

    def dispatch_steps(self, steps: Sequence[tuple[Item, WantedStep]]) -> set[tuple[str, str]]:
        """The same for steps: (dossier id, step key) of those that are owed and whose dossier is still ours."""
        if not steps:
            return set()
        now = self.clock()
        with self.engine.begin() as connection:
            self.lock(connection, sorted({item.dossier_id for item, _ in steps}))
            rows = run(
                connection,
                "exchange/dispatch_steps",
                tenant=self.tenant,
                dossier_ids=[item.dossier_id for item, _ in steps],
                fences=[item.fence for item, _ in steps],
                step_keys=[step.key for _, step in steps],
                hashes=[step.hash for _, step in steps],
                lease_until=self._lease_until(now),
                now=now,
            )
            return {(row.dossier_id, row.step_key) for row in rows}

    def forget_steps(self, item: Item, keys: Collection[str]) -> None:
        """Forget owed steps of a leased dossier that nobody believes any more."""
        if keys:
            with self.engine.begin() as connection:
                self.lock(connection, [item.dossier_id])
                run(
                    connection,
                    "exchange/forget_steps",
                    tenant=self.tenant,
                    dossier_id=item.dossier_id,
                    fence=item.fence,
                    version=item.wanted.dossier.version,
                    step_keys=list(keys),
                )

    def count_doubts(self, dossier_ids: Sequence[str], rule: str) -> None:
        """Count a try without an answer for each of these that is still in doubt; too many park it."""
        if dossier_ids:
            with self.engine.begin() as connection:
                run(
                    connection,
                    "exchange/count_doubts",
                    tenant=self.tenant,
                    dossier_ids=list(dossier_ids),
                    most=self.settings.park_after,
                    rule=rule,
                    now=self.clock(),
                )

    def count_step_doubts(self, steps: Collection[tuple[str, str]]) -> None:
        """Count a try for each of these doubtful steps, (dossier id, step key)."""
        if steps:
            with self.engine.begin() as connection:
                self.lock(connection, sorted({dossier_id for dossier_id, _ in steps}))
                run(
                    connection,
                    "exchange/count_step_doubts",
                    tenant=self.tenant,
                    dossier_ids=[dossier_id for dossier_id, _ in steps],
                    step_keys=[key for _, key in steps],
                )

    def lock(self, connection: Connection, dossier_ids: Sequence[str]) -> None:
        """Lock some dossiers' rows in key order, as derive does, so that neither waits for the other in a circle."""
        run(connection, "exchange/lock_deliveries", tenant=self.tenant, dossier_ids=list(dossier_ids))

    def _lease_until(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self.settings.lease_s)

    def _claim(
        self, statement: str, standing: set[DeliveryState], parts: Mapping[str, bool], **values: Any
    ) -> tuple[list[Item], str | None]:
        """Those of the claimed dossiers that stand as they should; the others are given back."""
        now = self.clock()
        with self.engine.begin() as connection:
            rows = run(
                connection,
                statement,
                tenant=self.tenant,
                run_key=self.run_key,
                now=now,
                lease_until=self._lease_until(now),
                **values,
            )
            fences = {row.dossier_id: row.fence for row in rows}
            run(connection, "exchange/abandon_steps", tenant=self.tenant, dossier_ids=list(fences))
        last = max(fences) if len(fences) == values["size"] else None
        self._park_circling(fences)
        items = self._refresh(fences, parts)
        self.release([item for item in items if item.standing not in standing])
        return [item for item in items if item.standing in standing], last

    def _park_circling(self, fences: dict[str, int]) -> None:
        """A dossier that keeps coming back in one drain is our fault: better set aside than a drain without end."""
        self._turns.update(fences.keys())
        circling = {dossier_id: fence for dossier_id, fence in fences.items() if self._turns[dossier_id] > MOST_TURNS}
        if circling:
            with self.engine.begin() as connection:
                self.lock(connection, list(circling))
                run(
                    connection,
                    "exchange/park_circling",
                    tenant=self.tenant,
                    dossier_ids=list(circling),
                    fences=list(circling.values()),
                    rule=CIRCLING,
                    now=self.clock(),
                )
            for dossier_id in circling:
                del fences[dossier_id]

    def release(self, items: Sequence[Item]) -> None:
        """Give leases back: nothing of this turn is on the portal."""
        if items:
            with self.engine.begin() as connection:
                self.lock(connection, [item.dossier_id for item in items])
                run(
                    connection,
                    "exchange/release_deliveries",
                    tenant=self.tenant,
                    dossier_ids=[item.dossier_id for item in items],
                    fences=[item.fence for item in items],
                    keep_sent=False,
                )

    def _refresh(self, fences: dict[str, int], parts: Mapping[str, bool]) -> list[Item]:
        """Derive the leased dossiers again: what is sent is what is believed now, or nothing. Only `parts` of those are
        read that were derived from the same version, catalogue entry and mode.
        """
        if not fences:
            return []
        with self.engine.begin() as connection:
            modes = run(connection, "exchange/read_modes", tenant=self.tenant).scalar_one()

            def wanted_of(dossier_ids: Sequence[str], **parts: bool) -> dict[str, Wanted]:
                found = load_believed(connection, self.tenant, dossier_ids, **parts)
                return {d.dossier_id: sound(want(d, *standing(modes, d)), **parts) for d in found}

            page = wanted_of(sorted(fences), **parts)
            rows = self._read(connection, list(page))
            moved = [key for key, wanted in page.items() if key in rows and not _is_derived(rows[key], wanted)]
            if moved:
                page |= wanted_of(moved)
                store_wanted(connection, self.tenant, [page[key] for key in moved])
                rows |= self._read(connection, moved)
            return [
                Item(
                    row.fence,
                    DeliveryState(row.standing),
                    row.in_doubt,
                    row.acknowledged_before,
                    row.sent_before,
                    row.presence,
                    row.attempts,
                    None if row.wanted_hash is None else bytes(row.wanted_hash),
                    page[row.dossier_id],
                )
                for row in rows.values()
                if row.fence == fences[row.dossier_id] and not row.parked
            ]

    def _read(self, connection: Connection, dossier_ids: Sequence[str]) -> dict[str, Any]:
        rows = run(
            connection,
            "exchange/read_leased",
            tenant=self.tenant,
            dossier_ids=list(dossier_ids),
            run_key=self.run_key,
        )
        return {row.dossier_id: row for row in rows}


def _is_derived(row: Any, wanted: Wanted) -> bool:
    """Whether the delivery was derived from the same facts. Payload and steps follow from them, so their hashes are
    those that are kept.
    """
    dossier = wanted.dossier
    says: Mapping[str, Any] = row._mapping
    return (
        says["derived_version"] == dossier.version
        and says["dossier_code"] == dossier.dossier_code
        and says["source_id"] == dossier.source_id
        and says["procedure_revision"] == dossier.procedure.revision
        and says["mode"] == wanted.mode.value
        and says["hold"] == (wanted.hold.value if wanted.hold else None)
        and tuple(says["reasons"]) == wanted.reasons
        and says["recipe"] == PAYLOAD_RECIPE
    )
