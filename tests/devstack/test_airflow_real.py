"""A real Airflow with its scheduler over a small simulated world; everything is triggered through its API.

The tests of this module share one Airflow and build on each other's loads, in the order in which they are written.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from rich.console import Console
from sqlalchemy import Engine, text

from devstack.airflow import AirflowHome
from devstack.airflow_api import AirflowApi, AirflowApiError, DagRun
from devstack.journey import PUSH, Journey, JourneyOutcome
from devstack.logins import role_urls
from devstack.outside import OutsideWorld, Ready, WorldOptions
from devstack.postgres import Postgres
from devstack.processes import stat
from devstack.progress import Stages
from lienthong.exchange.summary import delivery_summary
from lienthong.model.codes import DeliveryState
from lienthong.model.kinds import KINDS
from lienthong.model.sync_dags import source_of_dag
from lienthong.warehouse.engine import engine_for
from tests.logins import PASSWORDS

pytestmark = [pytest.mark.xdist_group("airflow"), pytest.mark.timeout(420)]

REPO = Path(__file__).resolve().parents[2]
MONTH, SIZE = "2026-10", 120
#: One province of each kind of system and a source of each kind of record: each further one costs more tasks.
TENANTS = ("H17", "H21")
SOURCES = ("opencps_h17", "igate_h21", "pakn_h17", "rating_h17")


@dataclass(frozen=True)
class Stack:
    """Everything that runs, and the folder of contracts that its DAGs are made from."""

    airflow: AirflowHome
    world: Ready
    warehouse: Engine
    contracts: Path
    started_at: datetime

    @property
    def api(self) -> AirflowApi:
        return self.airflow.api

    def journey(self) -> Journey:
        stages = Stages(Console(file=io.StringIO()))
        return Journey(
            self.api,
            [dag_id for dag_id in self.world.syncs if source_of_dag(dag_id) in SOURCES],
            stages,
            since=self.started_at,
            watch=self.airflow.check,
            deliveries=self.deliveries,
        )

    def deliveries(self) -> tuple[int, int]:
        states = [delivery_summary(self.warehouse, tenant).states for tenant in TENANTS]
        return sum(each[DeliveryState.ACKNOWLEDGED] for each in states), sum(
            each[DeliveryState.OWED] for each in states
        )

    def rows(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        with self.warehouse.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), parameters)]

    def logs(self, dag_id: str, task_id: str) -> list[Path]:
        """The log files of a task's tries, oldest first."""
        found = (self.airflow.folder / "logs").glob(f"dag_id={dag_id}/**/task_id={task_id}/**/*.log")
        return sorted(found, key=lambda path: path.stat().st_mtime)

    def until(self, look: Callable[[], Any]) -> Any:
        """What `look` gives once that is true; the test's own time limit ends a wait in vain."""
        while not (found := look()):
            self.airflow.check()
            time.sleep(0.3)
        return found

    def finished(self, run: DagRun) -> DagRun:
        """The run once it has ended, well or not."""
        return self.until(lambda: (now := self.api.run(run.dag_id, run.run_id)).finished and now)


@pytest.fixture(scope="module")
def stack(
    postgres: Postgres, warehouse_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:  # fmt: skip
    folder = tmp_path_factory.mktemp("real")
    contracts = folder / "sources"
    contracts.mkdir()
    for source_id in SOURCES:
        shutil.copy(REPO / "include" / "sources" / f"{source_id}.yaml", contracts)
    for name, template in (("real_warehouse", warehouse_template), ("real_airflow", "template0")):
        postgres.drop_database(name)
        postgres.create_database(name, template)
    outside = OutsideWorld(folder / "world", REPO, folder / "logs")
    first = AirflowHome(folder / "airflow", postgres.url("real_airflow"), REPO, parse_every_s=5)
    running = first
    try:
        first.prepare()
        first.begin_migration()
        outside.begin(postgres.url("postgres"), WorldOptions(SIZE, 7, MONTH, TENANTS), os.environ)
        world = outside.finish()
        first.finish_migration()
        variables = world.connections(role_urls(postgres.url("real_warehouse"), PASSWORDS)) | {
            "LIENTHONG_VAR": str(folder / "var"),
            "LIENTHONG_SOURCES": str(contracts),
        }
        running = AirflowHome(first.folder, first.database_url, REPO, environment=variables, parse_every_s=5)
        running.prepare()
        started_at = datetime.now(UTC)
        running.start()
        yield Stack(running, world, engine_for(postgres.url("real_warehouse")), contracts, started_at)
    finally:
        running.stop()
        outside.stop()


@pytest.fixture(scope="module")
def first(stack: Stack) -> JourneyOutcome:
    """What the first journey through all DAGs did."""
    return stack.journey().travel(MONTH)


def test_the_dags_bring_the_dossiers_from_the_provinces_to_the_portal(stack: Stack, first: JourneyOutcome) -> None:
    assert sorted(first.loads) == sorted(SOURCES)
    assert {kind for load in first.loads.values() for kind in KINDS if kind in load["counts"]} == set(KINDS)
    for load in first.loads.values():
        for entity, counts in load["counts"].items():
            assert counts["extracted"] == sum(count for outcome, count in counts.items() if outcome != "extracted"), (
                entity
            )
    delivered, owed = stack.deliveries()
    assert owed == 0
    assert 0 < delivered == sum(first.delivered.values())


def test_the_scores_of_the_month_arrive_with_their_workbook(stack: Stack, first: JourneyOutcome) -> None:
    units = stack.rows("SELECT DISTINCT tenant FROM indices.unit_score WHERE run_id = :id", id=first.score_run)
    assert sorted(units) == [(tenant,) for tenant in TENANTS]
    assert stack.rows("SELECT month FROM indices.score_run WHERE run_id = :id", id=first.score_run) == [(MONTH,)]
    assert Path(first.reports["workbook"]).stat().st_size > 0


def test_a_second_journey_finds_nothing_new(stack: Stack, first: JourneyOutcome) -> None:
    assert not first.nothing_new
    assert stack.journey().travel(MONTH).nothing_new


def test_half_a_range_is_refused_before_there_is_a_run(stack: Stack, first: JourneyOutcome) -> None:
    dag_id = "dossier_sync__opencps_h17"
    before = len(stack.api.runs(dag_id))
    for mode in ("range", "2026-10-01", "2026-10-01/"):
        with pytest.raises(AirflowApiError, match="gave 400"):
            stack.api.trigger(dag_id, {"mode": mode})
    assert len(stack.api.runs(dag_id)) == before


def test_the_log_of_every_task_says_first_what_it_did_and_then_the_counts(stack: Stack, first: JourneyOutcome) -> None:
    wanted: dict[str, dict[str, Any]] = {
        "freshness": {},
        "portal_shadow": {"tenant": "H17", "limit": 5},
        "portal_adopt": {"tenant": "H17", "limit": 5},
        "index_scores_final": {"month": MONTH},
    }
    for dag_id in wanted:
        stack.api.pause(dag_id, False)
    for run in [stack.api.trigger(dag_id, conf) for dag_id, conf in wanted.items()]:
        stack.api.wait(run, 120, stack.airflow.check)
    ended = [path for path in stack.logs("*", "*") if any("Post Execute" in line["event"] for line in _lines(path))]
    found = {path: _said(path) for path in ended}  # schedules are on: another load may be running
    assert {_part(path, "dag_id") for path in found} == stack.api.dag_ids()
    for path, said in found.items():
        assert len(said) > 1, path
        assert re.match(r"(Đã|Sẽ|Không|Chưa) ", said[0]), (path, said[0])
        assert re.search(r"\d", " ".join(said)), path
    gate = _said(stack.logs("dossier_sync__opencps_h17", "gate")[0])
    assert re.search(r": [1-9]\d* quy tắc đạt, [1-9]\d* quy tắc không đạt\.$", gate[0])
    assert re.match(r"Hồ sơ bị cách ly: \d+, bị chặn gửi: [1-9]\d*; ", gate[1])
    assert len(gate) > 3


def test_what_changed_is_told_with_the_assets(stack: Stack, first: JourneyOutcome) -> None:
    events = stack.api.call("GET", "/assets/events", params={"limit": 100})["asset_events"]
    told = {event["name"] for event in events}
    of_all = {f"{records}-{tenant}" for records in ("dossiers", "quality") for tenant in TENANTS}
    assert told == of_all | {"petitions-H17", "ratings-H17", "scores"}
    sources = {event["extra"]["source_id"] for event in events if event["name"] == "quality-H17"}
    assert sources == {"opencps_h17", "pakn_h17", "rating_h17"}
    kinds = {(event["extra"]["month"], event["extra"]["kind"]) for event in events if event["name"] == "scores"}
    assert kinds >= {(MONTH, "final")}


def test_a_backfills_interval_becomes_a_range_load(stack: Stack, first: JourneyOutcome) -> None:
    body = {
        "dag_id": "dossier_sync__opencps_h17",
        "from_date": "2026-10-05T01:00:00Z",
        "to_date": "2026-10-05T01:00:00Z",
        "reprocess_behavior": "none",
        "max_active_runs": 1,
    }

    def marks() -> list[tuple[Any, ...]]:
        return stack.rows(
            "SELECT table_name, modified_at, last_key FROM ops.watermark WHERE source_id = 'opencps_h17' ORDER BY 1"
        )

    before = marks()
    stack.api.call("POST", "/backfills", json=body)
    runs = stack.until(lambda: [run for run in stack.api.runs(body["dag_id"]) if run.kind == "backfill"])
    assert stack.finished(runs[0]).state == "success"
    ranges = stack.rows(
        "SELECT run_key, window_from, window_to FROM ops.load WHERE mode = 'range' AND state = 'merged'"
    )
    tick = datetime(2026, 10, 5, 1, tzinfo=UTC)
    assert ranges == [(f"{runs[0].dag_id}/{runs[0].run_id}", tick - timedelta(minutes=30), tick)]
    assert marks() == before


def test_a_new_province_without_its_connections_fails_alone(stack: Stack, first: JourneyOutcome) -> None:
    contract = (stack.contracts / "opencps_h17.yaml").read_text(encoding="utf-8")
    contract = contract.replace("h17", "h57").replace("H17", "H57")
    (stack.contracts / "opencps_h57.yaml").write_text(contract, encoding="utf-8")
    stack.api.wait_for_dags({"dossier_sync__opencps_h57"}, 120, watch=stack.airflow.check)
    stack.api.pause("dossier_sync__opencps_h57", False)
    run = stack.api.trigger("dossier_sync__opencps_h57")
    with pytest.raises(AirflowApiError, match="failed in extract"):
        stack.api.wait(run, 120, stack.airflow.check)
    tried = {task.task_id: task.try_number for task in stack.api.tasks(run.dag_id, run.run_id)}
    assert tried["extract"] == 1, "a missing connection is not tried again"
    ((said,),) = stack.rows("SELECT error FROM ops.load WHERE source_id = 'opencps_h57'")
    assert "src_opencps_h57" in said
    (log,) = stack.logs("dossier_sync__opencps_h57", "extract")
    assert _said(log)[0] == ("LỖI: Cấu hình không dùng được. Việc cần làm: sửa tệp cấu hình hoặc kết nối được nêu."), (
        "above Airflow's frames"
    )
    assert "src_opencps_h57" in _said(log)[1]
    levels = [line.get("logger") for line in _lines(log) if line["level"] == "error"]
    assert levels[0] == "lienthong"
    assert levels.index("task") > 1

    earlier = {run.run_id for run in stack.api.runs(PUSH)}
    other = stack.api.trigger("dossier_sync__opencps_h17")
    stack.api.wait(other, 120, stack.airflow.check)
    pushed = stack.until(lambda: [run for run in stack.api.runs(PUSH) if run.run_id not in earlier])[0]
    assert stack.finished(pushed).state == "success"
    assert _pushed(stack, pushed) == [("success", "H17")], "nobody else owes anything"

    everyone = stack.finished(stack.api.trigger(PUSH))
    states = [state for state, _ in _pushed(stack, everyone)]
    assert sorted(states) == ["failed"] + ["success"] * len(TENANTS)


def _pushed(stack: Stack, run: DagRun) -> list[tuple[str, str]]:
    """State and tenant of every push of a run; no tenant for one that failed."""
    tasks = [task for task in stack.api.tasks(PUSH, run.run_id) if task.task_id == "push_tenant" and task.index >= 0]
    results = [stack.api.xcom(PUSH, run.run_id, task.task_id, task.index) or {} for task in tasks]
    return [(str(task.state), str(found.get("tenant", ""))) for task, found in zip(tasks, results, strict=True)]


def test_airflow_listens_on_the_loopback_interface_only_and_leaves_no_process_behind(stack: Stack) -> None:
    leaders = [child.pid for child in stack.airflow.children]
    family = [
        process for pid in leaders for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))
    ]
    assert {address for process in family for address in _listening(process)} == {"127.0.0.1"}
    assert len(family) > len(leaders), "the executor's workers belong to it"
    stack.airflow.stop()
    left = [process.pid for process in family if (found := stat(process.pid)) is not None and found.state != "Z"]
    assert left == []


def _lines(log: Path) -> list[dict[str, Any]]:
    """The lines of a task's log as Airflow keeps them."""
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def _said(log: Path) -> list[str]:
    """Our own lines in the log of a task."""
    return [str(line["event"]) for line in _lines(log) if line.get("logger") == "lienthong"]


def _part(log: Path, name: str) -> str:
    return next(part.partition("=")[2] for part in log.parts if part.startswith(f"{name}="))


def _ports_listened_on_by(user: int) -> set[int]:
    lines = [
        line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    return {int(line[1].rpartition(":")[2], 16) for line in lines if line[3] == "0A" and int(line[7]) == user}


def _listening(process: psutil.Process) -> set[str]:
    """Addresses that a process listens on; none when it has just ended.

    Airflow hides a worker that has run a task from everybody but root (PR_SET_DUMPABLE): to another user its sockets
    are among those of his that have no known owner.
    """
    try:
        found = process.net_connections("inet")
    except psutil.NoSuchProcess:
        return set()
    except psutil.AccessDenied:
        mine = _ports_listened_on_by(os.getuid())
        found = [each for each in psutil.net_connections("inet") if each.pid is None and each.laddr.port in mine]
    return {connection.laddr.ip for connection in found if connection.status == psutil.CONN_LISTEN}
