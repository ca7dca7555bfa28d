"""Named random streams: the same seed and names give the same draws on every machine, whatever else was drawn."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import TypeVar

T = TypeVar("T")


def stream(seed: int, *names: object) -> Random:
    """A generator of its own for `names`; independent of every other stream of the same seed."""
    text = "/".join(str(part) for part in (seed, *names))
    return Random(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def pick(rng: Random, items: Sequence[T]) -> T:
    """One item, evenly. Uses `random()` only: its sequence is the part of Random that Python promises to keep."""
    return items[int(rng.random() * len(items))]


def between(rng: Random, low: int, high: int) -> int:
    """An integer in [low, high], evenly."""
    return low + int(rng.random() * (high - low + 1))


class Weighted:
    """Draws indices with the given weights in O(log n)."""

    def __init__(self, weights: Sequence[float]) -> None:
        self._sums = list(accumulate(weights))

    def draw(self, rng: Random) -> int:
        return min(bisect_right(self._sums, rng.random() * self._sums[-1]), len(self._sums) - 1)
