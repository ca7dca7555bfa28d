"""Shows unusable source contracts as an Airflow import error.

It defines no DAG. Raising here rather than in `source_sync.py` is what keeps the DAGs of the good contracts: Airflow
drops every DAG of a file that fails to import.
"""

from __future__ import annotations

from lienthong.orchestration.sources import raise_contract_errors

raise_contract_errors()
