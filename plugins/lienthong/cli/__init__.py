"""`lienthong …`: the pipeline from a terminal, without Airflow. Connections come from AIRFLOW_CONN_… variables."""

from __future__ import annotations

import typer

from lienthong.cli import commands, delivery, source, status
from lienthong.cli.told import error_lines
from lienthong.model.errors import LienThongError

HELP = "Liên Thông trên dòng lệnh, không cần Airflow. Kết nối lấy từ các biến môi trường AIRFLOW_CONN_…"

app = typer.Typer(no_args_is_help=True, add_completion=False, help=HELP, pretty_exceptions_enable=False)
app.add_typer(commands.app)
app.add_typer(delivery.app)
app.add_typer(source.app)
app.add_typer(status.app)


def main() -> None:
    """Entry point: our own errors are told in two lines, not as a traceback."""
    try:
        app()
    except LienThongError as error:
        typer.echo("\n".join(error_lines(error)), err=True)
        raise SystemExit(1) from None
