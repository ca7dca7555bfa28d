"""Let Great Expectations judge staged rows inside the database, and say which query lists all rows that fail.

Two passes: whether each rule holds at all, then, only for rules that do not, how many rows fail and which. Values of
rows never come back: results carry counts, and the text of queries over keys.
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
from sqlalchemy.dialects import postgresql

from lienthong.model.canonical import Entity
from lienthong.model.errors import ContractError, GateError, TransientError
from lienthong.quality.suites import Rule, Suite
from lienthong.warehouse.statements import statement

INDEX_COLUMNS = ["row_no", "source_key", "child_key"]
#: Great Expectations keeps its current project in module state, so one process evaluates one load at a time.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Failure:
    """A rule that does not hold: `count` is Great Expectations' own; `failing_rows` a SELECT of all failing rows."""

    rule: Rule
    count: int
    failing_rows: str = field(repr=False)


def failures(engine: Engine, suites: Mapping[Entity, Suite], *, tenant: str, load_id: int) -> list[Failure]:
    """Rules of `suites` that staged rows of this load break, in the order of the suites.

    ContractError for a suite that Great Expectations does not accept, GateError for a rule that could not be
    evaluated, TransientError when the warehouse did not answer.
    """
    with _ONE_AT_A_TIME, _quiet(), _datasource(engine) as datasource:
        found: list[Failure] = []
        for entity, suite in suites.items():
            batch_sql = _batch_sql(entity, tenant, load_id)
            asset = datasource.add_query_asset(name=entity.value, query=batch_sql)
            batch = asset.add_batch_definition("load").get_batch()
            found += _failures_of(batch, suite, batch_sql, load_id)
        return found


def check_suite(suite: Suite) -> None:
    """ContractError unless Great Expectations accepts every expectation of the suite."""
    with _ONE_AT_A_TIME, _quiet():
        _great_suite(suite, range(len(suite.rules)))


def _failures_of(batch: Any, suite: Suite, batch_sql: str, load_id: int) -> list[Failure]:
    everything = _great_suite(suite, range(len(suite.rules)))
    outcome = batch.validate(everything, result_format="BOOLEAN_ONLY", expectation_parameters=suite.parameters)
    held = _results(outcome, suite, load_id)
    broken = [number for number, rule in enumerate(suite.rules) if not held[rule.rule_id].success]
    if not broken:
        return []
    # BASIC without a single example: the count and, for built-in expectations, the query behind it.
    explanation = {
        "result_format": "BASIC",
        "partial_unexpected_count": 0,
        "unexpected_index_column_names": INDEX_COLUMNS,
        "return_unexpected_index_query": True,
    }
    outcome = batch.validate(
        _great_suite(suite, broken), result_format=explanation, expectation_parameters=suite.parameters
    )
    explained = _results(outcome, suite, load_id)
    return [_failure(suite.rules[number], explained, batch_sql, load_id) for number in broken]


def _failure(rule: Rule, explained: Mapping[str, Any], batch_sql: str, load_id: int) -> Failure:
    result = explained[rule.rule_id].result
    if rule.sql is not None:
        return Failure(rule, int(result["observed_value"]), rule.sql.format(batch=f"({batch_sql}) AS batch"))
    query = result.get("unexpected_index_query")
    if not isinstance(query, str):
        raise _cannot_evaluate(rule, load_id)
    # Great Expectations 1.24 puts the text of a query asset after FROM without parentheses, and ends the query with ";"
    # or "; None".
    query = re.sub(r";\s*(?:None)?\s*$", "", query).replace(f"FROM {batch_sql}", f"FROM ({batch_sql}) AS batch")
    return Failure(rule, int(result["unexpected_count"]), query)


def _results(outcome: Any, suite: Suite, load_id: int) -> dict[str, Any]:
    """Results by rule. An exception of a metric carries database text that may quote values: only its kind is kept."""
    results = {result.expectation_config.meta["rule_id"]: result for result in outcome.results}
    for rule in suite.rules:
        result = results.get(rule.rule_id)
        if result is not None and "'raised_exception': True" in str(result.exception_info):
            if "OperationalError" in str(result.exception_info):
                raise TransientError(
                    f"The warehouse did not answer rule {rule.rule_id} of {rule.entity}.",
                    next_step="the gate is run again by the scheduler.",
                    load=load_id,
                )
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

    raw = suite.document["expectations"]
    for number in numbers:
        try:
            built = len(ExpectationSuite(name=suite.entity.value, expectations=[raw[number]]).expectations)
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
        name=suite.entity.value,
        expectations=[raw[number] for number in numbers],
        meta=dict(suite.document.get("meta") or {}),
    )


def _batch_sql(entity: Entity, tenant: str, load_id: int) -> str:
    """The SELECT of this load's rows as text with literals: Great Expectations takes no bind parameters."""
    bound = statement(f"quality/select_batch_{entity}").bindparams(tenant=tenant, load_id=load_id)
    text = str(bound.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))  # type: ignore[no-untyped-call]
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))


@contextmanager
def _datasource(engine: Engine) -> Iterator[Any]:
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
                "connect_args": {"application_name": "lienthong gate", "options": "-c timezone=UTC"},
            },
        )
    except TestConnectionError:
        raise TransientError(
            "The warehouse did not answer Great Expectations.", next_step="the gate is run again by the scheduler."
        ) from None
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
