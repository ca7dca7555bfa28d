"""What a journey tells while it waits, over an Airflow whose answers are given."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from rich.console import Console

from devstack.airflow_api import AirflowApi, DagRun, TaskState
from devstack.journey import Journey
from devstack.progress import Stages

BEGUN = datetime(2026, 11, 1, 8, tzinfo=UTC)


class Pushes:
    """Airflow after one push of two provinces that created and updated as many dossiers as said."""

    def __init__(self, *sent: tuple[int, int]) -> None:
        self._sent = sent

    def runs(self, dag_id: str) -> list[DagRun]:
        return [DagRun(dag_id, run_id, "success", "asset_triggered", BEGUN) for run_id in ("yesterday", "now")]

    def wait(self, run: DagRun, timeout: float) -> DagRun:
        return run

    def tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        return [TaskState("push_tenant", index, "success", 1, BEGUN) for index in range(len(self._sent))]

    def xcom(self, dag_id: str, run_id: str, task_id: str, index: int) -> Any:
        assert run_id != "yesterday"
        created, updated = self._sent[index]
        return {
            "tenant": f"H{index}",
            "pushed": {"delivered": created + updated, "created": created, "updated": updated},
        }


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (((0, 0), (0, 0)), "0 hồ sơ mới và 0 lần cập nhật"),
        (((3_000, 3), (2_490, 1)), "5.490 hồ sơ mới và 4 lần cập nhật"),
    ],
)
def test_a_journey_tells_what_it_sent_itself_besides_what_the_portal_confirmed_in_all(
    sent: tuple[tuple[int, int], ...], told: str
) -> None:
    journey = Journey(
        cast(AirflowApi, Pushes(*sent)),
        [],
        Stages(Console(file=io.StringIO())),
        since=BEGUN,
        watch=lambda: None,
        deliveries=lambda: (5_490, 0),
    )
    details: list[str] = []
    journey._wait_for_pushes({"yesterday"}, details.append)
    assert details[-1] == (
        f"gửi {told} trong lần chạy này; Cổng đã xác nhận tổng cộng 5.490 hồ sơ, còn nợ 0"
    )  # fmt: skip
