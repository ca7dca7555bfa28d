"""The provinces' databases of a benchmark: made once per size, kept, copied for every run."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.multiply import multiply
from benchmarks.server import Server
from simulator import world as simulator_world
from simulator.opencps.install import DOSSIER_TABLES, install
from simulator.world import World

SEED, MONTH = 7, "2026-10"
#: Dossiers that are simulated one by one; more are copies of these.
SIMULATED = 100_000
PREFIX = "bench_source_"


@dataclass(frozen=True)
class Source:
    """A province's kept database. `built_s` is 0 when it was there already."""

    tenant: str
    database: str
    rows: dict[str, int]
    mib: int
    built_s: float


def ensure(server: Server, tenant: str, size: int, say: Callable[[str], None], simulated: int = SIMULATED) -> Source:
    """The database of `tenant` with about `size` dossiers (what the world doubles comes on top), built if it is new."""
    copies = math.ceil(size / simulated)
    name = f"{PREFIX}{tenant.lower()}_{size}_{recipe()}"
    begun = time.monotonic()
    if not server.has(name):
        say(f"building a source of {size:,} dossiers for {tenant} (kept for the next run) …")
        for old in server.databases(f"{PREFIX}{tenant.lower()}_{size}_"):
            server.postgres.drop_database(old)
        making = f"{name}_making"
        server.postgres.create_database(making)
        world = World.generate(SEED, math.ceil(size / copies), MONTH, provinces=(tenant,))
        install(world, tenant, server.postgres.url(making))
        with server.cursor(making, autocommit=False) as cursor:
            multiply(cursor, copies)
        with server.cursor(making) as cursor:
            cursor.execute("VACUUM (ANALYZE)")
        server.rename(making, name)
        built = time.monotonic() - begun
    else:
        built = 0.0
    with server.cursor(name) as cursor:
        rows = {}
        for table in DOSSIER_TABLES:
            cursor.execute(f"SELECT count(*) FROM {table}")
            rows[table] = int(cursor.fetchone()[0])
    return Source(tenant, name, rows, server.size_mib(name), round(built, 1))


def recipe() -> str:
    """Changes when the simulated OpenCPS or the multiplication does: a database of another recipe is built anew."""
    home = Path(simulator_world.__file__).parent
    parts = (
        "catalogue", "defects", "facts", "lives", "people", "plans", "steps", "streams", "wire", "workdays", "world",
        "opencps/install", "opencps/local_catalogue", "opencps/rows", "opencps/schema",
    )  # fmt: skip
    files = [home / f"{part}.py" for part in parts] + sorted((home / "data").glob("*.csv"))
    digest = hashlib.sha256(f"{SEED} {MONTH}".encode())
    for file in (*files, Path(__file__).with_name("multiply.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:8]
