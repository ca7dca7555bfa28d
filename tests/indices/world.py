"""A small province in the warehouse, written as plain records: what the engine must judge, and nothing else."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, text

from lienthong.indices import Definition, ScoreKind, ScoreTable, load_definition, refresh_facts, score, scores
from lienthong.model.capabilities import Capability
from lienthong.model.periods import BUSINESS_ZONE, Month
from lienthong.settings import PROJECT

DEFINITION_FILE = PROJECT / "include" / "indices" / "qd766_2026.yaml"
DEFINITION = load_definition(DEFINITION_FILE)
OCTOBER = Month(2026, 10)
TENANT = "H17"
NOW = datetime(2026, 11, 5, 1, tzinfo=UTC)


def at(text_: str) -> datetime:
    """`2026-10-05` or `2026-10-05 16:30`, local time in Vietnam."""
    return datetime.fromisoformat(text_).replace(tzinfo=BUSINESS_ZONE)


@dataclass(frozen=True)
class Step:
    status: int | None
    at: datetime | None
    no: int | None = None


@dataclass(frozen=True)
class Paper:
    role: str = "component"
    has_file: bool | None = True
    result_code: str | None = None
    removed: bool | None = False
    digitised: bool | None = None
    from_store: bool | None = None
    url: str | None = "https://mot-cua.example/tep"


@dataclass(frozen=True)
class Dossier:
    """One dossier as its source tells it; defaults: received on 1 October, due on the 20th, being processed."""

    key: str
    agency: str | None = "H17.05"
    procedure: str | None = "1.000001"
    status: int | None = 4
    channel: int | None = 1
    submitted: datetime | None = None
    received: datetime | None = field(default_factory=lambda: at("2026-10-01 08:00"))
    due: datetime | None = field(default_factory=lambda: at("2026-10-20 17:00"))
    finished: datetime | None = None
    returned: datetime | None = None
    refused: datetime | None = None
    digitised: bool | None = None
    vneid: bool | None = None
    databases: tuple[str, ...] | None = None
    online_payment: int | None = None
    steps: tuple[Step, ...] = ()
    papers: tuple[Paper, ...] = ()
    fees: tuple[int | None, ...] = ()
    acknowledged: bool = False
    acked_at: datetime = field(default_factory=lambda: at("2026-10-01 09:00"))
    load: int = 1
    version: int = 1

    @property
    def dossier_id(self) -> uuid.UUID:
        return uuid.uuid5(uuid.NAMESPACE_OID, self.key)


@dataclass
class World:
    """The warehouse of one tenant, with a province H17, a department and communes added by the test."""

    engine: Engine
    tenant: str = TENANT
    runs: int = 0

    def execute(self, statement: str, rows: list[dict[str, Any]]) -> None:
        if rows:
            with self.engine.begin() as connection:
                connection.execute(text(statement), rows)

    def tenant_row(self) -> None:
        self.execute("SELECT ops.ensure_tenant(:tenant)", [{"tenant": self.tenant}])

    def agency(self, code: str, level: str, *, parent: str | None = None, listed: bool = True, name: str = "") -> None:
        row = {"code": code, "tenant": self.tenant, "name": name or f"Đơn vị {code}", "level": level, "parent": parent}
        self.execute(
            "INSERT INTO registry.agency (agency_code, tenant, name, level, parent_code, listed) "
            "VALUES (:code, :tenant, :name, :level, :parent, :listed)",
            [{**row, "listed": listed}],
        )
        ancestors = [(code, 0)] + ([(parent, 1)] if parent else [])
        self.execute(
            "INSERT INTO registry.agency_closure (ancestor_code, descendant_code, tenant, depth) "
            "VALUES (:ancestor, :code, :tenant, :depth)",
            [{**row, "ancestor": ancestor, "depth": depth} for ancestor, depth in ancestors],
        )

    def procedure(self, code: str, **given: Any) -> None:
        row = {
            "code": code, "returns_paper": True, "has_fee": False, "subjects": ["Công dân Việt Nam"], "active": True,
            "vanished": False, "term": None, "unit": None, "agencies": [], **given,
        }  # fmt: skip
        self.execute(
            "INSERT INTO registry.procedure (procedure_code, name, active, vanished, subjects, returns_paper, has_fee, "
            "max_term_value, max_term_unit, agencies, detail_hash, revision) VALUES (:code, :code, :active, :vanished, "
            ":subjects, :returns_paper, :has_fee, :term, :unit, :agencies, '', 1)",
            [row],
        )

    def service(self, agency: str, procedure: str, level: int) -> None:
        self.execute(
            "INSERT INTO registry.service (tenant, source_id, agency_code, procedure_code, online_level, load_id) "
            "VALUES (:tenant, 'test', :agency, :procedure, :level, 1)",
            [{"tenant": self.tenant, "agency": agency, "procedure": procedure, "level": level}],
        )

    def national_report(self, agency: str, period: str, received: int, entered: datetime) -> None:
        self.execute(
            "INSERT INTO registry.national_report (agency_code, period, received, entered_at) "
            "VALUES (:agency, :period, :received, :entered)",
            [{"agency": agency, "period": period, "received": received, "entered": entered}],
        )

    def source(self, source_id: str, *told: Capability, loaded: bool = True, described: bool = True) -> None:
        """A source that can tell `told`; loaded once, unless said otherwise. `described` before there was such a word:
        nobody knows what it can tell."""
        row = {"tenant": self.tenant, "source": source_id, "told": list(told) if described else None, "now": NOW}
        self.execute(
            "INSERT INTO ops.source (tenant, source_id, title, precedence, mode, contract_hash, capabilities) "
            "VALUES (:tenant, :source, '', 10, 'own', '', CAST(:told AS text[]))",
            [row],
        )
        self.execute(
            "INSERT INTO ops.load (tenant, source_id, run_key, mode, state, contract_hash, opened_at) "
            "VALUES (:tenant, :source, 'r', 'full', :state, '', :now)",
            [{**row, "state": "merged" if loaded else "opened"}],
        )

    def merged(self, load: int, merge_no: int) -> None:
        """Load `load` was merged as the tenant's merge `merge_no`."""
        self.execute(
            "INSERT INTO ops.load (load_id, tenant, source_id, run_key, mode, state, contract_hash, opened_at, "
            "merge_no) OVERRIDING SYSTEM VALUE "
            "VALUES (:load, :tenant, 'test', :key, 'incremental', 'merged', '', :now, :merge_no)",
            [{"load": load, "tenant": self.tenant, "key": f"load {load}", "now": NOW, "merge_no": merge_no}],
        )

    def put(self, *dossiers: Dossier) -> None:
        """Write or overwrite dossiers as merge would leave them."""
        keys = [{"tenant": self.tenant, "key": dossier.key, "id": dossier.dossier_id} for dossier in dossiers]
        for table in ("source_record", "step", "document", "fee", "dossier"):
            self.execute(f"DELETE FROM dossier.{table} WHERE tenant = :tenant AND source_key = :key", keys)
        self.execute("DELETE FROM exchange.delivery WHERE tenant = :tenant AND dossier_id = :id", keys)
        self.execute(
            "INSERT INTO dossier.dossier (tenant, dossier_id, source_id, source_key, version, load_id, opened_load_id) "
            "VALUES (:tenant, :id, 'test', :key, :version, :load, 1)",
            [self._row(dossier) for dossier in dossiers],
        )
        self.execute(
            "INSERT INTO dossier.source_record (tenant, source_id, source_key, dossier_id, version, record_hash, "
            "recipe, observed_at, load_id, agency_code, procedure_code, status, channel, submitted_at, received_at, "
            "due_at, finished_at, returned_at, refused_at, has_digitised_component, vneid_verified, database_codes,"
            " online_payment) VALUES (:tenant, 'test', :key, :id, :version, '', 1, :now, 1, :agency, :procedure, "
            ":status, :channel, :submitted, :received, :due, :finished, :returned, :refused, :digitised, :vneid, "
            ":databases, :online_payment)",
            [self._row(dossier) for dossier in dossiers],
        )
        self._children(dossiers)
        self.execute(
            "INSERT INTO exchange.delivery (tenant, dossier_id, source_id, mode, derived_version, wanted_version, "
            "recipe, acked_version, acked_at) "
            "VALUES (:tenant, :id, 'test', 'own', :version, :version, 1, :acked, :acked_at)",
            [
                {
                    **self._row(dossier),
                    "acked": 1 if dossier.acknowledged else None,
                    "acked_at": dossier.acked_at if dossier.acknowledged else None,
                }
                for dossier in dossiers
            ],
        )

    def _row(self, dossier: Dossier) -> dict[str, Any]:
        own = {name: getattr(dossier, name) for name in dossier.__dataclass_fields__}
        own["databases"] = list(dossier.databases) if dossier.databases is not None else None
        return {**own, "tenant": self.tenant, "id": dossier.dossier_id, "now": NOW}

    def _children(self, dossiers: tuple[Dossier, ...]) -> None:
        def rows(name: str) -> list[dict[str, Any]]:
            return [
                {"tenant": self.tenant, "key": dossier.key, "child": f"{number:03d}", "value": value}
                for dossier in dossiers
                for number, value in enumerate(getattr(dossier, name))
            ]

        into = "(tenant, source_id, source_key, child_key, version,"
        values = "VALUES (:tenant, 'test', :key, :child, 1,"
        self.execute(
            f"INSERT INTO dossier.step {into} step_no, status, occurred_at) {values} :no, :status, :at)",
            [{**row, **vars(row["value"]), "value": None} for row in rows("steps")],
        )
        self.execute(
            f"INSERT INTO dossier.document {into} role, has_file, result_code, removed, digitised, from_citizen_store, "
            f"url) {values} :role, :has_file, :result_code, :removed, :digitised, :from_store, :url)",
            [{**row, **vars(row["value"]), "value": None} for row in rows("papers")],
        )
        self.execute(f"INSERT INTO dossier.fee {into} amount) {values} :value)", rows("fees"))

    def score(
        self,
        *,
        definition: Definition = DEFINITION,
        month: Month = OCTOBER,
        as_of: datetime = NOW,
        kind: ScoreKind = ScoreKind.FINAL,
        tenants: tuple[str, ...] = (),
        refresh: bool = True,
    ) -> ScoreTable:
        """Refresh the facts and score the month under a new key."""
        self.runs += 1
        tenants = tenants or (self.tenant,)
        with self.engine.begin() as connection:
            for tenant in tenants if refresh else ():
                refresh_facts(connection, tenant)
            run_id = score(
                connection, definition=definition, tenants=tenants, month=month, as_of=as_of, kind=kind,
                run_key=f"{self.tenant}-{self.runs}", now=NOW,
            )  # fmt: skip
        return scores(self.engine, run_id)

    def counts(self, table: ScoreTable) -> Mapping[tuple[str, str], tuple[Decimal | None, Decimal | None]]:
        """(agency, component) → (numerator, denominator) of the components that the warehouse feeds."""
        return {
            (unit.agency_code, number): (counted.numerator, counted.denominator)
            for unit in table.units
            for number, counted in unit.components.items()
            if counted.numerator is not None
        }


def with_choices(**changes: Any) -> Definition:
    """The definition with some open choices decided otherwise."""
    return DEFINITION.model_copy(update={"choices": DEFINITION.choices.model_copy(update=changes)})
