"""The unit without a system: its list is the truth, in a workbook or as CSV; and every way to spoil it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import openpyxl
import pytest

from simulator.sheets import SheetDrop, Spoiled, spoiled
from simulator.sheets.rows import HEADS
from simulator.world import World


@pytest.fixture
def unit(tmp_path: Path) -> SheetDrop:
    world = World.generate(7, 200, "2026-10", provinces=("H21",), held=("sheet_h21",))
    return SheetDrop(world, tmp_path.as_uri())


def test_a_workbook_and_a_csv_hold_every_dossier_of_the_unit(unit: SheetDrop) -> None:
    book = openpyxl.load_workbook(unit.drop("a.xlsx"), read_only=True)
    rows = list(book["Hồ sơ"].iter_rows(values_only=True))
    truth = {entry.code: entry.truth for entry in unit.world.ledger("sheet_h21")}
    assert rows[1] == HEADS
    assert {row[0] for row in rows[2:]} == set(truth)
    lines = list(csv.reader(io.StringIO(Path(unit.drop("a.csv")).read_text(encoding="utf-8-sig"))))
    assert [line[0] for line in lines[1:]] == [row[0] for row in rows[2:]]
    for row in rows[2:]:
        assert row[HEADS.index("Ngày tiếp nhận")].strftime("%Y%m%d%H%M%S") == truth[row[0]]["NgayTiepNhan"]


def test_nobody_but_the_unit_has_its_dossiers(unit: SheetDrop) -> None:
    assert not {plan.code for plan in unit.world.plans["H21"]} & {plan.code for plan in unit.world.held["sheet_h21"]}
    assert list(unit.world.disagreements()) == []


def test_a_day_passes_and_the_list_is_dropped_anew(unit: SheetDrop) -> None:
    unit.drop("ho-so-0000.xlsx")
    before = len(unit.rows())
    unit.advance(3, 6)
    assert unit.names() == ["ho-so-0000.xlsx", "ho-so-0001.xlsx"]
    assert len(unit.rows()) == before + 3


@pytest.mark.parametrize("kind", list(Spoiled))
def test_every_spoiled_file_is_another_one_than_the_list(unit: SheetDrop, kind: Spoiled) -> None:
    name, made = spoiled(kind, unit.rows())
    good = Path(unit.drop(name)).read_bytes()
    assert made != good
    assert unit.put(name, made)
