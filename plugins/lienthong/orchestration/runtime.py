"""The pipeline's runtime inside a task: settings from the environment, connections from Airflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

from lienthong.connections import Connection
from lienthong.model.errors import ContractError
from lienthong.settings import Settings

if TYPE_CHECKING:
    from lienthong.pipeline.runtime import Runtime


def runtime() -> Runtime:
    """What every pipeline step takes, made anew in each task."""
    from lienthong.pipeline.runtime import Runtime

    return Runtime(Settings.from_environment(), airflow_connection)


def airflow_connection(conn_id: str) -> Connection:
    """Resolve `conn_id` through Airflow: secrets backend, environment, metadata. ContractError when unknown."""
    try:
        found = BaseHook.get_connection(conn_id)
    except (AirflowNotFoundException, AirflowRuntimeError):
        raise ContractError(
            f"Connection {conn_id!r} is not known to Airflow.",
            next_step=f"create it (Admin, Connections) or set AIRFLOW_CONN_{conn_id.upper()}, then clear the task.",
            key=conn_id,
        ) from None
    return Connection(
        conn_id,
        found.conn_type or "",
        found.host or None,
        found.port,
        found.login or None,
        found.password or None,
        found.schema or None,
        found.extra_dejson,
    )
