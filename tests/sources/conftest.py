"""An OpenCPS database with the real columns and as many rows as a test puts there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from devstack.postgres import Postgres
from lienthong.connections import Connection
from lienthong.landing import LandedBatch, LandingStore, Watermark
from lienthong.model.codes import LoadMode
from lienthong.model.kinds.dossier import Entity
from lienthong.sources.contract import SourceContract, load_contract
from lienthong.sources.profile import Progress, Window, no_progress
from lienthong.sources.profiles import profile_of
from simulator.opencps import schema as opencps
from tests.contracts import changed
from tests.sources.igate import Gateway, gateway_of

REPO = Path(__file__).resolve().parents[2]
KEYS = {table: opencps.primary_key(table) for table in opencps.TABLES}
DEFAULTS: dict[str, dict[str, Any]] = {
    "opencps_dossier": {
        "modifiedDate": "2026-10-01 08:00:00",
        "serviceCode": "1.004873.000.00.00.H17",
        "govAgencyCode": "H17.05",
        "dossierStatus": "processing",
        "dossierSubStatus": "",
    },
    "opencps_dossieraction": {
        "createDate": "2026-10-01 08:00:00",
        "modifiedDate": "2026-10-01 08:00:00",
        "stepCode": "300",
    },
    "opencps_dossierfile": {"modifiedDate": "2026-10-01 08:00:00", "dossierPartType": 1, "removed": False},
    "opencps_paymentfile": {"modifiedDate": "2026-10-01 08:00:00", "paymentStatus": 1, "paymentAmount": 0},
}


def connection_to(url: str, **changes: Any) -> Connection:
    parts = sa.make_url(url)
    kind = "mysql" if parts.get_backend_name() == "mysql" else "postgres"
    known = {"host": parts.host, "port": parts.port, "login": parts.username, "password": parts.password}
    return Connection(**{"conn_id": "src_opencps_h17", "kind": kind, **known, "schema": parts.database, **changes})


@dataclass
class Province:
    """A database, its contract, and what earlier loads left behind."""

    url: str
    contract: SourceContract
    landing: Path
    marks: Mapping[str, Watermark] = field(default_factory=dict)
    loads: int = 0

    def __post_init__(self) -> None:
        self.engine = sa.create_engine(self.url)
        self.store = LandingStore(str(self.landing))

    @property
    def connection(self) -> Connection:
        return connection_to(self.url)

    def add(self, table: str, *keys: int, **values: Any) -> None:
        """Insert rows that differ in their primary key only."""
        columns = opencps.columns(table)
        target = sa.table(table, *(sa.column(name) for name in columns))
        rows = [{**DEFAULTS.get(table, {}), **values, KEYS[table]: key} for key in keys]
        with self.engine.begin() as connection:
            connection.execute(target.insert(), rows)

    def run(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement))

    def load(
        self,
        mode: LoadMode = LoadMode.INCREMENTAL,
        window: Window | None = None,
        progress: Progress = no_progress,
        connection: Connection | None = None,
        **changes: Any,
    ) -> LandedBatch:
        """One load; a committed incremental one moves the watermarks, as merge does."""
        self.loads += 1
        contract = changed(self.contract, **changes)
        writer = self.store.writer(contract.tenant, contract.source_id, self.loads, 1)
        url = profile_of(contract).extract(
            contract, connection or self.connection, writer, self.marks, mode, window, progress
        )
        batch = self.store.open(url)
        batch.verify()
        self.marks = batch.manifest.facts.watermarks or self.marks
        return batch

    def canonical(self, batch: LandedBatch, **changes: Any) -> dict[Entity, list[dict[str, Any]]]:
        """Canonical rows of a batch, by entity."""
        contract = changed(self.contract, **changes)
        rows: dict[Entity, list[dict[str, Any]]] = {entity: [] for entity in Entity}
        for entity, table in profile_of(contract).canonicalise(contract, batch):
            rows[entity] += table.to_pylist()
        return rows

    def files(self) -> list[str]:
        return [path.name for path in self.landing.rglob("*") if path.is_file()]


def landed(batch: LandedBatch, table: str, column: str | None = None) -> list[Any]:
    """A column of a landed table, its primary key by default."""
    name = column or KEYS[table]
    return [value for _, _, piece in batch.batches(table) for value in piece.column(name).to_pylist()]


def frame_of(batch: LandedBatch, table: str) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(pl.from_arrow(piece)) for _, _, piece in batch.batches(table)])


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.fixture(scope="session")
def contract() -> SourceContract:
    return load_contract(REPO / "include/sources/opencps_h17.yaml")


@pytest.fixture(scope="session")
def opencps_template(postgres: Postgres) -> str:
    name = "opencps_template"
    postgres.drop_database(name)
    postgres.create_database(name)
    engine = sa.create_engine(postgres.url(name))
    with engine.begin() as connection:
        for statement in (*opencps.ddl(), *opencps.key_ddl(), *opencps.INDEXES):
            connection.exec_driver_sql(statement)
    engine.dispose()
    return name


@pytest.fixture
def province(
    new_database: Callable[..., str], opencps_template: str, contract: SourceContract, tmp_path: Path
) -> Iterator[Province]:
    made = Province(new_database("opencps", opencps_template), contract, tmp_path / "landing")
    yield made
    made.engine.dispose()


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A simulated iGate of its own, that the test may advance and break."""
    made = gateway_of(tmp_path / "landing")
    with made.server:
        yield made
