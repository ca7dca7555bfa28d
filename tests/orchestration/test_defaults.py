"""What all DAGs share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import REPO
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


def test_the_ticks_of_full_loads_stay_when_an_installation_gives_other_times_and_go_with_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from lienthong.orchestration.defaults import schedule_at

    def ticks() -> list[str]:
        timetable: Any = schedule_at("*/30 * * * *", "dossier_sync__opencps_h17", "0 1 * * 0")
        return [each.expression for each in timetable.timetables] if timetable else []

    monkeypatch.setenv("LIENTHONG_SCHEDULES", "dossier_sync__*=*/5 * * * *")
    assert ticks() == ["*/5 * * * *", "0 1 * * 0"]
    monkeypatch.setenv("LIENTHONG_SCHEDULES", "off")
    assert ticks() == []


@pytest.mark.parametrize("setting", ["on", "*/5 * * * *", "dossier_sync__*=", "dossier_sync__*=every five minutes"])
def test_a_setting_of_schedules_that_cannot_be_read_is_refused(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    from lienthong.model.errors import ContractError
    from lienthong.orchestration.defaults import schedule_at

    monkeypatch.setenv("LIENTHONG_SCHEDULES", setting)
    with pytest.raises(ContractError, match="LIENTHONG_SCHEDULES"):
        schedule_at("0 1 * * *", "dossier_sync__opencps_h17")


def test_a_failed_task_is_tried_again_four_times_after_the_minutes_that_the_runbook_names() -> None:
    """Airflow itself is asked; it doubles the delay each time and adds up to as much again, so that tasks that failed
    together don't come back together."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.providers.standard.operators.empty import EmptyOperator

    from lienthong.orchestration.defaults import TASK_DEFAULTS

    failed_at = datetime(2026, 11, 1, 1, tzinfo=UTC)

    def delay(task: str, failed_try: int) -> timedelta:
        instance = SimpleNamespace(
            task=EmptyOperator(task_id=task, **TASK_DEFAULTS),
            dag_id="dossier_sync__opencps_h17",
            task_id=task,
            logical_date=failed_at,
            try_number=failed_try,
            end_date=failed_at,
            retry_delay_override=None,
        )
        return TaskInstance.next_retry_datetime(instance) - failed_at

    assert "½, 1, 2 and 4 minutes" in (REPO / "docs" / "runbook-failures.md").read_text(encoding="utf-8")
    minutes = (0.5, 1, 2, 4)
    assert TASK_DEFAULTS["retries"] == len(minutes)
    for failed_try, named in enumerate(minutes, start=1):
        for task in ("extract", "stage", "gate", "merge", "push"):
            assert timedelta(minutes=named) <= delay(task, failed_try) < timedelta(minutes=2 * named)
