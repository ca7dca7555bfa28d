"""What a run of a load DAG asks for: its parameters, or its interval when it belongs to a backfill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from croniter import croniter  # type: ignore[import-untyped]

from lienthong.model.codes import LoadMode
from lienthong.model.instants import read_instant
from lienthong.model.periods import BUSINESS_ZONE

#: Airflow's run types.
BACKFILL, SCHEDULED = "backfill", "scheduled"


@dataclass(frozen=True)
class LoadRequest:
    """Mode of a load and, for a range, the aware instants between which dossiers were changed."""

    mode: LoadMode
    window_from: datetime | None = None
    window_to: datetime | None = None


def load_request(kind: str, tick: datetime | None, params: Mapping[str, Any], cron: str) -> LoadRequest:
    """`kind` is Airflow's run type, `tick` the scheduled instant of the run, if any.

    A run of a backfill stands for the time between the tick before it and its own, so that the runs of one backfill
    cover its whole period without a gap.
    """
    if kind == BACKFILL and tick is not None:
        local = tick.astimezone(BUSINESS_ZONE)
        return LoadRequest(LoadMode.RANGE, croniter(cron, local).get_prev(datetime), local)
    return LoadRequest(LoadMode(params["mode"]), _instant(params["window_from"]), _instant(params["window_to"]))


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
