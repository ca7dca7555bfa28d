"""Run in a process of its own: loads the DAG folder given first, writes what it found to the file given second."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from airflow import plugins_manager
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization

HEAVY = ("great_expectations", "pandas", "polars", "pyarrow", "numpy")


def main(folder: Path, output: Path) -> None:
    before = set(sys.modules)
    bag = DagBag(dag_folder=folder, bundle_path=folder)
    imported = set(sys.modules) - before
    plugins, plugin_errors = plugins_manager._get_plugins()
    result = {
        "dags": {dag_id: _described(dag) for dag_id, dag in sorted(bag.dags.items())},
        "errors": dict(bag.import_errors),
        "heavy": sorted(name for name in imported if name in HEAVY),
        "plugins": sorted(str(plugin.name) for plugin in plugins),
        "plugin_errors": plugin_errors,
        "strays": sorted(_strays(folder.parent / "plugins" / "lienthong")),
    }
    output.write_text(json.dumps(result, default=str))


def _described(dag: Any) -> dict[str, Any]:
    return {
        "serialized": DagSerialization.to_dict(dag),
        "tasks": {
            task.task_id: {
                "downstream": sorted(task.downstream_task_ids),
                "owner": task.owner,
                "retries": task.retries,
                "retry_delay": task.retry_delay.total_seconds(),
                "timeout": str(task.execution_timeout),
                "outlets": sorted(asset.uri for asset in task.outlets),
                "mapped": task.is_mapped
                if hasattr(task, "is_mapped")
                else type(task).__name__.endswith("MappedOperator"),
            }
            for task in dag.tasks
        },
        "tags": sorted(dag.tags),
        "name": dag.dag_display_name,
        "doc": dag.doc_md,
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
    }


def _strays(package: Path) -> list[str]:
    """Modules of the package that are loaded under another name than their own."""
    return [
        name
        for name, module in list(sys.modules.items())
        if str(getattr(module, "__file__", None) or "").startswith(f"{package}/") and name.split(".")[0] != "lienthong"
    ]


main(Path(sys.argv[1]), Path(sys.argv[2]))
