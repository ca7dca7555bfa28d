"""The steps of the pipeline, one command each."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from lienthong.cli.output import AsJson, say, terminal, to_json
from lienthong.connections import Role
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.pipeline import jobs
from lienthong.pipeline.requests import LoadRequest, PushRequest, ScoreRequest
from lienthong.pipeline.runtime import Runtime
from lienthong.views.portal import catalogue_lines, push_lines

app = typer.Typer()


def run_key(name: str) -> str:
    """A run key for one command at one moment."""
    return f"cli__{name}__{datetime.now(BUSINESS_ZONE).isoformat()}"


@app.command(help="Đưa kho dữ liệu lên phiên bản mới nhất.")
def migrate() -> None:
    """Bring the warehouse to the newest schema."""
    from lienthong.views.notices import loud_settings_notices, missing_roles_notices
    from lienthong.warehouse.bootstrap.migrate import upgrade
    from lienthong.warehouse.bootstrap.roles import missing_roles
    from lienthong.warehouse.server_log import loud_settings

    warehouse = Runtime.from_environment().warehouse(Role.MIGRATOR)
    upgrade(warehouse)
    say("Kho dữ liệu đã ở phiên bản mới nhất.")
    with warehouse.connect() as connection:
        for line in missing_roles_notices(missing_roles(connection)):
            say(line)
        for line in loud_settings_notices(loud_settings(connection)):
            say(line)


@app.command("catalogue", help="Đồng bộ danh mục quốc gia (thủ tục, cơ quan).")
def catalogue(as_json: AsJson = False) -> None:
    """Sync the national catalogue (procedures, agencies)."""
    done = jobs.sync_catalogue(Runtime.from_environment(), run_key("catalogue"))
    say(to_json(done) if as_json else "\n".join(catalogue_lines(done)))


@app.command(help="Nạp một nguồn: đọc, chuẩn hóa, kiểm tra, nạp vào kho. range và full không dời mốc đọc.")
def load(
    source: Annotated[str, typer.Argument(help="Mã nguồn: tên tệp của nguồn trong include/sources.")],
    mode: Annotated[
        str | None,
        typer.Option(help="incremental (mặc định: phần mới), range (một khoảng thời gian) hoặc full (tất cả)."),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="Đầu khoảng thời gian, như 2026-10-01; giờ Việt Nam.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="Cuối khoảng thời gian; không gồm chính thời điểm này.")
    ] = None,
    accept_collapse: Annotated[
        bool, typer.Option("--accept-collapse", help="Nguồn thật sự đã mất nhiều hồ sơ: nạp những gì còn.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Load one source: extract, stage, gate, merge. Range and full never move the watermark."""
    from lienthong.cli.summary import print_load
    from lienthong.pipeline import views

    request = LoadRequest.parse(source, mode, since, until, accept_collapse=accept_collapse)
    rt = Runtime.from_environment()
    done = jobs.load(rt, request, run_key(f"load__{source}"))
    if as_json:
        say(to_json(done))
        return
    print_load(views.load(rt, int(str(done["load_id"]))), terminal())
    for changed in views.changed_code_maps(rt):
        if changed.source_id == source:
            say(changed.notice)


@app.command(help="Gửi lên Cổng những gì một tỉnh, bộ còn nợ.")
def push(
    tenant: Annotated[str, typer.Argument(help="Mã tỉnh, bộ, như H17.")],
    all_history: Annotated[bool, typer.Option("--all-history", help="Gửi cả hồ sơ cũ chưa ai quyết định.")] = False,
    as_json: AsJson = False,
) -> None:
    """Deliver what one province owes the portal."""
    from lienthong.cli.summary import print_deliveries

    rt = Runtime.from_environment()
    done = jobs.push(rt, PushRequest(tenant, all_history), run_key(f"push__{tenant}"))
    if as_json:
        say(to_json(done))
        return
    for line in push_lines(done):
        say(line)
    print_deliveries(rt, terminal(), tenant)


@app.command(help="Chấm điểm một tháng, in ra và ghi bảng điểm.")
def score(
    month: Annotated[
        str | None, typer.Argument(help="YYYY-MM; để trống: tháng đang chạy, với --final: tháng vừa qua.")
    ] = None,
    final: Annotated[bool, typer.Option(help="Điểm chính thức thay vì tạm tính: mỗi tháng một lần.")] = False,
    all_units: Annotated[
        bool, typer.Option("--all-units", help="In cả sở và xã: tốt nhất và cuối bảng của mỗi tỉnh.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Cùng --final: in điểm chính thức đã có và ghi lại bảng điểm.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compute the month's scores, print them and write the workbook."""
    from lienthong.cli.summary import print_reports, print_scores
    from lienthong.indices import scores
    from lienthong.pipeline.score import publish
    from lienthong.reports.document import score_document

    request = ScoreRequest.parse(month, final=final, again=again)
    rt = Runtime.from_environment()
    run_id = jobs.score(rt, request, run_key("score"))
    paths = publish(rt, run_id)
    if as_json:
        say(to_json({**score_document(scores(rt.warehouse(Role.READER), run_id)), "reports": paths}))
        return
    print_scores(rt, terminal(), run_id, all_units)
    print_reports(terminal(), paths)


@app.command(help="Kiểm tra mọi hợp đồng nguồn; mã thoát 1 khi có hợp đồng hỏng.")
def contracts(as_json: AsJson = False) -> None:
    """Check every source contract; exit code 1 when one is broken."""
    from lienthong.sources.contract import read_contracts

    found = read_contracts(Runtime.from_environment().settings.sources)
    if as_json:
        usable = [
            {
                "source_id": one.source_id,
                "tenant": one.tenant,
                "title": one.title,
                "kind": one.kind.name,
                "mode": delivery.mode if (delivery := one.section.delivery) else None,
            }
            for one in found.valid.values()
        ]
        say(to_json({"usable": usable, "errors": [str(error) for error in found.errors]}))
    else:
        for contract in found.valid.values():
            say(f"ok   {contract.source_id}: {contract.title}")
        for error in found.errors:
            say(f"LỖI  {error}", err=True)
    if found.errors:
        raise typer.Exit(1)
