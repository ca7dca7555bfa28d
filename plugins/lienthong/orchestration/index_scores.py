"""The two DAGs that score a month: alike but for their schedule and for what a run without parameters scores."""

from __future__ import annotations

from airflow.sdk import DAG, Asset, Param, dag

from lienthong.orchestration import tasks
from lienthong.orchestration.defaults import TASK_DEFAULTS, schedule_at
from lienthong.pipeline.requests import MONTH_PATTERN

#: Changes when scores were published; the event's extra says of which month and kind.
SCORES = Asset(name="scores", uri="lienthong://indices/scores", group="scores")


def index_scores(dag_id: str, cron: str, name: str, description: str, doc: str | None, *, final: bool) -> DAG:
    """A scoring DAG; `final` is what its runs score unless they are asked for something else."""

    @dag(
        dag_id=dag_id,
        dag_display_name=name,
        description=description,
        doc_md=doc,
        schedule=schedule_at(cron, dag_id),
        catchup=False,
        max_active_runs=1,
        default_args=TASK_DEFAULTS,
        tags=["Bộ chỉ số 766"],
        params={
            "month": Param(
                None,
                type=["null", "string"],
                pattern=MONTH_PATTERN,
                title="Tháng (không bắt buộc)",
                description=f"viết YYYY-MM, như 2026-10; để trống: tháng {'vừa qua' if final else 'đang chạy'}",
            ),
            "final": Param(
                final,
                type=["null", "boolean"],
                title="Điểm chính thức (không bắt buộc)",
                description="tháng đã khép lại, điểm này để công bố",
            ),
        },
    )
    def build() -> None:
        # An XComArg stands for the id that the task will get.
        tasks.publish_scores.override(outlets=[SCORES])(tasks.score_month())  # type: ignore[arg-type]

    return build()
