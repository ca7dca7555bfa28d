"""What the simulator remembers: moves, and a snapshot when they have become many."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from devstack.postgres import Postgres
from simulator import state as states
from simulator.changes import ChangeKind
from simulator.defects import Defect
from simulator.opencps import install
from simulator.opencps.rows import dossier_row
from simulator.outside import Live, Outside, local_now
from simulator.state import Move, State
from simulator.world import World


def outside(folder: Path, state: State) -> Outside:
    return Outside(folder, state, state.world(folder), {}, {})


def same(one: World, other: World) -> bool:
    return (one.plans, one.moves, one.clocks, one.serials) == (other.plans, other.moves, other.clocks, other.serials)


def test_many_moves_are_folded_into_a_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "FOLD_AFTER", 4)
    start = State(3, 40, "2026-10", ("H17", "H21"))
    running = outside(tmp_path, start)
    moves = [Move("H17" if number % 2 else "H21", 1, 3, local_now() if number > 5 else 0) for number in range(11)]
    for move in moves:
        running.advance(move.province, move.seed, move.changes, move.at)
    kept = states.load(tmp_path)
    assert kept is not None
    assert (kept.folded, len(kept.moves)) == (8, 3)
    assert [path.name for path in tmp_path.glob("world-*.json")] == ["world-8.json"]
    unfolded = State(3, 40, "2026-10", ("H17", "H21"), tuple(moves)).world(tmp_path)
    assert same(kept.world(tmp_path), unfolded)
    assert same(running.world, unfolded)
    assert kept.same_world(start)


def test_a_lost_snapshot_is_one_clear_error(tmp_path: Path) -> None:
    state = State(3, 10, "2026-10", ("H21",), folded=500)
    with pytest.raises(ValueError, match=r"world-500\.json can't be read"):
        state.world(tmp_path)


def test_a_state_of_an_earlier_version_is_two_provinces(tmp_path: Path) -> None:
    text = '{"seed": 1, "size": 5, "month": "2026-10", "moves": [{"province": "H17", "seed": 2, "changes": 3}]}'
    (tmp_path / "world.json").write_text(text, encoding="utf-8")
    assert states.load(tmp_path) == State(1, 5, "2026-10", ("H17", "H26"), (Move("H17", 2, 3),))


def test_other_provinces_are_another_world() -> None:
    assert not State(1, 5, "2026-10", ("H21",)).same_world(State(1, 5, "2026-10", ("H21", "H13")))


def test_a_live_step_says_one_line_and_outlives_a_database_that_is_away(tmp_path: Path) -> None:
    state = State(3, 40, "2026-10", ("H17", "H21"))
    nobody = {"H17": "postgresql://nobody@127.0.0.1:1/none"}
    running = Outside(tmp_path, state, state.world(tmp_path), nobody, {})
    said: list[str] = []
    live = Live(running, 1, 60, 2, said.append)
    live.step()
    live.step()
    assert len(said) == 2
    assert all("H17 not written (OperationalError)" in line and "H21 2" in line for line in said)
    assert running.world.moves == {"H17": 2, "H21": 2}


def test_what_a_database_missed_is_written_later(
    postgres: Postgres, tmp_path: Path, ask: Callable[..., list[dict[str, Any]]]
) -> None:
    name = "simtest_missed"
    postgres.drop_database(name)
    postgres.create_database(name)
    state = State(3, 40, "2026-10", ("H17",))
    world = state.world(tmp_path)
    install(world, "H17", postgres.url(name))
    databases = {"H17": "postgresql://nobody@127.0.0.1:1/none"}
    running = Outside(tmp_path, state, world, databases, {})
    with pytest.raises(psycopg2.OperationalError):
        running.advance("H17", 1, 10)
    assert states.load(tmp_path) is None
    databases["H17"] = postgres.url(name)
    made = running.advance("H17", 1, 1)
    assert [change.kind for change in made] == [ChangeKind.LATE_IMPORT]
    rows = ask(postgres.url(name), 'SELECT "dossierId", "dossierStatus" FROM opencps_dossier ORDER BY 1')
    expected = [
        {
            "dossierId": plan.dossier_id,
            "dossierStatus": dossier_row(world.facts(plan), world.catalogue)["dossierStatus"],
        }
        for plan in world.plans["H17"]
        if plan.defect != Defect.ORPHAN_CHILD
    ]
    assert rows == expected
    kept = states.load(tmp_path)
    assert kept is not None
    assert len(kept.moves) == 2
    assert not install(world, "H17", postgres.url(name))
    postgres.drop_database(name)
