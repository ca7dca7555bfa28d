"""How `make up` runs: what was chosen the first time holds until something else is chosen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path

from devstack.outside import WorldOptions
from devstack.ports import free_block
from lienthong.model.periods import Month

DEFAULT_PORT, DEFAULT_EVERY = 8080, 5
LONGEST_EVERY = 30
SCORES_EVERY = 15
WORLD_PORTS = 12
DESKS_FROM = 6  # how far behind the portal's the ports of petitions and ratings begin
LIVE_EVERY_S, LIVE_CHANGES = 30, 3
EARLIEST_WORLD = Month(2025, 12)  # the simulated life before the mergers of July 2025 is thin


@dataclass(frozen=True)
class Wishes:
    """What the caller asks for; None leaves it as it was, or to the default."""

    port: int | None = None
    every: int | None = None
    world: WorldOptions = field(default_factory=WorldOptions)


@dataclass(frozen=True)
class Settings:
    """`port` of Airflow, minutes between two loads of a source, and the first of the ports that serve the world."""

    port: int = DEFAULT_PORT
    every: int = DEFAULT_EVERY
    world_port: int = 0

    @classmethod
    def kept(cls, file: Path) -> Settings | None:
        """The settings of the last start, None when there was none."""
        return cls(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None

    @classmethod
    def settle(cls, last: Settings | None, wishes: Wishes) -> Settings:
        """What holds now: wishes, then what was kept, then the defaults."""
        last = last or cls(world_port=free_block(WORLD_PORTS))
        return replace(last, port=wishes.port or last.port, every=wishes.every or last.every)

    def keep(self, file: Path) -> None:
        """Remember these for the next start."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @property
    def world_ports(self) -> range:
        """The portal's and, behind it, those of the provinces that are served over HTTP."""
        return range(self.world_port, self.world_port + WORLD_PORTS)

    def serving(self) -> list[str]:
        """Options of the simulator: where it serves, and how fast life goes on."""
        ports = [f"--port={self.world_port}", f"--igate-port={self.world_port + 1}"]
        ports += [f"--desk-port={self.world_port + DESKS_FROM}"]
        return [*ports, f"--live-every={LIVE_EVERY_S}", f"--live-changes={LIVE_CHANGES}"]

    def schedules(self, syncs: Sequence[str]) -> str:
        """LIENTHONG_SCHEDULES: every source each `every` minutes, one after the other, scores a little later.

        The contracts keep their own schedules: a province is read every half an hour, too seldom to watch.
        """
        entries = [
            f"{dag_id}={number * self.every // len(syncs)}-59/{self.every} * * * *"
            for number, dag_id in enumerate(syncs)
        ]
        return "; ".join([*entries, f"index_scores={self.every - 1}-59/{max(SCORES_EVERY, self.every)} * * * *"])


def first_world(wishes: WorldOptions, now: datetime) -> WorldOptions:
    """A new world ends with the month before the running one, so that the days it moves on belong to this month."""
    return replace(wishes, month=wishes.month or str(max(Month.of(now).previous, EARLIEST_WORLD)))
