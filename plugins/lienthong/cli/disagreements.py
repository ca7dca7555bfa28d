"""`lienthong disagreements`: what a province and a ministry say differently about the same dossiers."""

from __future__ import annotations

import csv
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from lienthong.cli.output import AsJson, say, to_json
from lienthong.pipeline.runtime import Runtime

app = typer.Typer()


@app.command(
    help="Hồ sơ do bộ tự gửi lên Cổng: chỗ hệ thống của tỉnh và của bộ ghi khác nhau. Không có dữ liệu cá nhân."
)
def disagreements(
    tenant: Annotated[str, typer.Argument(help="Mã tỉnh, như H17.")],
    to: Annotated[Path | None, typer.Option("--csv", help="Ghi danh sách đầy đủ ra tệp CSV này.")] = None,
    as_json: AsJson = False,
) -> None:
    """Of dossiers that a ministry sends itself: where the province's system and the ministry's differ."""
    from lienthong.pipeline import views
    from lienthong.views import disagreements as shown

    found = views.disagreements(Runtime.from_environment(), tenant)
    if to is not None:
        with to.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(shown.HEADINGS)
            writer.writerows(shown.row(one) for one in found)
        say(f"{shown.summary_line(tenant, found)} Danh sách: {to}")
    elif as_json:
        say(to_json([asdict(one) for one in found]))
    else:
        say("\n".join(shown.lines(tenant, found)))
