"""The gate: expectations, violations, quarantine and reports. Great Expectations is imported only in use."""
