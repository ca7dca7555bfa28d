"""What a run of a DAG asks for: its parameters, or its interval when it belongs to a backfill, as a job's request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from airflow.sdk import Param
from croniter import croniter  # type: ignore[import-untyped]

from lienthong.model.codes import LoadMode
from lienthong.model.errors import ArgumentError
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.pipeline.requests import MOMENT_PATTERN, TENANT_PATTERN, AdoptRequest, LoadRequest

#: Airflow's run types.
BACKFILL, SCHEDULED = "backfill", "scheduled"
_KNOWN = frozenset({"mode", "accept_collapse"})
#: Runs from before a range was one value carry these, empty.
_FORMER = frozenset({"window_from", "window_to"})


def load_request(
    source_id: str, run_type: str, tick: datetime | None, params: Mapping[str, Any], cron: str
) -> LoadRequest:
    """`run_type` is Airflow's, `tick` the scheduled instant of the run, if any.

    A run of a backfill stands for the time between the tick before it and its own, so that the runs of one backfill
    cover its whole period without a gap. ArgumentError for what can't be meant: Airflow takes parameters that a DAG
    does not have without a word.
    """
    given = {name for name, value in params.items() if not (name in _FORMER and value is None)}
    if unknown := sorted(given - _KNOWN):
        raise ArgumentError(
            f"A load has no parameter {', '.join(map(repr, unknown))}.",
            key="conf",
            next_step="trigger it again with `mode`: incremental, full, or a range like 2026-10-01/2026-10-08.",
        )
    accept_collapse = bool(params.get("accept_collapse"))
    if run_type == BACKFILL and tick is not None:
        local = tick.astimezone(BUSINESS_ZONE)
        since = croniter(cron, local).get_prev(datetime)
        return LoadRequest(source_id, LoadMode.RANGE, since, local, accept_collapse)
    return LoadRequest.parse(source_id, str(params["mode"]), accept_collapse=accept_collapse)


#: The form of portal_adopt. Only the tenant is required.
ADOPTION_PARAMS = {
    "tenant": Param(None, type="string", pattern=TENANT_PATTERN, title="Tỉnh, bộ", description="bắt buộc; mã như H17"),
    "verify": Param(
        True,
        type=["null", "boolean"],
        title="Hỏi Cổng (không bắt buộc)",
        description="hỏi Cổng về từng hồ sơ chưa quyết định",
    ),
    "assume_finished_before": Param(
        None,
        type=["null", "string"],
        pattern=MOMENT_PATTERN,
        title="Khai là đã đồng bộ (không bắt buộc)",
        description="hồ sơ kết thúc trước ngày này được coi là đã đồng bộ, như 2026-06-01",
    ),
    "frozen_at": Param(
        None,
        type=["null", "string"],
        pattern=MOMENT_PATTERN,
        title="Phần mềm cũ ngừng gửi lúc (không bắt buộc)",
        description="như 2026-10-31T17:00; để trống: lần chạy đầu tiên",
    ),
    "verify_assumed": Param(
        False,
        type=["null", "boolean"],
        title="Hỏi cả hồ sơ đã khai (không bắt buộc)",
        description="hỏi Cổng cả về những hồ sơ chỉ mới được khai là đã đồng bộ",
    ),
    "accept_presence": Param(
        False,
        type=["null", "boolean"],
        title="Có trên Cổng là đủ (không bắt buộc)",
        description="hồ sơ mà Cổng có thì coi là đã đồng bộ",
    ),
    "limit": Param(
        None,
        type=["null", "integer"],
        minimum=1,
        title="Số hồ sơ hỏi Cổng (không bắt buộc)",
        description="trong lần chạy này; để trống: tất cả",
    ),
}


def adopt_request(params: Mapping[str, Any]) -> AdoptRequest:
    """The parameters of portal_adopt; instants without an offset are in Vietnam's time."""
    return AdoptRequest.parse(
        params["tenant"],
        frozen_at=params["frozen_at"],
        assume_finished_before=params["assume_finished_before"],
        verify=bool(params["verify"]),
        verify_assumed=bool(params["verify_assumed"]),
        accept_presence=bool(params["accept_presence"]),
        limit=params["limit"],
    )


def load_key(run_key: str, run_type: str, clear_number: int | None) -> str:
    """Key of a run's load. The same key finds the same load, so a task that is tried again goes on with it.

    A backfill that reprocesses an instant which has run already clears that run and makes it its own: the load of the
    run is merged long since, and would be found and left alone. So each clearing of a backfill's run is a load of its
    own; a run of another kind that is cleared repeats nothing.
    """
    return f"{run_key}/{clear_number}" if run_type == BACKFILL and clear_number else run_key
