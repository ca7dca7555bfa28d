"""The province that the tests of freshness watch."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.freshness.world import Province

#: Thirty busy communes, from 8 to 37 dossiers a day.
COMMUNES = {f"H17.{101 + number}": 8.0 + number for number in range(30)}


@pytest.fixture
def province(warehouse: Engine, tmp_path: Path) -> Province:
    """Thirty communes with half a year of history up to yesterday; today is Thursday, 22 October 2026, 9 o'clock."""
    today = date(2026, 10, 22)
    province = Province(warehouse, tmp_path, today)
    province.agencies(*COMMUNES)
    province.history(COMMUNES, date(2026, 4, 1), date(2026, 10, 21))
    return province
