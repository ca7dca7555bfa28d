"""Tables that fit a terminal of 80 columns."""

from __future__ import annotations

from rich import box
from rich.table import Table


def new_table(title: str, *columns: tuple[str, str]) -> Table:
    """A table under its title; each column is a heading and `left` or `right`. Long cells fold, nothing is cut off."""
    drawn = Table(
        title=f"\n{title}",
        title_style="bold",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for heading, justify in columns:
        drawn.add_column(heading, justify="right" if justify == "right" else "left", overflow="fold")
    return drawn
