"""How the register behaves where nobody could verify it."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.sectoral.switches import Switches


@dataclass(frozen=True)
class GplxSwitches(Switches):
    """Defaults are a well-behaved server; (U) marks answers to questions that nobody could verify."""

    session_ttl_s: float = 600.0  # (U) life of a session
    expired_code: int = -2  # (U) what a call with an old session gets
    expire_after_calls: int = 0  # every so many-th service call finds its session expired; 0 = never
    window_days: int = 3  # longer windows get −1
    max_rows: int = 100  # (U) at most so many rows come, without a word; 0 = all
