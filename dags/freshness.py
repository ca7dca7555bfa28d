"""Asks every hour whether all sources and agencies still send, and tells what is wrong, once, by e-mail and web hook.

What is usual comes from the volumes that loads have counted; nights, weekends, holidays and Tết expect nothing. Alerts
leave through the connections `lienthong_alert_smtp` and `lienthong_alert_webhook`; without them findings are only
kept, for `lienthong status`. See docs/freshness-and-alerts.md.
"""

from __future__ import annotations

from airflow.sdk import dag

from lienthong.orchestration import tasks
from lienthong.orchestration.defaults import TASK_DEFAULTS, schedule_at


@dag(
    dag_display_name="Theo dõi nguồn dữ liệu và cảnh báo",
    description="Theo dõi nguồn và cơ quan ngừng gửi hồ sơ, gửi cảnh báo",
    schedule=schedule_at("20 * * * *", "freshness"),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    doc_md=__doc__,
    tags=["vận hành"],
)
def freshness() -> None:
    tasks.judge_freshness() >> tasks.tell_findings()


freshness()
