"""The two DAGs that score a month: alike but for their schedule and for what a run without parameters scores."""

from __future__ import annotations

from airflow.sdk import DAG, Param, dag

from lienthong.orchestration import tasks
from lienthong.orchestration.defaults import TASK_DEFAULTS, schedule_at


def index_scores(dag_id: str, cron: str, description: str, doc: str | None, *, final: bool) -> DAG:
    """A scoring DAG; `final` is what its runs score unless they are asked for something else."""

    @dag(
        dag_id=dag_id,
        description=description,
        doc_md=doc,
        schedule=schedule_at(cron, dag_id),
        catchup=False,
        max_active_runs=1,
        default_args=TASK_DEFAULTS,
        tags=["indices"],
        params={
            "month": Param(None, type=["null", "string"], pattern=r"^(\d{4}-(0[1-9]|1[0-2]))?$", description="YYYY-MM"),
            "final": Param(final, type="boolean", description="the month is closed; its scores are to be published"),
        },
    )
    def build() -> None:
        # An XComArg stands for the id that the task will get.
        tasks.publish_scores(tasks.score_month())  # type: ignore[arg-type]

    return build()
