"""The score workbook: a summary that a leader reads first, and one sheet per province with its units and components."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from io import BytesIO
from pathlib import Path

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from lienthong.disk import replacing
from lienthong.indices.definition import Component
from lienthong.indices.table import Absence, ComponentScore, Flag, ScoreTable, UnitKind, UnitScore
from lienthong.reports.styles import Styles
from lienthong.views.conclusion import conclusions
from lienthong.views.labels import ABSENCES, NO_DATA, NOT_RANKED, NOTHING_AROSE, UNITS
from lienthong.views.scores import facts_about, short_name, standing, title, warnings

SUMMARY = "Tổng hợp"
_FOOTER = "&L&8Liên Thông&C&8&A&R&8Trang &P/&N"
_A4 = 9


def write_workbook(table: ScoreTable, path: Path) -> Path:
    """Write the workbook to `path` (created whole or not at all); the same table gives the same bytes."""
    content = BytesIO()  # the program's own temporary files would lie on another disk, which may be full as well
    with Workbook(content, {"in_memory": True}) as book:
        _fill(book, table)
    with replacing(path) as unfinished:
        unfinished.write_bytes(content.getvalue())
        unfinished.chmod(0o644)
    return path


def _fill(book: Workbook, table: ScoreTable) -> None:
    created = table.as_of.astimezone(UTC).replace(tzinfo=None)
    book.set_properties({"title": title(table), "author": "Liên Thông", "created": created})
    styles = Styles.of(book, table.definition)
    _summary(book.add_worksheet(SUMMARY), styles, table)
    for province in table.provinces:
        _province(book.add_worksheet(_sheet_name(province)), styles, table, province)


def _sheet_name(unit: UnitScore) -> str:
    """`H17 Đà Nẵng`; without the characters that a sheet's name can't hold."""
    name = "".join(letter for letter in f"{unit.agency_code} {short_name(unit)}" if letter not in "[]:*?/\\")
    return name[:31].rstrip(" '")


def _page(sheet: Worksheet, pages_wide: int) -> None:
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(pages_wide, 0)
    sheet.set_footer(_FOOTER)


def _summary(sheet: Worksheet, styles: Styles, table: ScoreTable) -> None:
    groups = table.definition.groups
    last = len(groups) + 6
    _page(sheet, 1)
    sheet.set_column(0, 0, 7)
    sheet.set_column(1, 1, 9)
    sheet.set_column(2, 2, 30)
    sheet.set_column(3, last - 1, 12)
    sheet.set_column(last, last, 14)
    sheet.set_row(0, 30)
    sheet.merge_range(0, 0, 0, last, title(table), styles.title)
    row = 1
    for label, text in facts_about(table):
        sheet.merge_range(row, 0, row, 1, label, styles.label)
        sheet.merge_range(row, 2, row, last, text, styles.text)
        row += 1
    for warning in warnings(table):
        sheet.set_row(row, 18 if len(warning) < 130 else 36)
        sheet.merge_range(row, 0, row, last, warning, styles.warning)
        row += 1
    for number, sentence in enumerate(conclusions(table)):
        if number == 0:
            sheet.merge_range(row, 0, row, 1, "Kết luận", styles.label)
        sheet.set_row(row, 18 if len(sentence) < 105 else 36)
        sheet.merge_range(row, 2, row, last, sentence, styles.text)
        row += 1
    row += 1
    heads = ["Hạng", "Mã", "Đơn vị", *(f"{group.code}\n{group.name}" for group in groups)]
    total = "Tổng điểm" if standing(table) == "chính thức" else f"Tổng điểm ({standing(table)})"
    for column, head in enumerate([*heads, total, "Tối đa có dữ liệu", "Tỷ lệ %", "Xếp loại"]):
        sheet.write_string(row, column, head, styles.head)
    sheet.set_row(row, 78)
    row += 1
    sheet.merge_range(row, 0, row, 2, "Điểm tối đa có dữ liệu / điểm tối đa của nhóm", styles.subhead)
    for column, group in enumerate(groups, start=3):
        sheet.write_string(row, column, f"{table.available_in(group.code):f}/{group.max:f}", styles.subhead)
    for column in range(len(groups) + 3, last + 1):
        sheet.write_blank(row, column, None, styles.subhead)
    sheet.freeze_panes(row + 1, 3)
    sheet.repeat_rows(row - 1, row)
    for unit in table.provinces:
        row += 1
        column = _ranking(sheet, styles, table, unit, row)
        assert column == last + 1
    _legend(sheet, styles, table, row + 2)


def _ranking(sheet: Worksheet, styles: Styles, table: ScoreTable, unit: UnitScore, row: int) -> int:
    """Rank, code, name, groups, total, available, percent, band; returns the column after them."""
    if unit.rank is None:
        sheet.write_string(row, 0, "–", styles.rank)
    else:
        sheet.write_number(row, 0, unit.rank, styles.rank)
    sheet.write_string(row, 1, unit.agency_code, styles.code)
    sheet.write_string(row, 2, unit.name, styles.name)
    column = 3
    for group in table.definition.groups:
        score, absence = unit.groups[group.code].score, table.absence_in(unit, group.code)
        if score is None or absence is Absence.NO_DATA:
            sheet.write_string(row, column, NO_DATA, styles.none)
        else:
            style = styles.points if absence is None else styles.points_or_nothing
            sheet.write_number(row, column, float(score), style)
        column += 1
    sheet.write_number(row, column, float(unit.total), styles.points_bold)
    sheet.write_number(row, column + 1, float(unit.available), styles.points)
    if unit.percent is None or unit.band is None:
        sheet.write_string(row, column + 2, "–", styles.none)
        sheet.write_string(row, column + 3, NOT_RANKED, styles.none)
    else:
        sheet.write_number(row, column + 2, float(unit.percent), styles.points_bold)
        sheet.write_string(row, column + 3, unit.band, styles.bands[unit.band])
    return column + 4


def _legend(sheet: Worksheet, styles: Styles, table: ScoreTable, row: int) -> None:
    sheet.write_string(row, 0, "Chú giải", styles.label)
    bounds = [Decimal(100), *(band.start for band in table.definition.bands)]
    for number, band in enumerate(table.definition.bands):
        upper = "≤" if number == 0 else "<"
        row += 1
        sheet.merge_range(row, 0, row, 1, band.name, styles.bands[band.name])
        sheet.write_string(row, 2, f"{band.start:f} ≤ tỷ lệ % {upper} {bounds[number]:f}", styles.text)
    for sign, meaning in (
        (NO_DATA, "Nguồn đã kết nối chưa cung cấp số liệu; không phải là 0 điểm."),
        (NOTHING_AROSE, "Mẫu số bằng 0: có số liệu, không có hồ sơ, thủ tục để tính; điểm tối đa giữ nguyên."),
        (NOT_RANKED, "Trong kỳ đơn vị không tiếp nhận và không có hồ sơ nào đang giải quyết."),
        ("0.00*", "Mẫu số tạm thời: chưa có số tiếp nhận theo hệ thống báo cáo quốc gia."),
    ):
        row += 1
        sheet.merge_range(row, 0, row, 1, sign, styles.none)
        sheet.write_string(row, 2, meaning, styles.subtitle)
    row += 1
    sheet.write_string(row, 0, "Màu và ngưỡng xếp loại là cấu hình, chưa phải ngưỡng chính thức.", styles.subtitle)


def _province(sheet: Worksheet, styles: Styles, table: ScoreTable, province: UnitScore) -> None:
    groups = table.definition.groups
    _page(sheet, 3)
    sheet.set_column(0, 0, 6)
    sheet.set_column(1, 1, 9)
    longest = max(len(unit.name) for unit in table.units if unit.tenant == province.tenant)
    sheet.set_column(2, 2, min(max(longest, 30), 60))  # names on one line: not every program fits row heights
    sheet.set_column(3, len(groups) + 6, 13)
    sheet.set_row(0, 26)
    sheet.write_string(0, 0, f"{title(table)} – {province.name}", styles.title)
    sheet.write_string(
        1, 0, f"Điểm {standing(table)}; {facts_about(table)[2][0].lower()} {facts_about(table)[2][1]}", styles.subtitle
    )
    _province_head(sheet, styles, table)
    row = 5
    for unit_kind in UnitKind:
        units = (province,) if unit_kind is province.kind else table.units_of(province.tenant, unit_kind)
        if not units:
            continue
        sheet.write_string(row, 0, f"{UNITS[unit_kind]} ({len(units)})", styles.section)
        for column in range(1, len(groups) + 7):
            sheet.write_blank(row, column, None, styles.section)
        for unit in units:
            row += 1
            column = _ranking(sheet, styles, table, unit, row)
            for component in table.definition.components:
                column = _component(sheet, styles, component, unit.components[component.id], row, column)
        row += 1
    sheet.freeze_panes(5, 3)
    sheet.repeat_rows(2, 4)
    sheet.repeat_columns(0, 2)


def _province_head(sheet: Worksheet, styles: Styles, table: ScoreTable) -> None:
    """Three rows: group, component, and what its columns hold."""
    groups = table.definition.groups
    sheet.set_row(2, 32)
    sheet.set_row(3, 48)
    fixed = ["Hạng", "Mã", "Đơn vị", *(group.code for group in groups), "Tổng điểm", "Tối đa", "Tỷ lệ %", "Xếp loại"]
    for column, head in enumerate(fixed):
        sheet.merge_range(2, column, 4, column, head, styles.head)
    column = len(fixed)
    for group in groups:
        first = column
        for component in table.definition.of_group(group.code):
            wide = _width(component)
            label = f"{component.id} {component.name} (tối đa {component.max:f})"
            if wide == 1:
                sheet.set_column(column, column, 14)
                sheet.merge_range(3, column, 4, column, label, styles.subhead)
            else:
                sheet.set_column(column, column, 13)
                sheet.set_column(column + 1, column + 2, 9)
                sheet.merge_range(3, column, 3, column + 2, label, styles.subhead)
                for offset, head in enumerate(("Điểm", "Tử số", "Mẫu số")):
                    sheet.write_string(4, column + offset, head, styles.subhead)
            column += wide
        text = f"{group.code} – {group.name}"
        if column - first > 1:
            sheet.merge_range(2, first, 2, column - 1, text, styles.head)
        elif column > first:
            sheet.write_string(2, first, text, styles.head)


def _width(component: Component) -> int:
    """Columns of a component: score, numerator and denominator where they are counted."""
    return 3 if component.feed == "warehouse" else 1


def _component(
    sheet: Worksheet, styles: Styles, component: Component, scored: ComponentScore, row: int, column: int
) -> int:
    absence = scored.absence
    if scored.score is None:
        sheet.write_string(row, column, ABSENCES[absence or Absence.NO_DATA], styles.none)
    else:
        provisional = Flag.TEMP_NATIONAL_REPORT_DENOMINATOR in scored.flags
        style = styles.points_provisional if provisional else styles.points
        if absence is Absence.NOTHING_AROSE:
            style = styles.points_or_nothing
        sheet.write_number(row, column, float(scored.score), style)
    if _width(component) == 3:
        for offset, counted in ((1, scored.numerator), (2, scored.denominator)):
            if counted is None:
                sheet.write_string(row, column + offset, NO_DATA, styles.none)
            else:
                sheet.write_number(row, column + offset, float(counted), styles.count)
    return column + _width(component)
