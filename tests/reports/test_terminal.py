"""The terminal shows the same scores in Vietnamese, with decimal commas."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lienthong.indices import ScoreTable, UnitKind
from lienthong.reports import score_lines
from lienthong.reports.wording import decimal_comma


def test_provinces_are_listed_with_totals_over_what_could_be_measured(table: ScoreTable) -> None:
    lines = score_lines(table)
    assert lines[0] == "BỘ CHỈ SỐ 766 – THÁNG 10/2026"
    for unit in table.provinces:
        (line,) = [line for line in lines if unit.name in line and "/70" in line]
        assert f"{decimal_comma(unit.total)}/70" in line
        assert decimal_comma(unit.percent) in line
        assert line.rstrip().endswith(unit.band)


def test_what_is_missing_is_said(table: ScoreTable) -> None:
    text = " ".join(" ".join(score_lines(table)).split())
    assert "CHƯA ĐỦ 100 ĐIỂM" in text
    assert "TẠM TÍNH" not in text, "a final score is not provisional as well"
    assert "5.2 PAKN xử lý đúng hạn" in text
    assert "chưa có" in text


def test_of_a_long_ranking_both_ends_are_shown(table: ScoreTable) -> None:
    lines = score_lines(table)
    communes = table.units_of("H17", UnitKind.COMMUNE)
    shown = {unit.agency_code for unit in communes if any(unit.agency_code in line for line in lines)}
    assert shown == {unit.agency_code for unit in (*communes[:5], *communes[-5:])}
    assert any("(4 đơn vị khác)" in line for line in lines)
    assert any("Sở Tài chính" in line for line in lines)


def test_no_line_is_wider_than_asked(table: ScoreTable) -> None:
    for width in (100, 120):
        assert max(len(line) for line in score_lines(table, width=width)) <= width


@pytest.mark.parametrize(
    ("value", "text"), [("1234.5", "1.234,50"), ("0", "0,00"), (None, "chưa có dữ liệu"), ("59.91", "59,91")]
)
def test_numbers_are_written_the_vietnamese_way(value: str | None, text: str) -> None:
    assert decimal_comma(None if value is None else Decimal(value)) == text
