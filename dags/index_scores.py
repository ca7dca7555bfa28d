"""Scores every unit on Bộ chỉ số 766: provisional each morning (`index_scores_final` does the month just ended).

`month` is written YYYY-MM; empty means the current month. `final` marks the scores of a closed month as the ones to
publish. The score tables, the workbook and the pages are written by `publish_scores`.
"""

from __future__ import annotations

from airflow.sdk import Param, dag

from lienthong.orchestration import tasks
from lienthong.orchestration.defaults import TASK_DEFAULTS, schedule_at


@dag(
    schedule=schedule_at("30 5 * * *", "index_scores"),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    doc_md=__doc__,
    tags=["indices"],
    params={
        "month": Param(None, type=["null", "string"], pattern=r"^(\d{4}-(0[1-9]|1[0-2]))?$", description="YYYY-MM"),
        "final": Param(False, type="boolean", description="the month is closed; its scores are to be published"),
    },
)
def index_scores() -> None:
    # An XComArg stands for the id that the task will get.
    tasks.publish_scores(tasks.score_month())  # type: ignore[arg-type]


index_scores()
