"""`make bench`: measure, keep the result, renew the page that shows the newest ones."""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks import loads, report, result
from benchmarks.bench import SECTIONS, Bench, Options
from benchmarks.errors import BenchmarkError
from benchmarks.server import Server
from devstack.postgres import Postgres, home_for
from lienthong.settings import PROJECT

DEFAULT_SIZE = 20_000
RESULTS = Path(__file__).with_name("results")


def home() -> Path:
    """Where server and sources are kept: `var/bench`, for root below /var/tmp."""
    return home_for(PROJECT, "bench")


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Two benchmarks at once would measure each other."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "bench.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BenchmarkError("Another benchmark of this checkout is running. Next: wait for it.") from None
        yield


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    chosen = _arguments(arguments)
    os.environ.update({"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"})
    signal.signal(signal.SIGTERM, _interrupted)
    postgres = Postgres(home() / "pg")
    try:
        with only_one(home()):
            try:
                postgres.start()
                _run(Bench(Server(postgres), home() / "files", _options(chosen)), chosen)
            finally:
                if chosen.keep:
                    print(f"The server goes on, until the next benchmark or `make bench-clean`: {postgres.url('…')}")
                else:
                    postgres.stop()
    except BenchmarkError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; nothing was kept.", file=sys.stderr)
        return 130
    return 0


def _run(bench: Bench, chosen: argparse.Namespace) -> None:
    started = {"startup": bench.startup()} if "startup" in bench.options.sections else {}
    out = chosen.out or RESULTS
    if set(bench.options.sections) == {"startup"}:
        written = [result.write(out, None, {"machine": result.machine(), **started})]
    else:
        written = []
        for size in chosen.sizes or [DEFAULT_SIZE]:
            bench.say(f"— {size:,} dossiers")
            written.append(result.write(out, size, {**bench.run(size), **started}))
            _show(report.read(written[-1]))
    for file in written:
        bench.say(f"kept: {os.path.relpath(file)}")
    if not chosen.out:
        report.rewrite(report.PAGE, RESULTS)


def _show(measured: Mapping[str, Any]) -> None:
    for target in measured["targets"]:
        verdict = "met" if target["met"] else "NOT met"
        print(f"{target['name']:<45} {target['value']:>9g} {target['unit']:<5} ≤ {target['limit']:g}  {verdict}")


def _options(chosen: argparse.Namespace) -> Options:
    return Options(
        sections=chosen.only or SECTIONS,
        provinces=chosen.provinces,
        modes=chosen.modes,
        phases=chosen.phases,
        changed_percent=chosen.changed_percent,
        score_dossiers=chosen.score_dossiers,
        push_dossiers=chosen.push_dossiers,
        copy_runs=chosen.copy_runs,
        profile=chosen.profile,
        statements=chosen.statements,
        keep=chosen.keep,
    )


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    default = Options()
    parser.add_argument("sizes", nargs="*", type=int, help=f"dossiers per province (default {DEFAULT_SIZE})")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, help="sections to measure (default: all)")
    parser.add_argument("--provinces", nargs="+", choices=("H17", "H26"), default=list(default.provinces))
    parser.add_argument("--modes", nargs="+", choices=tuple(loads.MODES), default=list(default.modes))
    parser.add_argument("--until", dest="phases", type=_phases, default=default.phases, help="last phase of a load")
    parser.add_argument("--changed-percent", type=float, default=default.changed_percent)
    parser.add_argument("--score-dossiers", type=int, default=default.score_dossiers, help="0: only what is loaded")
    parser.add_argument("--push-dossiers", type=int, default=default.push_dossiers)
    parser.add_argument("--copy-runs", type=int, default=default.copy_runs)
    parser.add_argument("--profile", action="store_true", help="functions of each phase; makes all of it slower")
    parser.add_argument("--statements", type=int, default=0, metavar="N", help="print the N slowest of each phase")
    parser.add_argument("--keep", action="store_true", help="keep the last run's databases and leave the server on")
    parser.add_argument("--out", type=Path, help="folder for results instead of benchmarks/results")
    return parser.parse_args(arguments)


def _phases(last: str) -> tuple[str, ...]:
    if last not in loads.PHASES:
        raise argparse.ArgumentTypeError(f"{last} is not one of {', '.join(loads.PHASES)}")
    return loads.PHASES[: loads.PHASES.index(last) + 1]


def _interrupted(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
