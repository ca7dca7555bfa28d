"""Takes over what another program delivered to the portal, so that mode `own` sends only what differs.

Triggered by hand, for one province or ministry, when its sources change to `own` (docs/cutting-over.md). `verify` asks
the portal about each undecided dossier; `assume_finished_before` declares finished ones as delivered. Nothing is sent.
A run that fails half-way is simply triggered again: what was decided stays decided.
"""

from __future__ import annotations

from airflow.sdk import dag

from lienthong.orchestration import tasks
from lienthong.orchestration.defaults import TASK_DEFAULTS
from lienthong.orchestration.requests import ADOPTION_PARAMS


@dag(
    dag_display_name="Nhận bàn giao từ phần mềm đồng bộ cũ",
    description="Nhận lại những gì phần mềm cũ đã đồng bộ lên Cổng; không gửi gì",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    doc_md=__doc__,
    tags=["Cổng Dịch vụ công quốc gia"],
    params=ADOPTION_PARAMS,
)
def portal_adopt() -> None:
    tasks.adopt_tenant()


portal_adopt()
