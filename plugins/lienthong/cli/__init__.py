"""`lienthong …`: the pipeline from a terminal, without Airflow. Connections come from AIRFLOW_CONN_… variables."""

from __future__ import annotations

import typer

from lienthong.cli import commands, decisions, delivery, source, status
from lienthong.cli.failing import keep_trace, tell_without_values
from lienthong.cli.told import error_lines, say, unforeseen_lines
from lienthong.model.errors import LienThongError

HELP = "Liên Thông trên dòng lệnh, không cần Airflow. Kết nối lấy từ các biến môi trường AIRFLOW_CONN_…"

app = typer.Typer(no_args_is_help=True, add_completion=False, help=HELP, pretty_exceptions_enable=False)
app.add_typer(commands.app)
app.add_typer(delivery.app)
app.add_typer(decisions.app)
app.add_typer(source.app)
app.add_typer(status.app)


def main() -> None:
    """Entry point: an error is told in two lines, never as a traceback, whose words may quote a row."""
    tell_without_values()
    try:
        app()
    except LienThongError as error:
        say("\n".join(error_lines(error)), err=True)
    except Exception as error:
        say("\n".join(unforeseen_lines(error, keep_trace(error))), err=True)
    else:
        return
    raise SystemExit(1)
