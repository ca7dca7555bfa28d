"""What all DAGs share: owner, retries, time limits, the business time zone, the key of a run."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable, get_current_context

from lienthong.model.periods import BUSINESS_ZONE

#: Retries after ½, 1, 2 and 4 minutes: an outage of some minutes heals by itself, a longer one waits for the next run.
TASK_DEFAULTS: dict[str, Any] = {
    "owner": "lienthong",
    "retries": 4,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(hours=2),
}


def schedule_at(cron: str) -> CronTriggerTimetable | None:
    """A cron schedule in Vietnam's time that waits for its next tick; None where LIENTHONG_SCHEDULES is `off`.

    Not a data-interval timetable: that one would run the past interval at once when a DAG is unpaused, and so read a
    province's system in its working hours. The demo switches schedules off, so that it shows what it triggered.
    """
    if os.environ.get("LIENTHONG_SCHEDULES") == "off":
        return None
    return CronTriggerTimetable(cron, timezone=BUSINESS_ZONE.key, run_immediately=timedelta(minutes=1))


def run_key() -> str:
    """Key of the current run: the same when a task is tried again or cleared, so that its work is found again."""
    run = get_current_context()["dag_run"]
    return f"{run.dag_id}/{run.run_id}"
