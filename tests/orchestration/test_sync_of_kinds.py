"""Petitions and ratings under a real Airflow: the DAGs of their sources, task by task, into a warehouse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.orchestration.conftest import REPO
from tests.pipeline.desks import DESKS, PAKN, RATINGS, running_desks

pytestmark = pytest.mark.xdist_group("airflow")

DAGS = {PAKN: "petition_sync__pakn_h17", RATINGS: "rating_sync__rating_h17"}


def test_the_dags_of_petitions_and_ratings_bring_them_into_the_warehouse(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with running_desks(request, 30) as said:
        said.live.sync_catalogue()
        connections = {
            f"AIRFLOW_CONN_{conn_id.upper()}": json.dumps(
                {
                    "conn_type": held.kind,
                    "host": held.host,
                    "port": held.port,
                    "login": held.login,
                    "password": held.password,
                    "schema": held.schema,
                    "extra": dict(held.extra),
                }
            )
            for conn_id, held in said.live.connections.items()
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "_AIRFLOW"))}
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("run_dags.py")), *(f"none:{dag}" for dag in DAGS.values())],
            env=kept
            | connections
            | {
                "AIRFLOW_HOME": str(tmp_path / "airflow"),
                "AIRFLOW__CORE__DAGS_FOLDER": str(REPO / "dags"),
                "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPO / "plugins"),
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                "PYTHONPATH": f"{REPO / 'plugins'}:{REPO}",
                "LIENTHONG_VAR": str(tmp_path / "var"),
                "LIENTHONG_SOURCES": str(said.live.settings.sources),
            },
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        assert said.live.rows("SELECT source_id, kind, state, mode FROM ops.load ORDER BY 1") == [
            (PAKN, "petition", "merged", "incremental"),
            (RATINGS, "rating", "merged", "incremental"),
        ]
        refused = {"bad_date", "bad_time", "orphan_child"}
        for source, table in ((PAKN, "petition.source_record"), (RATINGS, "rating.source_record")):
            believed = {key for (key,) in said.live.rows(f"SELECT source_key FROM {table}")}
            assert believed == {key for key, entry in said.entries(source).items() if not refused & set(entry.defects)}
        told = done.stdout + done.stderr
        for entry in (entry for source in DESKS for entry in said.entries(source).values()):
            for name in ("sender_name", "sender_address", "rater_name"):
                assert str(entry.truth.get(name) or "\0") not in told, "no name of a person in the logs of tasks"
