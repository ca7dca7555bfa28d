"""Every source that the suite knows: its bench, and how one is put up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.sources.conformance import igate, opencps
from tests.sources.conformance.bench import Bench

#: A bench of its own below a folder of its own, in the state in which the simulated world begins.
Maker = Callable[[pytest.FixtureRequest, Path], AbstractContextManager[Bench]]

BENCHES: dict[str, tuple[type[Bench], Maker]] = {
    bench.name: (bench, make)
    for bench, make in (
        (opencps.OpenCpsOnPostgres, opencps.on_postgres),
        (opencps.OpenCpsOnMariaDb, opencps.on_mariadb),
        (igate.IgateBench, igate.on_http),
        (igate.IgateByNewestTask, igate.by_newest_task),
    )
}
