"""Loads: the first, all of it again with nothing changed, nothing new, and one dossier in a hundred moved on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.changes import change
from benchmarks.errors import BenchmarkError
from benchmarks.running import Runner
from benchmarks.setting import source_id
from lienthong.pipeline.load import open_load

PHASES = ("extract", "stage", "gate", "merge")
#: Mode of the benchmark → mode of the load.
MODES: Mapping[str, str] = {
    "first": "incremental",
    "full_reread": "full",
    "nothing_new": "incremental",
    "changed": "incremental",
}
_WITHOUT_DELTAS = ("full_reread", "nothing_new")


@dataclass(frozen=True)
class LoadPlan:
    """What to load: modes in order, the phases of each, databases of the provinces, the share that `changed` moves."""

    modes: Sequence[str]
    phases: Sequence[str]
    sources: Mapping[str, str]
    changed_share: float


def measure(runner: Runner, plan: LoadPlan, after_first: Callable[[], None]) -> list[dict[str, Any]]:
    """Run the loads; `after_first` is called once the first one is believed. One entry per mode and province.

    BenchmarkError when a load that can't have deltas has some.
    """
    loads = []
    for mode in plan.modes:
        for tenant, database in plan.sources.items():
            moved = _move(runner, database, plan.changed_share) if mode == "changed" else 0
            loads.append({**_load(runner, mode, tenant, plan.phases), "moved_at_source": moved})
        if mode == "first" and plan.phases[-1] == "merge":
            after_first()
    return loads


def _move(runner: Runner, database: str, share: float) -> int:
    with runner.server.cursor(database, autocommit=False) as cursor:
        return change(cursor, share)


def _load(runner: Runner, mode: str, tenant: str, phases: Sequence[str]) -> dict[str, Any]:
    runner.server.checkpoint()
    load_id = open_load(runner.setting.runtime, source_id(tenant), f"bench-{mode}", MODES[mode])
    measured = [runner.run(phase, mode, load_id=load_id, tenant=tenant) for phase in phases]
    seconds = {phase["phase"]: phase["work_s"] for phase in measured}
    entry: dict[str, Any] = {
        "mode": mode,
        "tenant": tenant,
        "work_s": round(sum(seconds.values()), 3),
        "startup_s": round(sum(phase["startup_s"] for phase in measured), 3),
        "cpu_s": round(sum(phase["cpu_s"] for phase in measured), 3),
        "server_cpu_s": round(sum(phase["server_cpu_s"] for phase in measured), 3),
        "peak_mib": max(phase["peak_mib"] for phase in measured),
    }
    counts = (measured[-1].pop("result", None) or {}).get("counts")
    for phase in measured:
        phase.pop("result", None)
    if counts is None:
        return entry
    deltas = sum(count["inserted"] + count["updated"] for count in counts.values())
    if deltas and mode in _WITHOUT_DELTAS:
        raise BenchmarkError(f"{mode} of {tenant}: {deltas} deltas though nothing changed at the source: {counts}")
    return entry | {"counts": counts, "deltas": deltas}
