"""Lists that come in pages, and services that are asked for a span of time: what they leave out or repeat shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lienthong.sources.kit.formats.garbled import GarbledError
from lienthong.sources.kit.http.session import SlowAnswerError


class RepeatedPageError(Exception):
    """A page that shows the same rows as the one before, or a list that has no end."""


@dataclass(frozen=True)
class Piece:
    """A part of a list: `keys` of its rows as the service tells them, the rows, and what it says about the whole.

    `total`: rows of the whole list or window, None when the service doesn't count. `last`: whether it is the end, None
    when the service doesn't say: then a piece that is not full is the last.
    """

    keys: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]
    total: int | None = None
    last: bool | None = None


def walk_pages(
    fetch: Callable[[int, int], Piece], size: int, *, smallest: int = 1, most_pages: int = 1_000_000
) -> Iterator[Piece]:
    """Pages from `fetch(offset, size)`, in order, until the last; a page that times out is asked for in halves.

    RepeatedPageError for a page of the same rows as the one before. Rows that move meanwhile may come twice: the caller
    keeps the newest of a key. SlowAnswerError when even the smallest page is too slow.
    """
    offset, before = 0, None
    for _ in range(most_pages):
        try:
            page = fetch(offset, size)
        except SlowAnswerError:
            if size <= smallest:
                raise
            size = max(size // 2, smallest)
            continue
        if page.keys and page.keys == before:
            raise RepeatedPageError(f"the rows from {offset} on are those of the page before")
        yield page
        offset += len(page.rows)
        if page.last is True or not page.rows or (page.last is None and _complete(page, offset, size)):
            if page.total is not None and offset < page.total:
                raise GarbledError(f"{offset} rows, though the list has {page.total}")
            return
        before = page.keys
    raise RepeatedPageError(f"more than {most_pages} pages")


def _complete(page: Piece, seen: int, size: int) -> bool:
    return seen >= page.total if page.total is not None else len(page.rows) < size


def read_windows(
    fetch: Callable[[datetime, datetime], Piece],
    start: datetime,
    end: datetime,
    step: timedelta,
    *,
    most_rows: int | None = None,
    smallest: timedelta = timedelta(days=1),
) -> Iterator[Piece]:
    """What `fetch` finds in [start, end), window by window of at most `step`, the oldest first.

    A window that holds more rows than the service returned (`total`, or as many as `most_rows`, the most that it ever
    gives), or that is too slow, is asked for in halves. GarbledError when the smallest window still is too full:
    nothing may be left out in silence.
    """
    at = start
    while at < end:
        until = min(at + step, end)
        yield from _window(fetch, at, until, most_rows, smallest)
        at = until


def _window(
    fetch: Callable[[datetime, datetime], Piece],
    start: datetime,
    end: datetime,
    most_rows: int | None,
    smallest: timedelta,
) -> Iterator[Piece]:
    splittable = end - start > smallest
    try:
        piece = fetch(start, end)
    except SlowAnswerError:
        if not splittable:
            raise
        piece = None
    if piece is not None and not _overflows(piece, most_rows):
        yield piece
        return
    if not splittable:
        told = len(piece.rows) if piece else 0
        raise GarbledError(f"a window of {start:%Y-%m-%d %H:%M} holds more than the {told} rows that it returns")
    # Whole smallest windows: services of days take no half of one.
    parts = max((end - start) // smallest, 2)
    middle = start + (end - start) / 2 if parts == 2 and (end - start) % smallest else start + smallest * (parts // 2)
    yield from _window(fetch, start, middle, most_rows, smallest)
    yield from _window(fetch, middle, end, most_rows, smallest)


def _overflows(piece: Piece, most_rows: int | None) -> bool:
    if piece.total is not None and piece.total > len(piece.rows):
        return True
    return most_rows is not None and len(piece.rows) >= most_rows
