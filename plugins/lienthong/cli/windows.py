"""What `lienthong load` was asked to read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lienthong.model.codes import LoadMode
from lienthong.model.errors import ArgumentError
from lienthong.model.instants import read_instant


@dataclass(frozen=True)
class LoadWindow:
    """Mode of a load and, for a range, both of its ends (aware; the end is left out)."""

    mode: LoadMode
    window_from: datetime | None = None
    window_to: datetime | None = None


def load_window(mode: str | None, since: str | None, until: str | None) -> LoadWindow:
    """Read the options; both ends without a mode are a range. ArgumentError says what is missing or contradicts."""
    if mode is not None and mode not in list(LoadMode):
        raise ArgumentError(f"There is no mode {mode!r}.", next_step=f"choose one of {', '.join(LoadMode)}.")
    chosen = LoadMode(mode) if mode else LoadMode.RANGE if since or until else LoadMode.INCREMENTAL
    if chosen is not LoadMode.RANGE:
        if since or until:
            raise ArgumentError(
                f"A load in mode {chosen} takes neither --from nor --to.",
                next_step="leave them out, or choose --mode range.",
            )
        return LoadWindow(chosen)
    if not (since and until):
        raise ArgumentError(
            "A range has two ends.", next_step="give both, e.g. --from 2026-10-01 --to 2026-10-08 (the 8th left out)."
        )
    start, end = read_instant(since), read_instant(until)
    if start >= end:
        raise ArgumentError(
            f"The range from {since} to {until} is empty.", next_step="give an end that lies after the start."
        )
    return LoadWindow(chosen, start, end)
