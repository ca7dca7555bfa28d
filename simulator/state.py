"""What `python -m simulator` remembers between runs: which world it simulates and how far it has moved on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from simulator.changes import replay
from simulator.sectors import advance
from simulator.snapshot import read_snapshot, write_snapshot
from simulator.world import World

#: From so many moves on the world is kept whole instead.
FOLD_AFTER = 500


@dataclass(frozen=True)
class Move:
    """One `advance` that has happened, of a province or of a sectoral system; `at` as in `changes.replay`."""

    province: str
    seed: int
    changes: int
    at: int = 0


@dataclass(frozen=True)
class State:
    """The arguments that make the world, and its moves in order. The first `folded` moves are in a snapshot."""

    seed: int
    size: int
    month: str
    provinces: tuple[str, ...] = ("H17", "H26")
    moves: tuple[Move, ...] = ()
    folded: int = 0
    held: tuple[str, ...] = ()

    def world(self, folder: Path) -> World:
        """The world as it stands now. ValueError when its snapshot can't be used."""
        world = World.generate(self.seed, self.size, self.month, provinces=self.provinces, held=self.held)
        if self.folded:
            read_snapshot(world, snapshot_path(folder, self.folded))
        for move in self.moves:
            if move.province in world.held:
                advance(world, move.province, move.seed, move.changes, move.at)
            else:
                replay(world, move.province, move.seed, move.changes, move.at)
        return world

    def moved(self, move: Move) -> State:
        return replace(self, moves=(*self.moves, move))

    def same_world(self, other: State | None) -> bool:
        """Whether `other` differs in nothing but its moves."""
        return other is not None and replace(self, moves=(), folded=0) == replace(other, moves=(), folded=0)


def ledger_path(folder: Path) -> Path:
    return folder / "ledger.sqlite"


def store_path(folder: Path) -> Path:
    return folder / "portal.sqlite"


def snapshot_path(folder: Path, moves: int) -> Path:
    return folder / f"world-{moves}.json"


def load(folder: Path) -> State | None:
    """The state kept in `folder`, or None."""
    path = folder / "world.json"
    if not path.exists():
        return None
    kept = json.loads(path.read_text(encoding="utf-8"))
    kept["moves"] = tuple(Move(**move) for move in kept["moves"])
    for name in {"provinces", "held"} & set(kept):
        kept[name] = tuple(kept[name])
    return State(**kept)


def save(folder: Path, state: State) -> None:
    """Write the state in one step."""
    draft = folder / "world.draft"
    draft.write_text(json.dumps(asdict(state)), encoding="utf-8")
    draft.replace(folder / "world.json")


def folded(folder: Path, state: State, world: World) -> State:
    """`state`, with its moves in a snapshot of `world` when they have become many; to be saved afterwards."""
    if len(state.moves) < FOLD_AFTER:
        return state
    done = replace(state, moves=(), folded=state.folded + len(state.moves))
    write_snapshot(world, snapshot_path(folder, done.folded))
    return done


def tidy(folder: Path, state: State) -> None:
    """Remove snapshots that the saved state no longer needs."""
    for leftover in folder.glob("world-*.json"):
        if leftover != snapshot_path(folder, state.folded):
            leftover.unlink()
