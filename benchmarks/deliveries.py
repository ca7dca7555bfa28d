"""Delivery to a portal that takes its time, against what as many connections allow without any warehouse.

The portal answers each call after 100 ms. `limit_s`: the same payloads sent by bare clients on as many connections, one
call after the other on each; `work_s`: from the drain's first call to its last (evidence of calls). What is reached is
calls per second against bare calls per second: a drain makes more calls, since it halves what the portal refuses. Apart
for dossiers and for steps. Portal, clients and warehouse share the cores.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.running import Runner
from benchmarks.setting import source_id
from lienthong.settings import PROJECT
from lienthong.warehouse.engine import engine_for
from lienthong.yaml_reader import parse
from simulator.portal.server import PortalServer
from simulator.portal.switches import PortalSwitches

LATENCY_S = 0.1
CONNECTIONS = 4
DOSSIERS, STEPS = "DongBoHoSoMC", "CapNhatTienDoHoSoMC"


@dataclass(frozen=True)
class Case:
    """How the portal is spoken to, and about how many dossiers."""

    name: str
    dossiers: int
    settings: Mapping[str, Any]


_MIXED = {"mix_steps": True, "refusals_are_whole": True}
CASES = (
    Case("batch 1, steps by dossier", 1_000, {"batch_size": 1, "step_chunk": 10, "mix_steps": False}),
    Case(
        "batch 1, steps mixed",
        1_000,
        {"batch_size": 1, "step_chunk": 10} | _MIXED,
    ),
    Case(
        "batch 50, steps mixed by 50",
        10_000,
        {"batch_size": 50, "step_chunk": 50} | _MIXED,
    ),
)


def settings_of(case: Case) -> str:
    """A portal.yaml for a case: the product's own, in a hurry. As JSON, which is YAML without references."""
    settings = parse((PROJECT / "include" / "exchange" / "portal.yaml").read_text(encoding="utf-8")).data
    quick = {"rate": 100_000, "burst": 100_000}
    settings |= {"workers": CONNECTIONS, "limits": {"integration": quick, "share": quick}, **case.settings}
    return json.dumps(settings, ensure_ascii=False, indent=1)


def measure(runner: Runner, portal: PortalServer, warehouse_url: str, tenant: str, case: Case) -> dict[str, Any]:
    """Load (not timed) unless it was, then the limit, then the drain; the portal is emptied between."""
    file = runner.setting.folder / "portal.yaml"
    file.write_text(settings_of(case), encoding="utf-8")
    runner.run("load", "deliver", keep=False, source_id=source_id(tenant), run_key="bench-deliver")
    runner.run("derive", "deliver", keep=False, tenant=tenant)
    runner.server.checkpoint()
    portal.switches = PortalSwitches(latency_s=LATENCY_S)
    order = {"tenant": tenant, "portal_file": str(file)}
    limit = runner.run("calls", "limit", keep=False, connections=CONNECTIONS, **order)["result"]
    portal.portal.reset()
    portal.switches = PortalSwitches(latency_s=LATENCY_S)
    drained = runner.run("drain", "deliver", run_key="bench-deliver", **order)
    spans = _spans(warehouse_url, tenant)
    pushed = drained.pop("result")
    return {
        "case": case.name,
        "settings": dict(case.settings),
        "connections": CONNECTIONS,
        "latency_s": LATENCY_S,
        "dossiers": _part(pushed["created"] + pushed["updated"], limit["dossiers"], spans[DOSSIERS]),
        "steps": _part(pushed["steps_sent"], limit["steps"], spans[STEPS]),
        "peak_mib": drained["peak_mib"],
    }


def _part(number: int, limit: Mapping[str, float], span: Mapping[str, float]) -> dict[str, Any]:
    return {
        "number": number,
        "calls": span["calls"],
        "limit_calls": limit["calls"],
        "limit_s": round(limit["s"], 2),
        "work_s": round(span["s"], 2),
        "per_s": round(number / span["s"], 1),
        "calls_per_s": round(span["calls"] / span["s"], 1),
        "limit_calls_per_s": round(limit["calls"] / limit["s"], 1),
        "reached_percent": round(100 * (span["calls"] / span["s"]) / (limit["calls"] / limit["s"]), 1),
    }


def _spans(url: str, tenant: str) -> dict[str, dict[str, float]]:
    """By service: calls, and seconds from the first call to the end of the last."""
    engine = engine_for(url)
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT service, count(*) AS calls, extract(epoch FROM max(called_at + duration_ms * interval '1 ms')"
            " - min(called_at)) AS s FROM exchange.call WHERE tenant = %s GROUP BY service",
            (tenant,),
        ).all()
    engine.dispose()
    return {row.service: {"calls": int(row.calls), "s": float(row.s)} for row in rows}
