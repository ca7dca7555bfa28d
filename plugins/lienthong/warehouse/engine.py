"""Engines for the warehouse: one per process and URL, UTC sessions, nothing that hangs for ever."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL

from lienthong.connections import Resolver, Role, warehouse_connection
from lienthong.warehouse import outages, server_log

LOCK_TIMEOUT_MS = 120_000
#: As long as the longest task may run (orchestration): a statement never outlives its task.
STATEMENT_TIMEOUT_MS = 6 * 3_600_000
#: For sorts and hashes over one load, which PostgreSQL's own 4 MB would send to disk. Few sessions work at once.
WORK_MEM = "64MB"


def open_warehouse(resolve: Resolver, role: Role | None = None) -> Engine:
    """The engine of the warehouse, with the login of `role` where there is one."""
    return engine_for(warehouse_connection(resolve, role).sqlalchemy_url().render_as_string(hide_password=False))


@cache
def engine_for(url: str | URL) -> Engine:
    """An engine whose sessions are in UTC, give up waiting for a lock after two minutes, and notice within seconds
    that their process was killed. Whatever the driver says is told by our errors, without the row; the server's log
    gets no row either, as far as a session may decide that.
    """
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=4,
        max_overflow=4,
        pool_pre_ping=True,
        connect_args={
            "application_name": "lienthong",
            "options": f"-c timezone=UTC -c lock_timeout={LOCK_TIMEOUT_MS} -c statement_timeout={STATEMENT_TIMEOUT_MS} "
            "-c client_connection_check_interval=10000 -c client_min_messages=warning "
            f"-c work_mem={WORK_MEM}",
        },
    )
    outages.watch(engine)
    server_log.watch(engine)
    return engine
