"""Sends what is owed to the National Public Service Portal, whenever a load was merged.

One mapped task per sending province or ministry: an outage or a refused account of one holds nobody else up. A run
after a load pushes those that were loaded or still owe something; a run that a person triggers pushes all. What is
owed is derived from hashes in the warehouse, so a run that finds nothing to send is normal and costs nothing.
A source that comes to mode `own` with a history sends nothing until that is adopted (`portal_adopt`) or a run is
triggered with its tenant in `send_history`.
"""

from __future__ import annotations

from airflow.sdk import Param, dag

from lienthong.orchestration import tasks
from lienthong.orchestration.defaults import TASK_DEFAULTS
from lienthong.orchestration.sources import anything_sent
from lienthong.pipeline.requests import TENANT_PATTERN


@dag(
    dag_display_name="Gửi hồ sơ lên Cổng Dịch vụ công quốc gia",
    description="Gửi hồ sơ còn nợ lên Cổng Dịch vụ công quốc gia",
    schedule=anything_sent(),
    catchup=False,
    max_active_runs=4,  # a province that is slow or down must not keep the next run of the others waiting
    default_args=TASK_DEFAULTS,
    doc_md=__doc__,
    tags=["Cổng Dịch vụ công quốc gia"],
    params={
        "send_history": Param(
            [],
            type=["null", "array"],
            items={"type": "string", "pattern": TENANT_PATTERN},
            title="Gửi cả hồ sơ cũ của (không bắt buộc)",
            description="mã tỉnh, bộ mà hồ sơ cũ chưa ai quyết định cũng được gửi, như H17; mỗi mã một dòng",
        ),
    },
)
def portal_push() -> None:
    tasks.push_tenant.expand(tenant=tasks.tenants_to_push())


portal_push()
