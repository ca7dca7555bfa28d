"""Delivery: compare with the portal (`shadow`), take over from another program (`adopt`)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.cli.commands import run_key
from lienthong.cli.output import AsJson, say, to_json
from lienthong.connections import Role
from lienthong.model.errors import ArgumentError
from lienthong.pipeline import jobs
from lienthong.pipeline.requests import AdoptRequest, ShadowRequest
from lienthong.pipeline.runtime import Runtime
from lienthong.views.labels import COMPARED, DIFFERENCES
from lienthong.views.portal import adoption_lines, shadow_lines

if TYPE_CHECKING:
    from lienthong.exchange.shadow import ComparedDossier

app = typer.Typer()

Tenant = Annotated[str, typer.Argument(help="Mã tỉnh, bộ, như H17.")]


@app.command(help="Đối chiếu những gì sẽ gửi với những gì Cổng đang có; không gửi gì. Chạy lại để làm tiếp.")
def shadow(
    tenant: Tenant,
    limit: Annotated[int, typer.Option(min=1, help="Số hồ sơ hỏi Cổng trong lần chạy này; một mẫu ngẫu nhiên.")] = 1000,
    everything: Annotated[bool, typer.Option("--all", help="Hỏi về tất cả.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Bỏ kết quả đối chiếu trước.")] = False,
    show: Annotated[int, typer.Option(min=0, help="Số hồ sơ khác nhau được liệt kê, theo mã.")] = 0,
    kind: Annotated[str | None, typer.Option(help=f"Chỉ liệt kê: missing, {', '.join(DIFFERENCES)}.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare what would be sent with what the portal shows; nothing is sent. Run again to go on."""
    from lienthong.exchange.compare import Difference
    from lienthong.exchange.shadow import compared_dossiers

    if kind is not None and kind not in list(Difference):
        raise ArgumentError(
            f"There is no kind {kind!r} of difference.", next_step=f"choose one of {', '.join(Difference)}.", key=tenant
        )
    rt = Runtime.from_environment()
    request = ShadowRequest(tenant, None if everything else limit, again)
    summary = jobs.shadow(rt, request, run_key(f"shadow__{tenant}"))
    listed = bool(show or kind)
    reading = rt.warehouse(Role.READER)
    found = compared_dossiers(reading, tenant, Difference(kind) if kind else None, show or 20) if listed else []
    if as_json:
        say(to_json(summary.counts() | {"listed": [asdict(dossier) for dossier in found]}))
        return
    for line in (*shadow_lines(summary), *map(dossier_line, found)):
        say(line)


@app.command(help="Ghi nhận những gì Cổng đã có là đã đồng bộ, để chế độ own chỉ gửi phần khác; không gửi gì.")
def adopt(
    tenant: Tenant,
    verify: Annotated[bool, typer.Option("--verify", help="Hỏi Cổng về mọi hồ sơ chưa quyết định.")] = False,
    assume_finished_before: Annotated[
        str | None, typer.Option(help="Coi hồ sơ kết thúc trước ngày này là phần mềm cũ đã đồng bộ.")
    ] = None,
    frozen_at: Annotated[
        str | None, typer.Option(help="Phần mềm cũ gửi lần cuối lúc nào; để trống: bây giờ, giữ cho các lần sau.")
    ] = None,
    verify_assumed: Annotated[
        bool, typer.Option("--verify-assumed", help="Hỏi cả về hồ sơ chỉ mới được khai là đã đồng bộ.")
    ] = False,
    accept_presence: Annotated[
        bool, typer.Option("--accept-presence", help="Hồ sơ mà Cổng có thì coi là đã đồng bộ.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Số hồ sơ hỏi Cổng trong lần chạy này; để trống: tất cả.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Mark what the portal already holds as delivered, so that `own` sends only what differs; nothing is sent."""
    request = AdoptRequest.parse(
        tenant,
        frozen_at=frozen_at,
        assume_finished_before=assume_finished_before,
        verify=verify,
        verify_assumed=verify_assumed,
        accept_presence=accept_presence,
        limit=limit,
    )
    summary = jobs.adopt(Runtime.from_environment(), request, run_key(f"adopt__{tenant}"))
    if as_json:
        typer.echo(to_json(asdict(summary)))
        return
    for line in adoption_lines(summary):
        say(line)


def dossier_line(dossier: ComparedDossier) -> str:
    """One dossier that differs: its code, in what, and both values where they are not personal."""
    seen = {name: f"{name} (Cổng: {v['portal'] or '-'}; ta: {v['ours'] or '-'})" for name, v in dossier.seen.items()}
    what = ", ".join(seen.get(name, name) for name in dossier.fields)
    return f"{dossier.code}  {COMPARED[dossier.verdict.value]}  {what}".rstrip()
