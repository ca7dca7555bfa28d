"""Compares what would be sent with what the portal shows. Nothing is sent and nothing is decided.

Triggered by hand, for one province or ministry: the evidence before its sources change to `own`, and an audit later.
Every run goes on where the last one stopped; differences are kept per dossier and field name.
"""

from __future__ import annotations

from airflow.sdk import Param, dag

from lienthong.orchestration import tasks
from lienthong.orchestration.defaults import TASK_DEFAULTS
from lienthong.pipeline.requests import TENANT_PATTERN


@dag(
    dag_display_name="Đối chiếu với Cổng Dịch vụ công quốc gia",
    description="So sánh với dữ liệu trên Cổng; không gửi gì",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    doc_md=__doc__,
    tags=["Cổng Dịch vụ công quốc gia"],
    params={
        "tenant": Param(
            None, type="string", pattern=TENANT_PATTERN, title="Tỉnh, bộ", description="bắt buộc; mã như H17"
        ),
        "limit": Param(
            1000,
            type=["null", "integer"],
            minimum=1,
            title="Số hồ sơ hỏi Cổng (không bắt buộc)",
            description="trong lần chạy này; để trống: tất cả",
        ),
        "again": Param(
            False,
            type=["null", "boolean"],
            title="Đối chiếu lại từ đầu (không bắt buộc)",
            description="bỏ kết quả các lần đối chiếu trước",
        ),
    },
)
def portal_shadow() -> None:
    tasks.compare_tenant()


portal_shadow()
