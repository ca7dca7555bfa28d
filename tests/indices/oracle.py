"""The rules of index-766 §2, §4 and §5 once more, dossier by dossier in plain Python: what the SQL must agree with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.indices.world import Dossier

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Procedure:
    returns_paper: bool = True
    has_fee: bool = False
    for_citizens: bool = True
    in_force: bool = True
    days: int | None = None


@dataclass(frozen=True)
class Period:
    start: datetime
    through: datetime


def end_of(dossier: Dossier) -> datetime | None:
    """When processing ended, by the first end status in order that has a time."""
    own = {
        9: dossier.finished or dossier.returned,
        10: dossier.finished or dossier.returned,
        8: dossier.finished or dossier.refused,
        3: dossier.refused or dossier.finished,
        7: dossier.finished or dossier.refused,
    }
    for league in ((9,), (10,), (8, 3), (7,)):
        if league == (7,) and dossier.received is None:
            continue
        by_steps = [step.at for step in dossier.steps if step.status in league and step.at]
        if by_steps:
            return max(by_steps)
        if dossier.status in league and own[dossier.status]:
            return own[dossier.status]
    return None


def supplements(dossier: Dossier, through: datetime) -> tuple[int, datetime | None, bool, timedelta]:
    """(times asked, first request, still waiting, time waited for completed ones) as seen at `through`."""
    seen = sorted(
        (step for step in dossier.steps if step.status in (2, 4, 5) and step.at and step.at <= through),
        key=lambda step: (step.at, step.no if step.no is not None else 10**9),
    )
    asked, first, waiting_since, waited = 0, None, None, timedelta()
    for step in seen:
        if step.status == 5:
            asked += 1
            first = first or step.at
            waiting_since = waiting_since or step.at
        elif waiting_since and step.at:
            waited += step.at - waiting_since
            waiting_since = None
    return asked, first, waiting_since is not None, waited


def on_time(dossier: Dossier, procedure: Procedure | None, period: Period) -> bool:
    end = end_of(dossier)
    asked, first, waiting, waited = supplements(dossier, period.through)
    if end is not None and end <= period.through:
        clock = end - waited
    elif waiting and asked > 1:
        return False
    elif waiting and first:
        clock = first
    else:
        clock = period.through - waited
    if dossier.due:
        return clock <= dossier.due
    if dossier.received is None or procedure is None or procedure.days is None:
        return False
    return clock - dossier.received <= timedelta(days=procedure.days)


def count(
    dossiers: Iterable[Dossier], procedures: Mapping[str, Procedure], offered: Mapping[str, int], period: Period
) -> dict[str, tuple[int, int]]:
    """Component → (numerator, denominator) over `dossiers`, for a unit that offers procedures at online levels."""
    dossiers = list(dossiers)

    def within(instant: datetime | None) -> bool:
        return instant is not None and period.start <= instant <= period.through

    def of(dossier: Dossier) -> Procedure | None:
        return procedures.get(dossier.procedure or "")

    def paper(dossier: Dossier) -> bool:
        known = of(dossier)
        return known.returns_paper if known else True

    def live(dossier: Dossier, role: str) -> list[object]:
        return [
            item for item in dossier.papers if item.role == role and item.has_file and item.url and not item.removed
        ]

    def result(dossier: Dossier) -> bool:
        return bool(live(dossier, "result"))

    def electronic(dossier: Dossier) -> bool:
        return any(
            item.has_file and item.url and item.result_code
            for item in dossier.papers
            if item.role == "result" and not item.removed
        )

    def stored(dossier: Dossier) -> bool:
        return any(item.from_store for item in dossier.papers if item.role == "component" and not item.removed)

    def reused(dossier: Dossier) -> bool:
        return bool(dossier.digitised) or any(
            item.from_store and item.digitised
            for item in dossier.papers
            if item.role == "component" and not item.removed
        )

    def citizen(dossier: Dossier) -> bool:
        return bool(dossier.vneid) or stored(dossier) or "7" in (dossier.databases or ())

    def zero_fees(dossier: Dossier) -> bool:
        return bool(dossier.fees) and all(amount == 0 for amount in dossier.fees)

    received = [dossier for dossier in dossiers if within(dossier.received)]
    arrived = [dossier for dossier in dossiers if within(dossier.received or dossier.submitted)]
    carried = [
        dossier for dossier in dossiers
        if dossier.received and dossier.received <= period.through and (end_of(dossier) or period.start) >= period.start
    ]  # fmt: skip

    def started(dossier: Dossier) -> datetime | None:
        return min((step.at for step in dossier.steps if step.status == 4 and step.at), default=dossier.received)

    payable = [
        dossier for dossier in dossiers
        if within(started(dossier)) and (known := of(dossier)) and known.has_fee and not zero_fees(dossier)
    ]  # fmt: skip

    def among(of_procedures: Iterable[str], members: list[Dossier], test: Callable[[Dossier], bool]) -> int:
        return len(set(of_procedures) & {dossier.procedure for dossier in members if test(dossier)})

    in_force = {code: level for code, level in offered.items() if procedures[code].in_force}
    services = [code for code, level in in_force.items() if level >= 3]
    fees = [code for code in in_force if procedures[code].has_fee]
    citizens = [code for code in in_force if procedures[code].for_citizens]

    def some(members: list[Dossier], test: Callable[[Dossier], bool]) -> int:
        return sum(1 for dossier in members if test(dossier))

    return {
        "1.4": (some(received, lambda dossier: dossier.acknowledged), len(received)),
        "2.1": (some(carried, lambda dossier: on_time(dossier, of(dossier), period)), len(carried)),
        "3.1": (len(services), len(in_force)),
        "3.2": (among(services, arrived, lambda dossier: dossier.channel == 2), len(services)),
        "3.3": (
            some(received, lambda dossier: dossier.channel == 2 and (electronic(dossier) or not paper(dossier))),
            len(received),
        ),
        "3.5": (among(fees, arrived, lambda dossier: any(dossier.fees)), len(fees)),
        "3.5b": (among(fees, arrived, lambda dossier: dossier.online_payment in (1, 2)), len(fees)),
        "3.6": (some(payable, lambda dossier: dossier.online_payment in (1, 2)), len(payable)),
        "4.1": (some(carried, result), len(carried)),
        "4.2": (
            some(carried, lambda dossier: bool(live(dossier, "component")) and (result(dossier) or not paper(dossier))),
            len(carried),
        ),
        "4.3": (some(carried, reused), len(carried)),
        "4.4": (some(carried, stored), len(carried)),
        "4.5a": (among(citizens, carried, citizen), len(citizens)),
        "4.5b": (some(carried, citizen), len(carried)),
    }  # fmt: skip
