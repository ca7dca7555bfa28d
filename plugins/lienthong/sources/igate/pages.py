"""One page of the search: is it what was asked for, and in what order do its dossiers stand."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from lienthong.sources.igate.dating import Dating, Item, Key


class GarbledError(ValueError):
    """The answer is not what the service gives. The message never quotes it."""


@dataclass(frozen=True)
class Page:
    """`size`: what the server really used. `total`: dossiers in the whole list, None when the server doesn't count."""

    number: int
    size: int
    items: tuple[Item, ...]
    last: bool
    total: int | None

    @property
    def start(self) -> int:
        """Place of its first item in the list, from 0."""
        return self.number * self.size

    @property
    def keys(self) -> tuple[Key, ...]:
        return tuple(item.key for item in self.items)


def page_of(body: Any, number: int, size: int, dating: Dating) -> Page:
    """The page in a decoded answer. GarbledError when it isn't one, is another one, or is shorter than it says."""
    content = body.get("content") if isinstance(body, dict) else None
    if not isinstance(content, list):
        raise GarbledError("JSON without a page of dossiers")
    used = _number(body.get("size")) or size
    if _number(body.get("number")) not in (None, number):
        raise GarbledError(f"page {body['number']} instead of page {number}")
    items = tuple(_item(raw, dating) for raw in content)
    total = _number(body.get("totalElements"))
    last = bool(body["last"]) if isinstance(body.get("last"), bool) else len(items) < used
    if len(items) > used or (not last and len(items) < used):
        raise GarbledError(f"{len(items)} dossiers on a page of {used} that is not the last")
    if last and total is not None and number * used + len(items) < total:
        raise GarbledError("called the last page, though the list is longer")
    if items and total is not None and number * used + len(items) > total:
        raise GarbledError("more dossiers than the list has")
    if dating.ordered and any(left.order < right.order for left, right in pairwise(items)):
        raise GarbledError(f"dossiers that are not sorted by {dating.path}, newest first")
    return Page(number, used, items, last, total)


def _item(raw: Any, dating: Dating) -> Item:
    if not isinstance(raw, dict) or not isinstance(raw.get("id"), str) or not raw["id"]:
        raise GarbledError("a dossier without an id")
    return dating.item(raw["id"], raw)


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
