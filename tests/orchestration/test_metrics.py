"""Our metrics, as a StatsD server and an OpenTelemetry collector receive them from real runs of real DAGs."""

from __future__ import annotations

import gzip
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from devstack.postgres import Postgres
from lienthong.connections import WAREHOUSE, Connection
from simulator.opencps.install import install
from simulator.portal.server import PortalServer
from simulator.world import World
from tests.orchestration.conftest import REPO
from tests.world import database_connection, portal_connection

pytestmark = [pytest.mark.xdist_group("airflow"), pytest.mark.timeout(300)]

SOURCE, TENANT = "opencps_h17", "H17"
#: One process for all: starting Airflow takes longer than the runs.
RUNS = (
    "statsd:catalogue_sync",
    f"statsd:dossier_sync__{SOURCE}",
    "statsd:portal_push",
    "statsd:freshness",
    "otel:catalogue_sync",
)


@dataclass(frozen=True)
class Sent:
    """One value as a StatsD server reads it: `name,tag=value,…:value|type`."""

    name: str
    tags: dict[str, str]
    value: float
    kind: str

    @classmethod
    def parse(cls, line: str) -> Sent:
        head, _, tail = line.partition(":")
        value, kind = tail.split("|")[:2]
        name, *tags = head.split(",")
        return cls(name.removeprefix("airflow."), dict(tag.split("=", 1) for tag in tags), float(value), kind)


@dataclass(frozen=True)
class Received:
    """What arrived from `RUNS`."""

    statsd: list[Sent]
    otlp: list[ExportMetricsServiceRequest]

    def of(self, name: str) -> list[Sent]:
        return [each for each in self.statsd if each.name == name]


@pytest.fixture(scope="module")
def environment(
    postgres: Postgres, warehouse_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """A small province, the portal and an empty warehouse, with the connections in the environment."""
    world = World.generate(7, 60, "2026-10")
    folder = tmp_path_factory.mktemp("metrics")
    contracts = folder / "sources"
    contracts.mkdir()
    (contracts / f"{SOURCE}.yaml").write_text(
        (REPO / "include" / "sources" / f"{SOURCE}.yaml").read_text("utf-8"), "utf-8"
    )
    for name, template in {"metrics_source": "template0", "metrics_warehouse": warehouse_template}.items():
        postgres.drop_database(name)
        postgres.create_database(name, template)
    install(world, TENANT, postgres.url("metrics_source"))
    with PortalServer(world) as portal:
        connections = (
            database_connection(WAREHOUSE, postgres.url("metrics_warehouse")),
            database_connection(f"src_{SOURCE}", postgres.url("metrics_source")),
            portal_connection("portal_h17", portal, TENANT),
        )
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "_AIRFLOW"))}
        yield (
            kept
            | {f"AIRFLOW_CONN_{each.conn_id.upper()}": _as_json(each) for each in connections}
            | {
                "AIRFLOW_HOME": str(folder / "airflow"),
                "AIRFLOW__CORE__DAGS_FOLDER": str(REPO / "dags"),
                "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPO / "plugins"),
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                "AIRFLOW__METRICS__LEGACY_NAMES_ON": "False",
                "LIENTHONG_VAR": str(folder / "var"),
                "LIENTHONG_SOURCES": str(contracts),
                "PYTHONPATH": str(REPO / "plugins"),
                "NO_PROXY": "127.0.0.1",
            }
        )
    for name in ("metrics_source", "metrics_warehouse"):
        postgres.drop_database(name)


def _as_json(connection: Connection) -> str:
    return json.dumps(
        {
            "conn_type": connection.kind, "host": connection.host, "port": connection.port, "login": connection.login,
            "password": connection.password, "schema": connection.schema, "extra": dict(connection.extra),
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def received(environment: dict[str, str]) -> Received:
    """What a StatsD server and a collector received from one run of everything in `RUNS`."""
    with _statsd() as (port, lines), _collector() as (url, requests):
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("run_dags.py")), *RUNS],
            env=environment
            | {
                "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
                "AIRFLOW__METRICS__STATSD_PORT": str(port),
                "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True",
                "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": url,
                "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return Received([Sent.parse(line) for line in lines], requests)


@contextmanager
def _statsd() -> Iterator[tuple[int, list[str]]]:
    """A StatsD server on the loopback interface: its port and the lines that it received."""
    lines: list[str] = []
    stop = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.2)

        def listen() -> None:
            while not stop.is_set():
                with suppress(TimeoutError):
                    lines.extend(server.recv(65536).decode().splitlines())

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        try:
            yield server.getsockname()[1], lines
        finally:
            stop.set()
            listener.join()


@contextmanager
def _collector() -> Iterator[tuple[str, list[ExportMetricsServiceRequest]]]:
    """An OTLP/HTTP receiver on the loopback interface."""
    requests: list[ExportMetricsServiceRequest] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            request = ExportMetricsServiceRequest()
            request.ParseFromString(body)
            requests.append(request)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/metrics", requests
        server.shutdown()


def test_a_load_reports_what_became_of_its_rows(received: Received) -> None:
    rows = {(each.tags["entity"], each.tags["outcome"]): each.value for each in received.of("lienthong.load.rows")}
    extracted = rows.pop(("dossier", "extracted"))
    assert extracted >= 60
    assert extracted == sum(value for (entity, _), value in rows.items() if entity == "dossier")
    assert {each.tags["source"] for each in received.of("lienthong.load.rows")} == {SOURCE}


def test_a_load_reports_how_long_it_took(received: Received) -> None:
    (duration,) = received.of("lienthong.load.duration")
    assert (duration.kind, duration.tags) == ("ms", {"source": SOURCE})


def test_a_push_reports_what_it_delivered_and_what_is_held_back(received: Received) -> None:
    (created,) = received.of("lienthong.push.dossiers")
    assert (created.tags, created.kind) == ({"tenant": TENANT, "outcome": "created"}, "c")
    assert created.value > 0
    held = {each.tags["state"]: each.value for each in received.of("lienthong.delivery.dossiers")}
    assert set(held) == {"owed", "blocked", "rejected", "unsettled", "parked", "waiting"}
    assert held["owed"] == 0


def test_every_value_carries_the_tags_of_its_metric_and_nothing_else(received: Received) -> None:
    from lienthong.orchestration.metrics import METRICS, MetricKind

    kinds = {MetricKind.COUNTER: "c", MetricKind.GAUGE: "g", MetricKind.TIMER: "ms"}
    known = {metric.name: metric for metric in METRICS}
    ours = [each for each in received.statsd if each.name.startswith("lienthong.")]
    for each in ours:
        assert tuple(each.tags) == known[each.name].tags
        assert each.kind == kinds[known[each.name].kind]
    assert {each.name for each in ours} == set(known)


def test_an_opentelemetry_collector_receives_them_when_the_process_ends(received: Received) -> None:
    gauges = {
        metric.name: metric.gauge.data_points[0]
        for request in received.otlp
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.HasField("gauge")
    }
    assert gauges["airflow.lienthong.catalogue.procedures"].as_int > 0


def test_the_page_lists_exactly_the_metrics_of_the_code() -> None:
    from lienthong.orchestration.metrics import METRICS

    page = (REPO / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(lienthong\.[a-z_.]+)` \| (\w+) \| ([^|]*) \|", page, flags=re.MULTILINE)
    documented = {(name, kind, tuple(re.findall(r"`(\w+)`", tags))) for name, kind, tags in rows}
    assert documented == {(metric.name, metric.kind.value, metric.tags) for metric in METRICS}


def test_the_page_names_airflow_metrics_that_airflow_has() -> None:
    from airflow.sdk._shared.observability.metrics.metrics_registry import MetricsRegistry

    page = (REPO / "docs" / "metrics.md").read_text(encoding="utf-8")
    section = page.split("## Airflow's own")[1].split("\n## ")[0]
    names = re.findall(r"^\| `([a-z_.]+)`", section, flags=re.MULTILINE)
    assert len(names) > 8
    registry = MetricsRegistry()
    assert [name for name in names if registry.get(name=name) is None] == []
