"""The terminal shows the same scores in Vietnamese, with decimal commas."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lienthong.indices import ScoreTable, UnitKind
from lienthong.reports import score_lines
from lienthong.views.scores import decimal_comma, short_name


def spoken(lines: list[str]) -> str:
    """As one text, however the lines were broken."""
    return " ".join(" ".join(lines).split())


def test_provinces_are_listed_with_totals_over_what_could_be_measured(table: ScoreTable) -> None:
    lines = score_lines(table)
    assert lines[0] == "BỘ CHỈ SỐ 766 – THÁNG 10/2026"
    for unit, maximum in zip(table.provinces, ("70", "64"), strict=True):
        [line] = [line for line in lines if short_name(unit) in line and f"/{maximum} " in line and "(" not in line]
        assert f"{decimal_comma(unit.total)}/{maximum}" in line
        assert decimal_comma(unit.percent) in line
        assert line.endswith(str(unit.band))


def test_what_is_missing_is_said(table: ScoreTable) -> None:
    text = spoken(score_lines(table))
    assert "CHƯA ĐỦ 100 ĐIỂM: tổng điểm tính trên 70/100 điểm đã có dữ liệu (64 ở Hà Nội)" in text
    assert "TẠM TÍNH" not in text, "a final score is not provisional as well"
    assert "5.2 PAKN xử lý đúng hạn" in text
    assert "Chưa có dữ liệu ở một số địa phương: 3.1" in text
    assert "3.2 Dịch vụ công trực tuyến có phát sinh hồ sơ (Hà Nội)" in text


def test_a_group_with_data_for_fewer_points_than_elsewhere_shows_how_many(table: ScoreTable) -> None:
    lines = score_lines(table)
    [head] = [line for line in lines if line.startswith("Hạng Địa phương")]
    assert [word for word in head.split() if word.startswith("/")] == ["/6", "/20", "/12", "/10", "/22"], (
        "satisfaction, which nobody can measure, has no column"
    )
    [hanoi] = [line for line in lines if " Hà Nội " in line and "/64 " in line and "(" not in line]
    assert "0,00/6 " in hanoi


def test_it_ends_with_three_sentences_about_the_month(table: ScoreTable) -> None:
    text = spoken(score_lines(table)[-8:])
    best, worst = table.provinces
    assert f"Tháng 10/2026: Đà Nẵng dẫn đầu với {decimal_comma(best.percent)}% " in text
    assert f"Hà Nội đứng cuối với {decimal_comma(worst.percent)}% ({decimal_comma(worst.total)}/64 điểm" in text
    assert "Mất điểm nhiều nhất là 2.1" in text
    assert "nhiều nhất ở Hà Nội (20,00 điểm; đạt 0/1)" in text
    assert text.endswith(
        "Việc nên làm trước: ở Hà Nội, rà soát 2.1 của Sở Tài chính (đạt 0/1); các đơn vị khác có trong trang H26 "
        "của tệp Excel."
    )


def test_units_are_shown_when_they_are_asked_for_of_a_long_ranking_both_ends(table: ScoreTable) -> None:
    communes = table.units_of("H17", UnitKind.COMMUNE)
    assert not [line for line in score_lines(table) if any(f" {unit.agency_code} " in line for unit in communes)]
    lines = score_lines(table, all_units=True)
    ranked = [unit for unit in communes if not unit.idle]
    shown = {unit.agency_code for unit in communes if any(f" {unit.agency_code} " in line for line in lines)}
    assert shown == {unit.agency_code for unit in (*ranked[:5], *ranked[-5:])}
    assert any("(2 đơn vị khác)" in line for line in lines)
    assert any("Sở Tài chính" in line for line in lines)
    assert any("(2 đơn vị không phát sinh, không xếp hạng)" in line for line in lines)


def test_no_line_is_wider_than_asked(table: ScoreTable) -> None:
    assert max(len(line) for line in score_lines(table)) <= 80
    for width in (80, 120):
        assert max(len(line) for line in score_lines(table, width=width, all_units=True)) <= width


@pytest.mark.parametrize(
    ("value", "text"), [("1234.5", "1.234,50"), ("0", "0,00"), (None, "chưa có dữ liệu"), ("59.91", "59,91")]
)
def test_numbers_are_written_the_vietnamese_way(value: str | None, text: str) -> None:
    assert decimal_comma(None if value is None else Decimal(value)) == text
