"""Compares what would be sent with what the portal shows. Nothing is sent and nothing is decided.

Triggered by hand, for one province or ministry: the evidence before its sources change to `own`, and an audit later.
Every run goes on where the last one stopped; differences are kept per dossier and field name.
"""

from __future__ import annotations

from airflow.sdk import Param, dag

from lienthong.orchestration import tasks
from lienthong.orchestration.defaults import TASK_DEFAULTS


@dag(
    description="So sánh với dữ liệu trên Cổng; không gửi gì",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    doc_md=__doc__,
    tags=["portal"],
    params={
        "tenant": Param(None, type="string", pattern=r"^[A-Z]\d{2}$", description="required; e.g. H17"),
        "limit": Param(
            1000, type=["null", "integer"], minimum=1, description="dossiers to ask about in this run; empty: all"
        ),
        "again": Param(False, type="boolean", description="forget what was compared before"),
    },
)
def portal_shadow() -> None:
    tasks.compare_tenant()


portal_shadow()
