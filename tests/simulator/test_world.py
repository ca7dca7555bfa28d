"""The world is deterministic, plausible and knows its own faults."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from simulator.defects import DEFAULT_RATES, NO_DEFECTS, Defect
from simulator.ledger import Entry, read_ledger, write_ledger
from simulator.opencps import replay
from simulator.world import World

REPO = Path(__file__).resolve().parents[2]
CODE = re.compile(r"^(?:\d{3}\.\d{2}\.\d{2}\.[A-Z]\d{2}|[A-Z]\d{2}(?:\.\d{2,3}){1,3})-\d{6}-\d{4,5}$")
_DIGEST = """
import hashlib, json
from simulator.world import World
from tests.simulator.test_world import digest
print(digest(World.generate(3, 60, "2026-10")))
"""


def digest(world: World) -> str:
    """One number for everything the ledger says."""
    lines = (json.dumps([e.dossier_id, e.code, e.truth, e.steps, e.defects], sort_keys=True) for e in world.ledger())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_the_same_arguments_give_the_same_world_in_another_process() -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "TZ": "America/Lima", "PYTHONPATH": str(REPO)}
    other = subprocess.run(
        [sys.executable, "-c", _DIGEST], cwd=REPO, env=environment, capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == digest(World.generate(3, 60, "2026-10"))


@pytest.mark.parametrize("arguments", [(4, 60, "2026-10"), (3, 61, "2026-10"), (3, 60, "2026-09")])
def test_other_arguments_give_another_world(arguments: tuple[int, int, str]) -> None:
    assert digest(World.generate(*arguments)) != digest(World.generate(3, 60, "2026-10"))


def test_nothing_is_dated_after_the_as_of_instant_but_deadlines(world: World) -> None:
    deadlines = {"NgayHenTra", "NgayKetThucTheoQuyDinh"}
    for entry in world.ledger():
        for record in (entry.truth, *entry.steps):
            late = [
                v
                for k, v in record.items()
                if re.fullmatch(r"\d{14}", str(v)) and k not in deadlines and v > "20261031230000"
            ]
            assert not late, entry.dossier_id


def test_steps_follow_each_other_and_end_in_the_dossiers_status(world: World) -> None:
    for entry in world.ledger():
        if not entry.truth:
            continue
        moments = [step["ThoiDiemXuLy"] for step in entry.steps]
        assert moments == sorted(moments), entry.dossier_id
        assert entry.steps[-1]["TrangThai"] == entry.truth["TrangThaiHoSo"]


def test_dates_of_a_dossier_are_in_order(world: World) -> None:
    for truth in (entry.truth for entry in world.ledger() if entry.truth):
        order = [truth[name] for name in ("NgayNopHoSo", "NgayTiepNhan", "NgayKetThucXuLy", "NgayTra") if truth[name]]
        assert order == sorted(order)
        assert not truth["NgayTiepNhan"] or truth["NgayTiepNhan"] < truth["NgayHenTra"]


def test_codes_are_unique_and_well_formed_and_only_received_dossiers_have_one(world: World) -> None:
    originals = [entry for entry in world.ledger() if entry.truth and not entry.duplicate_of]
    codes = [entry.code for entry in originals if entry.code]
    assert len(codes) == len(set(codes))
    assert all(CODE.match(code) for code in codes)
    assert all(bool(entry.code) == bool(entry.truth["NgayTiepNhan"]) for entry in originals)


def test_codes_come_in_new_old_and_closed_spellings(world: World) -> None:
    codes = {entry.code or "" for entry in world.ledger("H17")}
    assert any(code.startswith("H17.1") for code in codes)
    assert any(".H17-" in code for code in codes)
    assert any(".H47-" in code for code in codes)
    assert not any("H47" in (entry.code or "") for entry in world.ledger("H26"))


def test_every_kind_of_defect_occurs_in_every_province_and_a_dossier_has_at_most_one(world: World) -> None:
    for province in ("H17", "H26"):
        entries = list(world.ledger(province))
        assert {defect for entry in entries for defect in entry.defects} == set(Defect)
        assert all(len(entry.defects) <= 1 for entry in entries)
        assert sum(not entry.clean for entry in entries) < 0.12 * len(entries)


def test_without_rates_nothing_is_wrong() -> None:
    assert all(entry.clean for entry in World.generate(1, 400, rates=NO_DEFECTS).ledger())


def test_a_rate_is_a_share() -> None:
    world = World.generate(1, 4000, provinces=("H26",), rates={Defect.DUMMY_ID: 0.05})
    assert sum(entry.defects == (Defect.DUMMY_ID,) for entry in world.ledger()) == pytest.approx(200, rel=0.25)


def test_lives_look_like_those_of_real_offices(world: World) -> None:
    entries = [entry for entry in world.ledger() if entry.truth]
    total = len(entries)
    finished = [e.truth for e in entries if e.truth["NgayKetThucXuLy"]]
    channels = Counter(entry.truth["KenhThucHien"] for entry in entries)
    assert 0.5 < channels["2"] / total < 0.62
    assert 0.02 < sum(entry.code is None for entry in entries) / total < 0.08
    assert 0.10 < sum(t["NgayKetThucXuLy"] > t["NgayHenTra"] for t in finished) / len(finished) < 0.20
    assert 0.04 < sum(any(s["TrangThai"] == "5" for s in e.steps) for e in entries) / total < 0.09
    assert {entry.truth["TrangThaiHoSo"] for entry in entries} >= {"1", "3", "4", "5", "6", "7", "8", "9", "10"}
    assert {entry.truth["DuocThanhToanTrucTuyen"] for entry in entries} == {"0", "1", "2"}


def test_every_default_rate_is_small() -> None:
    assert set(DEFAULT_RATES) == set(Defect)
    assert all(0 < rate <= 0.015 for rate in DEFAULT_RATES.values())


def test_a_ledger_file_says_what_the_world_says(world: World, tmp_path: Path) -> None:
    write_ledger(world.ledger(), tmp_path / "ledger.sqlite")
    assert list(read_ledger(tmp_path / "ledger.sqlite", "H17")) == [_plain(entry) for entry in world.ledger("H17")]


def test_a_move_can_be_replayed(movable_world: World) -> None:
    again = World.generate(movable_world.seed, movable_world.size, movable_world.month)
    before = digest(movable_world)
    assert replay(movable_world, "H17", 5, 30) == replay(again, "H17", 5, 30)
    assert digest(movable_world) == digest(again) != before


def _plain(entry: Entry) -> Entry:
    return Entry(
        entry.province, entry.dossier_id, entry.code, entry.truth, entry.steps, tuple(map(str, entry.defects)),
        entry.duplicate_of,
    )  # fmt: skip
