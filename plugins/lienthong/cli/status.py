"""`lienthong status`: where everything stands, on one screen. `lienthong freshness`: judge it now."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.pipeline.runtime import Runtime

if TYPE_CHECKING:
    from rich.console import Console

    from lienthong.pipeline.status import SourceDetail, Status

app = typer.Typer()


@app.command()
def status(
    source: Annotated[
        str | None, typer.Argument(help="One source in depth: words that nobody maps, days, agencies.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Every agency, finding and unmapped word of the source.")
    ] = False,
) -> None:
    """Loads, volumes, findings, unmapped words and deliveries. Exit code 1 when data is missing or late, else 0."""
    from lienthong.cli.status_view import print_detail, print_status
    from lienthong.pipeline.code_maps import changed_code_maps
    from lienthong.pipeline.status import collect, detail

    rt = Runtime.from_environment()
    if source is None:
        found = collect(rt)
        if as_json:
            typer.echo(_as_json(found))
        else:
            print_status(found, _console())
            for changed in changed_code_maps(rt):
                typer.echo(changed.advice_vi())
        failed = found.has_errors
    else:
        deep = detail(rt, source)
        if as_json:
            typer.echo(_as_json(deep))
        else:
            print_detail(deep, _console(), everything=everything)
        failed = deep.status.has_errors
    if failed:
        raise typer.Exit(1)


@app.command()
def freshness() -> None:
    """Judge volumes and ages now, as the DAG `freshness` does hourly. Alerts leave through Airflow only."""
    from lienthong.freshness.wording import amount
    from lienthong.pipeline.freshness import evaluate

    change = evaluate(Runtime.from_environment())
    typer.echo(
        f"Phát hiện mới: {amount(change['opened'])}, đang mở: {amount(change['open'])}, "
        f"vừa đóng: {amount(change['closed'])}. Xem `lienthong status`."
    )


def _console() -> Console:
    """At most 100 columns: wider lines are hard to read."""
    from rich.console import Console

    console = Console()
    console.width = min(console.width, 100)
    return console


def _as_json(found: Status | SourceDetail) -> str:
    return json.dumps(asdict(found), ensure_ascii=False, indent=1, default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
