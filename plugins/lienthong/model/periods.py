"""Months as the portal counts them: calendar months in Asia/Ho_Chi_Minh (index-766 §4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from lienthong.model.errors import ArgumentError

BUSINESS_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month; `start` is its first instant, `end` the first instant of the next month."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """`2026-10` → Month(2026, 10); ArgumentError otherwise."""
        match = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", text)
        if not match:
            raise ArgumentError(f"{text!r} is not a month.", next_step="write YYYY-MM, e.g. 2026-10.", key="month")
        return cls(int(match.group(1)), int(match.group(2)))

    @classmethod
    def of(cls, instant: datetime) -> Month:
        local = instant.astimezone(BUSINESS_ZONE)
        return cls(local.year, local.month)

    @property
    def start(self) -> datetime:
        return datetime(self.year, self.month, 1, tzinfo=BUSINESS_ZONE)

    @property
    def next(self) -> Month:
        return Month(self.year + 1, 1) if self.month == 12 else Month(self.year, self.month + 1)

    @property
    def previous(self) -> Month:
        return Month(self.year - 1, 12) if self.month == 1 else Month(self.year, self.month - 1)

    @property
    def end(self) -> datetime:
        return self.next.start

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def label_vi(self) -> str:
        return f"tháng {self.month:02d}/{self.year}"
