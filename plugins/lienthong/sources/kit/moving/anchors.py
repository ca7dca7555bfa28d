"""What stood at the top of a list at the last load says how far down the next one has to read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

#: Records that stood at the top of the list. A load goes on until most of them were met again.
ANCHORS, MOST_ANCHORS = 50, 0.8
#: So many anchors in their old order are no chance.
_RUN = 3


def most_met(anchors: Collection[str], met: int) -> bool:
    """Whether enough of the anchors were met to say that the list is read down to where it began before."""
    return met >= MOST_ANCHORS * len(anchors)


def above_anchors(keys: Iterable[str], anchors: Sequence[str]) -> frozenset[str]:
    """Which records of a list, topmost first, were written to since the anchors stood at its top.

    Everything above the place where it goes on as it was then: where several anchors follow in their old order.
    """
    places = {key: place for place, key in enumerate(anchors)}
    above: list[str] = []
    run, last = 0, -1
    for key in keys:
        place = places.get(key, -1)
        run = 0 if place < 0 else run + 1 if place > last else 1
        last = place
        above.append(key)
        if run == _RUN:
            return frozenset(above[:-_RUN])
    return frozenset(above)
