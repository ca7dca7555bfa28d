"""Time moves on in one province: dossiers arrive, move, are supplemented, imported late, or merely rewritten."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any

from simulator.lives import Calendar, Lives
from simulator.opencps.copying import copy_rows, transaction
from simulator.opencps.install import DOSSIER_TABLES, mark
from simulator.opencps.rows import Row, rows_of
from simulator.opencps.schema import primary_key
from simulator.plans import Plan, Trait
from simulator.steps import Step
from simulator.streams import between, stream
from simulator.workdays import DAY, HOUR
from simulator.world import World


class ChangeKind(StrEnum):
    """What happened to a dossier."""

    NEW = "new"
    STEP = "step"
    CHILD_ONLY = "child_only"  # a late attachment or payment; the dossier's own row does not move
    REFRESHED_URLS = "refreshed_urls"  # attachment rows rewritten with another ?t=; nothing else changed
    LATE_IMPORT = "late_import"  # a new dossier whose modifiedDate lies in the past


@dataclass(frozen=True)
class Change:
    """One changed dossier. `wire_changed` says whether the portal ought to hold something else than before."""

    kind: ChangeKind
    province: str
    dossier_id: int
    wire_changed: bool
    step: Step | None = None


#: How far the modifiedDate of a late import lies behind the newest one that was there before it.
LATE_IMPORT_BACK = 6 * HOUR


def advance(world: World, province: str, engine_url: str, seed: int, changes: int = 20) -> list[Change]:
    """Move `changes` dossiers in the world, its ledger and the database; one transaction."""
    made = replay(world, province, seed, changes)
    plans = {plan.dossier_id: plan for plan in world.plans[province]}
    with transaction(engine_url) as cursor:
        for change in made:
            _write(cursor, world, plans[change.dossier_id])
        mark(cursor, world, province)
    return made


def replay(world: World, province: str, seed: int, changes: int = 20) -> list[Change]:
    """The same move without a database: the world and its ledger only. Deterministic in world, seed and changes."""
    rng = stream(seed, province, "advance", world.moves[province])
    before = world.clocks[province]
    newest = max(plan.modified for plan in world.plans[province])
    calendar = Calendar.of(world.month)
    day = calendar.days.shift(before - 22 * HOUR + DAY, 0)
    world.clocks[province] = day + 23 * HOUR
    world.moves[province] += 1
    lives = Lives(world.catalogue, province, calendar)
    copied = {plan.original for plan in world.plans[province]}
    movable = [p for p in world.plans[province] if not p.defect and p.dossier_id not in copied]
    kinds = _kinds(changes)
    made: list[Change] = []
    used: set[int] = set()
    for kind in kinds:
        now = day + 7 * HOUR + between(rng, 1800, 9 * HOUR)
        if kind in (ChangeKind.NEW, ChangeKind.LATE_IMPORT):
            made.append(_arrive(world, lives, province, rng, now, newest, kind))
        else:
            chosen = _choose(world, movable, used, rng, kind)
            if chosen:
                used.add(chosen.dossier_id)
                made.append(_move(world, lives, chosen, rng, now, kind))
    return made


def _kinds(changes: int) -> list[ChangeKind]:
    """One late import, the rest shared out: 2 new, 4 steps, 2 child-only, 2 refreshed in ten."""
    cycle = [ChangeKind.STEP, ChangeKind.NEW, ChangeKind.CHILD_ONLY, ChangeKind.REFRESHED_URLS, ChangeKind.STEP]
    rest = [cycle[number % len(cycle)] for number in range(max(changes - 1, 0))]
    return ([ChangeKind.LATE_IMPORT] if changes else []) + rest


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
    if plan.code is None:
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
            world.give_code(plan)
    elif kind is ChangeKind.CHILD_ONLY:
        if plan.received and world.facts(plan).fees and not plan.paid and not plan.has(Trait.EXEMPT):
            plan.pay, plan.paid = 1, now
        else:
            plan.added = (*plan.added, now)
    else:
        plan.touched = now
    return Change(kind, plan.province, plan.dossier_id, kind is not ChangeKind.REFRESHED_URLS, step)


def _write(cursor: Any, world: World, plan: Plan) -> None:
    """Replace the rows that differ, and only those: an untouched row keeps its modifiedDate."""
    fresh = rows_of(world.facts(plan), world.catalogue)
    for table in DOSSIER_TABLES:
        key = primary_key(table)
        rows = fresh[table]
        changed = [row for row in rows if _differs(cursor, table, key, row)]
        for row in changed:
            cursor.execute(f'DELETE FROM {table} WHERE "{key}" = %s', (row[key],))
        copy_rows(cursor, table, changed)


def _differs(cursor: Any, table: str, key: str, row: Row) -> bool:
    names = list(row)
    cursor.execute(
        'SELECT {} FROM {} WHERE "{}" = %s'.format(", ".join(f'"{name}"' for name in names), table, key), (row[key],)
    )
    found = cursor.fetchone()
    return found is None or [_text(value) for value in found] != [_text(row[name]) for name in names]


def _text(value: object) -> object:
    return value if value is None or isinstance(value, bool) else str(value)
