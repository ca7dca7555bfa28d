"""Scores the month just ended, as its final result: on the third, when late closings have come in.

Like `index_scores` with `final` set; a DAG of its own so that it has its own schedule and pause button. A provisional
run never replaces a final workbook.
"""

from __future__ import annotations

from airflow.sdk import Param, dag

from lienthong.orchestration import tasks
from lienthong.orchestration.defaults import TASK_DEFAULTS, schedule_at


@dag(
    schedule=schedule_at("30 6 3 * *", "index_scores_final"),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    doc_md=__doc__,
    tags=["indices"],
    params={
        "month": Param(None, type=["null", "string"], pattern=r"^(\d{4}-(0[1-9]|1[0-2]))?$", description="YYYY-MM"),
        "final": Param(True, type="boolean", description="the month is closed; its scores are to be published"),
    },
)
def index_scores_final() -> None:
    # An XComArg stands for the id that the task will get.
    tasks.publish_scores(tasks.score_month())  # type: ignore[arg-type]


index_scores_final()
