"""When a source or an agency counts as too quiet: `include/freshness/freshness.yaml`, read strictly."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from lienthong.yaml_reader import load

Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class CalendarSettings(_Strict):
    """What the package `holidays` doesn't know: extra days off, worked weekends, quiet working days around Tết."""

    days_off: tuple[date, ...] = ()
    working_days: tuple[date, ...] = ()
    quiet_around_tet: Annotated[int, Field(ge=0, le=30)] = 5


class FreshnessSettings(_Strict):
    """Every threshold; see the comments of freshness.yaml."""

    calendar: CalendarSettings = CalendarSettings()
    history_weeks: Positive = 8
    rare_weeks: Positive = 26
    min_history_days: Positive = 15
    spreads: Annotated[float, Field(gt=0)] = 4
    min_silent_days: Positive = 1
    rare_min_active_days: Annotated[int, Field(ge=2)] = 6
    rare_min_days: Positive = 10
    rare_gap_factor: Annotated[float, Field(ge=1)] = 3
    low_ratio: Share = 0.3
    low_days: Positive = 5
    low_min_median: Annotated[float, Field(gt=0)] = 5
    source_low_ratio: Share = 0.5
    give_up_after_days: Positive = 60
    ignore_agencies: tuple[str, ...] = ()
    stale_after_ticks: Positive = 3
    stale_error_ticks: Positive = 12
    backlog_warning_h: Positive = 24
    backlog_error_h: Positive = 72


def load_freshness_settings(path: Path) -> FreshnessSettings:
    """Read freshness.yaml. ContractError names the file, and each wrong key with its line."""
    return load(path, FreshnessSettings)
