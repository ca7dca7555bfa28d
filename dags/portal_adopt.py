"""Takes over what another program delivered to the portal, so that mode `own` sends only what differs.

Triggered by hand, for one province or ministry, when its sources change to `own` (docs/cutting-over.md). `verify` asks
the portal about each undecided dossier; `assume_finished_before` declares finished ones as delivered. Nothing is sent.
A run that fails half-way is simply triggered again: what was decided stays decided.
"""

from __future__ import annotations

from airflow.sdk import Param, dag

from lienthong.orchestration import tasks
from lienthong.orchestration.defaults import TASK_DEFAULTS


@dag(
    description="Nhận lại những gì phần mềm cũ đã đồng bộ lên Cổng; không gửi gì",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    doc_md=__doc__,
    tags=["portal"],
    params={
        "tenant": Param(None, type="string", pattern=r"^[A-Z]\d{2}$", description="required; e.g. H17"),
        "verify": Param(True, type="boolean", description="ask the portal about every undecided dossier"),
        "assume_finished_before": Param(
            None, type=["null", "string"], description="declare dossiers finished before this day, e.g. 2026-06-01"
        ),
        "frozen_at": Param(
            None, type=["null", "string"], description="when the other program sent last; by default the first run"
        ),
        "verify_assumed": Param(False, type="boolean", description="ask about declared dossiers, too"),
        "accept_presence": Param(False, type="boolean", description="what the portal has counts as delivered"),
        "limit": Param(None, type=["null", "integer"], minimum=1, description="dossiers to ask about in this run"),
    },
)
def portal_adopt() -> None:
    tasks.adopt_tenant()


portal_adopt()
