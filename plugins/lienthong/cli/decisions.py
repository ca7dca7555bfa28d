"""`lienthong delivery …`: what people decide about deliveries, previewed first and kept with who decided it."""

from __future__ import annotations

import getpass
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.cli.output import AsJson, say, to_json
from lienthong.model.errors import ArgumentError
from lienthong.pipeline import jobs
from lienthong.pipeline.runtime import Runtime

if TYPE_CHECKING:
    from lienthong.exchange.decisions import Action

app = typer.Typer()
delivery = typer.Typer(
    no_args_is_help=True,
    help="Quyết định về việc gửi hồ sơ: xem danh sách, tạm dừng, gửi tiếp, kết luận bước chưa rõ, đối chiếu lại.",
)
app.add_typer(delivery, name="delivery")

Tenant = Annotated[str, typer.Argument(help="Tỉnh hoặc bộ, ví dụ H17.")]
Codes = Annotated[list[str] | None, typer.Option("--code", help="Mã hồ sơ; có thể lặp lại.")]
File = Annotated[Path | None, typer.Option("--file", help="Tệp: mỗi dòng một mã, hoặc tệp của list --csv.")]
Everything = Annotated[bool, typer.Option("--all", help="Tất cả hồ sơ thuộc diện này của tỉnh.")]
Reason = Annotated[str, typer.Option(help="Lý do, được lưu cùng quyết định; không ghi thông tin cá nhân.")]
Yes = Annotated[bool, typer.Option("--yes", help="Thực hiện. Không có: chỉ xem trước.")]
By = Annotated[str | None, typer.Option(help="Người quyết định; mặc định là tài khoản đang dùng máy.")]


@delivery.command("list")
def list_(
    tenant: Tenant,
    to: Annotated[Path | None, typer.Option("--csv", help="Ghi danh sách đầy đủ ra tệp CSV này.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hồ sơ đang tạm dừng, hồ sơ và bước xử lý chưa rõ đã tới Cổng hay chưa."""
    from lienthong.pipeline.decisions import work_list, write_work_list
    from lienthong.views.work_list import work_list_lines

    rt = Runtime.from_environment()
    found = work_list(rt, tenant)
    if to is not None:
        write_work_list(rt, [tenant], to)
    if as_json:
        say(to_json([asdict(line) for line in found]))
        return
    for line in work_list_lines(tenant, found):
        say(line)
    if to is not None:
        say(f"Danh sách đầy đủ: {to}")


@delivery.command()
def park(
    tenant: Tenant, reason: Reason, code: Codes = None, file: File = None, everything: Everything = False,
    yes: Yes = False, by: By = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Tạm dừng gửi hồ sơ cho đến khi có người cho gửi tiếp; --all là mọi hồ sơ đang chờ gửi."""
    from lienthong.exchange.decisions import Action

    _decide(tenant, Action.PARK, reason, by, yes, as_json, codes=code, file=file, everything=everything)


@delivery.command()
def resume(
    tenant: Tenant, code: Codes = None, file: File = None, everything: Everything = False,
    rule: Annotated[str | None, typer.Option(help="Chỉ hồ sơ do quy tắc này tạm dừng, ví dụ unanswered.")] = None,
    reason: Reason = "", yes: Yes = False, by: By = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Cho gửi tiếp hồ sơ đang tạm dừng."""
    from lienthong.exchange.decisions import Action

    _decide(tenant, Action.RESUME, reason, by, yes, as_json, codes=code, file=file, everything=everything, rule=rule)


@delivery.command()
def settle(
    tenant: Tenant,
    reason: Reason,
    arrived: Annotated[bool, typer.Option("--arrived", help="Các bước chưa rõ đã có trên Cổng.")] = False,
    resend: Annotated[bool, typer.Option("--resend", help="Gửi lại; Cổng có thể hiện hai lần.")] = False,
    code: Codes = None,
    file: File = None,
    everything: Everything = False,
    yes: Yes = False,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Kết luận các bước xử lý chưa rõ đã tới Cổng hay chưa."""
    from lienthong.exchange.decisions import Action

    if arrived == resend:
        raise ArgumentError("Say one of --arrived and --resend.", next_step="choose one of the two.", key=tenant)
    action = Action.ARRIVED if arrived else Action.RESEND
    _decide(tenant, action, reason, by, yes, as_json, codes=code, file=file, everything=everything)


@delivery.command()
def look(
    tenant: Tenant, reason: Reason, code: Codes = None, file: File = None, everything: Everything = False,
    since: Annotated[str | None, typer.Option("--from", help="Xác nhận từ lúc, ví dụ 2026-10-01T08:00.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="… và trước lúc này.")] = None,
    yes: Yes = False, by: By = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Hỏi lại Cổng về hồ sơ đã xác nhận (sau một thời gian kết nối không chắc chắn); khác thì gửi lại."""
    from lienthong.exchange.decisions import Action

    _decide(
        tenant, Action.LOOK, reason, by, yes, as_json, codes=code, file=file, everything=everything,
        since=since, until=until,
    )  # fmt: skip


def _decide(
    tenant: str, action: Action, reason: str, by: str | None, yes: bool, as_json: bool, *, codes: list[str] | None,
    file: Path | None, everything: bool, rule: str | None = None, since: str | None = None, until: str | None = None,
) -> None:  # fmt: skip
    from lienthong.pipeline.decision_request import DecisionRequest
    from lienthong.views.work_list import decided_lines

    request = DecisionRequest.parse(
        tenant, action, reason=reason, decided_by=by or getpass.getuser(), codes=codes or (),
        listing=None if file is None else _text_of(file), everything=everything, rule=rule, since=since, until=until,
        preview=not yes,
    )  # fmt: skip
    done = jobs.decide(Runtime.from_environment(), request)
    if as_json:
        say(to_json(asdict(done) | {"preview": not yes}))
        return
    for line in decided_lines(tenant, done, preview=not yes):
        say(line)


def _text_of(file: Path) -> str:
    """A file of codes; `-` is the standard input."""
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ArgumentError(
            f"The file of codes can't be read ({type(error).__name__}).",
            next_step="give a UTF-8 text file with one MaHoSo per line, or a work list.",
            key=str(file),
        ) from None
