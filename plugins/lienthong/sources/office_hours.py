"""Telling a wrong time zone from when people work: changes in offices fall between 7 and 19 o'clock, Vietnam's time."""

from __future__ import annotations

from collections.abc import Sequence

OFFICE = range(7, 19)
#: Fewer changes than this tell nothing.
ENOUGH_CHANGES = 200


def inside(hours: Sequence[int], shift: int = 0) -> int:
    """Changes in office hours if all of them were `shift` hours later. `hours`: changes by hour of the day."""
    return sum(amount for hour, amount in enumerate(hours) if (hour + shift) % 24 in OFFICE)


def office_shift(hours: Sequence[int]) -> int:
    """By how many hours changes must move to fall into office hours; 0 when they do, or when nothing is clear.

    Only the mistake that happens is looked for: UTC taken for Vietnam's time (+7), or the other way round (−7).
    """
    total = sum(hours)
    if total < ENOUGH_CHANGES:
        return 0
    best = max((-7, 7), key=lambda shift: inside(hours, shift))
    return best if inside(hours, best) - inside(hours) > 0.25 * total else 0
