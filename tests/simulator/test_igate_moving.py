"""An iGate that changes while it is read: pages slide, moves replay, the clock of a live world."""

from __future__ import annotations

from collections import Counter

from simulator.changes import ChangeKind, replay
from simulator.igate import IgateServer, IgateSwitches
from simulator.outside import local_now
from simulator.workdays import HOUR, instant
from simulator.world import World
from tests.simulator.igate_reader import Item, Reader, dossier_of, moment, number_of, steps_of

SEED, MONTH = 766, "2026-10"


def by_number(items: list[Item]) -> dict[int, Item]:
    return {number_of(item): item for item in items}


def test_what_changes_moves_to_the_top(moving: Reader) -> None:
    before = by_number(moving.everything())
    made = moving.server.advance(seed=1, changes=12)
    after = moving.everything()
    late = {change.dossier_id for change in made if change.kind is ChangeKind.LATE_IMPORT}
    changed = {change.dossier_id for change in made} - late
    assert {number_of(item) for item in after[: len(changed)]} == changed
    assert {number_of(item) for item in after} - set(before) == {
        change.dossier_id for change in made if change.kind in (ChangeKind.NEW, ChangeKind.LATE_IMPORT)
    }


def test_a_late_import_lies_behind_what_was_there(moving: Reader) -> None:
    newest = max(moment(item["updatedDate"]) for item in moving.everything())
    made = moving.server.advance(seed=1, changes=5)
    late = next(change for change in made if change.kind is ChangeKind.LATE_IMPORT)
    assert moment(by_number(moving.everything())[late.dossier_id]["updatedDate"]) < newest


def test_a_touched_dossier_says_the_same_as_before(moving: Reader) -> None:
    before = by_number(moving.everything())
    made = moving.server.advance(seed=1, changes=12)
    touched = [change.dossier_id for change in made if change.kind is ChangeKind.REFRESHED_URLS]
    assert touched
    after = by_number(moving.everything())
    for number in touched:
        assert after[number]["updatedDate"] > before[number]["updatedDate"]
        assert after[number] | {"updatedDate": ""} == before[number] | {"updatedDate": ""}


def test_a_new_file_or_payment_moves_its_dossier(moving: Reader) -> None:
    before = by_number(moving.everything())
    made = moving.server.advance(seed=1, changes=12)
    after = by_number(moving.everything())
    for change in made:
        if change.kind is ChangeKind.CHILD_ONLY:
            assert after[change.dossier_id]["updatedDate"] > before[change.dossier_id]["updatedDate"]


def test_items_slide_down_while_somebody_pages_and_none_is_lost(moving: Reader) -> None:
    start = {item["id"] for item in moving.everything()}
    first = moving.ids(0, 20)
    made = moving.server.advance(seed=1, changes=8)
    second = moving.ids(1, 20)
    assert set(first) & set(second)  # seen twice
    seen = Counter(first + second)
    for number in range(2, 20):
        seen.update(moving.ids(number, 20))
    moved_up = {f"64c00015{0:08x}{change.dossier_id:08x}" for change in made}
    assert set(seen) >= start - moved_up


def test_pages_can_slide_on_every_third_page(moving: Reader) -> None:
    still = [moving.ids(number, 10) for number in range(5)]
    moving.server.switches = IgateSwitches(shift_every=3)
    read = [moving.ids(number, 10) for number in range(5)]
    assert read[:2] == still[:2]
    assert read[2][0] == still[1][-1]
    assert read[3][0] == still[2][-1]


def test_what_moves_replays_on_another_machine() -> None:
    args = {"seed": 9, "changes": 15}
    one = World.generate(SEED, 80, MONTH, provinces=("H21",))
    with IgateServer(one, "H21") as server:
        made = [server.advance(**args), server.advance(**args), server.advance(**args, at=instant(2027, 1, 4, 9))]
        shown = Reader(server).everything()
    other = World.generate(SEED, 80, MONTH, provinces=("H21",))
    again = [
        replay(other, "H21", 9, 15),
        replay(other, "H21", 9, 15),
        replay(other, "H21", 9, 15, instant(2027, 1, 4, 9)),
    ]
    assert made == again
    with IgateServer(other, "H21") as server:
        assert Reader(server).everything() == shown


def test_the_ledger_knows_what_moved(moving: Reader) -> None:
    world = moving.server.store.world
    before = {entry.dossier_id: entry for entry in world.ledger("H21")}
    made = moving.server.advance(seed=3, changes=20)
    after = {entry.dossier_id: entry for entry in world.ledger("H21")}
    differ = {number for number, entry in after.items() if before.get(number) != entry}
    assert differ == {change.dossier_id for change in made if change.wire_changed}
    shown = by_number(moving.everything())
    for number in differ:
        told = dossier_of(moving.detail(shown[number]["id"]), moving.fees([shown[number]["id"]]))
        assert told == {name: after[number].truth[name] for name in told}
        assert steps_of(shown[number]) == list(after[number].steps)


def test_moves_can_be_ordered_over_http(moving: Reader) -> None:
    answer = moving.http.post("/_sim/advance", json={"seed": 1, "changes": 4}).json()
    assert len(answer["changes"]) == 4
    assert {number_of(item) for item in moving.page(0, 10)["content"]} >= {
        change["dossier_id"] for change in answer["changes"] if change["kind"] != "late_import"
    }


def test_a_live_change_happens_now_and_never_before_the_one_before() -> None:
    world = World.generate(SEED, 60, MONTH, provinces=("H21",))
    now = max(local_now(), world.as_of) + 40 * 24 * HOUR
    replay(world, "H21", 1, 6, now)
    assert world.clocks["H21"] == now
    first = max(plan.modified for plan in world.plans["H21"])
    assert now - 60 <= first <= now
    replay(world, "H21", 1, 6, now - 3600)  # somebody put the machine's clock back
    assert world.clocks["H21"] == now + 1


def test_a_live_world_does_not_run_dry() -> None:
    world = World.generate(SEED, 40, MONTH, provinces=("H21",))
    kinds: Counter[ChangeKind] = Counter()
    for minute in range(150):
        kinds.update(change.kind for change in replay(world, "H21", 1, 3, world.as_of + minute * 60))
    assert sum(kinds.values()) == 450
    assert set(kinds) == set(ChangeKind)
    assert kinds[ChangeKind.LATE_IMPORT] == 15
