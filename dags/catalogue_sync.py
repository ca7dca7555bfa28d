"""Fetches the national catalogue (procedures, agencies, fields) from the portal, daily before the loads.

A procedure that the portal retires stays known here with its history: dossiers that name it must stay countable.
"""

from __future__ import annotations

from airflow.sdk import dag

from lienthong.orchestration import tasks
from lienthong.orchestration.defaults import TASK_DEFAULTS, schedule_at


@dag(
    dag_display_name="Đồng bộ danh mục thủ tục hành chính quốc gia",
    description="Lấy danh mục thủ tục, cơ quan từ Cổng Dịch vụ công quốc gia",
    schedule=schedule_at("0 0 * * *", "catalogue_sync"),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    doc_md=__doc__,
    tags=["danh mục"],
)
def catalogue_sync() -> None:
    tasks.sync_catalogue()


catalogue_sync()
