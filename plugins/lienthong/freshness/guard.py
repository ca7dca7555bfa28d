"""The volume guard: like with like. A full load is compared with full counts, a range with what is known of the range.

What an incremental load finds again in its overlap window is guarded by the source's profile while it reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.engine import Connection

from lienthong.freshness.volumes import read_coverage
from lienthong.model.codes import LoadMode
from lienthong.model.errors import CollapsedExtractError
from lienthong.warehouse.ledger import Load
from lienthong.warehouse.statements import run

_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class GuardLimits:
    """Shares of what is known that must be found; 0 switches a guard off. Below `min_rows` only the complete loss of a
    source counts.

    `overlap`: a range is compared by share only while the warehouse is not further behind the source than this: what
    is modified again leaves the range.
    """

    full_min_ratio: float
    range_min_ratio: float
    min_rows: int
    overlap: timedelta


def guard_volume(connection: Connection, load: Load, found: int, limits: GuardLimits, observed_at: datetime) -> None:
    """CollapsedExtractError when a full or range load landed far fewer dossiers (`found`) than are known.

    `observed_at`: the source's clock when the load read it.
    """
    if load.mode is LoadMode.FULL:
        known, ratio = _full_rows(connection, load), limits.full_min_ratio
        what = f"A full load found {found} dossiers, {known} are known of the source."
    elif load.mode is LoadMode.RANGE:
        known, ratio = _known_in_window(connection, load), limits.range_min_ratio
        coverage = read_coverage(connection, load.tenant, load.source_id)
        if ratio and (coverage is None or observed_at - coverage.observed_at > limits.overlap):
            ratio = 1e-9  # many may have been modified since, and so have left the range; not all of them
        what = f"A range load found {found} dossiers, {known} are known to be last modified in its window."
    else:
        return
    # A handful of dossiers may well have left a range; a source doesn't lose all it had.
    lost = found < ratio * known if known >= limits.min_rows else load.mode is LoadMode.FULL and known > found == 0
    if ratio and lost:
        raise CollapsedExtractError(
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
    """A lower bound: whole hours inside the window."""
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
