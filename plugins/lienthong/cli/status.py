"""`lienthong status`: where everything stands, on one screen. `lienthong freshness`: judge it now."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from lienthong.cli.output import AsJson, say, terminal, to_json
from lienthong.pipeline.runtime import Runtime

app = typer.Typer()


@app.command(help="Nạp, số lượng, phát hiện, từ chưa ánh xạ, việc gửi. Mã thoát 1 khi dữ liệu thiếu hoặc trễ.")
def status(
    source: Annotated[str | None, typer.Argument(help="Một nguồn, chi tiết: từ chưa ánh xạ, ngày, cơ quan.")] = None,
    as_json: AsJson = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Mọi cơ quan, phát hiện và từ chưa ánh xạ của nguồn.")
    ] = False,
) -> None:
    """Loads, volumes, findings, unmapped words and deliveries. Exit code 1 when data is missing or late, else 0."""
    from lienthong.cli.status_view import print_detail, print_status
    from lienthong.pipeline import views
    from lienthong.views.notices import loud_settings_notices

    rt = Runtime.from_environment()
    if source is None:
        found = views.status(rt)
        if as_json:
            say(to_json(asdict(found)))
        else:
            print_status(found, terminal())
            for changed in views.changed_code_maps(rt):
                say(changed.notice)
            for line in loud_settings_notices(found.loud_settings):
                say(line)
        failed = found.has_errors
    else:
        deep = views.source_detail(rt, source)
        if as_json:
            say(to_json(asdict(deep)))
        else:
            print_detail(deep, terminal(), everything=everything)
        failed = deep.status.has_errors
    if failed:
        raise typer.Exit(1)


@app.command(help="Đánh giá ngay số lượng và độ mới, như DAG freshness mỗi giờ. Cảnh báo chỉ đi qua Airflow.")
def freshness(as_json: AsJson = False) -> None:
    """Judge volumes and ages now, as the DAG `freshness` does hourly. Alerts leave through Airflow only."""
    from lienthong.pipeline import jobs
    from lienthong.views.formats import amount

    change = jobs.judge_freshness(Runtime.from_environment())
    if as_json:
        say(to_json(change))
        return
    say(
        f"Phát hiện mới: {amount(change['opened'])}, đang mở: {amount(change['open'])}, "
        f"vừa đóng: {amount(change['closed'])}. Xem `lienthong status`."
    )
