"""The targets: what was promised for two cores, a SQL source and 200,000 dossiers, against what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

MEMORY_MIB = 1024
SCORE_DOSSIERS = 1_000_000


@dataclass(frozen=True)
class Target:
    """One promise: `value` may be at most `limit`. Both in `unit`."""

    name: str
    value: float
    limit: float
    unit: str

    @property
    def met(self) -> bool:
        return self.value <= self.limit

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"met": self.met}


def judge(result: Mapping[str, Any]) -> list[Target]:
    """The targets that this result says something about, whatever its size."""
    seconds: dict[str, float] = {}
    for load in result.get("loads", ()):
        if "counts" in load:
            seconds[load["mode"]] = seconds.get(load["mode"], 0.0) + load["work_s"]
    found = []
    first = seconds.get("first")
    if first and result.get("copy_limit"):
        found.append(Target("first load / COPY", _ratio(first, result["copy_limit"]["work_s"]), 8, "×"))
    for mode, limit, name in (
        ("full_reread", 60, "full re-read, nothing changed / first load"),
        ("changed", 15, "incremental, 1% changed / first load"),
    ):
        if first and mode in seconds:
            found.append(Target(name, round(100 * seconds[mode] / first, 1), limit, "%"))
    for load in result.get("loads", ()):
        if load["mode"] == "full_reread" and "deltas" in load:
            found.append(Target(f"deltas of the full re-read, {load['tenant']}", load["deltas"], 0, "rows"))
    peaks = list(_peaks(result.get("phases", ())))
    if peaks:
        found.append(Target("peak memory of any task", max(peaks), MEMORY_MIB, "MiB"))
    large = [entry["work_s"] for entry in result.get("scores", ()) if entry["dossiers"] >= SCORE_DOSSIERS]
    if large:
        found.append(Target("a month's scores over 1,000,000 dossiers", max(large), 8, "s"))
    for case in result.get("deliveries", ()):
        for what in ("dossiers", "steps"):
            missed = round(100 - case[what]["reached_percent"], 1)
            found.append(Target(f"below 4 connections, {what}, {case['case']}", missed, 10, "%"))
    return found


def _ratio(value: float, base: float) -> float:
    return round(value / base, 2) if base else 0.0


def _peaks(phases: Iterable[Mapping[str, Any]]) -> Iterable[float]:
    return (max(phase["peak_mib"], phase["children_peak_mib"]) for phase in phases)
