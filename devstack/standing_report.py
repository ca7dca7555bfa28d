"""What people see of the running stack, in Vietnamese: components, DAGs, the simulated world."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from devstack.airflow import USER
from devstack.airflow_api import AirflowApi, DagRun
from devstack.standing import CHECKOUT, Part, Standing
from devstack.standing_settings import Settings
from lienthong.model.periods import BUSINESS_ZONE

RUN_STATES = {"success": "xong", "failed": "[red]thất bại[/red]", "running": "đang chạy", "queued": "chờ"}
COMING = 6


def print_started(console: Console, standing: Standing, settings: Settings) -> None:
    """What a first `make up` gives: address, log-in, logs, what comes when, how to stop."""
    airflow = standing.airflow(settings)
    console.print("\n[bold]Liên Thông đang chạy.[/bold]")
    _lines(
        console,
        {
            "Địa chỉ": airflow.url,
            "Đăng nhập": f"{USER} / {airflow.secrets['password']}  (giữ ở {_short(standing.login_file)})",
            "Nhật ký": _short(standing.logs),
            "Dòng lệnh": f". {_short(standing.environment_file)}; lienthong --help; psql",
            "Xem, dừng": "make status; make down (dữ liệu được giữ lại)",
        },
    )
    print_coming(console, airflow.api)
    console.print(
        f"\nHồ sơ của các tỉnh tiếp tục thay đổi; mỗi nguồn được nạp {settings.every} phút một lần, "
        "hợp đồng nguồn không bị sửa (make up EVERY=<phút>).",
        highlight=False,
        soft_wrap=True,
    )


def print_again(console: Console, standing: Standing, settings: Settings, started: Sequence[str]) -> None:
    """What a further `make up` says: what runs, and what had to be started again."""
    print_parts(console, standing.parts())
    _lines(
        console,
        {
            "Địa chỉ": standing.airflow(settings).url,
            "Đăng nhập": f"{USER}, mật khẩu ở {_short(standing.login_file)}",
            "Nhật ký": _short(standing.logs),
        },
    )
    if started:
        console.print(f"\nVừa khởi động: {', '.join(started)}. Những thành phần khác không bị động đến.")
    else:
        console.print("\nMọi thành phần đang chạy sẵn; không khởi động gì thêm.")


def print_parts(console: Console, parts: Sequence[Part]) -> None:
    """Every component: process, since when, healthy or not, address."""
    table = _table("Thành phần", "PID", "Từ lúc", "Trạng thái", "Địa chỉ")
    for part in parts:
        state = "[red]đã dừng[/red]" if not part.pid else "khoẻ" if part.healthy else "[yellow]chưa khoẻ[/yellow]"
        table.add_row(part.name, str(part.pid or "–"), _when(part.since), state, part.where or "–")
    console.print(table)


def print_dags(console: Console, api: AirflowApi) -> None:
    """Every DAG: paused or not, its last run and its next one."""
    table = _table("DAG", "Bật", "Lần gần nhất", "Kết quả", "Lần tới")
    for dag in api.dags():
        last: DagRun | None = next(iter(api.runs(dag.dag_id, limit=1)), None)
        table.add_row(
            dag.dag_id,
            "dừng" if dag.paused else "bật",
            _when(last.begun) if last else "–",
            RUN_STATES.get(last.state, last.state) if last else "–",
            _when(dag.next_at) if not dag.paused else "–",
        )
    console.print(table)
    for name, error in sorted(api.import_errors().items()):
        last_words = error.strip().splitlines()[-1] if error.strip() else ""
        console.print(f"Lỗi nạp {name}: {last_words}", style="red", markup=False, soft_wrap=True)


def print_coming(console: Console, api: AirflowApi) -> None:
    """The next runs, soonest first."""
    coming = sorted((dag.next_at, dag.dag_id) for dag in api.dags() if dag.next_at and not dag.paused)
    console.print("\n[bold]Sắp chạy[/bold] (giờ Việt Nam)")
    for at, dag_id in coming[:COMING]:
        console.print(f"  {_when(at)}  {dag_id}", highlight=False)


def print_world(console: Console, standing: Standing) -> None:
    """How far the simulated world has moved on."""
    from simulator import state as states

    kept = states.load(standing.outside.state_folder)
    if kept is None:
        return
    world = kept.world(standing.outside.state_folder)
    clocks = ", ".join(f"{code} {_local(clock)}" for code, clock in world.clocks.items())
    console.print(f"\nĐồng hồ của thế giới mô phỏng: {clocks}.", highlight=False)


def print_pipeline(standing: Standing, settings: Settings) -> None:
    """`lienthong status`, with the connections of the stack."""
    code = "import sys; sys.argv[0] = 'lienthong'; from lienthong.cli import main; main()"
    environment = dict(os.environ) | standing.environment(settings)
    subprocess.run([sys.executable, "-c", code, "status"], cwd=CHECKOUT, env=environment, check=False)


def _local(moment: int) -> str:
    """The simulator's instants are seconds of Vietnam's wall clock."""
    return f"{datetime(1970, 1, 1) + timedelta(seconds=moment):%d/%m %H:%M}"


def _lines(console: Console, told: dict[str, str]) -> None:
    for label, text in told.items():
        console.print(f"  {label + ':':<12}{text}", markup=False, highlight=False, soft_wrap=True)


def _table(*columns: str) -> Table:
    table = Table(*columns, box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 2, 0, 0))
    for column in table.columns:
        column.no_wrap = True
    return table


def _when(instant: datetime | None) -> str:
    return f"{instant.astimezone(BUSINESS_ZONE):%d/%m %H:%M:%S}" if instant else "–"


def _short(path: Path) -> str:
    return str(path.relative_to(CHECKOUT)) if path.is_relative_to(CHECKOUT) else str(path)
