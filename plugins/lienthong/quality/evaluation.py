"""Let Great Expectations judge staged rows inside the database, and say which query lists all rows that fail.

Rules that are SQL are counted in one pass. Built-in ones take two: whether each holds at all, then, only for those that
do not, how many rows fail and which. Values of rows never come back: results carry counts, and the text of queries over
keys.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from lienthong.model.errors import ContractError, GateError
from lienthong.quality.suites import SQL_EXPECTATION, Rule, Suite
from lienthong.warehouse import outages, server_log

INDEX_COLUMNS = ["row_no", "source_key", "child_key"]
#: Our way to evaluate SQL rules, by the name Great Expectations knows it under (quality/counted_rows.py).
COUNTED = "counted_rows"
#: Great Expectations keeps its current project in module state, so one process evaluates one load at a time.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class FailedExpectation:
    """A rule that does not hold: `count` is Great Expectations' own; `failing_rows` a SELECT of all failing rows."""

    rule: Rule
    count: int
    failing_rows: str = field(repr=False)


def failures(engine: Engine, suites: Mapping[str, Suite], *, tenant: str, load_id: int) -> list[FailedExpectation]:
    """Rules of `suites` that staged rows of this load break, in the order of the suites.

    ContractError for a suite that Great Expectations does not accept, GateError for a rule that could not be
    evaluated, TransientError when the warehouse did not answer.
    """
    with _ONE_AT_A_TIME, _quiet(), _datasource(engine, tenant, load_id) as datasource:
        found: list[FailedExpectation] = []
        for entity, suite in suites.items():
            asset = datasource.add_table_asset(entity, table_name=f"gate_{entity}", schema_name="staging")
            found += _failures_of(asset.add_batch_definition_whole_table("load").get_batch(), suite, load_id)
        return found


def check_suite(suite: Suite) -> None:
    """ContractError unless Great Expectations accepts every expectation of the suite."""
    with _ONE_AT_A_TIME, _quiet():
        _great_suite(suite, range(len(suite.rules)))


def _failures_of(batch: Any, suite: Suite, load_id: int) -> list[FailedExpectation]:
    numbers = range(len(suite.rules))
    by_query = [number for number in numbers if suite.rules[number].sql is not None]
    held = _validated(batch, suite, by_query, "BASIC", load_id)  # which costs as much as whether it holds at all
    built_in = [number for number in numbers if suite.rules[number].sql is None]
    held |= _validated(batch, suite, built_in, "BOOLEAN_ONLY", load_id)
    broken = [number for number in numbers if not held[suite.rules[number].rule_id].success]
    # BASIC without a single example: the count and, for built-in expectations, the query behind it.
    explanation = {
        "result_format": "BASIC",
        "partial_unexpected_count": 0,
        "unexpected_index_column_names": INDEX_COLUMNS,
        "return_unexpected_index_query": True,
    }
    held |= _validated(batch, suite, [number for number in broken if number in built_in], explanation, load_id)
    return [_failure(suite.rules[number], held, load_id) for number in broken]


def _validated(batch: Any, suite: Suite, numbers: list[int], result_format: Any, load_id: int) -> dict[str, Any]:
    """Results of the chosen rules, by rule."""
    if not numbers:
        return {}
    chosen = _great_suite(suite, numbers)
    outcome = batch.validate(chosen, result_format=result_format, expectation_parameters=suite.parameters)
    return _results(outcome, suite, load_id)


def _failure(rule: Rule, explained: Mapping[str, Any], load_id: int) -> FailedExpectation:
    result = explained[rule.rule_id].result
    if rule.sql is not None:
        return FailedExpectation(
            rule, int(result["observed_value"]), rule.sql.format(batch=f"staging.gate_{rule.entity}")
        )
    query = result.get("unexpected_index_query")
    if not isinstance(query, str):
        raise _cannot_evaluate(rule, load_id)
    # Great Expectations 1.24 ends the query with ";" or "; None".
    return FailedExpectation(rule, int(result["unexpected_count"]), re.sub(r";\s*(?:None)?\s*$", "", query))


def _results(outcome: Any, suite: Suite, load_id: int) -> dict[str, Any]:
    """Results by rule. An exception of a metric carries database text that may quote values: only its kind is kept."""
    results = {result.expectation_config.meta["rule_id"]: result for result in outcome.results}
    for rule in suite.rules:
        result = results.get(rule.rule_id)
        if result is not None and "'raised_exception': True" in str(result.exception_info):
            if "OperationalError" in str(result.exception_info):
                raise outages.named_in(str(result.exception_info), f"rule {rule.rule_id} of {rule.entity}")
            raise _cannot_evaluate(rule, load_id)
    return results


def _cannot_evaluate(rule: Rule, load_id: int) -> GateError:
    return GateError(
        f"Rule {rule.rule_id} could not be evaluated.",
        next_step=f"check its columns and SQL in expectations/{rule.entity}.json, then run the gate again.",
        load=load_id,
        key=f"{rule.entity}.{rule.rule_id}",
    )


def _great_suite(suite: Suite, numbers: Any) -> Any:
    """Great Expectations' suite of the chosen rules. It drops expectations it can't build, so each is built alone."""
    from great_expectations.core import ExpectationSuite

    import lienthong.quality.counted_rows  # noqa: F401  # registers the expectation

    raw = [
        {**expectation, "type": COUNTED} if expectation["type"] == SQL_EXPECTATION else expectation
        for expectation in suite.document["expectations"]
    ]
    for number in numbers:
        try:
            built = len(ExpectationSuite(name=suite.entity, expectations=[raw[number]]).expectations)
        except Exception as error:
            built, reason = 0, type(error).__name__
        else:
            reason = "its arguments are not accepted"
        if built != 1:
            raise ContractError(
                f"Great Expectations does not accept rule {suite.rules[number].rule_id}: {reason}.",
                next_step="correct the suite and run the gate again; nothing was changed.",
                key=f"expectations/{suite.path.name}: expectations[{number}]",
            )
    return ExpectationSuite(
        name=suite.entity,
        expectations=[raw[number] for number in numbers],
        meta=dict(suite.document.get("meta") or {}),
    )


def _options(engine: Engine, tenant: str, load_id: int) -> str:
    """Session settings: the views `staging.gate_…` show the rows of the load that these name. No row in a log."""
    with outages.translating(), engine.connect() as connection:
        unlogged = server_log.options(connection)
    return f"-c timezone=UTC -c lienthong.tenant={tenant} -c lienthong.load_id={load_id} {unlogged}".strip()


@contextmanager
def _datasource(engine: Engine, tenant: str, load_id: int) -> Iterator[Any]:
    """A PostgreSQL datasource over the warehouse, in a context that lives in memory and ends with its connections."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )
    from great_expectations.datasource.fluent.interfaces import TestConnectionError

    context = gx.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            progress_bars=ProgressBarsConfig(globally=False),
            analytics_enabled=False,
        ),
    )
    try:
        sources: Any = context.data_sources  # its stub knows fewer arguments than it takes
        datasource = sources.add_postgres(
            name="warehouse",
            # A literal dollar would be taken for a variable of Great Expectations' configuration.
            connection_string=engine.url.render_as_string(hide_password=False).replace("$", r"\$"),
            create_temp_table=False,
            kwargs={
                "pool_size": 1,
                "max_overflow": 1,
                "connect_args": {"application_name": "lienthong gate", "options": _options(engine, tenant, load_id)},
            },
        )
    except TestConnectionError as error:
        raise outages.named_in(str(error), "Great Expectations") from None
    try:
        yield datasource
    finally:
        datasource.get_execution_engine().engine.dispose()
        datasource.get_engine().dispose()


@contextmanager
def _quiet() -> Iterator[None]:
    """No analytics, and no log lines that could quote failing values while Great Expectations works."""
    os.environ["GX_ANALYTICS_ENABLED"] = "False"
    logger = logging.getLogger("great_expectations")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)
