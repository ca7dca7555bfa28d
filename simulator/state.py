"""What `python -m simulator` remembers between runs: which world it simulates and how far it has moved on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from simulator.opencps.advance import replay
from simulator.world import World


@dataclass(frozen=True)
class Move:
    """One `advance` that has happened."""

    province: str
    seed: int
    changes: int


@dataclass(frozen=True)
class State:
    """The arguments that make the world, and its moves in order."""

    seed: int
    size: int
    month: str
    moves: tuple[Move, ...] = ()

    def world(self) -> World:
        """The world as it stands now."""
        world = World.generate(self.seed, self.size, self.month)
        for move in self.moves:
            replay(world, move.province, move.seed, move.changes)
        return world

    def moved(self, move: Move) -> State:
        return replace(self, moves=(*self.moves, move))

    def same_world(self, other: State | None) -> bool:
        """Whether `other` differs in nothing but its moves."""
        return other is not None and replace(self, moves=()) == replace(other, moves=())


def ledger_path(folder: Path) -> Path:
    return folder / "ledger.sqlite"


def store_path(folder: Path) -> Path:
    return folder / "portal.sqlite"


def load(folder: Path) -> State | None:
    """The state kept in `folder`, or None."""
    path = folder / "world.json"
    if not path.exists():
        return None
    kept = json.loads(path.read_text(encoding="utf-8"))
    moves = tuple(Move(**move) for move in kept["moves"])
    return State(kept["seed"], kept["size"], kept["month"], moves)


def save(folder: Path, state: State) -> None:
    """Write the state in one step."""
    draft = folder / "world.json.draft"
    draft.write_text(json.dumps(asdict(state)), encoding="utf-8")
    draft.replace(folder / "world.json")
