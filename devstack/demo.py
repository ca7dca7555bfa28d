"""`make demo`: the simulated world, a real Airflow and the whole way of the data, from nothing to the month's scores.

Everything it starts it ends, also when interrupted; what a killed run left behind is ended by the next one. Databases
and files stay: a second demo finds nothing new.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import httpx
from rich.console import Console

from devstack.airflow import AirflowHome
from devstack.airflow_api import AirflowApiError
from devstack.arguments import month, size
from devstack.journey import Journey, JourneyOutcome
from devstack.logins import prepare_warehouse, warehouse_urls
from devstack.outside import OutsideWorld, Ready, WorldOptions
from devstack.postgres import Postgres, PostgresError, home_for
from devstack.processes import ProcessError
from devstack.progress import Stages, seconds
from devstack.warehouse_view import deliveries, explain
from lienthong.model.errors import LienThongError

CHECKOUT = Path(__file__).resolve().parents[1]
WAREHOUSE, METADATA = "warehouse", "airflow"


class DemoError(RuntimeError):
    """The demo can't go on; the message says what to do next."""


class Demo:
    """One demo of one checkout. Everything it keeps lies in `var/`, and the databases in the embedded server."""

    def __init__(self, console: Console, options: WorldOptions, var: Path = CHECKOUT / "var") -> None:
        self.console = console
        self.options = options
        self.var = var
        self.postgres = Postgres(home_for(CHECKOUT, "pg"))
        self.outside = OutsideWorld(self.var / "world", CHECKOUT, self.var / "airflow" / "logs")
        self.airflow: AirflowHome | None = None

    def run(self) -> JourneyOutcome:
        """Set up, travel, summarise. The caller calls `stop` afterwards, whatever happened.

        DemoError, and nothing touched, when another world is kept.
        """
        self._keep_the_world()
        stages = Stages(self.console)
        with stages.stage("Khởi động PostgreSQL và kho dữ liệu"):
            AirflowHome(self.var / "airflow", "", CHECKOUT).stop()  # leftovers of a killed run
            self.postgres.start()
            for name in (WAREHOUSE, METADATA):
                self.postgres.create_database(name)
        with stages.stage(
            "Dựng thế giới mô phỏng: bốn tỉnh (Đà Nẵng, Hà Nội, Gia Lai, Cần Thơ), Cổng và hệ thống PAKN quốc gia"
        ):
            ready, airflow = self._prepare()
        started_at = datetime.now(UTC)
        with stages.stage("Khởi động Airflow") as detail:
            airflow.start()
            detail(airflow.url)
        world = self.outside.world()
        assert world is not None  # it is ready
        journey = Journey(airflow.api, ready.syncs, stages, since=started_at, watch=self._watch, deliveries=deliveries)
        outcome = journey.travel(str(world.month))
        self._summarise(outcome, stages.elapsed)
        return outcome

    def stop(self) -> None:
        """End everything that was started."""
        (self.airflow or AirflowHome(self.var / "airflow", "", CHECKOUT)).stop()
        self.outside.stop()
        self.postgres.stop()

    def _prepare(self) -> tuple[Ready, AirflowHome]:
        """The world, Airflow's database and the warehouse come up side by side."""
        environment = dict(os.environ)
        bare = AirflowHome(self.var / "airflow", self.postgres.url(METADATA), CHECKOUT)
        bare.prepare()
        self.airflow = bare
        bare.begin_migration()
        self.outside.begin(self.postgres.url(METADATA), self.options, environment)
        prepare_warehouse(self.postgres, WAREHOUSE)
        ready = self.outside.finish()
        bare.finish_migration()
        variables = ready.connections(warehouse_urls(self.postgres, WAREHOUSE)) | {
            "LIENTHONG_HOME": str(CHECKOUT),
            "LIENTHONG_VAR": str(self.var),
            "LIENTHONG_SCHEDULES": "off",
        }
        os.environ.update(variables)  # the summary reads them too
        airflow = replace(bare, environment=variables)
        airflow.prepare()
        self.airflow = airflow
        return ready, airflow

    def _keep_the_world(self) -> None:
        """A world of another size, seed or month has other dossiers under the same keys: the two can't be mixed, and
        what was made and loaded is not deleted unasked.
        """
        from simulator.catalogue import PROVINCES

        kept = self.outside.world()
        if kept is None:
            return
        wished = replace(self.options, provinces=self.options.provinces or tuple(PROVINCES))
        if wished.asks_for_another_than(kept):
            raise DemoError(
                f"Thế giới mô phỏng đang giữ: size {kept.size}, seed {kept.seed}, tháng {kept.month}. "
                "Tiếp theo: chạy `make demo` (bỏ SIZE, SEED, MONTH) để dùng tiếp, hoặc xoá nó cùng dữ liệu đã nạp bằng "
                "`make demo-clean` rồi chạy lại lệnh này."
            )
        self.options = kept

    def _watch(self) -> None:
        if self.airflow:
            self.airflow.check()
        self.outside.check()

    def _summarise(self, outcome: JourneyOutcome, elapsed: float) -> None:
        from lienthong.cli.summary import print_summary
        from lienthong.pipeline.runtime import Runtime

        self.console.print()
        print_summary(
            Runtime.from_environment(),
            self.console,
            run_id=outcome.score_run,
            reports=outcome.reports,
            logs=str(self.var / "airflow" / "logs"),
        )
        self.console.print()
        if outcome.nothing_new:
            self.console.print("[bold]Lần chạy này không nạp và không gửi gì mới: mọi thứ đã có từ lần trước.[/bold]")
        self.console.print(f"Tổng thời gian: {seconds(elapsed)}.", highlight=False)


@contextmanager
def only_one(var: Path) -> Iterator[None]:
    """Two demos of one checkout would end each other's processes."""
    var.mkdir(parents=True, exist_ok=True)
    with (var / "demo.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(
                "Một bản demo khác của thư mục này đang chạy. Tiếp theo: chờ nó xong hoặc dừng nó."
            ) from None
        yield


def _interrupted(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--size", type=size, help="dossiers per province")
    parser.add_argument("--seed", type=int, help="number that the world is made from")
    parser.add_argument("--month", type=month, help="YYYY-MM, the month to score")
    chosen = parser.parse_args(arguments)
    console = Console(highlight=False)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    os.environ.update({"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"})
    demo = Demo(console, WorldOptions(chosen.size, chosen.seed, chosen.month))
    try:
        with only_one(demo.var):
            return _guided(demo)
    except DemoError as error:
        console.print(f"[red]Lỗi:[/red] {error}")
        return 1


def _guided(demo: Demo) -> int:
    """Run and always stop; every way out has one clear line."""
    console, code = demo.console, 1
    try:
        demo.run()
        code = 0
    except KeyboardInterrupt:
        console.print("\nĐã ngắt. Chạy lại `make demo` để tiếp tục: những gì đã nạp và đã gửi được giữ nguyên.")
        code = 130
    except DemoError as error:
        console.print(f"[red]Lỗi:[/red] {error}", soft_wrap=True)
    except (AirflowApiError, LienThongError, PostgresError, ProcessError, httpx.HTTPError, OSError) as error:
        console.print("\n[red]Lỗi:[/red] ", end="")
        console.print(str(error), markup=False, soft_wrap=True)
        if isinstance(error, AirflowApiError):
            explain(console)
        console.print(
            f"Tiếp theo: xem nhật ký trong {demo.var / 'airflow' / 'logs'}, rồi chạy lại `make demo`.", soft_wrap=True
        )
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # ending must not be interrupted half-way
        demo.stop()
    return code


if __name__ == "__main__":
    sys.exit(main())
