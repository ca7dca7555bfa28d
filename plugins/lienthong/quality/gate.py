"""Run the gate over the staged rows of one load: which rows break which rules, all of them, with every reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from lienthong.model.codes import Severity
from lienthong.model.errors import GateError
from lienthong.model.kinds import KindSpec
from lienthong.quality import evaluation
from lienthong.quality.evaluation import FailedExpectation
from lienthong.quality.suites import Rule, Suite, load_suites
from lienthong.warehouse.statements import of_kind, read, run


@dataclass(frozen=True)
class RuleResult:
    """One rule on one load: `failed` of `evaluated` staged rows break it."""

    entity: str
    rule_id: str
    severity: Severity
    evaluated: int
    failed: int


@dataclass(frozen=True)
class GateReport:
    """Outcome of the gate. `rejected` and `blocked` count rows of the root under the unit rule."""

    tenant: str
    source_id: str
    load_id: int
    results: tuple[RuleResult, ...]
    rejected: int
    rejected_children: int
    blocked: int

    @property
    def failed(self) -> tuple[RuleResult, ...]:
        return tuple(result for result in self.results if result.failed)


def run_gate(
    engine: Engine, *, kind: KindSpec, tenant: str, source_id: str, load_id: int, now: datetime, home: Path
) -> GateReport:
    """Evaluate a kind's suites (`home`/expectations) on the staged rows of `load_id`; store violations and results.

    Replaces what an earlier run of the gate stored for this load; two runs at once give the same tables. ContractError
    for a suite that can't be used, GateError when a rule can't be evaluated or its two counts disagree (nothing is
    stored then).
    """
    suites = load_suites(home, kind)
    with engine.connect() as connection:
        staged = _count_staged(connection, kind, tenant, load_id)
    filled = {entity: suite for entity, suite in suites.items() if staged[entity]}
    found = evaluation.failures(engine, filled, tenant=tenant, load_id=load_id) if filled else []
    load = {"tenant": tenant, "load_id": load_id}
    with engine.begin() as connection:
        run(connection, "quality/lock_gate", **load)
        run(connection, "quality/delete_load_violations", **load)
        run(connection, "quality/show_load", **load)
        for failure in found:
            _store_violations(connection, failure, tenant, source_id, load_id)
        results = _results(suites, staged, found)
        _store_results(connection, suites, results, tenant, load_id, now)
        run(connection, "quality/analyze_violations", tenant=tenant)
        counts = run(connection, of_kind(kind, "count_rejected"), load).one()
    return GateReport(
        tenant, source_id, load_id, results, counts.rejected, counts.rejected_children, counts.blocked
    )  # fmt: skip


def _count_staged(connection: Connection, kind: KindSpec, tenant: str, load_id: int) -> dict[str, int]:
    rows = run(connection, of_kind(kind, "count_staged"), tenant=tenant, load_id=load_id).all()
    return {row.entity: row.staged for row in rows}


def _store_violations(
    connection: Connection, failure: FailedExpectation, tenant: str, source_id: str, load_id: int
) -> None:
    """Insert every failing row of one rule; their number must be the one Great Expectations counted."""
    rule = failure.rule
    # Colons of the generated query are text (patterns, literals), not bind parameters.
    query = read("quality/insert_violations").replace("{failing_rows}", failure.failing_rows.replace(":", r"\:"))
    inserted = connection.execute(
        text(query),
        {
            "tenant": tenant,
            "load_id": load_id,
            "entity": rule.entity,
            "rule_id": rule.rule_id,
            "severity": rule.severity.value,
        },
    ).rowcount
    if inserted != failure.count:
        raise GateError(
            f"Rule {rule.rule_id} counts {failure.count} failing rows in Great Expectations "
            f"but {inserted} in the violation statement.",
            next_step="nothing was stored; check that staging is not being written and that the rule is deterministic.",
            source=source_id,
            load=load_id,
            key=f"{rule.entity}.{rule.rule_id}",
        )


def _results(
    suites: Mapping[str, Suite], staged: Mapping[str, int], found: list[FailedExpectation]
) -> tuple[RuleResult, ...]:  # fmt: skip
    failed = {(failure.rule.entity, failure.rule.rule_id): failure.count for failure in found}
    return tuple(
        RuleResult(entity, rule.rule_id, rule.severity, staged[entity], failed.get((entity, rule.rule_id), 0))
        for entity, suite in suites.items()
        for rule in suite.rules
    )


def _store_results(
    connection: Connection,
    suites: Mapping[str, Suite],
    results: tuple[RuleResult, ...],
    tenant: str,
    load_id: int,
    now: datetime,
) -> None:
    rules = sorted((rule for suite in suites.values() for rule in suite.rules), key=lambda r: (r.entity, r.rule_id))
    run(connection, "quality/upsert_rule", [_rule_row(rule) for rule in rules])
    run(connection, "quality/delete_gate_result", tenant=tenant, load_id=load_id)
    rows = [
        {
            "tenant": tenant,
            "load_id": load_id,
            "entity": result.entity,
            "rule_id": result.rule_id,
            "severity": result.severity.value,
            "evaluated": result.evaluated,
            "failed": result.failed,
            "checked_at": now,
        }
        for result in results
    ]
    run(connection, "quality/insert_gate_result", rows)


def _rule_row(rule: Rule) -> dict[str, str]:
    return {
        "rule_id": rule.rule_id,
        "entity": rule.entity,
        "severity": rule.severity.value,
        "field": rule.field,
        "owner": rule.owner,
        "title_vi": rule.title_vi,
        "explanation_vi": rule.explanation_vi,
    }
