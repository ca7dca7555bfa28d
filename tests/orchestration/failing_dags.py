"""Airflow DAGs that fail in other ways than a load does; copied into a DAG folder by run_alerts.py."""

from __future__ import annotations

import os

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowException

from lienthong.orchestration.defaults import TASK_DEFAULTS
from lienthong.orchestration.failures import guarded

PERSON = "Nguyễn Thị Hoa 012345678901"


@task
@guarded
def look_up() -> None:
    raise KeyError(PERSON)


@task
def ask() -> None:
    raise AirflowException(f"the server said: {PERSON}")


@task
def write() -> None:
    if os.environ["FLAKY_IS_BROKEN"]:
        raise OSError(PERSON)


@dag(schedule=None, default_args=TASK_DEFAULTS)
def defect() -> None:
    look_up()


@dag(schedule=None, default_args=TASK_DEFAULTS)
def foreign() -> None:
    ask()


@dag(schedule=None, default_args=TASK_DEFAULTS)
def flaky() -> None:
    write()


defect()
foreign()
flaky()
