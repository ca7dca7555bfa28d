"""What a demo does before it starts anything: a world that is kept is never given up unasked."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from devstack.demo import Demo, DemoError
from devstack.outside import WorldOptions
from simulator.catalogue import PROVINCES
from simulator.state import State, save


@pytest.fixture
def var(tmp_path: Path) -> Path:
    """The folder of a demo that has run, with something that was loaded."""
    state = tmp_path / "world" / "state"
    state.mkdir(parents=True)
    save(state, State(766, 40, "2026-10", tuple(PROVINCES)))
    for name in ("landing", "reports"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "kept").touch()
    return tmp_path


def contents(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.mark.parametrize(
    "asked", [WorldOptions(size=41), WorldOptions(month="2026-09"), WorldOptions(seed=1)], ids=["size", "month", "seed"]
)
def test_another_world_is_refused_with_both_ways_on_and_nothing_is_touched(var: Path, asked: WorldOptions) -> None:
    before = contents(var)
    with pytest.raises(DemoError, match=r"size 40, seed 766, tháng 2026-10.*`make demo` .*`make demo-clean`"):
        Demo(Console(file=io.StringIO()), asked, var).run()
    assert contents(var) == before
