"""Parts of a contract's envelope: durations, limits of reading, the volume guard."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

_DURATION = re.compile(r"(\d+)([smhdw])")
_HOURS = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _duration(value: object) -> object:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise ValueError("a duration is written as number and unit (s, m, h, d, w), e.g. 2d")
    return timedelta(**{_UNITS[match.group(2)]: int(match.group(1))})


#: Written `90m`, `12h`, `2d`; longer than nothing.
Duration = Annotated[timedelta, BeforeValidator(_duration), Field(gt=timedelta())]


class Section(BaseModel):
    """Strict: no unknown key, no conversion between types, no change after reading."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


@dataclass(frozen=True)
class DailyWindow:
    """Hours of the day, in the source's own time; may pass midnight (`19:00-06:00`)."""

    start: time
    end: time

    def contains(self, moment: time) -> bool:
        if self.start <= self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


def _hours(value: object) -> object:
    match = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise ValueError("hours are written as HH:MM-HH:MM, e.g. 19:00-06:00")
    start, end = time.fromisoformat(match.group(1)), time.fromisoformat(match.group(2))
    if start == end:
        raise ValueError("the hours begin and end at the same time; leave the key out to read at any time")
    return DailyWindow(start, end)


#: Written `19:00-06:00`.
Hours = Annotated[
    DailyWindow,
    BeforeValidator(_hours),
    PlainSerializer(lambda hours: f"{hours.start:%H:%M}-{hours.end:%H:%M}"),
]


class ReadLimits(Section):
    """How gently a source is read: dossiers per page, keys per page of discovery, rows per fetch, pause per page, and
    the hours in which it may be read at all (absent: any). `timeout_s`: how long a database may be silent. `since`: the
    first day that is asked for, of services that only answer for a span of days.
    """

    page_rows: Annotated[int, Field(ge=1, le=50_000)] = 2_000
    key_rows: Annotated[int, Field(ge=1, le=500_000)] = 20_000
    fetch_rows: Annotated[int, Field(ge=1, le=100_000)] = 5_000
    pause_ms: Annotated[int, Field(ge=0, le=60_000)] = 0
    timeout_s: Annotated[int, Field(ge=1, le=7_200, exclude_if=lambda said: said == 600)] = 600  # as above
    hours: Hours | None = None
    since: Annotated[date | None, Field(exclude_if=lambda said: said is None)] = None


class HttpLimits(Section):
    """How a source is read over HTTP: seconds to connect and to wait for an answer, tries per request and the pauses
    between them (doubling from `backoff_ms`, never above `longest_wait_s`, also when the server asks for more).

    `smallest_page`: pages that time out are halved down to this. `details`: documents are read dossier by dossier
    (false: the list has them already). `fee_ids`: dossiers per request for fees. `check_total`: a full read that saw
    fewer dossiers than the server counts is an error. `reuse_papers`: an incremental load takes papers and fees of
    dossiers that the list shows unchanged from the load before, instead of asking again.

    `changes`: how a load finds what changed (docs/sources.md): by the list's own date, by the newest step of each
    dossier, or by walking windows of `window_months` months by the date of `window_by`, and all open dossiers.
    `sort`: what the list is sorted by. `query`: parameters that every question to the list carries. `file_url`: where a
    file is fetched whose own address is empty, with `{id}` in it.
    """

    connect_timeout_s: Annotated[float, Field(gt=0, le=120)] = 10.0
    read_timeout_s: Annotated[float, Field(gt=0, le=600)] = 60.0
    attempts: Annotated[int, Field(ge=1, le=20)] = 5
    backoff_ms: Annotated[int, Field(ge=1, le=60_000)] = 1_000
    longest_wait_s: Annotated[float, Field(gt=0, le=600)] = 60.0
    smallest_page: Annotated[int, Field(ge=1, le=1_000)] = 10
    details: bool = True
    fee_ids: Annotated[int, Field(ge=1, le=500)] = 50
    check_total: bool = True
    reuse_papers: bool = True
    # Left out of hashes where they say nothing, as above.
    changes: Annotated[
        Literal["updated_date", "newest_task", "windows"], Field(exclude_if=lambda said: said == "updated_date")
    ] = "updated_date"
    window_by: Annotated[Literal["accepted", "applied"], Field(exclude_if=lambda said: said == "accepted")] = "accepted"
    window_months: Annotated[int, Field(ge=1, le=120, exclude_if=lambda said: said == 2)] = 2
    sort: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.]+$", exclude_if=lambda said: said == "updatedDate")] = (
        "updatedDate"
    )
    query: Annotated[dict[str, str], Field(exclude_if=lambda said: not said)] = Field(default_factory=dict)
    file_url: Annotated[
        str | None, Field(pattern=r"^https?://[^\s{}]+\{id\}[^\s{}]*$", exclude_if=lambda said: said is None)
    ] = None


class VolumeGuard(Section):
    """When a reread counts as collapsed; 0 switches a guard off.

    Of the rows that the overlap window had at the last load, at least `overlap_min_ratio` must be found again; a full
    load must find `full_min_ratio` of the dossiers that are known, a range load that ends in the future
    `range_min_ratio` of those known to be last modified in its window; one of the past that finds nothing stops only if
    the source shows no dossier at all. Below `min_rows` only a complete loss counts.
    """

    overlap_min_ratio: Annotated[float, Field(ge=0, le=1)] = 0.5
    full_min_ratio: Annotated[float, Field(ge=0, le=1)] = 0.8
    range_min_ratio: Annotated[float, Field(ge=0, le=1)] = 0.5
    min_rows: Annotated[int, Field(ge=1)] = 20
