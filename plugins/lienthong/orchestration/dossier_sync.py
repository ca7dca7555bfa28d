"""One load DAG per source contract: `dossier_sync__<source>`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import DAG, Param, dag

from lienthong.model.codes import LoadMode
from lienthong.orchestration import tasks
from lienthong.orchestration.defaults import TASK_DEFAULTS, effective_cron, schedule_at
from lienthong.orchestration.sources import dossiers_of

if TYPE_CHECKING:
    from lienthong.sources.contract import SourceContract


def dossier_sync(contract: SourceContract, doc: str | None = None) -> DAG:
    """The DAG of one source. Its runs never overlap; `doc` follows the contract's title on the DAG's page."""
    dag_id = f"dossier_sync__{contract.source_id}"
    ticks = effective_cron(contract.schedule, dag_id) or contract.schedule

    @dag(
        dag_id=dag_id,
        description=contract.title,
        doc_md=f"# {contract.title}\n{doc or ''}",
        schedule=schedule_at(contract.schedule, dag_id, contract.full),
        catchup=False,
        max_active_runs=1,
        default_args=TASK_DEFAULTS,
        tags=["dossier", contract.tenant],
        params={
            "mode": Param(
                LoadMode.INCREMENTAL.value,
                enum=[mode.value for mode in LoadMode],
                description="incremental reads what is new, and everything when the contract's `full` is due; "
                "range (with both ends) and full never move the watermark",
            ),
            "window_from": Param(None, type=["null", "string"], format="date-time", description="start of a range"),
            "window_to": Param(None, type=["null", "string"], format="date-time", description="end of a range"),
            "accept_collapse": Param(
                False, type="boolean", description="the source really lost many dossiers: load what it has now"
            ),
        },
    )
    def build() -> None:
        opened = tasks.open_load(contract.source_id, ticks, contract.full)
        # An XComArg stands for the value that the task will get.
        gated = tasks.gate(tasks.stage(tasks.extract(opened)))  # type: ignore[arg-type]
        tasks.merge.override(outlets=[dossiers_of(contract.tenant)])(gated)  # type: ignore[arg-type]

    return build()
