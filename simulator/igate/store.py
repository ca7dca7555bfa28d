"""One province's dossiers in iGate's order, newest change first, while they go on changing."""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections.abc import Iterable

from simulator.changes import Change, replay
from simulator.igate.items import updated_at
from simulator.plans import Plan
from simulator.world import World


class Store:
    """The world's plans of one province, sorted by (updatedDate, dossierId). Keeps two numbers per dossier.

    Items are made when they are asked for. `lock` guards the order and the plans behind it: take it to read several
    dossiers of one moment, or to move the world.
    """

    def __init__(self, world: World, province: str) -> None:
        self.world, self.province = world, province
        self.lock = threading.RLock()
        self.version = 0  # rises with every change
        self._updated: dict[int, int] = {}
        self._touches: dict[int, int] = {}
        self._order: list[tuple[int, int]] = []
        self.refresh()

    def refresh(self, dossier_ids: Iterable[int] | None = None) -> None:
        """Take over what changed in the world: the named dossiers, or all."""
        with self.lock:
            plans = self.world.plans[self.province]
            if dossier_ids is None:
                self._updated = {plan.dossier_id: self._moment(plan) for plan in plans}
                self._order = sorted((moment, number) for number, moment in self._updated.items())
            else:
                for number in dossier_ids:
                    self._place(number)
            self.version += 1

    def advance(self, seed: int, changes: int = 20, at: int = 0) -> list[Change]:
        """Move the world on (`changes.replay`) between two requests."""
        with self.lock:
            made = replay(self.world, self.province, seed, changes, at)
            self.refresh({change.dossier_id for change in made})
        return made

    def touch(self, dossier_id: int) -> None:
        """A job rewrites one dossier without changing it: it becomes the newest."""
        with self.lock:
            self._touches[dossier_id] = self.newest + 1
            self.refresh((dossier_id,))

    def plan(self, dossier_id: int) -> Plan:
        """KeyError when there is none."""
        return self.world.plan(self.province, dossier_id)

    def updated(self, dossier_id: int) -> int:
        """updatedDate as a local instant."""
        return self._updated[dossier_id]

    def newest_first(self) -> list[int]:
        """All dossierIds by (updatedDate, dossierId) descending."""
        return [number for _, number in reversed(self._order)]

    @property
    def newest(self) -> int:
        """The newest updatedDate."""
        return self._order[-1][0]

    def __len__(self) -> int:
        return len(self._order)

    def _moment(self, plan: Plan) -> int:
        return max(updated_at(plan), self._touches.get(plan.dossier_id, 0))

    def _place(self, number: int) -> None:
        before = self._updated.get(number)
        if before is not None:
            del self._order[bisect_left(self._order, (before, number))]
        self._updated[number] = moment = self._moment(self.plan(number))
        insort(self._order, (moment, number))
