"""The workbook says what the score table says, and looks like something to hand to a leader."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from lienthong.indices import ScoreTable, UnitKind
from lienthong.indices.table import ScoreKind
from lienthong.reports import write_workbook
from lienthong.views.conclusion import conclusions


@pytest.fixture
def book(table: ScoreTable, tmp_path: Path) -> openpyxl.Workbook:
    return openpyxl.load_workbook(write_workbook(table, tmp_path / "out" / "diem.xlsx"))


def texts(sheet: Worksheet) -> str:
    return "\n".join(str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None)


def row_of(sheet: Worksheet, code: str) -> int:
    return next(row[1].row for row in sheet.iter_rows() if row[1].value == code)


def column_of(sheet: Worksheet, label: str) -> int:
    """Column of a head in the first rows."""
    return next(
        cell.column
        for row in sheet.iter_rows(max_row=20)
        for cell in row
        if isinstance(cell.value, str) and cell.value.startswith(label)
    )


def test_the_cover_names_title_period_time_definition_and_what_is_missing(book: openpyxl.Workbook) -> None:
    cover = texts(book["Tổng hợp"])
    for expected in (
        "BỘ CHỈ SỐ 766 – THÁNG 10/2026",
        "tháng 10/2026 (01/10/2026 – 31/10/2026)",
        "05/11/2026 08:00 (giờ Việt Nam)",
        "Quyết định số 766/QĐ-TTg",
        "qd766_2026, phiên bản 1",
        "CHƯA ĐỦ 100 ĐIỂM: tổng điểm tính trên 70/100 điểm",
        "1.1 TTHC công bố đúng hạn",
        "5.4 Hài lòng trong tiếp nhận, giải quyết TTHC",
    ):
        assert expected in cover
    assert "2.2" not in cover  # never scored, so nothing is missing


@pytest.mark.parametrize(
    ("kind", "complete", "head", "line"),
    [
        (ScoreKind.PROVISIONAL, False, "Tổng điểm (tạm tính)", "Điểm tạm tính; "),
        (ScoreKind.PROVISIONAL, True, "Tổng điểm (tạm tính)", "Điểm tạm tính; "),
        (ScoreKind.FINAL, False, "Tổng điểm (chưa đủ 100 điểm)", "Điểm chưa đủ 100 điểm; "),
        (ScoreKind.FINAL, True, "Tổng điểm", "Điểm chính thức; "),
    ],
)
def test_a_final_total_is_never_called_provisional(
    table: ScoreTable, tmp_path: Path, kind: ScoreKind, complete: bool, head: str, line: str
) -> None:
    units = tuple(replace(unit, available=Decimal(100)) for unit in table.units) if complete else table.units
    told = replace(table, kind=kind, units=units)
    assert (told.available == 100) is complete
    book = openpyxl.load_workbook(write_workbook(told, tmp_path / "diem.xlsx"))
    cover = book["Tổng hợp"]
    heads = {cell.value for row in cover.iter_rows() for cell in row if str(cell.value).startswith("Tổng điểm")}
    assert heads == {head}
    assert str(book["H17 Đà Nẵng"]["A2"].value).startswith(line)
    assert ("tạm tính" in texts(cover)) is (kind is ScoreKind.PROVISIONAL)


def test_the_summary_ranks_the_provinces_with_groups_and_totals(book: openpyxl.Workbook, table: ScoreTable) -> None:
    sheet = book["Tổng hợp"]
    for unit in table.provinces:
        cells = [cell.value for cell in sheet[row_of(sheet, unit.agency_code)]][:13]
        assert cells[0] == unit.rank
        assert cells[2] == unit.name
        assert cells[3] == pytest.approx(float(unit.groups["CKMB"].score or 0))
        assert cells[7] == "chưa có dữ liệu"
        assert unit.percent is not None
        maximum = {"H17": 70, "H26": 64}[unit.agency_code]
        assert cells[9:13] == [pytest.approx(float(unit.total)), maximum, pytest.approx(float(unit.percent)), unit.band]


def test_bands_are_shown_in_their_colours(book: openpyxl.Workbook, table: ScoreTable) -> None:
    sheet = book["H17 Đà Nẵng"]
    colours = {band.name: band.colour for band in table.definition.bands}
    seen = set()
    for unit in table.units_of("H17", UnitKind.COMMUNE) + table.units_of("H17", UnitKind.DEPARTMENT):
        cell = sheet.cell(row_of(sheet, unit.agency_code), 13)
        if unit.band is None:
            continue
        assert cell.value == unit.band
        assert cell.fill.fgColor.rgb == f"FF{colours[unit.band]}"
        seen.add(unit.band)
    assert len(seen) > 1


def test_there_is_one_sheet_per_province_with_its_units_by_kind_and_rank(
    book: openpyxl.Workbook, table: ScoreTable
) -> None:
    assert book.sheetnames == ["Tổng hợp", "H17 Đà Nẵng", "H26 Hà Nội"]
    sheet = book["H17 Đà Nẵng"]
    shown = [row[1].value for row in sheet.iter_rows(min_row=6) if row[1].value]
    expected = [
        unit.agency_code
        for kind in (UnitKind.PROVINCE, UnitKind.DEPARTMENT, UnitKind.COMMUNE)
        for unit in table.units_of("H17", kind)
    ]
    assert shown == expected
    assert len(expected) == 17


def test_a_component_shows_score_numerator_and_denominator(book: openpyxl.Workbook) -> None:
    sheet = book["H17 Đà Nẵng"]
    row, column = row_of(sheet, "H17.05"), column_of(sheet, "2.1 ")
    assert [sheet.cell(row, column + offset).value for offset in range(3)] == [20, 2, 2]
    assert [sheet.cell(5, column + offset).value for offset in range(3)] == ["Điểm", "Tử số", "Mẫu số"]
    assert sheet.cell(row, column).number_format == "0.00"
    assert sheet.cell(row, column + 1).number_format == "#,##0"


def test_null_is_told_apart_from_zero_and_nothing_to_count_from_no_data(book: openpyxl.Workbook) -> None:
    sheet = book["H17 Đà Nẵng"]
    idle = row_of(sheet, "H17.01")
    assert sheet.cell(idle, column_of(sheet, "1.1 ")).value == "chưa có dữ liệu"
    assert sheet.cell(idle, column_of(sheet, "4.1 ")).value == "không phát sinh"
    on_time = sheet.cell(idle, column_of(sheet, "2.1 "))
    assert (on_time.value, on_time.number_format) == (0, '0.00;-0.00;"không phát sinh"')
    earned = sheet.cell(row_of(sheet, "H17.101"), column_of(sheet, "2.1 "))
    assert (earned.value, earned.number_format) == (0, "0.00")


def test_what_a_province_s_sources_cannot_tell_has_neither_points_nor_counts(book: openpyxl.Workbook) -> None:
    sheet = book["H26 Hà Nội"]
    row, column = row_of(sheet, "H26"), column_of(sheet, "3.1 ")
    assert [sheet.cell(row, column + offset).value for offset in range(3)] == ["chưa có dữ liệu"] * 3


def test_idle_units_come_last_without_rank_percentage_and_band(book: openpyxl.Workbook, table: ScoreTable) -> None:
    sheet = book["H17 Đà Nẵng"]
    idle = [unit for unit in table.units_of("H17", UnitKind.COMMUNE) if unit.idle]
    assert idle == list(table.units_of("H17", UnitKind.COMMUNE)[-2:])
    for unit in idle:
        cells = [cell.value for cell in sheet[row_of(sheet, unit.agency_code)]][:13]
        assert (cells[0], *cells[11:]) == ("–", "–", "không phát sinh, không xếp hạng")


def test_the_cover_says_what_the_month_shows(book: openpyxl.Workbook, table: ScoreTable) -> None:
    cover = texts(book["Tổng hợp"])
    for sentence in conclusions(table):
        assert sentence in cover


def test_a_provisional_denominator_is_marked(book: openpyxl.Workbook) -> None:
    sheet = book["H17 Đà Nẵng"]
    column = column_of(sheet, "1.4 ")
    assert sheet.cell(row_of(sheet, "H17.05"), column).number_format == '0.00"*"'
    assert sheet.cell(row_of(sheet, "H17.110"), column).number_format == "0.00"


def test_every_sheet_prints_on_a4_landscape_and_keeps_its_heads_in_view(book: openpyxl.Workbook) -> None:
    for sheet in book.worksheets:
        assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.page_setup.fitToHeight == 0
        assert sheet.freeze_panes.startswith("D")
        assert sheet.print_title_rows
    assert book["Tổng hợp"].page_setup.fitToWidth in (None, 1)


def test_the_same_table_gives_the_same_bytes(table: ScoreTable, tmp_path: Path) -> None:
    first = write_workbook(table, tmp_path / "one.xlsx").read_bytes()
    assert write_workbook(table, tmp_path / "two.xlsx").read_bytes() == first
    assert write_workbook(table, tmp_path / "one.xlsx").read_bytes() == first


def test_nothing_is_left_behind_when_writing_fails(table: ScoreTable, tmp_path: Path) -> None:
    (tmp_path / "taken.xlsx").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_workbook(table, tmp_path / "taken.xlsx")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.xlsx"]
