"""What a run of a load DAG asks for: its parameters, or its interval when it belongs to a backfill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from croniter import croniter  # type: ignore[import-untyped]

from lienthong.model.codes import LoadMode
from lienthong.model.errors import ContractError
from lienthong.model.periods import BUSINESS_ZONE

BACKFILL = "backfill"


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


def _instant(text: str | None) -> datetime | None:
    """A parameter's instant; without an offset it is Vietnam's time."""
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ContractError(
            f"{text!r} is not an instant.",
            next_step="write it like 2026-10-01T00:00:00+07:00 and trigger the run again.",
        ) from None
    return instant if instant.tzinfo else instant.replace(tzinfo=BUSINESS_ZONE)
