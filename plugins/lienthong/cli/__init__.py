"""`lienthong …`: the pipeline from a terminal, without Airflow. Connections come from AIRFLOW_CONN_… variables."""

from __future__ import annotations

import typer

from lienthong.cli import commands, decisions, delivery, source, status
from lienthong.cli.told import error_lines
from lienthong.model.errors import LienThongError

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
app.add_typer(commands.app)
app.add_typer(delivery.app)
app.add_typer(decisions.app)
app.add_typer(source.app)
app.add_typer(status.app)


def main() -> None:
    """Entry point: our own errors are told in two lines, not as a traceback."""
    try:
        app()
    except LienThongError as error:
        typer.echo("\n".join(error_lines(error)), err=True)
        raise SystemExit(1) from None
