"""`lienthong …`: the pipeline from a terminal, without Airflow. Connections come from AIRFLOW_CONN_… variables."""

from __future__ import annotations

import typer

from lienthong.cli import commands, decisions, delivery, source, status
from lienthong.cli.errors import error_lines, keep_trace, unforeseen_lines, withhold_values
from lienthong.cli.output import say
from lienthong.pipeline.failures import EXIT_CODE, failure_of

HELP = "Liên Thông trên dòng lệnh, không cần Airflow. Kết nối lấy từ các biến môi trường AIRFLOW_CONN_…"

app = typer.Typer(no_args_is_help=True, add_completion=False, help=HELP, pretty_exceptions_enable=False)
app.add_typer(commands.app)
app.add_typer(delivery.app)
app.add_typer(decisions.app)
app.add_typer(source.app)
app.add_typer(status.app)


def main() -> None:
    """Entry point: an error is told in two lines, never as a traceback, whose words may quote a row."""
    withhold_values()
    try:
        app()
    except Exception as error:
        failure = failure_of(error)
        lines = error_lines(failure) if failure.foreseen else unforeseen_lines(error, keep_trace(error))
        say("\n".join(lines), err=True)
    else:
        return
    raise SystemExit(EXIT_CODE)
