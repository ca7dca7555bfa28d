"""The steps of the pipeline, one command each."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from lienthong.cli.told import AsJson, catalogue_lines, push_lines, terminal, to_json
from lienthong.cli.windows import load_window
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.pipeline.runtime import Runtime

app = typer.Typer()


def run_key(name: str) -> str:
    """A run key for one command at one moment."""
    return f"cli__{name}__{datetime.now(BUSINESS_ZONE).isoformat()}"


@app.command()
def migrate() -> None:
    """Bring the warehouse to the newest schema."""
    from lienthong.warehouse.migrate import upgrade

    upgrade(Runtime.from_environment().warehouse())
    typer.echo("Kho dữ liệu đã ở phiên bản mới nhất.")


@app.command("catalogue")
def catalogue(as_json: AsJson = False) -> None:
    """Sync the national catalogue (procedures, agencies)."""
    from lienthong.pipeline.catalogue import sync_catalogue

    done = sync_catalogue(Runtime.from_environment(), run_key("catalogue"))
    typer.echo(to_json(done) if as_json else "\n".join(catalogue_lines(done)))


@app.command()
def load(
    source: Annotated[str, typer.Argument(help="Source id: the name of its file in include/sources.")],
    mode: Annotated[str | None, typer.Option(help="incremental (default), range or full.")] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="Start of a range, e.g. 2026-10-01; in Vietnam's time.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="End of a range: its first moment is left out.")] = None,
    accept_collapse: Annotated[
        bool, typer.Option("--accept-collapse", help="The source really lost many dossiers: load what it has now.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Load one source: extract, stage, gate, merge. Range and full never move the watermark."""
    from lienthong.pipeline.code_maps import changed_code_maps
    from lienthong.pipeline.load import load_once
    from lienthong.pipeline.summary import print_load

    wanted = load_window(mode, since, until)
    key = run_key(f"load__{source}")
    rt = Runtime.from_environment()
    rt.resolve(rt.contract(source).connection)  # a connection that is not there leaves no opened load behind
    done = load_once(rt, source, key, wanted.mode, wanted.window_from, wanted.window_to, accept_collapse)
    if as_json:
        typer.echo(to_json(done))
        return
    print_load(rt, terminal(), int(str(done["load_id"])))
    for changed in changed_code_maps(rt):
        if changed.source_id == source:
            typer.echo(changed.advice_vi())


@app.command()
def push(
    tenant: Annotated[str, typer.Argument(help="Province or ministry, e.g. H17.")],
    all_history: Annotated[
        bool, typer.Option("--all-history", help="Send old dossiers that nobody has adopted, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Deliver what one province owes the portal."""
    from lienthong.pipeline.push import push as push_tenant
    from lienthong.pipeline.summary import print_deliveries

    rt = Runtime.from_environment()
    done = push_tenant(rt, tenant, run_key(f"push__{tenant}"), send_history=all_history)
    if as_json:
        typer.echo(to_json(done))
        return
    for line in push_lines(done):
        typer.echo(line)
    print_deliveries(rt, terminal(), tenant)


@app.command()
def score(
    month: Annotated[
        str | None, typer.Argument(help="YYYY-MM; by default the running month, with --final the one just ended.")
    ] = None,
    final: Annotated[bool, typer.Option(help="Final instead of provisional.")] = False,
    all_units: Annotated[
        bool, typer.Option("--all-units", help="Departments and communes too, the best and the last of each province.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compute the month's scores, print them and write the workbook."""
    from lienthong.indices import scores
    from lienthong.pipeline.score import publish
    from lienthong.pipeline.score import score as compute
    from lienthong.pipeline.summary import print_reports, print_scores
    from lienthong.reports.document import score_document

    rt = Runtime.from_environment()
    run_id = compute(rt, month, run_key("score"), final)
    paths = publish(rt, run_id)
    if as_json:
        typer.echo(to_json({**score_document(scores(rt.warehouse(), run_id)), "reports": paths}))
        return
    print_scores(rt, terminal(), run_id, all_units)
    print_reports(terminal(), paths)


@app.command()
def contracts() -> None:
    """Check every source contract; exit code 1 when one is broken."""
    from lienthong.sources.contract import read_contracts

    found = read_contracts(Runtime.from_environment().settings.sources)
    for contract in found.valid.values():
        typer.echo(f"ok   {contract.source_id}: {contract.title}")
    for error in found.errors:
        typer.echo(f"LỖI  {error}", err=True)
    if found.errors:
        raise typer.Exit(1)
