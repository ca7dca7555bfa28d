"""Judge a sample with the warehouse's own gate, in one transaction that can't be committed.

Staging, ledger row and violations are real, but they live in a session whose `commit` does nothing: whether the check
ends well, fails or is killed, PostgreSQL forgets them. Great Expectations opens its own connection to the warehouse and
would not see uncommitted rows; while the gate runs, this thread's connections to the warehouse are that one session.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import connection as PsycopgConnection
from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

from lienthong.landing import LandedBatch
from lienthong.model.codes import Severity
from lienthong.model.errors import NotReadyError
from lienthong.quality.gate import run_gate
from lienthong.quality.suites import load_suites
from lienthong.sources.contract import SourceContract
from lienthong.sources.system import System
from lienthong.warehouse import staging
from lienthong.warehouse.statements import of_kind, read, run

CONNECT_TIMEOUT_S = 10
#: A load of the same tenant that stages just now holds locks; a check doesn't wait for long.
OPTIONS = (
    "-c timezone=UTC -c lock_timeout=20s -c statement_timeout=300s -c client_connection_check_interval=5000 "
    "-c client_min_messages=warning"
)


@dataclass(frozen=True)
class BrokenRule:
    """A rule that rows of the sample break. `rows` are rows of the entity."""

    rule_id: str
    entity: str
    severity: Severity
    title_vi: str
    explanation_vi: str
    rows: int


@dataclass(frozen=True)
class UnknownCode:
    """A procedure or agency code of the sample that the rule `rule_id` refuses."""

    rule_id: str
    code: str | None
    dossiers: int


@dataclass(frozen=True)
class Rehearsal:
    """What the gate says of a sample: dossiers staged, and of them rejected, blocked, with warnings."""

    dossiers: int
    rejected: int
    blocked: int
    warned: int
    rules: tuple[BrokenRule, ...]
    unknown: tuple[UnknownCode, ...]


class NeverCommitted(PsycopgConnection):
    """A session of which nothing is kept. `commit`, `rollback` and `close` of those who borrow it do nothing."""

    def commit(self) -> None:
        pass

    def rollback(self) -> None:
        pass

    def close(self) -> None:
        pass

    def forget(self) -> None:
        """End the session; PostgreSQL rolls back what it did."""
        super().close()


def rehearse(
    url: URL, contract: SourceContract, profile: System, batch: LandedBatch, *, now: datetime, home: Path
) -> Rehearsal:
    """Stage `batch` and run the gate on it; the warehouse at `url` is as before afterwards, whatever happens.

    NotReadyError without a catalogue; GateError, ContractError and TransientError as `run_gate` raises them;
    sqlalchemy's OperationalError when the warehouse is busy or away.
    """
    load_id = -secrets.randbelow(2**62) - 1
    kind, tenant = contract.kind, contract.tenant
    known = {(rule.entity, rule.rule_id): rule for suite in load_suites(home, kind).values() for rule in suite.rules}
    with _scratch(url) as engine:
        with engine.connect() as connection:
            if kind.catalogued and not run(connection, "registry/has_procedures").scalar_one():
                raise NotReadyError(
                    "The national catalogue is empty: every procedure would be unknown.",
                    source=contract.source_id,
                    next_step="run catalogue_sync (lienthong catalogue), then check again.",
                )
            if not run(connection, "ops/has_tenant", tenant=tenant).scalar_one():
                run(connection, "ops/ensure_tenant", tenant=tenant)
            run(
                connection,
                "ops/open_rehearsal",
                tenant=tenant,
                load_id=load_id,
                kind=kind.name,
                source_id=contract.source_id,
                contract_hash=contract.contract_hash,
                observed_at=batch.manifest.facts.observed_at,
                now=now,
            )
            run(connection, "quality/show_load", tenant=tenant, load_id=load_id)
            staged = staging.stage_rows(connection, kind, tenant, load_id, profile.canonicalise(contract, batch))
        report = run_gate(
            engine, kind=kind, tenant=tenant, load_id=load_id, source_id=contract.source_id, now=now, home=home
        )
        with engine.connect() as connection:
            warned = run(connection, "quality/count_warned", tenant=tenant, load_id=load_id).scalar_one()
            found = run(connection, of_kind(kind, "count_unknown_codes"), tenant=tenant, load_id=load_id).all()
    rules = [
        BrokenRule(rule.rule_id, rule.entity, rule.severity, rule.title_vi, rule.explanation_vi, result.failed)
        for result in report.failed
        for rule in [known[result.entity, result.rule_id]]
    ]
    order = list(Severity)
    return Rehearsal(
        dossiers=staged[kind.root.entity],
        rejected=report.rejected,
        blocked=report.blocked,
        warned=int(warned),
        rules=tuple(sorted(rules, key=lambda rule: (order.index(rule.severity), -rule.rows, rule.rule_id))),
        unknown=tuple(UnknownCode(row.rule_id, row.code, row.dossiers) for row in found),
    )


@contextmanager
def _scratch(url: URL) -> Iterator[Engine]:
    """An engine of one session that is never committed; this thread's other engines on `url` share it meanwhile."""
    _, target = url.get_dialect()().create_connect_args(url)
    engine = create_engine(url, poolclass=StaticPool, creator=lambda: session, hide_parameters=True)
    session: NeverCommitted = psycopg2.connect(
        **target,
        connection_factory=NeverCommitted,
        connect_timeout=CONNECT_TIMEOUT_S,
        application_name="lienthong check",
        options=OPTIONS,
    )
    with session.cursor() as cursor:
        cursor.execute(read("ops/quiet_server_log"))
    here = threading.get_ident()

    def lend(dialect: Any, record: Any, arguments: Any, parameters: dict[str, Any]) -> NeverCommitted | None:
        wanted = all(parameters.get(name) == target.get(name) for name in ("host", "port", "dbname"))
        return session if wanted and threading.get_ident() == here else None

    event.listen(Engine, "do_connect", lend)
    try:
        yield engine
    finally:
        event.remove(Engine, "do_connect", lend)
        session.forget()
