"""The score table on a terminal: plain lines, Vietnamese, decimal commas."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from rich import box
from rich.table import Table

from lienthong.indices.table import Absence, ScoreTable, UnitKind, UnitScore
from lienthong.reports.screen import Screen
from lienthong.views.conclusion import conclusions
from lienthong.views.labels import ABSENCES, NOT_RANKED, UNITS
from lienthong.views.scores import decimal_comma, facts_about, short_name, title, warnings

#: How many units are shown from each end of a ranking.
ENDS = 5
_NOTHING = "–"


def score_lines(table: ScoreTable, *, width: int = 80, all_units: bool = False) -> list[str]:
    """What must be known, the provinces with their groups, and what the month shows, in three sentences. With
    `all_units` the best and the last units of each province come in between. No colours, no line wider than `width`.
    """
    console = Screen(file=StringIO(), width=width, color_system=None, legacy_windows=False, force_terminal=False)
    console.print(title(table), style="bold", highlight=False)
    for label, text in facts_about(table)[1:4]:
        console.print(f"{label}: {text}", highlight=False)
    for warning in warnings(table):
        console.print(warning, highlight=False)
    groups = "; ".join(f"{group.code} {group.name.lower()}" for group in table.definition.groups)
    console.print(f"Nhóm: {groups}.", highlight=False)
    console.print()
    console.print(_provinces(table))
    if all_units:
        for province in table.provinces:
            for kind in (UnitKind.DEPARTMENT, UnitKind.COMMUNE):
                units = table.units_of(province.tenant, kind)
                if units:
                    console.print(_ends(short_name(province), kind, units))
    console.print()
    for sentence in conclusions(table):
        console.print(sentence, highlight=False)
    assert isinstance(console.file, StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def _provinces(table: ScoreTable) -> Table:
    """Groups that nobody has data for have no column: the lines above name their components."""
    groups = [group for group in table.definition.groups if table.available_in(group.code)]
    drawn = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    drawn.add_column("Hạng", justify="right", no_wrap=True)
    drawn.add_column("Địa phương", min_width=11)
    for group in groups:
        drawn.add_column(f"{group.code}\n/{decimal_comma(table.available_in(group.code), 0)}", justify="right")
    drawn.add_column("Tổng", justify="right", no_wrap=True)
    drawn.add_column("%", justify="right", no_wrap=True)
    drawn.add_column("Xếp loại", min_width=10)
    for unit in table.provinces:
        cells = (_group(table, unit, group.code) for group in groups)
        drawn.add_row(_rank(unit), short_name(unit), *cells, _total(unit), _percent(unit), _band(unit))
    return drawn


def _group(table: ScoreTable, unit: UnitScore, code: str) -> str:
    """`8,83`; `5,10/6` where others have data for more points; why there is nothing, where there is nothing."""
    group, absence = unit.groups[code], table.absence_in(unit, code)
    if absence is Absence.NO_DATA or group.score is None:
        return ABSENCES[Absence.NO_DATA]
    if absence is Absence.NOTHING_AROSE and not group.score:
        return ABSENCES[absence]
    less = f"/{decimal_comma(group.available, 0)}" if group.available < table.available_in(code) else ""
    return f"{decimal_comma(group.score)}{less}"


def _rank(unit: UnitScore) -> str:
    return _NOTHING if unit.rank is None else str(unit.rank)


def _total(unit: UnitScore) -> str:
    return f"{decimal_comma(unit.total)}/{decimal_comma(unit.available, 0)}"


def _percent(unit: UnitScore) -> str:
    return _NOTHING if unit.percent is None else decimal_comma(unit.percent)


def _band(unit: UnitScore) -> str:
    return NOT_RANKED if unit.band is None else unit.band


def _ends(province: str, kind: UnitKind, units: Sequence[UnitScore]) -> Table:
    """The first and the last of a ranking; all of a short one. Units with nothing to count are told by their number."""
    ranked = [unit for unit in units if not unit.idle]
    label = f"\n{province} – {UNITS[kind]} ({len(units)} đơn vị)"
    drawn = Table(title=label, title_justify="left", title_style="", box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    drawn.add_column("Hạng", justify="right")
    drawn.add_column("Mã", no_wrap=True)
    drawn.add_column("Đơn vị", min_width=30)
    drawn.add_column("Tổng", justify="right", no_wrap=True)
    drawn.add_column("%", justify="right", no_wrap=True)
    drawn.add_column("Xếp loại")
    shown = ranked if len(ranked) <= 2 * ENDS else (*ranked[:ENDS], None, *ranked[-ENDS:])
    for unit in shown:
        if unit is None:
            drawn.add_row("…", "", f"({len(ranked) - 2 * ENDS} đơn vị khác)", "", "", "")
            continue
        drawn.add_row(_rank(unit), unit.agency_code, unit.name, _total(unit), _percent(unit), _band(unit))
    if idle := len(units) - len(ranked):
        drawn.add_row(_NOTHING, "", f"({idle} đơn vị {NOT_RANKED})", "", "", "")
    return drawn
