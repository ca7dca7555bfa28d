"""`lienthong status`: where everything stands, on one screen."""

from __future__ import annotations

import typer

from lienthong.pipeline.runtime import Runtime

app = typer.Typer()


@app.command()
def status() -> None:
    """The newest load of every source and where deliveries stand."""
    from rich.console import Console

    from lienthong.pipeline.summary import print_deliveries, print_loads

    rt, console = Runtime.from_environment(), Console()
    print_loads(rt, console)
    print_deliveries(rt, console)
