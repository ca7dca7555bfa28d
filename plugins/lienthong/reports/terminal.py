"""The score table on a terminal: plain lines, Vietnamese, decimal commas."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from io import StringIO

from rich import box
from rich.table import Table

from lienthong.indices.table import ScoreTable, UnitKind, UnitScore
from lienthong.reports.screen import Screen
from lienthong.reports.wording import KIND_LABELS, NO_DATA, decimal_comma, facts_about, title, warnings

#: How many units are shown from each end of a ranking.
ENDS = 5


def score_lines(table: ScoreTable, *, width: int = 110) -> list[str]:
    """Provinces with their groups, then the best and the last units of each province; no colours, no line wider than
    `width`.
    """
    console = Screen(file=StringIO(), width=width, color_system=None, legacy_windows=False, force_terminal=False)
    console.print(title(table), style="bold", highlight=False)
    for label, text in facts_about(table)[1:4]:
        console.print(f"{label}: {text}", highlight=False)
    for warning in warnings(table):
        console.print(warning, highlight=False)
    groups = "; ".join(f"{group.code} {group.name.lower()}" for group in table.definition.groups)
    console.print(f"Nhóm: {groups}.", highlight=False)
    console.print(_provinces(table))
    for province in table.provinces:
        for kind in (UnitKind.DEPARTMENT, UnitKind.COMMUNE):
            units = table.units_of(province.tenant, kind)
            if units:
                console.print(_ends(province.name, kind, units))
    assert isinstance(console.file, StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def _provinces(table: ScoreTable) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    drawn.add_column("Hạng", justify="right", no_wrap=True)
    drawn.add_column("Địa phương", min_width=12)
    for group in table.definition.groups:
        available = sum((item.max for item in table.definition.of_group(group.code) if item.has_data), Decimal(0))
        drawn.add_column(f"{group.code}\n/{decimal_comma(available, 0)}", justify="right", max_width=8)
    drawn.add_column("Tổng", justify="right", no_wrap=True)
    drawn.add_column("%", justify="right", no_wrap=True)
    drawn.add_column("Xếp loại", no_wrap=True)
    for unit in table.provinces:
        points = (unit.groups[group.code].score for group in table.definition.groups)
        drawn.add_row(
            str(unit.rank),
            unit.name,
            *(NO_DATA if score is None else decimal_comma(score) for score in points),
            f"{decimal_comma(unit.total)}/{decimal_comma(unit.available, 0)}",
            decimal_comma(unit.percent),
            unit.band,
        )
    return drawn


def _ends(province: str, kind: UnitKind, units: Sequence[UnitScore]) -> Table:
    """The first and the last of a ranking; all of a short one."""
    label = f"{province} – {KIND_LABELS[kind]} ({len(units)} đơn vị)"
    drawn = Table(title=label, title_justify="left", title_style="", box=box.SIMPLE_HEAD, pad_edge=False)
    drawn.add_column("Hạng", justify="right")
    drawn.add_column("Mã", no_wrap=True)
    drawn.add_column("Đơn vị", min_width=30)
    drawn.add_column("Tổng", justify="right", no_wrap=True)
    drawn.add_column("%", justify="right", no_wrap=True)
    drawn.add_column("Xếp loại", no_wrap=True)
    shown = units if len(units) <= 2 * ENDS else (*units[:ENDS], None, *units[-ENDS:])
    for unit in shown:
        if unit is None:
            drawn.add_row("…", "", f"({len(units) - 2 * ENDS} đơn vị khác)", "", "", "")
            continue
        total = f"{decimal_comma(unit.total)}/{decimal_comma(unit.available, 0)}"
        drawn.add_row(str(unit.rank), unit.agency_code, unit.name, total, decimal_comma(unit.percent), unit.band)
    return drawn
