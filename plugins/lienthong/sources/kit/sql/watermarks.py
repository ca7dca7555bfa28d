"""How far a table has been read, and whether what was there at the last load still is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from lienthong.landing import Watermark
from lienthong.model.errors import CollapsedExtractError
from lienthong.sources.contract import SourceContract
from lienthong.sources.kit.sql import statements
from lienthong.sources.kit.sql.database import SourceDatabase
from lienthong.sources.kit.sql.schema import BoundTable, SourceClock


def overlap_start(mark: Watermark, overlap: timedelta, clock: SourceClock) -> datetime | None:
    """The source's time from which an incremental load reads again; None: from the beginning."""
    return clock.to_source(mark.modified_at - overlap) if mark.modified_at else None


def survey(
    source: SourceDatabase, contract: SourceContract, bound: BoundTable, before: Watermark | None, now: datetime
) -> Watermark:
    """The table's watermark as of now, after checking that what the last load saw is still there.

    `now` bounds the watermark: a row dated in the future must not make later rows look old.
    CollapsedExtractError when the table is empty though it had rows, or the overlap window lost too many.
    After the first load only the overlap window is looked at: the table is a live system's, and large.
    """
    clock = bound.clock(contract.zone)
    seen_from = overlap_start(before, contract.overlap, clock) if before else None
    last_key = source.row(statements.last_key(bound)).last_key
    upper = clock.to_source(now)
    found = source.row(statements.recent(bound, upper, seen_from, before.last_key if before else None))
    if before is not None:
        _guard(source, contract, before, last_key is None, int(found.found_again))
    if found.modified_at is None and seen_from is not None:  # the window was lost, and that is accepted
        found = source.row(statements.recent(bound, upper, None, None))
    modified_at = found.modified_at
    if modified_at is None:
        return Watermark(bound.name, None, _text(last_key), 0)
    overlap_rows = source.row(statements.count_window(bound, modified_at - contract.overlap, modified_at)).rows
    return Watermark(bound.name, clock.to_instant(modified_at), _text(last_key), int(overlap_rows))


def survey_reference(
    source: SourceDatabase, contract: SourceContract, bound: BoundTable, before: Watermark | None
) -> Watermark:
    """Reference tables are read whole, so their watermark is only the number of rows, guarded in the same way."""
    rows = int(source.row(statements.count_all(bound)).rows)
    if before is not None:
        _guard(source, contract, before, not rows, rows)
    return Watermark(bound.name, None, None, rows)


def _text(key: object) -> str | None:
    return None if key is None else str(key)


def is_first_load(tables: tuple[BoundTable, ...], watermarks: Mapping[str, Watermark]) -> bool:
    """Whether any table was never read: then everything is."""
    return any(table.name not in watermarks for table in tables)


def _guard(source: SourceDatabase, contract: SourceContract, before: Watermark, empty: bool, found_again: int) -> None:
    guard = contract.volume_guard
    had = before.overlap_rows
    if guard.overlap_min_ratio == 0:
        return
    if empty and before.last_key is not None:
        what = f"Table {before.table} is empty, though the last load found rows in it."
    elif (had and not found_again) or (had >= guard.min_rows and found_again < guard.overlap_min_ratio * had):
        what = (
            f"Table {before.table}: of {had} rows that the last load saw in its overlap window, {found_again} are left."
        )
    else:
        return
    raise CollapsedExtractError(
        what,
        next_step="check the source (another database behind the connection? a purge?). If the loss is right, or the "
        "contract's overlap was shortened, set volume_guard.overlap_min_ratio to 0 for one load. Nothing was loaded.",
        source=contract.source_id,
        load=source.load,
        key=before.table,
    )
