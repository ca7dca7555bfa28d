"""A console for text of others: brackets are no markup, and nothing moves the cursor."""

from __future__ import annotations

import io

import pytest
from rich.table import Table

from lienthong.reports.screen import Screen

HOSTILE = "[/red] [bold]Sở\x1b[2J\u202e :smile:"


@pytest.mark.parametrize("in_table", [True, False])
def test_text_of_others_is_shown_as_it_is_but_for_what_does_something(in_table: bool) -> None:
    screen = Screen(file=io.StringIO(), width=100, color_system=None)
    if in_table:
        table = Table(title=HOSTILE)
        table.add_column(HOSTILE)
        table.add_row(HOSTILE)
        screen.print(table)
    else:
        screen.print(HOSTILE, style="red")
    told = screen.file.getvalue()  # type: ignore[attr-defined]
    assert told.count("[/red] [bold]Sở\ufffd[2J\ufffd :smil") == (3 if in_table else 1)
    assert not [one for one in told if not one.isprintable() and one != "\n"]


def test_its_own_colours_still_reach_the_terminal() -> None:
    screen = Screen(file=io.StringIO(), width=100, force_terminal=True, color_system="standard")
    screen.print("LỖI", style="red")
    assert "\x1b[31mLỖI" in screen.file.getvalue()  # type: ignore[attr-defined]
