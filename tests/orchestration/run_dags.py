"""Run in a process of its own: DAGs named as `<backend>:<dag_id>`, one run each, as `airflow dags test` runs them.

`backend` is where the metrics of that run go: `statsd` or `otel`, as AIRFLOW__METRICS__… and OTEL_… say. They are
initialised as Airflow's task runner does for every task.
"""

from __future__ import annotations

import os
import sys

from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.configuration import conf
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics import stats_utils
from airflow.utils.db import initdb
from airflow.utils.state import DagRunState


def main(wanted: list[str]) -> int:
    initdb()
    folder = conf.get("core", "dags_folder")
    bag = DagBag(dag_folder=folder, bundle_path=folder)
    for each in wanted:
        backend, _, dag_id = each.partition(":")
        os.environ["AIRFLOW__METRICS__STATSD_ON"] = str(backend == "statsd")
        os.environ["AIRFLOW__METRICS__OTEL_ON"] = str(backend == "otel")
        stats.initialize(
            factory=stats_utils.get_stats_factory(), export_legacy_names=conf.getboolean("metrics", "legacy_names_on")
        )
        run = bag.dags[dag_id].test()
        if run.state != DagRunState.SUCCESS:
            print(f"{dag_id}: {run.state}", file=sys.stderr)
            return 1
    return 0


sys.exit(main(sys.argv[1:]))
