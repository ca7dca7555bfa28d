"""Cell formats of the score workbook, made once per workbook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format

from lienthong.indices.definition import Definition
from lienthong.views.labels import NOTHING_AROSE

FONT = "Times New Roman"
NAVY = "#1F3864"
PALE = "#D9E2F3"
GREY = "#7F7F7F"
#: Band colours on which white letters can be read.
_DARK_BELOW = 140


@dataclass(frozen=True)
class Styles:
    """Every format by its purpose; `bands` by band name."""

    title: Format
    subtitle: Format
    label: Format
    text: Format
    warning: Format
    head: Format
    subhead: Format
    section: Format
    name: Format
    code: Format
    rank: Format
    points: Format
    points_bold: Format
    points_provisional: Format
    points_or_nothing: Format
    count: Format
    none: Format
    bands: Mapping[str, Format]

    @classmethod
    def of(cls, book: Workbook, definition: Definition) -> Styles:
        def make(**given: Any) -> Format:
            return book.add_format({"font_name": FONT, "font_size": 11, "valign": "vcenter", **given})

        cell: dict[str, Any] = {"border": 1, "border_color": "#BFBFBF"}
        head: dict[str, Any] = {**cell, "bold": True, "align": "center", "text_wrap": True}
        points: dict[str, Any] = {**cell, "num_format": "0.00"}
        return cls(
            title=make(bold=True, font_size=18, font_color=NAVY),
            subtitle=make(italic=True, font_color=GREY),
            label=make(bold=True),
            text=make(text_wrap=True, valign="top"),
            warning=make(text_wrap=True, bold=True, font_color="#9C0006", bg_color="#FFF2CC", valign="top"),
            head=make(**head, bg_color=NAVY, font_color="#FFFFFF"),
            subhead=make(**head, bg_color=PALE, font_size=9),
            section=make(bold=True, bg_color=PALE, font_color=NAVY),
            name=make(**cell, text_wrap=True),
            code=make(**cell),
            rank=make(**cell, align="center", bold=True),
            points=make(**points),
            points_bold=make(**points, bold=True),
            points_provisional=make(**{**points, "num_format": '0.00"*"'}),
            # A zero reads as words and stays a number, so that sums of cells go on being right.
            points_or_nothing=make(
                **{**points, "num_format": f'0.00;-0.00;"{NOTHING_AROSE}"'}, italic=True, font_color=GREY, font_size=9
            ),
            count=make(**cell, num_format="#,##0"),
            none=make(**cell, italic=True, font_color=GREY, align="center", font_size=9, text_wrap=True),
            bands={
                band.name: make(
                    **cell,
                    bold=True,
                    align="center",
                    bg_color=f"#{band.colour}",
                    font_color="#FFFFFF" if _brightness(band.colour) < _DARK_BELOW else "#000000",
                )
                for band in definition.bands
            },
        )


def _brightness(colour: str) -> float:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (0, 2, 4))
    return 0.299 * red + 0.587 * green + 0.114 * blue
