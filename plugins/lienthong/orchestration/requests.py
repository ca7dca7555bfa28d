"""What a run of a load DAG asks for: its parameters, or its interval when it belongs to a backfill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow.sdk import Param
from croniter import croniter  # type: ignore[import-untyped]

from lienthong.model.codes import LoadMode
from lienthong.model.errors import ArgumentError
from lienthong.model.instants import read_instant
from lienthong.model.periods import BUSINESS_ZONE

#: Airflow's run types.
BACKFILL, SCHEDULED = "backfill", "scheduled"
#: A day or an instant, as a JSON schema checks it: `2026-10-01`, `2026-10-01T08:30`, `2026-10-01T08:30:00+07:00`.
_MOMENT = r"\d{4}-\d\d-\d\d(T[\d:]+(Z|[+-][\d:]+)?)?"
MOMENT_PATTERN = rf"^{_MOMENT}$"
#: What `mode` may be. Airflow checks each parameter by itself, so a range is one value with both of its ends
#: (ISO 8601: `2026-10-01/2026-10-08`): half a range can't be written.
MODE_PATTERN = rf"^({LoadMode.INCREMENTAL}|{LoadMode.FULL}|{_MOMENT}/{_MOMENT})$"
TENANT_PATTERN = r"^[A-Z]\d{2}$"
_KNOWN = frozenset({"mode", "accept_collapse"})
#: Runs from before a range was one value carry these, empty.
_FORMER = frozenset({"window_from", "window_to"})


@dataclass(frozen=True)
class LoadRequest:
    """Mode of a load and, for a range, the aware instants between which dossiers were changed."""

    mode: LoadMode
    window_from: datetime | None = None
    window_to: datetime | None = None


def load_request(kind: str, tick: datetime | None, params: Mapping[str, Any], cron: str) -> LoadRequest:
    """`kind` is Airflow's run type, `tick` the scheduled instant of the run, if any.

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
    if kind == BACKFILL and tick is not None:
        local = tick.astimezone(BUSINESS_ZONE)
        return LoadRequest(LoadMode.RANGE, croniter(cron, local).get_prev(datetime), local)
    start, slash, end = str(params["mode"]).partition("/")
    if slash:
        return _range(start, end)
    if start not in (LoadMode.INCREMENTAL, LoadMode.FULL):
        raise ArgumentError(
            f"{start!r} does not say what to load.",
            key="mode",
            next_step="trigger it again with incremental, full, or both ends of a range: 2026-10-01/2026-10-08.",
        )
    return LoadRequest(LoadMode(start))


def _range(since: str, until: str) -> LoadRequest:
    start, end = read_instant(since), read_instant(until)
    if start >= end:
        raise ArgumentError(
            f"The range from {since} to {until} is empty.",
            key="mode",
            next_step="trigger it again with an end that lies after the start; the end itself is left out.",
        )
    return LoadRequest(LoadMode.RANGE, start, end)


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


@dataclass(frozen=True)
class AdoptionRequest:
    """What a run of portal_adopt asks for; see `pipeline.adopt`."""

    frozen_at: datetime | None
    assume_finished_before: datetime | None
    verify: bool
    verify_assumed: bool
    accept_presence: bool
    limit: int | None


def adoption_request(params: Mapping[str, Any]) -> AdoptionRequest:
    """The parameters of portal_adopt; instants without an offset are in Vietnam's time."""
    return AdoptionRequest(
        _instant(params["frozen_at"]),
        _instant(params["assume_finished_before"]),
        bool(params["verify"]),
        bool(params["verify_assumed"]),
        bool(params["accept_presence"]),
        params["limit"],
    )


def load_key(run_key: str, kind: str, clear_number: int | None) -> str:
    """Key of a run's load. The same key finds the same load, so a task that is tried again goes on with it.

    A backfill that reprocesses an instant which has run already clears that run and makes it its own: the load of the
    run is merged long since, and would be found and left alone. So each clearing of a backfill's run is a load of its
    own; a run of another kind that is cleared repeats nothing.
    """
    return f"{run_key}/{clear_number}" if kind == BACKFILL and clear_number else run_key


def _instant(text: str | None) -> datetime | None:
    """A parameter's instant; without an offset it is Vietnam's time."""
    return read_instant(text) if text else None
