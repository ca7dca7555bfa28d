"""A province with a long history of volumes, written straight into the tables that merges keep."""

from __future__ import annotations

import random
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from lienthong.connections import WAREHOUSE, Connection
from lienthong.freshness.settings import CalendarSettings
from lienthong.freshness.workdays import DayKind, Workdays
from lienthong.model.errors import ContractError
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.pipeline.freshness import evaluate
from lienthong.pipeline.runtime import Runtime
from lienthong.settings import PROJECT, Settings
from tests.world import database_connection

TENANT, SOURCE = "H17", "opencps_h17"
WORKDAYS = Workdays(CalendarSettings())


def at(day: date, hour: int = 9) -> datetime:
    """An instant of Vietnam."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=BUSINESS_ZONE)


@dataclass
class Province:
    """One source of H17 with one contract. `usual`: agency → dossiers on a working day; histories end with `today`."""

    engine: Engine
    folder: Path
    today: date
    settings: Settings = field(init=False)
    loads: int = 0

    def __post_init__(self) -> None:
        sources = self.folder / "sources"
        sources.mkdir(parents=True)
        shutil.copy(PROJECT / "include" / "sources" / f"{SOURCE}.yaml", sources)
        portal = PROJECT / "include" / "exchange" / "portal.yaml"
        self.settings = Settings(PROJECT, (self.folder / "landing").as_uri(), self.folder, sources, portal)
        self.execute("SELECT ops.ensure_tenant(:tenant)", [{"tenant": TENANT}])

    @property
    def now(self) -> datetime:
        return at(self.today)

    @property
    def rt(self) -> Runtime:
        warehouse = database_connection(WAREHOUSE, self.engine.url.render_as_string(hide_password=False))

        def resolve(conn_id: str) -> Connection:
            if conn_id != WAREHOUSE:
                raise ContractError(f"Connection {conn_id!r} is not known.", key=conn_id, next_step="create it.")
            return warehouse

        return Runtime(self.settings, resolve, lambda: self.now.astimezone(UTC))

    def execute(self, statement: str, rows: list[dict[str, Any]]) -> None:
        if rows:
            with self.engine.begin() as connection:
                connection.execute(text(statement), rows)

    def rows(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), parameters)]

    def agencies(self, *codes: str, listed: bool = True) -> None:
        self.execute(
            "INSERT INTO registry.agency (agency_code, tenant, name, level, parent_code, listed) "
            "VALUES (:code, :tenant, :name, 'commune', 'H17', :listed) "
            "ON CONFLICT (agency_code) DO UPDATE SET listed = excluded.listed",
            [{"code": code, "tenant": TENANT, "name": f"Xã {code}", "listed": listed} for code in codes],
        )

    def volume(self, counts: Mapping[tuple[str, date], int]) -> None:
        """Dossiers by agency and day, replacing what was there."""
        arrays = {
            "days": [day for _, day in counts],
            "codes": [code for code, _ in counts],
            "amounts": list(counts.values()),
        }
        self.execute(
            "INSERT INTO freshness.volume (tenant, source_id, day, agency_code, dossiers) "
            "SELECT :tenant, :source, given.* FROM unnest(CAST(:days AS date []), CAST(:codes AS text []), "
            "CAST(:amounts AS bigint [])) AS given (day, agency_code, dossiers) "
            "ON CONFLICT (tenant, source_id, day, agency_code) DO UPDATE SET dossiers = excluded.dossiers",
            [{"tenant": TENANT, "source": SOURCE} | arrays],
        )

    def history(self, usual: Mapping[str, float], first: date, last: date) -> None:
        """Working days that scatter around the usual; a few dossiers on weekends, none on holidays, few near Tết."""
        chance, counts = random.Random(f"{usual} {first}"), {}
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            kind = WORKDAYS.kind(day)
            share = {DayKind.WORKING: 1.0, DayKind.QUIET: 0.1, DayKind.WEEKEND: 0.02, DayKind.HOLIDAY: 0.0}[kind]
            for code, mean in usual.items():
                amount = max(round(chance.gauss(mean * share, (mean * share) ** 0.5)), 0)
                if amount:
                    counts[(code, day)] = amount
        self.volume(counts)

    def read(self, observed_at: datetime | None = None, *, opened_at: datetime | None = None, **columns: Any) -> int:
        """A merged load that read everything up to `observed_at`; `columns` override. Returns its id."""
        self.loads += 1
        seen = observed_at or self.now
        opened = opened_at or seen
        row = {
            "tenant": TENANT, "source_id": SOURCE, "run_key": f"load {self.loads}", "mode": "incremental",
            "state": "merged", "contract_hash": "", "observed_at": seen, "opened_at": opened, "merged_at": opened,
        } | columns  # fmt: skip
        self.execute(f"INSERT INTO ops.load ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})", [row])
        [(load_id,)] = self.rows("SELECT max(load_id) FROM ops.load")
        return int(load_id)

    def evaluate(self) -> dict[str, int]:
        return evaluate(self.rt)

    def open(self) -> set[tuple[str, str]]:
        """Open findings as (kind, subject)."""
        return set(self.rows("SELECT kind, subject FROM freshness.finding WHERE closed_at IS NULL"))
