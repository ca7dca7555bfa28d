"""Our own metrics, sent through Airflow's: StatsD or OpenTelemetry, whichever AIRFLOW__METRICS__… switches on.

They are for watching; the truth is the ledger in the warehouse. A step run again counts again, and a lost packet
is lost. docs/metrics.md lists the names (Airflow puts its prefix before them). Tags are ids and codes, never a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from airflow.sdk.observability import stats


class MetricKind(StrEnum):
    """How values add up: counters over time, gauges hold the last one, timers are distributions in milliseconds."""

    COUNTER = "counter"
    GAUGE = "gauge"
    TIMER = "timer"


@dataclass(frozen=True)
class Metric:
    """One name, with the tags that every value of it carries."""

    name: str
    kind: MetricKind
    tags: tuple[str, ...] = ()


LOAD_ROWS = Metric("lienthong.load.rows", MetricKind.COUNTER, ("source", "entity", "outcome"))
LOAD_DURATION = Metric("lienthong.load.duration", MetricKind.TIMER, ("source",))
PUSH_DOSSIERS = Metric("lienthong.push.dossiers", MetricKind.COUNTER, ("tenant", "outcome"))
PUSH_STEPS = Metric("lienthong.push.steps", MetricKind.COUNTER, ("tenant",))
PUSH_CALLS = Metric("lienthong.push.calls", MetricKind.COUNTER, ("tenant",))
DELIVERY_DOSSIERS = Metric("lienthong.delivery.dossiers", MetricKind.GAUGE, ("tenant", "state"))
DELIVERY_STEPS_UNSETTLED = Metric("lienthong.delivery.steps_unsettled", MetricKind.GAUGE, ("tenant",))
CATALOGUE_PROCEDURES = Metric("lienthong.catalogue.procedures", MetricKind.GAUGE)
FRESHNESS_OPEN_FINDINGS = Metric("lienthong.freshness.open_findings", MetricKind.GAUGE)
METRICS = (
    LOAD_ROWS, LOAD_DURATION, PUSH_DOSSIERS, PUSH_STEPS, PUSH_CALLS, DELIVERY_DOSSIERS, DELIVERY_STEPS_UNSETTLED,
    CATALOGUE_PROCEDURES, FRESHNESS_OPEN_FINDINGS,
)  # fmt: skip

_DELIVERED = ("created", "updated")
_HELD = ("owed", "blocked", "rejected", "unsettled", "parked", "waiting")


def load_merged(result: Mapping[str, Any], run_started_at: datetime | None) -> None:
    """After a merge: what became of its rows, and how long the load took since its run began."""
    source = result["source_id"]
    for entity, outcomes in result["counts"].items():
        for outcome, rows in outcomes.items():
            _count(LOAD_ROWS, rows, source=source, entity=entity, outcome=outcome)
    if run_started_at is not None:
        stats.timing(LOAD_DURATION.name, datetime.now(UTC) - run_started_at, tags={"source": source})


def tenant_pushed(result: Mapping[str, Any]) -> None:
    """After a push: what this one delivered, and where the tenant's dossiers stand. Nothing where none are sent."""
    pushed, tenant = result.get("pushed"), result["tenant"]
    if pushed is None:
        return
    for outcome in _DELIVERED:
        _count(PUSH_DOSSIERS, pushed[outcome], tenant=tenant, outcome=outcome)
    _count(PUSH_STEPS, pushed["steps_sent"], tenant=tenant)
    _count(PUSH_CALLS, pushed["calls"], tenant=tenant)
    for state in _HELD:
        stats.gauge(DELIVERY_DOSSIERS.name, pushed[state], tags={"tenant": tenant, "state": state})
    stats.gauge(DELIVERY_STEPS_UNSETTLED.name, pushed["steps_unsettled"], tags={"tenant": tenant})


def catalogue_synced(result: Mapping[str, Any]) -> None:
    """After a sync of the catalogue: how many procedures the portal lists."""
    stats.gauge(CATALOGUE_PROCEDURES.name, result["procedures"])


def freshness_judged(result: Mapping[str, int]) -> None:
    """After a judgement of freshness: how many findings stand open."""
    stats.gauge(FRESHNESS_OPEN_FINDINGS.name, result["open"])


def _count(metric: Metric, amount: int, **tags: str) -> None:
    """Nothing is sent for zero: most outcomes of most loads are."""
    if amount:
        stats.incr(metric.name, amount, tags=tags)
