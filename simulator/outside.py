"""The running outside world: one world, shown by databases and services, moved on while others read it."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import psycopg2

from simulator import sectors
from simulator import state as states
from simulator.changes import Change, replay
from simulator.feedback import Feedback, keeping
from simulator.igate import IgateServer
from simulator.ledger import update_ledger, write_ledger
from simulator.opencps.advance import write_changes
from simulator.workdays import HOUR
from simulator.world import World

Say = Callable[[str], None]


class Holder(Protocol):
    """A running sectoral system, or the folder of a unit without one."""

    def advance(self, seed: int, changes: int = 20, at: int = 0) -> list[Change]: ...


class Outside:
    """Keeps world, databases, services, ledger and the state on disk together. One process at a time."""

    def __init__(
        self, folder: Path, state: states.State, world: World, databases: Mapping[str, str],
        igates: Mapping[str, IgateServer], feedbacks: Mapping[str, Feedback] | None = None,
        holders: Mapping[str, Holder] | None = None,
    ) -> None:  # fmt: skip
        """`databases`: URL by province; `igates`: running server by province. A province may have neither.

        `feedbacks`: petitions and ratings by province; they move on with it. `holders`: what runs of the world's
        sectoral systems, by source id.
        """
        self.world = world
        self._folder, self._state = folder, state
        self._databases, self._igates, self._feedbacks = databases, igates, feedbacks or {}
        self._holders = holders or {}
        self._pending: defaultdict[str, set[int]] = defaultdict(set)
        self._lock = threading.Lock()

    def advance(self, province: str, seed: int, changes: int, at: int = 0) -> list[Change]:
        """Move one province (`changes.replay`) or sectoral system (`sectors.advance`) on, and show it.

        When its database can't be written (psycopg2.Error), what happened is kept in mind and written by the next call;
        a restart before that installs the database anew.
        """
        with self._lock:
            there = (*self.world.plans, *self.world.held)
            if province not in there:
                raise ValueError(f"no province {province}: there are {', '.join(there)}")
            if province in self._holders:
                made = self._holders[province].advance(seed, changes, at)
            elif province in self.world.held:
                made = sectors.advance(self.world, province, seed, changes, at)
            elif province in self._igates:
                made = self._igates[province].advance(seed, changes, at)
            else:
                made = replay(self.world, province, seed, changes, at)
            self._state = self._state.moved(states.Move(province, seed, changes, at))
            self._pending[province].update(change.dossier_id for change in made)
            self._settle(province)
            if province in self._feedbacks:
                keeping.advance(self._folder, self._feedbacks[province], seed, changes, at)
        return made

    def _settle(self, province: str) -> None:
        """Write what changed: database, ledger, state, in this order."""
        world, changed = self.world, self._pending[province]
        if province in self._databases:
            write_changes(world, province, self._databases[province], changed)
        ledger = states.ledger_path(self._folder)
        if not ledger.exists():
            write_ledger(world.ledger(), ledger, world.disagreements())
        elif province in world.held:
            entries = (world.holding(province, number) for number in sorted(changed))
            update_ledger(entries, ledger, world.disagreements())
        else:
            update_ledger((world.entry(world.plan(province, number)) for number in sorted(changed)), ledger)
        self._state = states.folded(self._folder, self._state, world)
        states.save(self._folder, self._state)
        states.tidy(self._folder, self._state)
        changed.clear()


class Live:
    """Lets all provinces move on in small portions, in a thread: `with Live(outside, …): …`.

    Everything that changes carries the present time of Vietnam. `every` seconds lie between two steps, each of which
    changes about `changes` dossiers of every province.
    """

    def __init__(self, outside: Outside, seed: int, every: float, changes: int, say: Say) -> None:
        self._outside, self._seed, self._every, self._changes, self._say = outside, seed, every, changes, say
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)

    def step(self) -> None:
        """Move every province once and say so in one line. What can't be written now is written later."""
        now = local_now()
        done = []
        for province in (*self._outside.world.plans, *self._outside.world.held):
            try:
                done.append(f"{province} {len(self._outside.advance(province, self._seed, self._changes, now))}")
            except (psycopg2.Error, sqlite3.Error, OSError) as error:
                done.append(f"{province} not written ({type(error).__name__})")
        self._say(f"live {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(now))}: {', '.join(done)}")

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            self.step()

    def __enter__(self) -> Live:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)


def local_now() -> int:
    """The present as an instant of `workdays`: Vietnam's wall clock."""
    return int(time.time()) + 7 * HOUR
