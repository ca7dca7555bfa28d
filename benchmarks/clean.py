"""`make bench-clean`: stop what a benchmark left running and delete its server and its sources. Results stay."""

from __future__ import annotations

import shutil
import sys

from benchmarks.__main__ import home, only_one
from benchmarks.errors import BenchmarkError
from devstack.postgres import Postgres


def main() -> int:
    """Entry point; returns the exit code."""
    try:
        with only_one(home()):
            Postgres(home() / "pg").stop()
            shutil.rmtree(home())
    except BenchmarkError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    print("The benchmarks' server and sources are deleted; results are kept.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
