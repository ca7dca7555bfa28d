"""What all DAGs share: owner, retries, time limits, the business time zone, the key of a run."""

from __future__ import annotations

import os
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

from airflow.sdk import CronTriggerTimetable, MultipleCronTriggerTimetable, get_current_context
from croniter import croniter  # type: ignore[import-untyped]

from lienthong.model.errors import ContractError
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.orchestration.alerts import TaskAlert, TaskRecovered

SCHEDULES = "LIENTHONG_SCHEDULES"

#: Retries after ½, 1, 2 and 4 minutes: an outage of some minutes heals by itself, a longer one waits for the next run.
TASK_DEFAULTS: dict[str, Any] = {
    "owner": "lienthong",
    "retries": 4,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(hours=2),
    "on_failure_callback": [TaskAlert()],
    "on_success_callback": [TaskRecovered()],
}


def schedule_at(
    cron: str, dag_id: str = "", also: str | None = None
) -> CronTriggerTimetable | MultipleCronTriggerTimetable | None:
    """A cron schedule in Vietnam's time that waits for its next tick; None where LIENTHONG_SCHEDULES is `off`.

    `also`: further ticks, whatever LIENTHONG_SCHEDULES says instead of `cron`.

    Not a data-interval timetable: that one would run the past interval at once when a DAG is unpaused, and so read a
    province's system in its working hours. The demo switches schedules off, so that it shows what it triggered.
    """
    chosen = effective_cron(cron, dag_id)
    if chosen is None:
        return None
    if also and also != chosen:
        return MultipleCronTriggerTimetable(
            chosen, also, timezone=BUSINESS_ZONE.key, run_immediately=timedelta(minutes=1)
        )
    return CronTriggerTimetable(chosen, timezone=BUSINESS_ZONE.key, run_immediately=timedelta(minutes=1))


def effective_cron(cron: str, dag_id: str) -> str | None:
    """`cron`, unless LIENTHONG_SCHEDULES says otherwise for this installation: `off` (None), or other cron expressions.

    These are written `<DAG or pattern>=<cron>; …`, for example `dossier_sync__*=*/5 * * * *; index_scores=@hourly`. The
    first that fits decides; a DAG that none fits keeps its own. ContractError when an expression can't be read.
    """
    setting = os.environ.get(SCHEDULES, "").strip()
    if setting == "off":
        return None
    for entry in filter(None, (part.strip() for part in setting.split(";"))):
        pattern, _, wanted = (part.strip() for part in entry.partition("="))
        if not croniter.is_valid(wanted):
            raise ContractError(
                f"{SCHEDULES} holds {entry!r}, which gives no cron expression to a DAG.",
                next_step="write it like `dossier_sync__*=*/5 * * * *; index_scores=0 * * * *`, or `off`, or unset it.",
                key=SCHEDULES,
            )
        if fnmatchcase(dag_id, pattern):
            return wanted
    return cron


def changed(**what: Any) -> None:
    """Say with every asset that this task changes what it was changed by: ids and codes, for DAGs that wait for it."""
    context = get_current_context()
    for asset in context["task"].outlets:
        context["outlet_events"][asset].extra.update(what)


def run_key() -> str:
    """Key of the current run: the same when a task is tried again or cleared, so that its work is found again."""
    run = get_current_context()["dag_run"]
    return f"{run.dag_id}/{run.run_id}"
