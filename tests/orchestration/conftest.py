"""DAGs are loaded in processes of their own: Airflow keeps global state, and what a DAG file imports must be seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

REPO = Path(__file__).resolve().parents[2]
SOURCES = REPO / "include" / "sources"
LOADER = Path(__file__).with_name("load_dags.py")

# The few tests that import Airflow here need neither its database nor a home in the user's folder.
os.environ.setdefault("_AIRFLOW__AS_LIBRARY", "1")
os.environ.setdefault("AIRFLOW_HOME", str(REPO / "var" / "test-airflow"))

LoadDags = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def load_dags(tmp_path_factory: pytest.TempPathFactory) -> LoadDags:
    """Loads dags/ with the real DagBag; returns what `load_dags.py` writes. `sources` replaces the contracts."""

    def load(sources: Path = SOURCES) -> dict[str, Any]:
        home = tmp_path_factory.mktemp("airflow")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "_AIRFLOW"))}
        environment = kept | {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPO / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "PYTHONPATH": str(REPO / "plugins"),
            "LIENTHONG_SOURCES": str(sources),
        }
        output = home / "dags.json"
        done = subprocess.run(
            [sys.executable, str(LOADER), str(REPO / "dags"), str(output)],
            env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        loaded: dict[str, Any] = json.loads(output.read_text())
        return loaded

    return load


@pytest.fixture(scope="session")
def loaded(load_dags: LoadDags) -> dict[str, Any]:
    """The DAGs of the contracts as committed."""
    return load_dags()


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    """A copy of the contracts' folder to change."""
    folder = tmp_path / "sources"
    folder.mkdir()
    for path in SOURCES.glob("*.yaml"):
        (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


@pytest.fixture
def another_province(contracts: Path) -> Path:
    """The contracts and one more: Huế, a copy of Đà Nẵng's under its own names."""
    text = (contracts / "opencps_h17.yaml").read_text(encoding="utf-8")
    renamed = text.replace("h17", "h57").replace("H17", "H57")
    assert yaml.safe_load(renamed)["tenant"] == "H57"
    (contracts / "opencps_h57.yaml").write_text(renamed, encoding="utf-8")
    return contracts
