"""A bench, a warehouse that knows the catalogue, and loads that must add up, whatever else they do."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from lienthong.connections import WAREHOUSE, Connection
from lienthong.model.errors import LienThongError
from lienthong.pipeline import load as loading
from lienthong.pipeline.runtime import Runtime
from lienthong.settings import PROJECT, Settings
from tests.sources.conformance import believed as warehouse
from tests.sources.conformance.bench import SECRET, Bench, Fact, Habit, Truth, Verdict
from tests.world import STEPS, Wiring, database_connection

#: The clock of the pipeline: a quiet hour after everything that the simulated world did.
NOW = datetime(2026, 11, 3, 1, tzinfo=UTC)

#: Children start from a clean process that has already imported what is slow to import.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["lienthong.pipeline.load", "lienthong.sources.profiles"])

Counts = dict[str, dict[str, int]]


@dataclass
class Rig:
    """`bench` runs; `warehouse_url` is this rig's own."""

    bench: Bench
    warehouse_url: str
    folder: Path
    clock: datetime = NOW
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    connection: Connection | None = None
    runs: int = 0
    overlap: str | None = None
    child: int = 0

    def __post_init__(self) -> None:
        self.kind, self.source_id = self.bench.kind, self.bench.source_id
        (self.folder / "sources").mkdir(parents=True, exist_ok=True)
        self.write_contract()

    def write_contract(self, **changes: Mapping[str, Any]) -> None:
        """Write the contract anew, with other values in some sections."""
        self.changes = changes or self.changes
        path = self.folder / "sources" / f"{self.source_id}.yaml"
        path.write_text(self.bench.contract(self.overlap, **self.changes), encoding="utf-8")

    @property
    def wiring(self) -> Wiring:
        """Can be handed to another process."""
        settings = Settings(
            PROJECT,
            (self.folder / "landing").as_uri(),
            self.folder / "reports",
            self.folder / "sources",
            PROJECT / "include" / "exchange" / "portal.yaml",
        )
        conn_id = str(self.bench.document()["connection"])
        connections = {
            WAREHOUSE: database_connection(WAREHOUSE, self.warehouse_url),
            conn_id: self.connection or self.bench.connection,
        }
        return Wiring(settings, connections, self.clock)

    @property
    def rt(self) -> Runtime:
        return self.wiring.rt

    @property
    def engine(self) -> Engine:
        return self.rt.warehouse()

    def open(self, mode: str = "incremental") -> int:
        self.runs += 1
        return loading.open_load(self.rt, self.source_id, f"run-{self.runs}", mode)

    def finish(self, load_id: int) -> Counts:
        """All steps of a load; it adds up."""
        for step in STEPS.values():
            step(self.rt, load_id)
        counts: Counts = loading.counts_of(self.rt, load_id)["counts"]  # type: ignore[assignment]
        for entity, outcomes in counts.items():
            became = sum(rows for outcome, rows in outcomes.items() if outcome != "extracted")
            assert outcomes["extracted"] == became, (entity, outcomes)
        assert {spec.entity for spec in self.kind.entities} >= set(counts) >= {self.kind.root.entity}
        return counts

    def load(self, mode: str = "incremental") -> Counts:
        """A whole load; it adds up. entity → outcome → rows."""
        return self.finish(self.open(mode))

    def counts(self, mode: str = "incremental") -> dict[str, int]:
        """Outcomes of the root records of a whole load."""
        return self.load(mode)[self.kind.root.entity]

    def refuses(self, mode: str = "incremental") -> tuple[LienThongError, int]:
        """A load that must stop in its extract, leaving everything as it was; its error, and the load to go on with."""
        before = self.state()
        load_id = self.open(mode)
        with pytest.raises(LienThongError) as caught:
            loading.extract(self.rt, load_id)
        said = str(caught.value)
        assert f"source {self.source_id}" in said, "one clear error names its source"
        assert f"load {load_id}" in said, "and its load"
        assert "Next: " in said
        assert SECRET not in said
        assert self.state() == before, "the last good state stays"
        [(state, kept)] = self.rows("SELECT state, error FROM ops.load WHERE load_id = :id", id=load_id)
        assert state == "opened"
        assert kept.endswith(said), "the ledger keeps the words"
        return caught.value, load_id

    def extract_in_child(self, load_id: int, *, dies: bool) -> None:
        """Extract in a process of its own; `dies`: it is killed on the way (by somebody else)."""
        child = PROCESSES.Process(target=_extract, args=(self.wiring, load_id))
        child.start()
        self.child = int(child.pid or 0)
        child.join()
        assert child.exitcode == (-signal.SIGKILL if dies else 0)

    def kill_child(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.child, signal.SIGKILL)

    # What is believed ----------------------------------------------------------------------------------------------

    def believed(self) -> Truth:
        return warehouse.believed(self.engine, self.kind, self.source_id)

    def wrong(self, *, but: set[str] | None = None) -> dict[str, Any]:
        """Where what is believed is not the truth. `but`: keys that need not agree yet, in any way."""
        true, found = self.bench.truth(), self.believed()
        for key in but or ():
            for side in (true, found):
                for entity in list(side):
                    side[entity] = {
                        one: fields
                        for one, fields in side[entity].items()
                        if key != (one if isinstance(one, str) else one[0])
                    }
        return warehouse.differences(self.kind, true, found)

    def versions(self) -> dict[str, int]:
        return warehouse.versions(self.engine, self.kind, self.source_id)

    def superseded(self) -> dict[str, list[int]]:
        return warehouse.superseded(self.engine, self.kind, self.source_id)

    def vanished(self) -> set[str]:
        return warehouse.vanished(self.engine, self.kind, self.source_id)

    def state(self) -> dict[str, Any]:
        """All that is believed, row by row as it stands, and how far the source was read."""
        return {**warehouse.rows_of_all(self.engine, self.kind), "watermarks": self.watermarks()}

    def watermarks(self) -> list[tuple[Any, ...]]:
        return self.rows(
            "SELECT table_name, modified_at, last_key FROM ops.watermark WHERE source_id = :source ORDER BY 1",
            source=self.source_id,
        )

    def findings(self) -> dict[tuple[str, str], int]:
        """(kind, name) → rows, of the newest load."""
        found = self.rows(
            "SELECT kind, name, seen FROM ops.finding WHERE source_id = :source AND last_load_id = "
            "(SELECT max(load_id) FROM ops.load WHERE source_id = :source AND state = 'merged')",
            source=self.source_id,
        )
        return {(kind, name): seen for kind, name, seen in found}

    def told(self) -> set[str]:
        """Kinds of open findings that people are shown."""
        query = "SELECT kind FROM freshness.finding WHERE source_id = :source AND closed_at IS NULL"
        return {kind for (kind,) in self.rows(query, source=self.source_id)}

    def rows(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), parameters)]

    def habit(self, fact: Fact) -> Habit:
        return self.bench.habit(fact)

    def can(self, fact: Fact) -> bool:
        return self.habit(fact).verdict is not Verdict.IMPOSSIBLE


def _extract(wiring: Wiring, load_id: int) -> None:
    loading.extract(wiring.rt, load_id)
