"""Dossiers that are handled outside a province's own system: in a ministry's system, or in a unit that has none.

A part of a ministry's dossiers is also in the province's system, under the same MaHoSo. Some of these copies say
something else than the ministry: which, and what, is known (`disagreements`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from simulator.defects import Defect, assign
from simulator.ledger import Disagreement, Entry
from simulator.lives import Calendar, Lives
from simulator.plans import Plan
from simulator.steps import Step
from simulator.streams import between, stream
from simulator.workdays import DAY

if TYPE_CHECKING:
    from simulator.changes import Change
    from simulator.world import World

#: Steps that a licence office knows: it took something in, and it issued a licence.
_LICENCE_STEPS = frozenset({Step.SUBMITTED, Step.RECEIVED, Step.PROCESSING, Step.FINISHED})

_SHOWN_DEFECTS = (
    Defect.UNKNOWN_PROCEDURE, Defect.MALFORMED_CODE, Defect.DATES_OUT_OF_ORDER, Defect.UNKNOWN_STATUS,
    Defect.DUPLICATE_ROW, Defect.NFD_TEXT, Defect.EMPTY_REQUIRED,
)  # fmt: skip


@dataclass(frozen=True)
class Sector:
    """One holder of dossiers of one province. Shares: of the world's size, of those also in the province's system, and
    of these copies the ones that differ. `stated` are the wire fields that the holder tells at all.
    """

    source_id: str
    kind: str
    province: str
    agency: str
    procedures: tuple[str, ...]
    share: float
    copied: float
    differing: float
    defects: tuple[Defect, ...]
    stated: tuple[str, ...]


_DATES = ("NgayTiepNhan", "NgayHenTra", "NgayKetThucXuLy", "NgayTra")
SECTORS: Mapping[str, Sector] = {
    sector.source_id: sector
    for sector in (
        Sector(
            "bgtvt_h17", "bgtvt", "H17", "H17.10", ("1.013259", "1.013261", "2.001034"), 0.15, 0.4, 0.3, _SHOWN_DEFECTS,
            ("MaHoSo", "MaTTHC", "ChuHoSo", "SoDienThoai", "KenhThucHien", "DonViXuLy", "NgayNopHoSo", *_DATES,
             "NgayTuChoi", "TrangThaiHoSo"),
        ),
        Sector(
            "gplx_h17", "gplx", "H17", "H17.10", ("1.002809",), 0.15, 0.4, 0.3,
            (Defect.MALFORMED_CODE, Defect.DUPLICATE_ROW, Defect.NFD_TEXT, Defect.EMPTY_REQUIRED, Defect.DUMMY_ID),
            ("MaHoSo", "MaTTHC", "ChuHoSo", "SoGiayToChuHoSo", "NgayTiepNhan", "NgayKetThucXuLy", "TrangThaiHoSo"),
        ),
        Sector(
            "sheet_h21", "sheet", "H21", "H21.14", ("1.012605", "1.012658", "1.012628"), 0.08, 0.0, 0.0, (),
            ("MaHoSo", "MaTTHC", "ChuHoSo", "SoGiayToChuHoSo", "SoDienThoai", "Email", "LoaiDoiTuong", "KenhThucHien",
             "DonViXuLy", "TrichYeuHoSo", "NgayNopHoSo", *_DATES, "NgayTuChoi", "TrangThaiHoSo", "HinhThuc"),
        ),
    )
}  # fmt: skip


def populate(world: World, sector: Sector, calendar: Calendar) -> None:
    """Draw the holder's dossiers, number them, and put copies of some into the province's own system."""
    rng = stream(world.seed, sector.source_id, "lives")
    lives = lives_of(world, sector, calendar)
    plans: list[Plan] = []
    full: dict[int, Plan] = {}
    while len(plans) < max(int(world.size * sector.share), 4):
        drawn = lives.draw(rng, 0)
        if drawn.received:  # whoever was not taken in has not reached the holder
            drawn.touched, drawn.added = 0, ()
            full[id(plan := plain(sector, replace(drawn)))] = drawn
            plans.append(plan)
    plans.sort(key=lambda plan: (plan.received, plan.key))
    for number, plan in enumerate(plans):
        plan.dossier_id = number + 1
        world.give_code(plan)
    rates = {defect: rate for defect, rate in world.rates.items() if defect in sector.defects}
    doubles = assign(plans, rates, stream(world.seed, sector.source_id, "defects"))
    repeated = {plan.dossier_id for plan in doubles}
    rng = stream(world.seed, sector.source_id, "copies")
    for plan in plans:
        if rng.random() < sector.copied and plan.defect is None and plan.dossier_id not in repeated:
            _copy(world, sector, replace(full[id(plan)], code=plan.code), rng)
    for plan in doubles:
        plans.append(
            replace(plan, dossier_id=len(plans) + 1, original=plan.dossier_id, defect=Defect.DUPLICATE_ROW.value)
        )
    world.held[sector.source_id] = plans
    world.moves[sector.source_id], world.clocks[sector.source_id] = 0, world.as_of


def lives_of(world: World, sector: Sector, calendar: Calendar) -> Lives:
    return Lives(world.catalogue, sector.province, calendar, sector.procedures)


def plain(sector: Sector, plan: Plan) -> Plan:
    """The dossier as far as the holder can tell it, changed in place."""
    if plan.channel == 3 and sector.kind != "sheet":
        plan.channel = 1  # a ministry knows two ways only
    if sector.kind == "gplx":
        kept = [pair for pair in zip(plan.events[::2], plan.events[1::2], strict=True) if pair[0] in _LICENCE_STEPS]
        plan.events = tuple(number for pair in kept for number in pair)
    return plan


def _copy(world: World, sector: Sector, twin: Plan, rng: Random) -> None:
    """The province's own entry of the dossier; sometimes it is behind, or has other dates."""
    twin.dossier_id, twin.held_by = world.next_id(sector.province), sector.source_id
    if rng.random() < sector.differing:
        _differ(twin, rng, world.as_of)
    twin.modified = max(twin.last_at, twin.received)
    world.plans[sector.province].append(twin)


def _differ(twin: Plan, rng: Random, as_of: int) -> None:
    way, finished = rng.random(), twin.moment_of(Step.FINISHED)
    later = min(between(rng, 2, 6), (as_of - twin.last_at) // DAY) * DAY
    if finished and way < 0.6:  # nobody entered the end
        kept = [p for p in zip(twin.events[::2], twin.events[1::2], strict=True) if p[1] < finished]
        twin.events = tuple(number for pair in kept for number in pair)
    elif finished and way < 0.8 and later:  # entered days later
        twin.events = tuple(
            number
            for step, at in zip(twin.events[::2], twin.events[1::2], strict=True)
            for number in (step, at + later if at >= finished else at)
        )
    else:
        twin.due += between(rng, 1, 4) * DAY
        twin.extended = 0


def entry(world: World, sector: Sector, plan: Plan) -> Entry:
    """What the ledger says about one dossier of a holder: the wire fields that the holder tells, and no steps."""
    truth = world.truth(plan)
    if sector.kind == "gplx":
        truth |= {name: _day(truth[name]) for name in ("NgayTiepNhan", "NgayKetThucXuLy")}
        truth["TrangThaiHoSo"] = "9" if _issued(plan) else "4"  # a licence, or none: it has no other words
    elif sector.kind == "bgtvt" and dated_by_day(plan):
        truth["NgayHenTra"] = _day(truth["NgayHenTra"], "235959")
    return Entry(
        sector.source_id, plan.dossier_id, plan.code, {name: truth[name] for name in sector.stated}, (),
        (plan.defect,) if plan.defect else (), plan.original,
    )  # fmt: skip


def dated_by_day(plan: Plan) -> bool:
    """Whether a ministry's system shows this dossier's appointment without a time."""
    return plan.key % 3 == 0


def disagreements(world: World, source_id: str) -> Iterator[Disagreement]:
    """What the province's copies say otherwise than the holder, one per dossier and field; dates by day.

    Where the holder's system has no word for the province's status, only "going on", "ended" and "finished" count.
    """
    sector = SECTORS[source_id]
    holder = {plan.code: plan for plan in world.held[source_id] if not plan.original}
    fields = [name for name in (*_DATES, "TrangThaiHoSo") if name in sector.stated]
    for twin in (plan for plan in world.plans[sector.province] if plan.held_by == source_id):
        ours, theirs = world.truth(twin), entry(world, sector, holder[twin.code]).truth
        for name in fields:
            mine, other = ours[name], theirs[name]
            if name == "TrangThaiHoSo" and sector.kind == "gplx":
                same = _phase(mine) == _phase(other)
            else:
                same = mine == other if name == "TrangThaiHoSo" else mine[:8] == other[:8]
            if not same:
                days = name in _DATES
                yield Disagreement(source_id, twin.code or "", name, *((v[:8] if days else v) for v in (mine, other)))


def advance(world: World, source_id: str, seed: int, changes: int = 20, at: int = 0) -> list[Change]:
    """Let a working day (or, with `at`, the minute before it) pass at one holder: half of `changes` arrive, half move.

    The province's copies stay as they are: from then on they are behind.
    """
    from simulator.changes import Change, ChangeKind, window  # which import the world

    sector, plans = SECTORS[source_id], world.held[source_id]
    rng = stream(seed, source_id, "advance", world.moves[source_id])
    calendar = Calendar.of(world.month)
    first, last = window(world, source_id, calendar, at)
    world.moves[source_id] += 1
    lives = lives_of(world, sector, calendar)
    doubled = {plan.original for plan in plans}
    movable = [
        plan
        for plan in plans
        if not (plan.defect or plan.closed or plan.dossier_id in doubled or (sector.kind == "gplx" and _issued(plan)))
    ]
    made: list[Change] = []
    for number in range(changes):
        now = between(rng, first, last)
        if number % 2 and movable:
            plan = movable.pop(int(rng.random() * len(movable)))
            step = lives.next_step(rng, plan) if sector.kind != "gplx" else Step.FINISHED
            plan.events, plan.modified = (*plan.events, step.value, now), now
            made.append(Change(ChangeKind.STEP, source_id, plan.dossier_id, True, step))
        else:
            plan = lives.draw(rng, len(plans) + 1)
            plan.channel, plan.submitted, plan.received, plan.modified = 1, now, now, now
            plan.events = (Step.RECEIVED.value, now)
            plan.due = calendar.days.due(now, world.catalogue.procedures[plan.procedure].term_days)
            plan.extended = plan.pay = plan.paid = plan.touched = 0
            world.give_code(plan)
            plans.append(plan)
            made.append(Change(ChangeKind.NEW, source_id, plan.dossier_id, True))
    return made


def _issued(plan: Plan) -> bool:
    return bool(plan.moment_of(Step.FINISHED))


def _day(value: str, time: str = "000000") -> str:
    return value[:8] + time if value else ""


def _phase(status: str) -> str:
    return "finished" if status in ("9", "10") else "ended" if status in ("3", "7", "8") else "going on"
