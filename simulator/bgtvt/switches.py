"""How the list behaves where nobody could verify it."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.sectoral.switches import Switches


@dataclass(frozen=True)
class BgtvtSwitches(Switches):
    """Defaults are a well-behaved server; (U) marks answers to questions that nobody could verify."""

    max_rows: int = 0  # (U) with −1 as with any paging at most so many rows come, `total` says how many there are
    max_days: int = 0  # (U) windows longer than so many days get −303; 0 = any length
    shift_rows: int = 0  # rows lost between two pages: what was listed before has gone
