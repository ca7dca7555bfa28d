"""One load DAG per source contract: `<kind>_sync__<source>`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import DAG, Param, dag

from lienthong.model.codes import LoadMode
from lienthong.model.sync_dags import sync_dag
from lienthong.orchestration import tasks
from lienthong.orchestration.defaults import TASK_DEFAULTS, effective_cron, schedule_at
from lienthong.orchestration.sources import labels_of, quality_of, records_of
from lienthong.pipeline.requests import MODE_PATTERN

if TYPE_CHECKING:
    from lienthong.sources.contract import SourceContract


def source_sync(contract: SourceContract, doc: str | None = None) -> DAG:
    """The DAG of one source. Its runs never overlap; `doc` follows the contract's title on the DAG's page."""
    kind = contract.kind
    dag_id = sync_dag(kind.name, contract.source_id)
    ticks = effective_cron(contract.schedule, dag_id) or contract.schedule

    @dag(
        dag_id=dag_id,
        dag_display_name=f"Nạp {kind.title_vi}: {contract.title}",
        description=contract.title,
        doc_md=f"# {contract.title}\n{doc or ''}",
        schedule=schedule_at(contract.schedule, dag_id, contract.full),
        catchup=False,
        max_active_runs=1,
        default_args=TASK_DEFAULTS,
        tags=[kind.title_vi, *labels_of(contract.tenant)],
        params={
            "mode": Param(
                LoadMode.INCREMENTAL.value,
                type="string",
                pattern=MODE_PATTERN,
                examples=[LoadMode.INCREMENTAL.value, LoadMode.FULL.value, "2026-10-01/2026-10-08"],
                title="Đọc những gì",
                description="incremental: phần mới, hoặc tất cả khi đến lịch `full` của hợp đồng; full: đọc lại tất "
                "cả; hoặc một khoảng thời gian có đủ hai đầu, như 2026-10-01/2026-10-08 (giờ Việt Nam, không gồm ngày "
                "cuối). full và khoảng thời gian không dời mốc đọc",
            ),
            "accept_collapse": Param(
                False,
                type=["null", "boolean"],
                title=f"Chấp nhận số {kind.title_vi} giảm (không bắt buộc)",
                description=f"chỉ bật khi nguồn thật sự đã mất nhiều {kind.title_vi}: nạp những gì nguồn còn",
            ),
        },
    )
    def build() -> None:
        opened = tasks.open_load(contract.source_id, ticks, contract.full)
        # An XComArg stands for the value that the task will get.
        gated = tasks.gate(tasks.stage(tasks.extract(opened)))  # type: ignore[arg-type]
        outlets = [records_of(kind, contract.tenant), quality_of(contract.tenant)]
        tasks.merge.override(outlets=outlets)(gated)  # type: ignore[arg-type]

    return build()
