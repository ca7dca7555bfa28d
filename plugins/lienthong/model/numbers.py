"""Numbers as Vietnamese readers write them: dots between thousands, a comma before decimals."""

from __future__ import annotations

from decimal import Decimal

_SWAPPED = str.maketrans(",.", ".,")


def grouped(number: float | Decimal, decimals: int = 0) -> str:
    """1234567 → `1.234.567`; with two decimals 1234.5 → `1.234,50`."""
    return f"{number:,.{decimals}f}".translate(_SWAPPED)
