"""The volume guard: like with like. A full load is compared with full counts, a range with what can't have left it.

What an incremental load finds again in its overlap window is guarded by the source's profile while it reads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.engine import Connection

from lienthong.model.codes import LoadMode
from lienthong.model.errors import CollapsedExtractError
from lienthong.warehouse.ledger import Load
from lienthong.warehouse.statements import run

_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class GuardLimits:
    """Shares of what is known that must be found; 0 switches a guard off.

    Below `min_rows` only the complete loss of a source counts.
    """

    full_min_ratio: float
    range_min_ratio: float
    min_rows: int


def read_known(connection: Connection, load: Load) -> int:
    """Dossiers that a full or range load should find; of a range at most, because what is touched leaves it."""
    if load.mode is LoadMode.FULL:
        return _full_rows(connection, load)
    return _known_in_window(connection, load) if load.mode is LoadMode.RANGE else 0


def guard_volume(
    load: Load, known: int, found: int, limits: GuardLimits, read_until: datetime, looks_empty: Callable[[], bool]
) -> None:
    """CollapsedExtractError when a full or range load landed far fewer dossiers (`found`) than are `known`.

    A dossier that is modified again, or only touched, leaves a window by its end. So a range is compared by share only
    if its window ends after everything that was read (`read_until`, an hour later for clocks that differ). Any other
    range may rightly find less, or nothing: then the source is asked, and only one that `looks_empty` has collapsed.
    """
    if load.mode is LoadMode.FULL:
        few = found < limits.full_min_ratio * known if known >= limits.min_rows else found == 0 < known
        if limits.full_min_ratio and few:
            raise _collapsed(load, f"A full load found {found} dossiers, {known} are known of the source.")
    elif load.mode is LoadMode.RANGE and limits.range_min_ratio:
        assert load.window_to is not None, "a range load has a window"
        what = f"A range load found {found} dossiers, {known} are known to be last modified in its window."
        open_ended = load.window_to > read_until + _HOUR
        if open_ended and known >= limits.min_rows and found < limits.range_min_ratio * known:
            raise _collapsed(load, what)
        if found == 0 < known and looks_empty():
            raise _collapsed(load, f"{what} The source shows no dossier at all.")


def _collapsed(load: Load, what: str) -> CollapsedExtractError:
    return CollapsedExtractError(
        what,
        next_step="check the source (another database behind the connection? a purge?). If the loss is right, run "
        "the load again with accept_collapse (see docs/freshness-and-alerts.md). Nothing was loaded.",
        source=load.source_id,
        load=load.load_id,
    )


def accept_collapse(connection: Connection, load_id: int, now: datetime) -> None:
    """Remember that an engineer accepts whatever volume this load finds."""
    run(connection, "freshness/accept_collapse", load_id=load_id, now=now)


def is_collapse_accepted(connection: Connection, load_id: int) -> bool:
    """Whether an engineer accepts whatever volume this load finds."""
    return bool(run(connection, "freshness/is_collapse_accepted", load_id=load_id).scalar_one())


def _full_rows(connection: Connection, load: Load) -> int:
    rows = run(connection, "freshness/read_full_rows", tenant=load.tenant, source_id=load.source_id).scalar()
    return int(rows or 0)


def _known_in_window(connection: Connection, load: Load) -> int:
    """Whole hours inside the window, by the modifications that were merged: a touch that changes nothing is not."""
    assert load.window_from is not None, "a range load has a window"
    assert load.window_to is not None
    start, end = load.window_from.astimezone(UTC), load.window_to.astimezone(UTC)
    whole = start.replace(minute=0, second=0, microsecond=0)
    found = run(
        connection,
        "freshness/count_known_window",
        tenant=load.tenant,
        source_id=load.source_id,
        window_from=whole if whole == start else whole + _HOUR,
        window_to=end,
    ).scalar_one()
    return int(found)
