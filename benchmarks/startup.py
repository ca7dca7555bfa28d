"""What a process costs before it works: the interpreter, our own modules, Great Expectations, Airflow."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.errors import BenchmarkError
from lienthong.settings import PROJECT

RUNS = 3


def programs() -> Mapping[str, str]:
    """Name → the Python that is run in a fresh interpreter."""
    return {
        "interpreter": "pass",
        "lienthong: load steps": "import lienthong.pipeline.load, lienthong.landing, lienthong.sources.profiles",
        "lienthong: gate": "import lienthong.quality.gate, great_expectations",
        "lienthong: scores": "import lienthong.pipeline.score, lienthong.indices",
        "airflow: sdk": "import airflow.sdk",
        "airflow: task runner": "import airflow.sdk.execution_time.task_runner",
        **{
            f"airflow: parse dags/{file.name}": f"import runpy; runpy.run_path({str(file)!r})"
            for file in sorted((PROJECT / "dags").glob("*.py"))
        },
    }


def measure(runs: int = RUNS) -> dict[str, float]:
    """Median seconds of each program, interpreter included."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "LIENTHONG"))}
    with tempfile.TemporaryDirectory() as home:
        environment = inherited | {
            "AIRFLOW_HOME": home,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "PYTHONPATH": os.pathsep.join((str(PROJECT), str(PROJECT / "plugins"))),
            "GX_ANALYTICS_ENABLED": "False",
        }
        return {name: _median(program, environment, Path(home), runs) for name, program in programs().items()}


def _median(program: str, environment: Mapping[str, str], folder: Path, runs: int) -> float:
    found = []
    for _ in range(runs):
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, cwd=folder, capture_output=True, text=True, check=False
        )
        found.append(time.perf_counter() - begun)
        if done.returncode != 0:
            raise BenchmarkError(f"{program} failed:\n{done.stderr[-2000:]}")
    return round(statistics.median(found), 2)
