"""Moments, spans and numbers as Vietnamese readers write them."""

from __future__ import annotations

from datetime import datetime, timedelta

from lienthong.model.numbers import grouped
from lienthong.model.periods import BUSINESS_ZONE


def moment(instant: datetime) -> str:
    """`05/11/2026 08:00`, or only the day where it is midnight; Vietnam's time."""
    local = instant.astimezone(BUSINESS_ZONE)
    return local.strftime("%d/%m/%Y") if (local.hour, local.minute) == (0, 0) else minute(instant)


def minute(instant: datetime) -> str:
    """`05/11/2026 08:00`, also where it is midnight; Vietnam's time."""
    return instant.astimezone(BUSINESS_ZONE).strftime("%d/%m/%Y %H:%M")


def lasting(span: timedelta) -> str:
    """`3 ngày`, `5 giờ`, `12 phút`, `40 giây`: the largest unit, rounded down."""
    seconds = max(int(span.total_seconds()), 0)
    for unit, name in ((86_400, "ngày"), (3_600, "giờ"), (60, "phút")):
        if seconds >= unit:
            return f"{amount(seconds // unit)} {name}"
    return f"{seconds} giây"


def amount(number: float) -> str:
    """1234567 → 1.234.567; 2.5 → 2,5."""
    return grouped(number, 0 if number == int(number) else 1)
