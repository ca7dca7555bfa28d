"""A simulated iGate, its contract, and what earlier loads left behind; and batches made of items by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lienthong.connections import Connection
from lienthong.landing import BatchFacts, LandedBatch, LandingStore, Watermark
from lienthong.model.codes import LoadMode
from lienthong.model.kinds.dossier import Entity
from lienthong.sources.contract import SourceContract, load_contract
from lienthong.sources.igate import read
from lienthong.sources.igate.extract import extract, utc_now
from lienthong.sources.igate.land import DOSSIER_SCHEMA, task_key
from lienthong.sources.igate.mapping import DOSSIER, TASK
from lienthong.sources.igate.papers import CHILD_SCHEMA
from lienthong.sources.profile import Progress, Window, no_progress
from lienthong.sources.profiles import profile_of
from simulator.igate import IgateServer, IgateSwitches
from simulator.igate.ids import dossier_id
from simulator.world import World
from tests.contracts import changed
from tests.world import igate_connection

REPO = Path(__file__).resolve().parents[2]
MONTH, SIZE, SMALL, PAGE = "2026-10", 150, 60, 20


def contract_of(page_rows: int = PAGE, **changes: Any) -> SourceContract:
    """Gia Lai's contract, without papers and fees, impatient."""
    contract = load_contract(REPO / "include/sources/igate_h21.yaml")
    hasty = {"attempts": 3, "backoff_ms": 1, "longest_wait_s": 0.05, "smallest_page": 8, **changes.pop("http", {})}
    said = {
        "entities": (Entity.DOSSIER, Entity.STEP),
        "read": contract.read.model_copy(update={"page_rows": page_rows}),
        "http": contract.http.model_copy(update=hasty),
    }
    return changed(contract, **{**said, **changes})


@dataclass
class Gateway:
    """An iGate with a world of its own, and the landing folder of the loads made from it."""

    server: IgateServer
    landing: Path
    contract: SourceContract = field(default_factory=contract_of)
    marks: Mapping[str, Watermark] = field(default_factory=dict)
    loads: int = 0
    fence: int = 0

    def __post_init__(self) -> None:
        self.store = LandingStore(str(self.landing))

    @property
    def connection(self) -> Connection:
        return igate_connection("src_igate_h21", self.server)

    def load(self, *, again: bool = False, **options: Any) -> LandedBatch:
        """A new load, or another try of the last one; a committed incremental one moves the watermark."""
        mode, window = options.pop("mode", LoadMode.INCREMENTAL), options.pop("window", None)
        progress: Progress = options.pop("progress", no_progress)
        earlier: LandedBatch | None = options.pop("earlier", None)
        now: Callable[[], datetime] = options.pop("now", utc_now)
        connection = options.pop("connection", self.connection)
        contract = changed(self.contract, **options)
        self.loads, self.fence = (self.loads, self.fence + 1) if again else (self.loads + 1, 1)
        writer = self.store.writer(contract.tenant, contract.source_id, self.loads, self.fence)
        url = extract(contract, connection, writer, self.marks, mode, window, progress, earlier, now)
        batch = self.store.open(url)
        batch.verify()
        self.store.discard_uncommitted(contract.tenant, contract.source_id, self.loads, self.fence)
        self.marks = batch.manifest.facts.watermarks or self.marks
        return batch

    def there(self) -> dict[str, str]:
        """What the source holds now: id → updatedDate."""
        store = self.server.store
        with store.lock:
            return {
                dossier_id("H21", number): wire_date(store.updated(number), self.server.switches)
                for number in store.newest_first()
            }

    def searches(self) -> list[int]:
        """Page numbers asked for so far."""
        return [call.page for call in self.server.igate.calls if call.endpoint == "search"]

    def remove(self, place: int) -> str:
        """Take the `place`-th dossier of the list (from the top) out of the source altogether."""
        store = self.server.store
        with store.lock:
            _, number = store._order.pop(len(store._order) - 1 - place)
            store.version += 1
        return dossier_id("H21", number)

    def files(self) -> list[str]:
        return [path.name for path in self.landing.rglob("*") if path.is_file()]


def wire_date(instant: int, switches: IgateSwitches) -> str:
    from simulator.igate.instants import iso

    return str(iso(instant, switches.clock_offset_s))


def gateway_of(landing: Path, size: int = SIZE, seed: int = 11) -> Gateway:
    """Not started yet: use its server as a context manager."""
    return Gateway(IgateServer(World.generate(seed, size, MONTH, provinces=("H21",)), "H21"), landing)


@pytest.fixture(name="gateway")
def small_gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """As `gateway`, with fewer dossiers, written down in smaller pieces: for those who ask for the papers of each.

    Import it to have it.
    """
    monkeypatch.setattr(read, "DOSSIERS_PER_PIECE", 2 * PAGE)
    made = gateway_of(tmp_path / "landing", size=SMALL)
    with made.server:
        yield made


def landed(batch: LandedBatch, table: str = DOSSIER) -> list[dict[str, Any]]:
    """Rows of a landed table."""
    return [row for _, _, piece in batch.batches(table) for row in piece.to_pylist()]


def versions(batch: LandedBatch) -> dict[str, str]:
    """id → updatedDate of the landed dossiers, each of which must be there once."""
    rows = [(row["id"], row["updatedDate"]) for row in landed(batch)]
    assert len(dict(rows)) == len(rows), "a dossier was landed twice"
    return dict(rows)


def batch_of(landing: Path, *items: Mapping[str, Any]) -> LandedBatch:
    """A landed batch of items made by hand."""
    contract = contract_of()
    with LandingStore(str(landing)).writer("H21", "igate_h21", 1, 1) as writer:
        writer.declare(DOSSIER, DOSSIER_SCHEMA)
        writer.declare(TASK, CHILD_SCHEMA)
        for item in items:
            row = {"id": item["id"], "updatedDate": item.get("updatedDate"), "item": json.dumps(item)}
            writer.write(DOSSIER, pa.Table.from_pylist([row], DOSSIER_SCHEMA))
            tasks = [json.dumps(task) for task in item.get("task", ())]
            rows = [
                {"dossierId": item["id"], "key": task_key(text, place), "place": place, "item": text}
                for place, text in enumerate(tasks, start=1)
            ]
            writer.write(TASK, pa.Table.from_pylist(rows, CHILD_SCHEMA))
        url = writer.commit(BatchFacts(LoadMode.FULL, datetime.now(UTC), contract.contract_hash, "0"))
    return LandingStore(str(landing)).open(url)


def canonical(batch: LandedBatch, contract: SourceContract | None = None) -> dict[Entity, list[dict[str, Any]]]:
    """Canonical rows of a batch, by entity."""
    contract = contract or contract_of()
    rows: dict[Entity, list[dict[str, Any]]] = {entity: [] for entity in Entity}
    for entity, table in profile_of(contract).canonicalise(contract, batch):
        rows[entity] += table.to_pylist()
    return rows


__all__ = [
    "Gateway",
    "Window",
    "batch_of",
    "canonical",
    "contract_of",
    "gateway_of",
    "landed",
    "small_gateway",
    "versions",
]
