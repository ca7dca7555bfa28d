"""The way of the data through the real DAGs: catalogue, loads of each kind, deliveries, scores; each waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from devstack.airflow_api import AirflowApi, AirflowApiError, DagRun
from devstack.progress import Stages
from lienthong.model.kinds import KINDS, KindSpec
from lienthong.model.kinds.dossier import DOSSIER_KIND
from lienthong.model.numbers import grouped
from lienthong.model.sync_dags import source_of_dag, sync_dag

CATALOGUE, PUSH, SCORES = "catalogue_sync", "portal_push", "index_scores"
LOAD_TIMEOUT_S, PUSH_TIMEOUT_S, SCORE_TIMEOUT_S, DAGS_TIMEOUT_S = 600.0, 600.0, 300.0, 90.0
POLL_S = 0.4
STEP_LABELS = {
    "open_load": "mở lần nạp",
    "extract": "trích xuất",
    "stage": "chuẩn hoá",
    "gate": "kiểm tra chất lượng",
    "merge": "ghi vào kho",
}


@dataclass
class JourneyOutcome:
    """What a journey did: counts of each load, of each tenant's deliveries, the score run and its reports.

    A dossier that changes on its way is created once and updated later: `created` are dossiers, `updated` are not.
    """

    loads: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    delivered: dict[str, int] = field(default_factory=dict)
    created: int = 0
    updated: int = 0
    steps_sent: int = 0
    score_run: int | None = None
    reports: dict[str, str] = field(default_factory=dict)

    @property
    def rows_changed(self) -> int:
        """Rows that the loads inserted or updated, all entities."""
        return sum(
            int(row.get("inserted", 0)) + int(row.get("updated", 0))
            for load in self.loads.values()
            for row in load["counts"].values()
        )

    @property
    def nothing_new(self) -> bool:
        return not self.rows_changed and not sum(self.delivered.values()) and not self.steps_sent


class Journey:
    """One journey through an Airflow that was started at `since`.

    `watch` is called while waiting and raises when a process has ended; `deliveries` tells (delivered, still owed) from
    the warehouse. In a world that `moves_on` meanwhile, a schedule may load more while the push is waited for: that
    something is owed again is then no failure.
    """

    def __init__(
        self,
        api: AirflowApi,
        syncs: list[str],
        stages: Stages,
        *,
        since: datetime,
        watch: Callable[[], None],
        deliveries: Callable[[], tuple[int, int]],
        moves_on: bool = False,
    ) -> None:
        self._api = api
        self._syncs = syncs
        self._stages = stages
        self._since = since
        self._watch = watch
        self._deliveries = deliveries
        self._moves_on = moves_on
        self.outcome = JourneyOutcome()
        self._merged_at = datetime.min.replace(tzinfo=UTC)

    @property
    def dag_ids(self) -> set[str]:
        return {CATALOGUE, PUSH, SCORES, *self._syncs}

    def travel(self, month: str) -> JourneyOutcome:
        """All of it, in order; AirflowApiError names the DAG, the run and the task that failed."""
        with self._stages.stage("Chờ Airflow đọc các DAG"):
            self._api.wait_for_dags(self.dag_ids, DAGS_TIMEOUT_S, self._since, self._watch)
            for dag_id in sorted(self.dag_ids):
                self._api.abandon(dag_id)
            self._api.pause(CATALOGUE, False)
        with self._stages.stage("Đồng bộ danh mục TTHC quốc gia (catalogue_sync)"):
            self._api.wait(self._api.trigger(CATALOGUE), LOAD_TIMEOUT_S, self._watch)
        for dag_id in sorted(self.dag_ids - {CATALOGUE}):  # their schedules may start them from here on
            self._api.pause(dag_id, False)
        earlier = {run.run_id for run in self._api.runs(PUSH)}
        for kind in KINDS.values():
            syncs = [dag_id for dag_id in self._syncs if dag_id == sync_dag(kind.name, source_of_dag(dag_id) or "")]
            if syncs:
                with self._stages.stage(f"Nạp {kind.title_vi} ({kind.name}_sync)") as detail:
                    self._load(kind, syncs, detail)
        with self._stages.stage("Gửi lên Cổng Dịch vụ công quốc gia (portal_push)") as detail:
            self._wait_for_pushes(earlier, detail)
        with self._stages.stage(f"Tính Bộ chỉ số 766, tháng {month} (index_scores)"):
            self._score(month)
        return self.outcome

    def _load(self, kind: KindSpec, syncs: list[str], detail: Callable[[str], None]) -> None:
        runs = {source_of_dag(dag_id) or "": self._api.trigger(dag_id) for dag_id in syncs}
        before = self.outcome.rows_changed
        deadline = time.monotonic() + LOAD_TIMEOUT_S
        while not all(run.finished for run in runs.values()):
            self._watch()
            if time.monotonic() > deadline:
                raise AirflowApiError(f"the loads are not finished after {LOAD_TIMEOUT_S:.0f} s")
            runs = {source: self._api.run(run.dag_id, run.run_id) for source, run in runs.items()}
            detail("; ".join(f"{source} {self._step(run)}" for source, run in runs.items()))
            time.sleep(POLL_S)
        failed = [run for run in runs.values() if run.state != "success"]
        if failed:
            self._api.wait(failed[0], 0)  # raises and names the task
        for source, run in runs.items():
            self.outcome.loads[source] = self._api.xcom(run.dag_id, run.run_id, "merge")
            merge = next(task for task in self._api.tasks(run.dag_id, run.run_id) if task.task_id == "merge")
            if kind is DOSSIER_KIND:  # only dossiers are pushed
                self._merged_at = max(self._merged_at, merge.ended or self._merged_at)
        read = sum(int(self.outcome.loads[source]["counts"][kind.root.entity]["extracted"]) for source in runs)
        changed = self.outcome.rows_changed - before
        detail(f"đọc {grouped(read)} {kind.title_vi}, {grouped(changed)} bản ghi mới hoặc thay đổi")

    def _step(self, run: DagRun) -> str:
        if run.finished:
            return "xong" if run.state == "success" else "thất bại"
        for task in self._api.tasks(run.dag_id, run.run_id):
            if task.state == "up_for_retry":
                return f"{STEP_LABELS.get(task.task_id, task.task_id)}, chờ thử lại"
            if task.state in ("queued", "running"):
                return STEP_LABELS.get(task.task_id, task.task_id)
        return "chờ"

    def _wait_for_pushes(self, earlier: set[str], detail: Callable[[str], None]) -> None:
        """Pushes start by themselves, when a load has changed its asset; wait until none runs and nothing is owed."""
        deadline = time.monotonic() + PUSH_TIMEOUT_S
        while True:
            self._watch()
            runs = [run for run in self._api.runs(PUSH) if run.run_id not in earlier]
            delivered, owed = self._deliveries()
            confirmed = f"Cổng đã xác nhận tổng cộng {grouped(delivered)} hồ sơ, còn nợ {grouped(owed)}"
            detail(confirmed)
            # An event that comes while a push runs starts another one: the last has to begin after the last merge.
            if all(run.finished for run in runs) and any(run.begun and run.begun >= self._merged_at for run in runs):
                break
            if time.monotonic() > deadline:
                raise AirflowApiError(f"{PUSH}: {owed} dossiers are still owed after {PUSH_TIMEOUT_S:.0f} s")
            time.sleep(POLL_S)
        for run in runs:
            self._api.wait(run, 0)
            self._count(run)
        detail(
            f"gửi {grouped(self.outcome.created)} hồ sơ mới và {grouped(self.outcome.updated)} lần cập nhật trong lần "
            f"chạy này; {confirmed}"
        )
        if owed and not self._moves_on:
            raise AirflowApiError(f"{PUSH}: {owed} dossiers are still owed although every run ended well")

    def _count(self, run: DagRun) -> None:
        for task in self._api.tasks(run.dag_id, run.run_id):
            if task.task_id != "push_tenant" or task.index < 0:
                continue
            result = self._api.xcom(run.dag_id, run.run_id, task.task_id, task.index) or {}
            pushed = result.get("pushed", {})
            tenant = str(result.get("tenant"))
            self.outcome.delivered[tenant] = self.outcome.delivered.get(tenant, 0) + int(pushed.get("delivered", 0))
            self.outcome.created += int(pushed.get("created", 0))
            self.outcome.updated += int(pushed.get("updated", 0))
            self.outcome.steps_sent += int(pushed.get("steps_sent", 0))

    def _score(self, month: str) -> None:
        run = self._api.trigger(SCORES, {"month": month})
        self._api.wait(run, SCORE_TIMEOUT_S, self._watch)
        self.outcome.score_run = int(self._api.xcom(SCORES, run.run_id, "score_month"))
        self.outcome.reports = dict(self._api.xcom(SCORES, run.run_id, "publish_scores"))
