"""One phase in a process of its own, as Airflow runs a task: start-up, work, CPU and memory are measured apart.

`python -m benchmarks.phase < order.json` writes what it measured to the file that the order names.
"""

from __future__ import annotations

import cProfile
import importlib
import json
import pstats
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.imports import ImportClock
from benchmarks.statement_times import StatementTimes
from lienthong.connections import from_environment
from lienthong.pipeline.runtime import Runtime
from lienthong.settings import Settings

STATEMENTS_KEPT = 30
FUNCTIONS_KEPT = 30
Work = Callable[[Runtime, Mapping[str, Any]], object]


def _step(name: str) -> Work:
    def work(rt: Runtime, order: Mapping[str, Any]) -> object:
        from lienthong.pipeline import load

        result: object = getattr(load, name)(rt, order["load_id"])
        return result

    return work


def _load(rt: Runtime, order: Mapping[str, Any]) -> object:
    from lienthong.pipeline.load import load_once

    return load_once(rt, order["source_id"], order["run_key"])


def _push(rt: Runtime, order: Mapping[str, Any]) -> object:
    from lienthong.pipeline.push import push

    return push(rt, order["tenant"], order["run_key"])


def _derive(rt: Runtime, order: Mapping[str, Any]) -> object:
    from lienthong.exchange.derive import derive
    from lienthong.exchange.senders import open_senders
    from lienthong.exchange.settings import load_portal_settings
    from lienthong.pipeline.push import modes_of

    tenant, modes = order["tenant"], modes_of(rt, order["tenant"])
    settings = load_portal_settings(rt.settings.portal)
    open_senders(rt.warehouse(), tenant, dict.fromkeys(modes, True), settings, rt.now())
    return asdict(derive(rt.warehouse(), tenant, modes))


def _drain(rt: Runtime, order: Mapping[str, Any]) -> object:
    from lienthong.exchange.client import PortalClient
    from lienthong.exchange.drain import drain
    from lienthong.exchange.settings import load_portal_settings
    from lienthong.pipeline.push import account_of

    tenant, settings = order["tenant"], load_portal_settings(Path(order["portal_file"]))
    account = account_of(rt, tenant)
    with PortalClient(account, settings, tenant=tenant) as client:
        return asdict(drain(rt.warehouse(), client, tenant, settings, rt.now(), order["run_key"]))


def _calls(rt: Runtime, order: Mapping[str, Any]) -> object:
    from benchmarks.calls import limit
    from lienthong.exchange.settings import load_portal_settings

    return limit(rt, load_portal_settings(Path(order["portal_file"])), order["tenant"], order["connections"])


def _facts(rt: Runtime, order: Mapping[str, Any]) -> object:
    from lienthong.indices import refresh_facts

    changes = []
    for tenant in order["tenants"]:
        with rt.warehouse().begin() as connection:
            changes.append(asdict(refresh_facts(connection, tenant)))
    return changes


def _score(rt: Runtime, order: Mapping[str, Any]) -> object:
    from lienthong.pipeline.score import score

    return score(rt, order["month"], order["run_key"])


_LOAD = (
    "lienthong.pipeline.load",
    "lienthong.landing",
    "lienthong.sources.profiles",
    "lienthong.sources.systems.opencps.system",
)
#: phase → the modules it is known to need, and what it does. Modules that are missing here are found by ImportClock.
PHASES: Mapping[str, tuple[tuple[str, ...], Work]] = {
    "extract": ((*_LOAD, "pyarrow.parquet"), _step("extract")),
    "stage": ((*_LOAD, "pyarrow.parquet", "pyarrow.csv"), _step("stage")),
    "gate": (("lienthong.pipeline.load", "lienthong.quality.gate", "great_expectations"), _step("gate")),
    "merge": ((*_LOAD, "lienthong.quality.quarantine", "pyarrow.parquet"), _step("merge")),
    "load": ((*_LOAD, "lienthong.quality.gate", "great_expectations"), _load),
    "push": (
        ("lienthong.pipeline.push", "lienthong.exchange.derive", "lienthong.exchange.drain"),
        _push,
    ),
    "derive": (("lienthong.pipeline.push", "lienthong.exchange.derive"), _derive),
    "drain": (("lienthong.pipeline.push", "lienthong.exchange.drain"), _drain),
    "calls": (("benchmarks.calls",), _calls),
    "facts": (("lienthong.indices",), _facts),
    "score": (("lienthong.pipeline.score", "lienthong.indices"), _score),
}  # fmt: skip


def main() -> None:
    """Read an order, do it, write the measurement."""
    order = json.load(sys.stdin)
    modules, work = PHASES[order["phase"]]
    for name in modules:
        importlib.import_module(name)
    started_up = time.monotonic()
    imports, statements = ImportClock(), StatementTimes()
    imports.start()
    statements.start()
    clock = datetime.fromisoformat(order["clock"])
    rt = Runtime(Settings.from_environment(), from_environment, lambda: clock)
    profiler = cProfile.Profile() if order["profile"] else None
    wall, cpu, children = time.perf_counter(), time.process_time(), _children_cpu()
    result = profiler.runcall(work, rt, order) if profiler else work(rt, order)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu + _children_cpu() - children
    measured = {
        "work_s": round(wall - imports.wall_s, 3),
        "startup_s": round(started_up - order["spawned"] + imports.wall_s, 3),
        "late_imports_s": round(imports.wall_s, 3),
        "cpu_s": round(cpu - imports.cpu_s, 3),
        "peak_mib": peak_mib(),
        "children_peak_mib": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024),
        "statements": statements.longest(STATEMENTS_KEPT),
        "result": result,
    }
    if profiler:
        measured["profile"] = functions_of(profiler)
    Path(order["answer"]).write_text(json.dumps(measured, ensure_ascii=False, default=str))


def peak_mib() -> int:
    """Highest resident memory of this process. Not ru_maxrss where VmHWM is known: that starts at the parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return round(int(line.split()[1]) / 1024)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024))


def functions_of(profiler: cProfile.Profile) -> dict[str, list[dict[str, Any]]]:
    """The functions with most time of their own, and those with most time including what they call."""
    stats: Any = pstats.Stats(profiler)
    rows = [
        {"function": _place(*where), "calls": calls, "own_s": round(own, 3), "total_s": round(total, 3)}
        for where, (_, calls, own, total, _) in stats.stats.items()
    ]
    return {
        kind: sorted(rows, key=lambda row: -row[kind])[:FUNCTIONS_KEPT] for kind in ("own_s", "total_s")
    }  # fmt: skip


def _place(file: str, line: int, function: str) -> str:
    """`lienthong/landing/writer.py:12 write`: nothing of where this machine keeps the file."""
    parts = Path(file).parts
    for root in ("site-packages", "plugins", "lib"):
        if root in parts:
            parts = parts[len(parts) - parts[::-1].index(root) :]
    return f"{'/'.join(parts[-4:])}:{line} {function}" if line else function


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
