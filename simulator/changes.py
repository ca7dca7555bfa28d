"""Time moves on in one province: dossiers arrive, move, are supplemented, imported late, or merely rewritten.

Only the world changes here; the province's own system (`opencps`, `igate`) shows what changed afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from simulator.lives import Calendar, Lives
from simulator.plans import Plan, Trait
from simulator.steps import Step
from simulator.streams import between, stream
from simulator.workdays import DAY, HOUR
from simulator.world import World


class ChangeKind(StrEnum):
    """What happened to a dossier."""

    NEW = "new"
    STEP = "step"
    CHILD_ONLY = "child_only"  # a late attachment or payment; in OpenCPS the dossier's own row does not move
    REFRESHED_URLS = "refreshed_urls"  # touched by a nightly job (OpenCPS: another ?t=); nothing else changed
    LATE_IMPORT = "late_import"  # a new dossier whose modification time lies in the past


@dataclass(frozen=True)
class Change:
    """One changed dossier. `wire_changed` says whether the portal ought to hold something else than before."""

    kind: ChangeKind
    province: str
    dossier_id: int
    wire_changed: bool
    step: Step | None = None


#: How far the modification time of a late import lies behind the newest one that was there before it.
LATE_IMPORT_BACK = 6 * HOUR

#: A live step spreads its changes over at most the minute before it.
LIVE_SPREAD_S = 60

#: One in so many live steps brings a late import.
LIVE_IMPORT_EVERY = 10

_CYCLE = (ChangeKind.STEP, ChangeKind.NEW, ChangeKind.CHILD_ONLY, ChangeKind.REFRESHED_URLS, ChangeKind.STEP)


def replay(world: World, province: str, seed: int, changes: int = 20, at: int = 0) -> list[Change]:
    """Move `changes` dossiers of the world. Deterministic in world, seed, changes and `at`.

    Without `at` a working day goes by. With `at` (an instant, `workdays`) the province's clock goes there, or one
    second on if it is further already, and everything happens just before it, whatever the hour.
    """
    rng = stream(seed, province, "advance", world.moves[province])
    newest = max(plan.modified for plan in world.plans[province])
    calendar = Calendar.of(world.month)
    first, last = window(world, province, calendar, at)
    kinds = _live_kinds(changes, world.moves[province]) if at else _kinds(changes)
    world.moves[province] += 1
    lives = Lives(world.catalogue, province, calendar)
    copied = {plan.original for plan in world.plans[province]}
    movable = [p for p in world.plans[province] if not (p.defect or p.held_by) and p.dossier_id not in copied]
    made: list[Change] = []
    used: set[int] = set()
    for kind in kinds:
        now = between(rng, first, last)
        if kind in (ChangeKind.NEW, ChangeKind.LATE_IMPORT):
            made.append(_arrive(world, lives, province, rng, now, newest, kind))
            continue
        chosen = _choose(world, movable, used, rng, kind)
        if chosen:
            used.add(chosen.dossier_id)
            made.append(_move(world, lives, chosen, rng, now, kind))
        elif at:  # nothing is open any more: life goes on with somebody new
            made.append(_arrive(world, lives, province, rng, now, newest, ChangeKind.NEW))
    return made


def window(world: World, province: str, calendar: Calendar, at: int) -> tuple[int, int]:
    """From when to when the changes happen; sets the province's clock."""
    before = world.clocks[province]
    if at:
        world.clocks[province] = last = max(at, before + 1)
        return max(before + 1, last - LIVE_SPREAD_S), last
    day = calendar.days.shift(before - 22 * HOUR + DAY, 0)
    while day + 7 * HOUR + 1800 <= before:  # a live world is not always at 23:00
        day = calendar.days.shift(day + DAY, 0)
    world.clocks[province] = day + 23 * HOUR
    return day + 7 * HOUR + 1800, day + 16 * HOUR


def _kinds(changes: int) -> list[ChangeKind]:
    """One late import, the rest shared out: 2 new, 4 steps, 2 child-only, 2 refreshed in ten."""
    rest = [_CYCLE[number % len(_CYCLE)] for number in range(max(changes - 1, 0))]
    return ([ChangeKind.LATE_IMPORT] if changes else []) + rest


def _live_kinds(changes: int, move: int) -> list[ChangeKind]:
    """The same mixture over many small steps: the cycle goes on where the step before left it."""
    kinds = [_CYCLE[(move * changes + number) % len(_CYCLE)] for number in range(changes)]
    if kinds and move % LIVE_IMPORT_EVERY == LIVE_IMPORT_EVERY - 1:
        kinds[0] = ChangeKind.LATE_IMPORT
    return kinds


def _choose(world: World, movable: list[Plan], used: set[int], rng: Random, kind: ChangeKind) -> Plan | None:
    """A dossier that this can happen to: the first that suits from a random place on."""
    start = int(rng.random() * len(movable))
    return next(
        (
            plan
            for plan in movable[start:] + movable[:start]
            if plan.dossier_id not in used and _suits(world, plan, kind)
        ),
        None,
    )


def _suits(world: World, plan: Plan, kind: ChangeKind) -> bool:
    if kind is ChangeKind.STEP:
        return not plan.closed
    if plan.code is None or not plan.received:
        return False
    return kind is ChangeKind.CHILD_ONLY or bool(world.facts(plan).files)


def _arrive(
    world: World, lives: Lives, province: str, rng: Random, now: int, newest: int, kind: ChangeKind
) -> Change:  # fmt: skip
    """A walk-in of today, or a dossier of the past days that another office imports only now."""
    plan = lives.draw(rng, world.next_id(province))
    late = kind is ChangeKind.LATE_IMPORT
    received = newest - 30 * HOUR if late else now
    plan.channel, plan.submitted, plan.received = 1, received, received
    plan.traits &= ~(Trait.BEFORE_MERGER | Trait.IMPORTED)
    plan.events = (Step.RECEIVED.value, received)
    plan.due = lives.calendar.days.due(received, world.catalogue.procedures[plan.procedure].term_days)
    plan.extended = plan.pay = plan.paid = plan.touched = 0
    plan.modified = newest - LATE_IMPORT_BACK if late else now
    world.give_code(plan)
    world.plans[province].append(plan)
    return Change(kind, province, plan.dossier_id, True)


def _move(world: World, lives: Lives, plan: Plan, rng: Random, now: int, kind: ChangeKind) -> Change:
    step: Step | None = None
    if kind is ChangeKind.STEP:
        step = lives.next_step(rng, plan)
        plan.events = (*plan.events, step.value, now)
        plan.modified = now
        if step is Step.DUTY_DONE and not plan.paid and not plan.has(Trait.EXEMPT):
            plan.pay, plan.paid = 1, now
        if step is Step.RECEIVED:
            plan.received = now
            plan.due = lives.calendar.days.due(now, world.catalogue.procedures[plan.procedure].term_days)
            if plan.code is None:
                world.give_code(plan)
    elif kind is ChangeKind.CHILD_ONLY:
        if plan.received and world.facts(plan).fees and not plan.paid and not plan.has(Trait.EXEMPT):
            plan.pay, plan.paid = 1, now
        else:
            plan.added = (*plan.added, now)
    else:
        plan.touched = now
    return Change(kind, plan.province, plan.dossier_id, kind is not ChangeKind.REFRESHED_URLS, step)
