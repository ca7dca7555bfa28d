"""What a job is asked to do: one frozen request per job, for the command line, for runs of DAGs and for pages.

Each is made from texts in one place, `parse`, and refuses with ArgumentError what can't be meant. Syncing the catalogue
and judging freshness take nothing, so they have no request; decisions have a module of their own. Light enough to be
imported whenever a DAG file is parsed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lienthong.model.codes import LoadMode
from lienthong.model.errors import ArgumentError
from lienthong.model.instants import read_instant
from lienthong.model.periods import Month

#: A day or an instant, as a JSON schema checks it: `2026-10-01`, `2026-10-01T08:30`, `2026-10-01T08:30:00+07:00`.
_MOMENT = r"\d{4}-\d\d-\d\d(T[\d:]+(Z|[+-][\d:]+)?)?"
MOMENT_PATTERN = rf"^{_MOMENT}$"
#: What `mode` of a load may be where a form checks each value by itself: then a range is one value with both of its
#: ends (ISO 8601: `2026-10-01/2026-10-08`), and half a range can't be written.
MODE_PATTERN = rf"^({LoadMode.INCREMENTAL}|{LoadMode.FULL}|{_MOMENT}/{_MOMENT})$"
MONTH_PATTERN = r"^(\d{4}-(0[1-9]|1[0-2]))?$"
TENANT_PATTERN = r"^[A-Z]\d{2}$"


@dataclass(frozen=True)
class LoadRequest:
    """Load one source. A range has both of its ends (aware; the end is left out), other modes have neither.

    `accept_collapse`: the source really lost many records, load what is left.
    """

    source_id: str
    mode: LoadMode = LoadMode.INCREMENTAL
    window_from: datetime | None = None
    window_to: datetime | None = None
    accept_collapse: bool = False

    @classmethod
    def parse(
        cls,
        source_id: str,
        mode: str | None = None,
        since: str | None = None,
        until: str | None = None,
        *,
        accept_collapse: bool = False,
    ) -> LoadRequest:
        """`mode` is incremental, full, range or both ends of one (`2026-10-01/2026-10-08`); `since` and `until` alone
        mean a range, nothing at all an incremental load.
        """
        start, slash, end = (mode or "").partition("/")
        if slash and not (since or until):
            return cls._range(source_id, start, end, accept_collapse)
        if mode is not None and mode not in list(LoadMode):
            raise ArgumentError(
                f"{mode!r} does not say what to load.",
                key="mode",
                next_step=f"choose one of {', '.join(LoadMode)}, or both ends of a range: 2026-10-01/2026-10-08.",
            )
        chosen = LoadMode(mode) if mode else LoadMode.RANGE if since or until else LoadMode.INCREMENTAL
        if chosen is LoadMode.RANGE:
            return cls._range(source_id, since, until, accept_collapse)
        if since or until:
            raise ArgumentError(
                f"A load in mode {chosen} takes neither --from nor --to.",
                next_step="leave them out, or choose --mode range.",
            )
        return cls(source_id, chosen, accept_collapse=accept_collapse)

    @classmethod
    def _range(cls, source_id: str, since: str | None, until: str | None, accept_collapse: bool) -> LoadRequest:
        if not (since and until):
            raise ArgumentError(
                "A range has two ends.",
                key="mode",
                next_step="give both, e.g. --from 2026-10-01 --to 2026-10-08, or 2026-10-01/2026-10-08 as a mode "
                "(the 8th left out).",
            )
        start, end = read_instant(since), read_instant(until)
        if start >= end:
            raise ArgumentError(
                f"The range from {since} to {until} is empty.",
                key="mode",
                next_step="give an end that lies after the start; the end itself is left out.",
            )
        return cls(source_id, LoadMode.RANGE, start, end, accept_collapse)


@dataclass(frozen=True)
class PushRequest:
    """Deliver what a province or ministry owes the portal; `send_history`: also old dossiers nobody decided about."""

    tenant: str
    send_history: bool = False


@dataclass(frozen=True)
class ScoreRequest:
    """Score a month: the one that is running, or the one just ended when `final`, unless it is named.

    `again`: give the final score that there is, and write its workbook once more.
    """

    month: Month | None = None
    final: bool = False
    again: bool = False

    @classmethod
    def parse(cls, month: str | None, *, final: bool = False, again: bool = False) -> ScoreRequest:
        """`month` is written YYYY-MM; empty means that none is named."""
        if again and not final:
            raise ArgumentError(
                "--again writes the workbook of a final score again.",
                key="--again",
                next_step="add --final, or leave it.",
            )
        return cls(Month.parse(month) if month else None, final, again)


@dataclass(frozen=True)
class ShadowRequest:
    """Compare a tenant's dossiers with the portal; at most `limit` are asked about (None: all). `again` forgets earlier
    comparisons.
    """

    tenant: str
    limit: int | None = None
    again: bool = False

    def __post_init__(self) -> None:
        _at_least_one(self.tenant, self.limit)


@dataclass(frozen=True)
class AdoptRequest:
    """Take over what another program delivered for a tenant; see `pipeline.adopt`."""

    tenant: str
    frozen_at: datetime | None = None
    assume_finished_before: datetime | None = None
    verify: bool = False
    verify_assumed: bool = False
    accept_presence: bool = False
    limit: int | None = None

    def __post_init__(self) -> None:
        _at_least_one(self.tenant, self.limit)

    @classmethod
    def parse(
        cls,
        tenant: str,
        *,
        frozen_at: str | None = None,
        assume_finished_before: str | None = None,
        verify: bool = False,
        verify_assumed: bool = False,
        accept_presence: bool = False,
        limit: int | None = None,
    ) -> AdoptRequest:
        """Instants without an offset are in Vietnam's time; empty means that none is given."""
        return cls(
            tenant,
            read_instant(frozen_at) if frozen_at else None,
            read_instant(assume_finished_before) if assume_finished_before else None,
            verify,
            verify_assumed,
            accept_presence,
            limit,
        )


def _at_least_one(tenant: str, limit: int | None) -> None:
    if limit is not None and limit < 1:
        raise ArgumentError(
            f"{limit} is no number of dossiers to ask the portal about.",
            key=tenant,
            next_step="give 1 or more, or leave the limit out.",
        )
