"""`make demo-clean`: end what a demo left behind and delete its databases and files. Nothing else is touched."""

from __future__ import annotations

import shutil
import sys

from rich.console import Console

from devstack.demo import CHECKOUT, Demo, DemoError, only_one
from devstack.outside import WorldOptions
from devstack.postgres import home_for

KEPT_IN_VAR = ("airflow", "landing", "reports", "world")


def main() -> int:
    """Entry point; returns the exit code."""
    console = Console(highlight=False)
    demo = Demo(console, WorldOptions())
    try:
        with only_one(demo.var):
            demo.stop()
            for folder in (*(demo.var / name for name in KEPT_IN_VAR), home_for(CHECKOUT, "pg")):
                if folder.exists():
                    shutil.rmtree(folder)
    except DemoError as error:
        console.print(f"[red]Lỗi:[/red] {error}")
        return 1
    console.print(
        "Đã dừng demo, xoá cơ sở dữ liệu và tệp của nó. Chương trình đã cài (.venv, PostgreSQL) được giữ lại.",
        soft_wrap=True,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
