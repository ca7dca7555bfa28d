"""`make up`, `make status`, `make down`, `make up-clean`: a Liên Thông that keeps running, to look at and to touch.

Status ends with code 0 when every component is healthy, 1 otherwise.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import httpx
from rich.console import Console

from devstack.airflow_api import AirflowApiError
from devstack.arguments import month, size, within
from devstack.outside import WorldOptions
from devstack.postgres import Postgres, PostgresError, home_for
from devstack.processes import ProcessError
from devstack.progress import Stages
from devstack.standing import CHECKOUT, Standing
from devstack.standing_report import (
    print_again,
    print_dags,
    print_parts,
    print_pipeline,
    print_started,
    print_world,
)
from devstack.standing_settings import LONGEST_EVERY, Wishes
from devstack.standing_up import Rising, StandingError
from devstack.warehouse_view import explain
from lienthong.model.errors import LienThongError

FAILURES = (AirflowApiError, LienThongError, PostgresError, ProcessError, StandingError, httpx.HTTPError, OSError)


def main(arguments: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    chosen = _parser().parse_args(arguments)
    console = Console(highlight=False)
    os.environ.update({"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"})
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    standing = Standing(chosen.var.resolve(), Postgres(chosen.postgres_home))
    try:
        return int(chosen.run(standing, chosen, console))
    except KeyboardInterrupt:
        console.print("\nĐã ngắt; những gì lần này khởi động đã được dừng. Tiếp theo: make up.", soft_wrap=True)
        return 130
    except FAILURES as error:
        console.print("\n[red]Lỗi:[/red] ", end="")
        console.print(str(error), markup=False, soft_wrap=True)
        return 1


def up(standing: Standing, chosen: argparse.Namespace, console: Console) -> int:
    """Start what doesn't run; the first time also take the data all the way once."""
    wishes = Wishes(chosen.port, chosen.every, WorldOptions(chosen.size, chosen.seed, chosen.month))
    stages = Stages(console)
    with _alone(standing.var):
        rising = Rising(standing, stages)
        started = rising.rise(wishes)
        settings = standing.settings
        assert settings is not None  # rise has kept them
        standing.adopt_environment(settings)
        try:
            rising.seed(settings)
        except (AirflowApiError, LienThongError) as error:
            console.print("\n[red]Lỗi:[/red] ", end="")
            console.print(str(error), markup=False, soft_wrap=True)
            explain(console)
            console.print(f"Mọi thành phần vẫn chạy. Tiếp theo: xem {standing.logs}, rồi make up để thử lại.")
            return 1
        if len(started) == len(standing.parts()):
            print_started(console, standing, settings)
        else:
            print_again(console, standing, settings, started)
    return 0


def status(standing: Standing, chosen: argparse.Namespace, console: Console) -> int:
    """Components, DAGs, the world's clock, and what `lienthong status` says."""
    settings, parts = standing.settings, standing.parts()
    if settings is None:
        console.print("Chưa từng chạy. Tiếp theo: make up.")
        return 1
    print_parts(console, parts)
    well = {part.name for part in parts if part.healthy}
    if "api-server" in well:
        console.print()
        print_dags(console, standing.airflow(settings).api)
    print_world(console, standing)
    if "postgresql" in well and standing.outside.ready():
        print_pipeline(standing, settings)
    if len(well) < len(parts):
        console.print(
            "\nTiếp theo: make up để khởi động lại những gì đã dừng." if well else "\nKhông chạy. Tiếp theo: make up."
        )
        return 1
    return 0


def down(standing: Standing, chosen: argparse.Namespace, console: Console) -> int:
    """End everything and keep the data."""
    with _alone(standing.var):
        ran = standing.down()
    console.print(
        f"Đã dừng {ran} thành phần. Dữ liệu được giữ lại; make up chạy tiếp từ đó." if ran else "Không có gì đang chạy."
    )
    return 0


def clean(standing: Standing, chosen: argparse.Namespace, console: Console) -> int:
    """End everything and delete the data."""
    with _alone(standing.var):
        standing.delete()
    console.print(
        "Đã dừng, xoá cơ sở dữ liệu và tệp của make up. Chương trình đã cài (.venv, PostgreSQL) được giữ lại.",
        soft_wrap=True,
    )
    return 0


@contextmanager
def _alone(var: Path) -> Iterator[None]:
    """Two calls at once would start doubles."""
    var.mkdir(parents=True, exist_ok=True)
    var.chmod(0o700)
    with var.with_suffix(".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StandingError(
                "Một lệnh make up hoặc make down khác đang chạy. Tiếp theo: chờ nó xong rồi chạy lại."
            ) from None
        yield


def _interrupted(signum: int, frame: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # ending must not be interrupted half-way
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m devstack.up", description=__doc__)
    parser.add_argument("--var", type=Path, default=CHECKOUT / "var" / "up", help="folder of everything but databases")
    parser.add_argument("--postgres-home", type=Path, default=home_for(CHECKOUT, "pg-up"), help="folder of the server")
    commands = parser.add_subparsers(required=True)
    up_command = commands.add_parser("up", help="start what doesn't run")
    up_command.add_argument("--port", type=within(1, 65535), help="of Airflow's pages; 8080 the first time")
    up_command.add_argument("--every", type=within(1, LONGEST_EVERY), help="minutes between two loads of a source")
    up_command.add_argument("--size", type=size, help="dossiers per province")
    up_command.add_argument("--seed", type=int, help="number that the world is made from")
    up_command.add_argument("--month", type=month, help="YYYY-MM, the month that the world begins with")
    for name, run in (("up", up), ("status", status), ("down", down), ("clean", clean)):
        command = up_command if name == "up" else commands.add_parser(name, help=run.__doc__)
        command.set_defaults(run=run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
