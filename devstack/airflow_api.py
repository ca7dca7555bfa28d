"""The part of Airflow's REST API that the demo and the tests use: health, unpause, trigger, wait, task states."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

POLL_S = 0.4
WITH_ERRORS_S = 15.0
HEALTHY = "healthy"
FINISHED = frozenset({"success", "failed"})


class AirflowApiError(RuntimeError):
    """Airflow refused a call, or a run did not end well or in time; the message names the DAG and the run."""


@dataclass(frozen=True)
class Dag:
    """One DAG; `next_at` is None when it has no schedule of its own or is paused."""

    dag_id: str
    paused: bool
    next_at: datetime | None


@dataclass(frozen=True)
class DagRun:
    """One run of a DAG; `state` is queued, running, success or failed."""

    dag_id: str
    run_id: str
    state: str
    kind: str
    begun: datetime | None

    @property
    def finished(self) -> bool:
        return self.state in FINISHED


@dataclass(frozen=True)
class TaskState:
    """One task of a run; `index` is -1 unless the task is mapped, `state` is None before it is scheduled."""

    task_id: str
    index: int
    state: str | None
    try_number: int
    ended: datetime | None


class AirflowApi:
    """A client of one api-server. Tokens are fetched on first use and again when they are refused."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=30.0, trust_env=False)
        self._login = {"username": user, "password": password}

    def heartbeats(self) -> dict[str, datetime]:
        """When each component last told that it works, as far as Airflow calls it healthy; empty when none answers.

        The api-server has no heartbeat: its answer is one.
        """
        try:
            answer = self._http.get("/api/v2/monitor/health", timeout=5.0)
        except httpx.TransportError:
            return {}
        if answer.status_code != httpx.codes.OK:
            return {}
        health = answer.json()
        if health["metadatabase"]["status"] != HEALTHY:
            return {}
        found = {"api-server": datetime.now(UTC)}
        for part in ("scheduler", "dag_processor", "triggerer"):
            told = health.get(part) or {}
            beat = _instant(told.get(f"latest_{part}_heartbeat"))
            if told.get("status") == HEALTHY and beat is not None:
                found[part.replace("_", "-")] = beat
        return found

    def dag_ids(self, since: datetime | None = None) -> set[str]:
        """Ids of all DAGs that are present; with `since` only those parsed after it, for Airflow remembers others."""
        found = self.call("GET", "/dags", params={"limit": 100})["dags"]
        parsed = {str(dag["dag_id"]): _instant(dag["last_parsed_time"]) for dag in found}
        return {dag_id for dag_id, at in parsed.items() if since is None or (at is not None and at >= since)}

    def dags(self) -> list[Dag]:
        """Every DAG that is present, by id."""
        found = self.call("GET", "/dags", params={"limit": 100, "order_by": "dag_id"})["dags"]
        return [
            Dag(str(raw["dag_id"]), bool(raw["is_paused"]), _instant(raw["next_dagrun_run_after"])) for raw in found
        ]

    def import_errors(self) -> dict[str, str]:
        """Message of each DAG file that can't be imported, by its name."""
        errors = self.call("GET", "/importErrors")["import_errors"]
        return {str(error["filename"]): str(error["stack_trace"]) for error in errors}

    def wait_for_dags(
        self, wanted: set[str], timeout: float, since: datetime | None = None, watch: Callable[[], None] | None = None
    ) -> None:
        """Return when all `wanted` DAGs are present and were parsed after `since`; `watch` may raise meanwhile.

        With import errors there is less to wait for: the missing DAG is most likely one of them.
        """
        begun = time.monotonic()
        while missing := wanted - self.dag_ids(since):
            if watch:
                watch()
            errors = self.import_errors()
            if time.monotonic() - begun > (min(timeout, WITH_ERRORS_S) if errors else timeout):
                told = "\n".join(f"{name}: {error}" for name, error in sorted(errors.items())) or "none"
                raise AirflowApiError(f"The DAGs {', '.join(sorted(missing))} do not appear. Import errors: {told}")
            time.sleep(POLL_S)

    def pause(self, dag_id: str, paused: bool) -> None:
        self.call("PATCH", f"/dags/{dag_id}", json={"is_paused": paused})

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None) -> DagRun:
        """Start a run now."""
        return _run(self.call("POST", f"/dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf or {}}))

    def run(self, dag_id: str, run_id: str) -> DagRun:
        return _run(self.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}"))

    def runs(self, dag_id: str, limit: int = 100) -> list[DagRun]:
        """The latest runs, newest first."""
        answer = self.call("GET", f"/dags/{dag_id}/dagRuns", params={"order_by": "-run_after", "limit": limit})
        return [_run(raw) for raw in answer["dag_runs"]]

    def abandon(self, dag_id: str) -> None:
        """Fail every run that has not ended: those of an interrupted demo would make new runs wait for minutes."""
        for run in self.runs(dag_id):
            if not run.finished:
                self.call("PATCH", f"/dags/{dag_id}/dagRuns/{run.run_id}", json={"state": "failed"})

    def tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        answer = self.call("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances", params={"limit": 100})
        return [
            TaskState(
                str(raw["task_id"]),
                int(raw["map_index"]),
                raw["state"],
                int(raw["try_number"]),
                _instant(raw["end_date"]),
            )
            for raw in answer["task_instances"]
        ]

    def xcom(self, dag_id: str, run_id: str, task_id: str, index: int = -1) -> Any:
        """What a task returned, None when it returned nothing."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        answer = self._send("GET", path, params={"map_index": index, "deserialize": False})
        return None if answer.status_code == httpx.codes.NOT_FOUND else _checked(answer)["value"]

    def wait(self, run: DagRun, timeout: float, watch: Callable[[], None] | None = None) -> DagRun:
        """The run once it has finished; AirflowApiError when it failed (with its tasks' states) or takes too long."""
        deadline = time.monotonic() + timeout
        while not (run := self.run(run.dag_id, run.run_id)).finished:
            if watch:
                watch()
            if time.monotonic() > deadline:
                raise AirflowApiError(f"{run.dag_id} {run.run_id} is still {run.state} after {timeout:.0f} s")
            time.sleep(POLL_S)
        if run.state != "success":
            bad = [task.task_id for task in self.tasks(run.dag_id, run.run_id) if task.state == "failed"]
            where = f"dag_id={run.dag_id}/run_id={run.run_id}"
            raise AirflowApiError(
                f"{run.dag_id} {run.run_id} failed in {', '.join(bad) or 'no task'}. Its logs: {where}"
            )
        return run

    def call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        """Any other call of the API; `path` follows /api/v2, the answer is JSON."""
        return _checked(self._send(method, path, **arguments))

    def _send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        if "Authorization" not in self._http.headers:
            self._log_in()
        answer = self._http.request(method, f"/api/v2{path}", **arguments)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._log_in()
            answer = self._http.request(method, f"/api/v2{path}", **arguments)
        return answer

    def _log_in(self) -> None:
        token = _checked(self._http.post("/auth/token", json=self._login))["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"


def _checked(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error:
        raise AirflowApiError(
            f"{answer.request.method} {answer.request.url.path} gave {answer.status_code}: {answer.text[:500]}"
        )
    parsed: dict[str, Any] = answer.json() if answer.content else {}
    return parsed


def _run(raw: dict[str, Any]) -> DagRun:
    return DagRun(
        str(raw["dag_id"]), str(raw["dag_run_id"]), str(raw["state"]), str(raw["run_type"]), _instant(raw["start_date"])
    )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
