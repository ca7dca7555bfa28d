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


def test_an_installation_can_give_single_dags_other_times(monkeypatch: pytest.MonkeyPatch) -> None:
    from lienthong.orchestration.defaults import effective_cron

    monkeypatch.setenv("LIENTHONG_SCHEDULES", "dossier_sync__igate_h21=1-59/5 * * * *; dossier_sync__*=*/5 * * * *;")
    assert effective_cron("*/30 * * * *", "dossier_sync__igate_h21") == "1-59/5 * * * *"
    assert effective_cron("*/30 * * * *", "dossier_sync__opencps_h17") == "*/5 * * * *"
    assert effective_cron("30 5 * * *", "index_scores") == "30 5 * * *"


@pytest.mark.parametrize("setting", ["on", "*/5 * * * *", "dossier_sync__*=", "dossier_sync__*=every five minutes"])
def test_a_setting_of_schedules_that_cannot_be_read_is_refused(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    from lienthong.model.errors import ContractError
    from lienthong.orchestration.defaults import schedule_at

    monkeypatch.setenv("LIENTHONG_SCHEDULES", setting)
    with pytest.raises(ContractError, match="LIENTHONG_SCHEDULES"):
        schedule_at("0 1 * * *", "dossier_sync__opencps_h17")
