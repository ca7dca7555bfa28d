"""A full disk, in every phase: one clear error, nothing half-written stays, the same step goes on once there is room.

Root gets a real small disk (a tmpfs). Everybody gets a limit on the size of files, which the kernel enforces as well.
"""

from __future__ import annotations

import os
import resource
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import dropwhile, takewhile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from devstack.postgres import Postgres, home_for
from lienthong.connections import WAREHOUSE
from lienthong.model.errors import DiskFullError, TransientError, WarehouseTroubleError
from lienthong.pipeline.catalogue import sync_catalogue
from lienthong.pipeline.load import open_load
from lienthong.pipeline.push import push
from lienthong.pipeline.score import publish, score
from lienthong.quality.report import write_quarantine_report
from lienthong.reports.deliveries import write_page
from lienthong.warehouse.bootstrap.migrate import upgrade
from simulator.opencps.install import install
from simulator.portal.server import PortalServer
from simulator.world import World
from tests.conftest import REPO
from tests.world import MONTH, SEED, STEPS, Live, database_connection

SOURCE, TENANT, DOSSIERS = "opencps_h17", "H17", 90
PAGE, POSTGRES_PAGE = 4096, 8192
Contents = dict[str, list[tuple[Any, ...]]]

pytestmark = pytest.mark.xdist_group("outage")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")


@dataclass(frozen=True)
class SmallDisk:
    """A mounted disk of some megabytes, and a file that takes what is free on it."""

    root: Path

    @property
    def ballast(self) -> Path:
        return self.root / "ballast"

    def leave(self, free: int) -> None:
        """Fill the disk up to `free` bytes."""
        with self.ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(PAGE))
        os.truncate(self.ballast, max(0, self.ballast.stat().st_size - free))

    def make_room(self) -> None:
        self.ballast.unlink()


@contextmanager
def mounted(root: Path, megabytes: int) -> Iterator[SmallDisk]:
    root.mkdir()
    options = f"size={megabytes}m,mode=0755"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "lienthong-test", root], check=False).returncode:
        pytest.skip("this container may not mount a small disk")
    try:
        yield SmallDisk(root)
    finally:
        subprocess.run(["umount", "-l", root], check=True)


@contextmanager
def files_at_most(size: int) -> Iterator[None]:
    """No file that this process, and what it starts meanwhile, writes may become larger."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    started = Postgres(home_for(REPO, "tests") / "disk", durable=False)
    shutil.rmtree(started.home, ignore_errors=True)
    started.start()
    yield started
    started.stop()
    shutil.rmtree(started.home, ignore_errors=True)


@pytest.fixture(scope="module")
def live(server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The world with its source, and a warehouse that knows the catalogue."""
    world = World.generate(SEED, DOSSIERS, MONTH, provinces=(TENANT,))
    for name in ("source", "warehouse"):
        server.create_database(name)
    install(world, TENANT, server.url("source"))
    engine = create_engine(server.url("warehouse"))
    upgrade(engine)
    engine.dispose()
    with PortalServer(world) as portal:
        started = Live(
            world, {TENANT: server.url("source")}, portal, server.url("warehouse"), tmp_path_factory.mktemp("disk")
        )
        server.create_database("bare", "warehouse")
        started.sync_catalogue()
        started.engine.dispose()
        server.create_database("empty", "warehouse")
        yield started
    started.engine.dispose()


@pytest.fixture(scope="module")
def undisturbed(live: Live) -> Contents:
    """What a load on a disk with room leaves behind; its files stay in landing for comparison."""
    live.load(SOURCE)
    return live.contents()


@pytest.fixture
def fresh(live: Live, server: Postgres, undisturbed: object, tmp_path: Path) -> Iterator[Live]:
    """The same world with a warehouse that has not loaded anything, and a landing area of its own."""
    server.drop_database("fresh")
    server.create_database("fresh", "empty")
    known = live.connections[WAREHOUSE], live.settings
    live.connections[WAREHOUSE] = database_connection(WAREHOUSE, server.url("fresh"))
    live.settings = replace(live.settings, landing_url=(tmp_path / "landing").as_uri())
    yield live
    live.engine.dispose()
    live.connections[WAREHOUSE], live.settings = known


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def is_told(error: TransientError, *words: str) -> None:
    message = str(error)
    for word in (*words, "Next: ", "again by itself"):
        assert word in message
    for word in ("SELECT", "INSERT", "COPY", "could not extend", "psycopg2", "base/"):
        assert word not in message


def fails_and_goes_on(
    live: Live, landing: Path, full: Callable[[], AbstractContextManager[object]], expected: Contents
) -> str:  # fmt: skip
    """An extract that meets a full landing disk, and the rest of its load with room; returns the words of the error."""
    live.settings = replace(live.settings, landing_url=landing.as_uri())
    load_id = open_load(live.rt, SOURCE, live.key("full"))
    with full(), pytest.raises(DiskFullError) as caught:
        STEPS["extract"](live.rt, load_id)
    assert files_in(landing) == [], "what was half-written doesn't keep the disk full"
    assert live.rows("SELECT state, error FROM ops.load WHERE load_id = :id", id=load_id) == [
        ("opened", f"extract: {caught.value}")
    ]
    for step in STEPS.values():
        step(live.rt, load_id)
    assert live.contents() == expected
    assert len({path.parent for path in files_in(landing)}) == 1, "one attempt is kept"
    is_told(caught.value, f"source {SOURCE}", f"load {load_id}", str(landing))
    return str(caught.value)


@needs_root
@pytest.mark.parametrize("written_last", ["a table", "the manifest"])
def test_the_disk_of_the_landing_area_is_full(
    fresh: Live, undisturbed: Contents, tmp_path: Path, written_last: str
) -> None:
    files = files_in(fresh.folder / "landing")
    tables = sum(-(-path.stat().st_size // PAGE) * PAGE for path in files if path.suffix == ".parquet")
    with mounted(tmp_path / "small", 4) as disk:

        @contextmanager
        def full() -> Iterator[None]:
            disk.leave(tables if written_last == "the manifest" else tables // 2)
            yield
            disk.make_room()

        landing = disk.root / "landing"
        landing.mkdir()
        told = fails_and_goes_on(fresh, landing, full, undisturbed)
        assert ("manifest.json" in told) == (written_last == "the manifest")
        assert "the disk is full" in told
        assert " of 4.0 MB are free" in told


def test_a_file_of_the_landing_area_may_not_become_larger(fresh: Live, undisturbed: Contents, tmp_path: Path) -> None:
    sizes = [path.stat().st_size for path in files_in(fresh.folder / "landing") if path.suffix == ".parquet"]
    told = fails_and_goes_on(fresh, tmp_path / "landing", lambda: files_at_most(max(sizes) // 2), undisturbed)
    assert "ulimit -f" in told


@needs_root
def test_the_disk_of_the_warehouse_is_full_in_every_phase(fresh: Live, server: Postgres, undisturbed: Contents) -> None:
    with mounted(Path(server.home) / "small", 64) as disk:
        folder = disk.root / "tablespace"
        folder.mkdir()
        shutil.chown(folder, "nobody")
        small = create_engine(server.url("postgres"), isolation_level="AUTOCOMMIT")
        with small.connect() as connection:
            connection.execute(text(f"CREATE TABLESPACE small LOCATION '{folder}'"))
            connection.execute(text("CREATE DATABASE small TEMPLATE bare TABLESPACE small"))
        fresh.connections[WAREHOUSE] = database_connection(WAREHOUSE, server.url("small"))
        load_id = open_load(fresh.rt, SOURCE, "small")
        phases: dict[str, Callable[[], object]] = {"catalogue": partial(sync_catalogue, fresh.rt, "small")}
        phases |= {name: partial(step, fresh.rt, load_id) for name, step in STEPS.items()}
        phases["push"] = lambda: push(fresh.rt, TENANT, "small", send_history=True)
        phases["score"] = lambda: score(fresh.rt, MONTH, "small")
        try:
            for name, phase in phases.items():
                before = fresh.contents()
                if name != "extract":  # it writes nothing that needs room in the warehouse
                    disk.leave(0)
                    with pytest.raises(DiskFullError) as caught:
                        phase()
                    is_told(caught.value, "SQLSTATE 53100", WAREHOUSE)
                    if name in STEPS:
                        is_told(caught.value, f"source {SOURCE}", f"load {load_id}")
                    disk.make_room()
                    assert fresh.contents() == before, f"{name} left a half state"
                    if name == "catalogue":
                        assert (
                            fresh.rows("SELECT 1 FROM registry.procedure UNION ALL SELECT 1 FROM registry.agency") == []
                        )
                phase()
            assert fresh.contents() == undisturbed
            delivered = fresh.rows("SELECT count(*) FROM exchange.delivery WHERE acked_code IS NOT NULL")
            assert delivered == [(len(fresh.portal.store.dossiers(TENANT)),)]
            assert delivered[0][0] > DOSSIERS // 2
            assert fresh.rows("SELECT count(*) FROM indices.component_score")[0][0]
            assert fresh.rows("SELECT count(*) FROM registry.procedure")[0][0] > 50
        finally:
            fresh.engine.dispose()
            with small.connect() as connection:
                connection.execute(text("DROP DATABASE small WITH (FORCE)"))
                connection.execute(text("DROP TABLESPACE small"))
            small.dispose()


def test_a_file_of_the_warehouse_may_not_become_larger(fresh: Live, server: Postgres, undisturbed: Contents) -> None:
    """A quota or a limit of the server's files: PostgreSQL tells it in other codes than a full disk."""
    load_id = open_load(fresh.rt, SOURCE, "limited")
    STEPS["extract"](fresh.rt, load_id)
    with fresh.engine.begin() as connection:  # larger than a file of the write-ahead log, which has to fit
        connection.execute(
            text(
                "INSERT INTO staging.dossier (tenant, load_id, row_no, source_id, landing_part, landing_row, abstract) "
                "SELECT :tenant, -1, n, 'ballast', 0, n, repeat('x', 1800) FROM generate_series(1, 10000) AS n"
            ),
            {"tenant": TENANT},
        )
        size = connection.execute(text("SELECT pg_relation_size('staging.dossier__h17')")).scalar_one()
    assert size > 17 << 20
    server.stop()
    with files_at_most(size):
        server.start()
    with pytest.raises((DiskFullError, WarehouseTroubleError)) as caught:
        STEPS["stage"](fresh.rt, load_id)
    is_told(caught.value, f"source {SOURCE}", f"load {load_id}", "SQLSTATE", WAREHOUSE)
    server.stop()
    server.start()
    for step in STEPS.values():
        step(fresh.rt, load_id)
    assert fresh.contents() == undisturbed


def fill(file: Path, size: int) -> None:
    """Append pages in which PostgreSQL finds no room (its header says so): one more row makes the file larger."""
    page = struct.pack("<QHHHHHHI", 0, 0, 0, 24, 24, POSTGRES_PAGE, POSTGRES_PAGE | 4, 0).ljust(POSTGRES_PAGE, b"\0")
    with file.open("ab") as opened:
        opened.write(page * (size // POSTGRES_PAGE))


@pytest.mark.parametrize(
    ("phase", "table"),
    [
        ("catalogue", "registry.agency"),
        ("gate", "quality.gate_result"),
        ("merge", "dossier.dossier"),
        ("push", "exchange.delivery"),
        ("score", "indices.component_score"),
    ],
)
def test_a_table_that_may_not_become_larger_stops_its_phase(
    fresh: Live, server: Postgres, undisturbed: Contents, phase: str, table: str
) -> None:
    """As above for the other phases, each at a table that it writes, the last one where there are several."""
    phases: dict[str, Callable[[], object]] = {}
    if phase == "catalogue":
        fresh.engine.dispose()
        server.drop_database("fresh")
        server.create_database("fresh", "bare")
        phases["catalogue"] = lambda: sync_catalogue(fresh.rt, phase)
    load_id = open_load(fresh.rt, SOURCE, phase)
    phases |= {name: partial(step, fresh.rt, load_id) for name, step in STEPS.items()}
    phases["push"] = lambda: push(fresh.rt, TENANT, phase, send_history=True)
    phases["score"] = lambda: score(fresh.rt, MONTH, phase)
    for earlier in takewhile(lambda name: name != phase, phases):
        phases[earlier]()

    def everything() -> list[object]:
        known = (
            "SELECT procedure_code FROM registry.procedure UNION ALL SELECT agency_code FROM registry.agency ORDER BY 1"
        )
        return [fresh.contents(), fresh.rows(known), fresh.rows("SELECT count(*) FROM indices.component_score")]

    before = everything()
    [(path,)] = fresh.rows(
        "SELECT pg_relation_filepath(coalesce(to_regclass(:own), to_regclass(:table)))",
        own=f"{table}__{TENANT.lower()}", table=table,
    )  # fmt: skip
    server.stop()
    file = server.data / path
    fill(file, 17 << 20)  # larger than a file of the write-ahead log, which has to fit
    with files_at_most(file.stat().st_size):
        server.start()
    with pytest.raises((DiskFullError, WarehouseTroubleError)) as caught:
        phases[phase]()
    is_told(caught.value, "SQLSTATE", WAREHOUSE)
    assert everything() == before, f"{phase} left a half state"
    server.stop()
    server.start()
    for later in dropwhile(lambda name: name != phase, phases):
        phases[later]()
    assert fresh.contents() == undisturbed
    [(delivered,)] = fresh.rows("SELECT count(*) FROM exchange.delivery WHERE acked_code IS NOT NULL")
    assert delivered == len(fresh.portal.store.dossiers(TENANT)) > DOSSIERS // 2
    assert fresh.rows("SELECT count(*) FROM indices.component_score")[0][0]


def test_reports_that_do_not_fit_leave_the_old_ones_whole(live: Live, undisturbed: object, tmp_path: Path) -> None:
    live.settings = replace(live.settings, reports=tmp_path)
    run_id = score(live.rt, MONTH, "reports")
    publish(live.rt, run_id)
    before = {path: path.read_bytes() for path in files_in(tmp_path)}
    assert len(before) == 5, "workbook, and two pages with their listings"
    live.clock = live.clock.replace(hour=20)
    newer = score(live.rt, MONTH, "newer reports")
    [workbook] = [path for path in before if path.suffix == ".xlsx"]
    page = workbook.with_name("bao-cao-cach-ly.html")
    listing, deliveries = page.with_suffix(".csv"), workbook.with_name("viec-gui-cong.html")
    writers: dict[Path, Callable[[], object]] = {
        workbook: partial(publish, live.rt, newer),
        page: partial(write_quarantine_report, live.engine, page),
        listing: partial(write_quarantine_report, live.engine, page),
        deliveries: partial(write_page, live.engine, [TENANT], deliveries),
    }
    with live.engine.begin() as connection:  # the listing is written after the page: make it the larger one
        connection.execute(
            text("UPDATE quality.rule SET title_vi = title_vi || repeat(' dài', 500)"),
        )
    write_quarantine_report(live.engine, page)
    before = {path: path.read_bytes() for path in before}
    assert len(before[listing]) > len(before[page])
    for path, limit in {
        workbook: len(before[workbook]) // 2,
        page: len(before[page]) // 2,
        listing: (len(before[page]) + len(before[listing])) // 2,
        deliveries: len(before[deliveries]) // 2,
    }.items():
        with files_at_most(limit), pytest.raises(DiskFullError) as caught:
            writers[path]()
        is_told(caught.value, str(path))
        assert set(files_in(tmp_path)) == set(before), "nothing half-written stays"
        assert path.read_bytes() == before[path], "the old report is whole"
    publish(live.rt, newer)
    assert workbook.read_bytes() != before[workbook]
