"""Great Expectations' "unexpected rows" without the rows: an SQL rule is counted in the database, nothing is fetched.

Its own expectation first fetches every failing row to show a few of them. Imported only where the gate runs.
"""

from __future__ import annotations

from typing import Any

from great_expectations.expectations.core.unexpected_rows_expectation import UnexpectedRowsExpectation


class CountedRows(UnexpectedRowsExpectation):
    """Same query, same success, same observed value. Registered with Great Expectations as `counted_rows`."""

    metric_dependencies = ("unexpected_rows_query.row_count",)

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: dict[str, Any] | None = None, execution_engine: Any = None
    ) -> Any:
        without_rows = {**metrics, "unexpected_rows_query.table": []}
        return super()._validate(without_rows, runtime_configuration, execution_engine)
