"""The gate: expectations, violations, quarantine and the reports on them. Great Expectations is imported only in use."""
