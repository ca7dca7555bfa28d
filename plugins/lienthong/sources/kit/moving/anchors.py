"""What stood at the top of a list at the last load says how far down the next one has to read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

#: Records that stood at the top of the list. A load goes on until most of them were met again.
ANCHORS, MOST_ANCHORS = 50, 0.8


def most_met(anchors: Collection[str], met: int) -> bool:
    """Whether enough of the anchors were met to say that the list is read down to where it began before."""
    return met >= MOST_ANCHORS * len(anchors)


def above_anchors(keys: Iterable[str], anchors: Sequence[str]) -> frozenset[str]:
    """Which records of a list, topmost first, were written to since the anchors stood at its top.

    Everything above the place from which on the anchors follow each other as they did, with nothing between them. Who
    was written to stands above those who were not; that a few of them stand in their old order says nothing.
    """
    listed = list(keys)
    places = {key: place for place, key in enumerate(anchors)}
    met = [number for number, key in enumerate(listed) if key in places]
    if not met:
        return frozenset(listed)
    end, last = 0, -1
    for number, key in enumerate(listed[: met[-1] + 1]):
        place = places.get(key, -1)
        if place < 0:
            end = number + 1
        elif place < last:
            end = number
        last = place
    return frozenset(listed[:end])
