"""The truth of a simulated province in canonical fields, and what happens in it, whatever system shows it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from lienthong.model.kinds import ENTITIES, EntitySpec, ValueType
from lienthong.model.periods import BUSINESS_ZONE
from simulator import wire
from simulator.changes import Change, ChangeKind, _arrive, replay
from simulator.defects import NO_DEFECTS
from simulator.facts import Facts
from simulator.lives import Calendar, Lives
from simulator.plans import Plan
from simulator.streams import stream
from simulator.workdays import DAY
from simulator.world import World
from tests.sources.conformance.bench import Fact, Fields, Truth

SEED, SIZE, MONTH = 5, 36, "2026-10"

#: What a simulated day does to a dossier.
FACTS = {
    ChangeKind.NEW: Fact.ADDED,
    ChangeKind.STEP: Fact.CHANGED,
    ChangeKind.CHILD_ONLY: Fact.CHILD_CHANGED,
    ChangeKind.REFRESHED_URLS: Fact.TOUCHED,
    ChangeKind.LATE_IMPORT: Fact.LATE,
}
#: Fields of children that the simulator's truth tells, by their names there.
_STEP = {
    "occurred_at": "ThoiDiemXuLy",
    "status": "TrangThai",
    "actor_name": "NguoiXuLy",
    "content": "NoiDungXuLy",
    "due_at": "NgayKetThucTheoQuyDinh",
}
_COMPONENT = {
    "component_code": "MaThanhPhanHoSo",
    "name": "TenTepDinhKem",
    "url": "DuongDanTaiTepTin",
    "removed": "IsDeleted",
    "digitised": "DuocSoHoa",
    "reuse": "DuocTaiSuDung",
    "from_citizen_store": "DuocLayTuKhoDMQG",
}
_RESULT = {"name": "TenGiayTo", "url": "DuongDanTepTinKetQua", "result_code": "MaGiayToKetQua"}
_FEE = {"name": "TenPhiLePhi", "amount": "Gia"}


def sound_world(province: str) -> World:
    """A small province without faults: all of it must be believed exactly."""
    return World.generate(SEED, SIZE, MONTH, provinces=(province,), rates=NO_DEFECTS)


def truth_of(
    world: World,
    plans: Sequence[Plan],
    key_of: Callable[[Plan], str],
    *,
    numbered_early: bool,
    results_removable: bool,
) -> Truth:
    """What ought to be believed of these dossiers. `numbered_early`: the system numbers them before reception, and such
    a number isn't a MaHoSo yet. `results_removable`: it says of results too whether they were removed."""
    truth: Truth = {"dossier": {}, "step": {}, "document": {}, "fee": {}}
    for plan in plans:
        facts, key = world.facts(plan), key_of(plan)
        truth["dossier"][key] = _dossier(facts, waits=numbered_early and not plan.received)
        body = wire.dossier(facts)
        papers = [{"role": "component", **_fields("document", paper, _COMPONENT)} for paper in body["TaiLieuNop"]]
        result = {"role": "result", "removed": False if results_removable else None}
        papers += [{**_fields("document", one, _RESULT), **result} for one in body["DanhSachGiayToKetQua"]]
        everywhere = dict.fromkeys((*_COMPONENT, *_RESULT))
        children = {
            "step": [_fields("step", step, _STEP) for step in wire.steps(facts)],
            "document": [{**everywhere, **paper} for paper in papers],
            "fee": [_fields("fee", fee, _FEE) for fee in body["DanhSachLePhi"]],
        }
        for entity, rows in children.items():
            truth[entity] |= {(key, number): row for number, row in enumerate(rows)}
    return truth


def _dossier(facts: Facts, *, waits: bool) -> Fields:
    body = wire.dossier(facts)
    names = {field.name: field.wire for field in ENTITIES["dossier"].fields if field.wire in body}
    found = _fields("dossier", body, names)
    return {**found, "dossier_code": None} if waits else found


def _fields(entity: str, body: Mapping[str, Any], names: Mapping[str, str]) -> Fields:
    return {name: _value(ENTITIES[entity], name, body[theirs]) for name, theirs in names.items()}


def _value(spec: EntitySpec, name: str, said: Any) -> Any:
    """A word of the portal's as the canonical value."""
    if isinstance(said, list):
        return [one["MaCSDL"] for one in said]
    if said == "":
        return None
    match spec.field(name).type:
        case ValueType.INSTANT:
            return datetime.strptime(said, "%Y%m%d%H%M%S").replace(tzinfo=BUSINESS_ZONE)
        case ValueType.BOOLEAN:
            return said in ("1", "True")
        case ValueType.SMALLINT | ValueType.BIGINT:
            return int(said)
    return unicodedata.normalize("NFC", said)


def a_day(world: World, province: str, changes: int = 11) -> list[Change]:
    """A working day goes by: a late import, two new dossiers, steps, late papers, rewritten files."""
    return replay(world, province, SEED, changes)


def by_fact(changes: Sequence[Change], key_of: Callable[[int], str]) -> dict[Fact, tuple[str, ...]]:
    """The keys of a day's changes by what happened."""
    found: dict[Fact, tuple[str, ...]] = {}
    for change in changes:
        fact = FACTS[change.kind]
        found[fact] = (*found.get(fact, ()), key_of(change.dossier_id))
    return found


def imported_with_an_old_date(world: World, province: str) -> Plan:
    """A new dossier that says that it was last modified six days ago."""
    newest = max(plan.modified for plan in world.plans[province])
    calendar = Calendar.of(world.month)
    rng = stream(SEED, province, "old", len(world.plans[province]))
    lives = Lives(world.catalogue, province, calendar)
    made = _arrive(world, lives, province, rng, world.clocks[province], newest, ChangeKind.LATE_IMPORT)
    plan = world.plan(province, made.dossier_id)
    plan.modified = newest - 6 * DAY
    return plan


def at_rest(world: World, province: str, seen: set[int]) -> Plan:
    """The dossier that was received and has rested longest, besides those of `seen`, which it joins."""
    resting = [plan for plan in world.plans[province] if plan.received and plan.dossier_id not in seen]
    chosen = min(resting, key=lambda plan: (max(plan.modified, plan.touched, plan.paid, *plan.added), plan.dossier_id))
    seen.add(chosen.dossier_id)
    return chosen
