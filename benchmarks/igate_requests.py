"""How many requests a load of an iGate costs in each way of finding changes, counted at the simulated server.

    .venv/bin/python -m benchmarks.igate_requests [dossiers] [changes]

The world is one province over three months, the second load comes a working day later. `left`: dossiers that moved by a
step or came, and that neither load has as the server shows them.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from lienthong.connections import Connection
from lienthong.landing import LandedBatch, LandingStore, Watermark
from lienthong.model.codes import LoadMode
from lienthong.sources.contract import SourceContract, load_contract
from lienthong.sources.igate.extract import extract
from lienthong.sources.igate.mapping import DOSSIER
from simulator.igate import IgateServer, IgateSwitches
from simulator.igate.ids import dossier_number
from simulator.world import World

REPO = Path(__file__).resolve().parents[1]
MONTH, PROVINCE, NOW = "2026-10", "H21", datetime(2026, 11, 4, tzinfo=UTC)
ENDPOINTS = ("search", "detail", "fees")


def main(dossiers: int, changes: int) -> None:
    """Print one line per way and load."""
    print(f"{dossiers} dossiers, pages of 200, {changes} changes between the loads")
    print(f"{'changes':13} {'load':12} {'rows':>6} " + " ".join(f"{name:>7}" for name in ENDPOINTS) + "    left")
    for way in ("updated_date", "newest_task", "windows"):
        world = World.generate(11, dossiers, MONTH, provinces=(PROVINCE,))
        habits = IgateSwitches() if way == "updated_date" else IgateSwitches.of_public_clients(status_eleven=False)
        with IgateServer(world, PROVINCE, switches=habits) as igate, tempfile.TemporaryDirectory() as folder:
            _measure(igate, Path(folder), way, changes)


def _measure(igate: IgateServer, folder: Path, way: str, changes: int) -> None:
    contract = load_contract(REPO / "include/sources/igate_h21.yaml")
    contract = contract.model_copy(update={"http": contract.http.model_copy(update={"changes": way})})
    marks: dict[str, Watermark] = {}
    earlier: LandedBatch | None = None
    held: dict[int, int] = {}
    for number, load in enumerate(("first", "incremental", "nothing new"), start=1):
        moved = {c.dossier_id for c in igate.advance(5, changes) if c.step is not None} if number == 2 else set()
        before = dict(igate.igate.counts)
        earlier = _load(igate, contract, LandingStore(str(folder)), number, marks, earlier)
        marks = {**marks, **earlier.manifest.facts.watermarks}
        held |= dict(_steps(earlier))
        left = sum(held.get(one, 0) < len(igate.store.plan(one).events) // 2 for one in moved)
        asked = [igate.igate.counts[name] - before.get(name, 0) for name in ENDPOINTS]
        rows = earlier.manifest.tables[DOSSIER].rows
        print(f"{way:13} {load:12} {rows:6} " + " ".join(f"{one:7}" for one in asked) + f" {left:7}", flush=True)


def _load(
    igate: IgateServer,
    contract: SourceContract,
    store: LandingStore,
    number: int,
    marks: dict[str, Watermark],
    earlier: LandedBatch | None,
) -> LandedBatch:
    account = igate.account
    connection = Connection(
        contract.connection,
        kind="http",
        host="127.0.0.1",
        port=igate.port,
        login=account.username,
        password=account.password,
        schema="http",
        extra={"token_url": igate.token_url, "client_id": account.client_id},
    )
    writer = store.writer(contract.tenant, contract.source_id, number, 1)
    url = extract(contract, connection, writer, marks, LoadMode.INCREMENTAL, earlier=earlier, now=lambda: NOW)
    return store.open(url)


def _steps(batch: LandedBatch) -> Iterator[tuple[int, int]]:
    """Number and steps of every dossier of a batch."""
    for _, _, piece in batch.batches(DOSSIER, ["id", "item"]):
        for key, item in zip(piece["id"].to_pylist(), piece["item"].to_pylist(), strict=True):
            yield dossier_number(str(key)), len(json.loads(str(item))["task"])


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    main(*(numbers + [5_000, 200][len(numbers) :]))
