"""Rewrites the part of `benchmarks/README.md` between its markers from the newest result of each size.

`python -m benchmarks.report`; the same results always give the same page.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- results: begin (python -m benchmarks.report) -->", "<!-- results: end -->"
_MODES = {
    "first": "first load",
    "full_reread": "full re-read, nothing changed",
    "nothing_new": "incremental, nothing new",
    "changed": "incremental, some changed",
}
FLAT = 1.25


def read(file: Path) -> dict[str, Any]:
    """A kept result."""
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def newest(folder: Path) -> dict[int | None, dict[str, Any]]:
    """The newest result of every size, smallest first; None is the size of a result about start-up alone."""
    found: dict[int | None, dict[str, Any]] = {}
    for one in sorted((read(file) for file in folder.glob("*.json")), key=lambda one: str(one["date"])):
        found[one["size"]] = one
    return dict(sorted(found.items(), key=lambda item: item[0] or 0))


def rewrite(page: Path, results: Path) -> None:
    """Replace what lies between the markers of `page`; ValueError when it has none."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page.name} has no markers for results")
    page.write_text(f"{before}{BEGIN}\n{section(newest(results))}\n{END}{after}", encoding="utf-8")


def section(results: Mapping[int | None, Mapping[str, Any]]) -> str:
    """The tables, in Markdown."""
    sized = {size: one for size, one in results.items() if size is not None}
    if not sized:
        return "\nNo results are kept yet.\n"
    parts = [_runs(sized), _targets(sized), _loads(sized)]
    parts += [
        part for part in (_limit(sized), _scores(sized), _push(sized), _deliver(sized), _startup(results)) if part
    ]
    return "\n" + "\n\n".join(parts) + "\n"


def _runs(sized: Mapping[int, Mapping[str, Any]]) -> str:
    rows = [
        (
            f"{size:,}", one["date"][:10], one["commit"] + (" and changes" if one["dirty"] else ""),
            f"{one['machine']['cores']} × {one['machine']['cpu']}, {one['machine']['memory_gib']} GiB",
            f"{one['machine']['load_before']:g}", f"PostgreSQL {one['postgres']['server_version'].split()[0]}, fsync "
            f"{one['postgres']['fsync']}",
        )
        for size, one in sized.items()
    ]  # fmt: skip
    return _table(("dossiers", "date", "commit", "machine", "load average before", "database"), rows)


def _targets(sized: Mapping[int, Mapping[str, Any]]) -> str:
    rows = [
        (f"{size:,}", target["name"], f"{target['value']:g} {target['unit']}", f"≤ {target['limit']:g}",
         "yes" if target["met"] else "**no**")
        for size, one in sized.items()
        for target in one["targets"]
    ]  # fmt: skip
    peaks = {size: _peak(one) for size, one in sized.items() if one.get("loads")}
    if len(peaks) > 1:
        small, large = min(peaks), max(peaks)
        growth = round(peaks[large] / peaks[small], 2)
        rows.append(
            (f"{small:,} → {large:,}", "peak memory grows by", f"{growth:g} ×", f"≤ {FLAT:g} (flat)",
             "yes" if growth <= FLAT else "**no**")
        )  # fmt: skip
    return "Targets (they are set for 200,000 dossiers; other sizes for comparison):\n\n" + _table(
        ("dossiers", "target", "measured", "limit", "met"), rows
    )


def _peak(one: Mapping[str, Any]) -> int:
    return max(int(load["peak_mib"]) for load in one["loads"])


def _loads(sized: Mapping[int, Mapping[str, Any]]) -> str:
    rows = []
    for size, one in sized.items():
        for load in one.get("loads", ()):
            phases = {
                phase["phase"]: phase
                for phase in one["phases"]
                if phase["mode"] == load["mode"] and phase["tenant"] == load["tenant"]
            }
            dossiers = load.get("counts", {}).get("dossier", {})
            rows.append(
                (
                    f"{size:,}", load["tenant"], _MODES[load["mode"]],
                    *(f"{phases[name]['work_s']:.1f}" if name in phases else "" for name in _PHASES),
                    f"{load['work_s']:.1f}", f"{load['cpu_s']:.1f} + {load['server_cpu_s']:.1f}",
                    f"{load['startup_s']:.1f}", load["peak_mib"],
                    *(f"{dossiers.get(name, 0):,}" for name in ("extracted", "inserted", "updated")),
                )
            )  # fmt: skip
    header = (
        "dossiers", "from", "load", *_PHASES, "work", "CPU + server's", "start-up", "peak MiB", "read", "inserted",
        "updated",
    )  # fmt: skip
    return "Loads, in seconds; the last three columns are dossiers without children:\n\n" + _table(header, rows)


_PHASES = ("extract", "stage", "gate", "merge")


def _limit(sized: Mapping[int, Mapping[str, Any]]) -> str:
    rows = [
        (f"{size:,}", table, f"{part['rows']:,}", f"{part['bytes'] / 2**20:.0f}", f"{part['s']:.2f}")
        for size, one in sized.items()
        if "copy_limit" in one
        for table, part in (
            *one["copy_limit"]["tables"].items(),
            ("all", {**one["copy_limit"], "s": one["copy_limit"]["work_s"]}),
        )
    ]  # fmt: skip
    return "The same rows by COPY:\n\n" + _table(("dossiers", "table", "rows", "MiB", "s"), rows) if rows else ""


def _scores(sized: Mapping[int, Mapping[str, Any]]) -> str:
    rows = []
    for size, one in sized.items():
        facts = next((phase["work_s"] for phase in one["phases"] if phase["phase"] == "facts"), None)
        for entry in one.get("scores", ()):
            loaded = entry["kind"] == "loaded"
            rows.append(
                (f"{size:,}", f"{entry['dossiers']:,}", f"{entry['open']:,}", f"{entry['deliveries']:,}",
                 f"{facts:.1f}" if loaded and facts is not None else "", f"{entry['work_s']:.2f}")
            )  # fmt: skip
    header = ("dossiers loaded", "dossiers scored", "of them open", "deliveries", "facts s", "scores s")
    return "A month's scores:\n\n" + _table(header, rows) if rows else ""


def _push(sized: Mapping[int, Mapping[str, Any]]) -> str:
    rows = [
        (f"{size:,}", f"{one['push']['pushed']['delivered']:,}", f"{one['push']['work_s']:.1f}",
         f"{one['push']['dossiers_per_s']:g}", f"{one['push']['nothing_owed_s']:.2f}")
        for size, one in sized.items()
        if "push" in one
    ]  # fmt: skip
    header = ("run of", "dossiers delivered", "s", "dossiers/s", "nothing owed s")
    return "Push to the simulated portal:\n\n" + _table(header, rows) if rows else ""


def _deliver(sized: Mapping[int, Mapping[str, Any]]) -> str:
    rows = [
        (f"{size:,}", case["case"], what, f"{part['number']:,}", f"{part['calls']:,}", f"{part['work_s']:.1f}",
         f"{part['per_s']:g}", f"{part['calls_per_s']:g}", f"{part['limit_calls_per_s']:g}",
         f"{part['reached_percent']:g}%")
        for size, one in sized.items()
        for case in one.get("deliveries", ())
        for what, part in (("dossiers", case["dossiers"]), ("steps", case["steps"]))
    ]  # fmt: skip
    header = ("run of", "case", "what", "delivered", "calls", "s", "per s", "calls/s", "bare calls/s", "reached")
    title = "Delivery on 4 connections to a portal that answers after 100 ms, against bare calls with its payloads:"
    return f"{title}\n\n" + _table(header, rows) if rows else ""


def _startup(results: Mapping[int | None, Mapping[str, Any]]) -> str:
    latest = sorted((one for one in results.values() if "startup" in one), key=lambda one: str(one["date"]))
    if not latest:
        return ""
    rows = [(name, f"{seconds:.2f}") for name, seconds in latest[-1]["startup"].items()]
    return "Start-up of a fresh process (median of 3, interpreter included):\n\n" + _table(("process", "s"), rows)


def _table(header: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    rewrite(PAGE, PAGE.with_name("results"))
