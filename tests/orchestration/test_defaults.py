"""What all DAGs share."""

from __future__ import annotations

import pytest

from tests.orchestration import conftest as _environment  # noqa: F401  # before Airflow is imported

pytestmark = pytest.mark.xdist_group("airflow")


def test_schedules_are_on_unless_they_are_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    from lienthong.orchestration.defaults import schedule_at

    monkeypatch.delenv("LIENTHONG_SCHEDULES", raising=False)
    assert schedule_at("0 1 * * *") is not None
    monkeypatch.setenv("LIENTHONG_SCHEDULES", "off")
    assert schedule_at("0 1 * * *") is None
