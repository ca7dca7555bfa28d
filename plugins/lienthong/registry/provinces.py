"""The provinces that the project lists: the senders that are known before any catalogue was read."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ListedProvince:
    """One line of the list. `admin_code`: as the statistics office numbers provinces."""

    tenant: str
    name: str
    admin_code: str


def read_provinces(path: Path) -> dict[str, ListedProvince]:
    """Tenant → province, in the order of the file. OSError when it isn't there."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return {row["tenant"]: ListedProvince(row["tenant"], row["name"], row["admin_code"]) for row in rows}
