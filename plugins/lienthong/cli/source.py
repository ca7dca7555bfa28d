"""`lienthong source …`: look at a source before anything is loaded, and write a first contract for one."""

from __future__ import annotations

from typing import Annotated

import typer

from lienthong.cli.output import AsJson, say, to_json
from lienthong.pipeline.runtime import Runtime

app = typer.Typer()
source = typer.Typer(no_args_is_help=True, help="Kiểm tra một nguồn, hoặc viết hợp đồng cho nguồn mới.")
app.add_typer(source, name="source")


@source.command(help="Xem một nguồn và nạp thử hồ sơ mới nhất; không nạp gì. Mã thoát 1 khi có lỗi.")
def check(
    source_id: Annotated[str, typer.Argument(help="Mã nguồn: tên tệp của nguồn trong include/sources.")],
    sample: Annotated[int, typer.Option(min=0, max=5000, help="Số hồ sơ mới nhất để thử; 0: không thử.")] = 200,
    as_json: AsJson = False,
) -> None:
    """Look at a source and rehearse a load of its newest dossiers; nothing is loaded. Exit code 1 with a problem."""
    from lienthong.onboarding.check import check as check_source
    from lienthong.onboarding.lines import Line

    def show(line: Line) -> None:
        say(f"{line.level.mark} {line.text}")
        if line.next_step:
            say(f"    → {line.next_step}")

    report = check_source(Runtime.from_environment(), source_id, sample, (lambda line: None) if as_json else show)
    if as_json:
        say(to_json(report.to_json()))
    else:
        say(f"\n{_verdict(report.ok, source_id)}")
    if not report.ok:
        raise typer.Exit(1)


@source.command(help="Xem một nguồn mới và viết hợp đồng đầu tiên vào include/sources, chế độ observe.")
def add(
    source_id: Annotated[str, typer.Argument(help="Tên nguồn mới: chữ thường, số, _; như opencps_h17.")],
    profile: Annotated[str, typer.Option(help="Loại hệ thống: opencps hoặc igate.")],
    tenant: Annotated[str, typer.Option(help="Mã tỉnh, bộ gửi dữ liệu, như H17.")],
    connection: Annotated[str | None, typer.Option(help="Mã kết nối; để trống: src_<mã nguồn>.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Ghi đè hợp đồng đang có.")] = False,
) -> None:
    """Look at a new source and write its first contract into include/sources, in mode observe."""
    from lienthong.onboarding.add_source import add_source

    done = add_source(Runtime.from_environment(), source_id, profile, tenant, connection, force)
    for line in done.lines:
        say(line)


def _verdict(ok: bool, source_id: str) -> str:
    if ok:
        return f"Nguồn {source_id} sẵn sàng để nạp: lienthong load {source_id}"
    return f"Nguồn {source_id} chưa sẵn sàng: sửa các dòng ✗ rồi chạy lại lienthong source check {source_id}"
