"""Reads one source system into the warehouse: open_load → extract → stage → gate → merge.

Every contract in `include/sources/` is an Airflow DAG of its own here, named `<kind>_sync__<source>`, with its own
schedule and pause button; a new province of a known kind of system is one YAML file and one connection. A backfill's
interval becomes a range load. Running a load twice, or clearing any of its tasks, gives the same tables. A merge of
what goes to the portal tells `portal_push` that there may be work.
A contract that can't be used has no DAG; why is shown as the import error of `source_contracts.py`.
"""

from __future__ import annotations

from lienthong.orchestration.source_sync import source_sync
from lienthong.orchestration.sources import usable_contracts

for contract in usable_contracts():
    sync = source_sync(contract, __doc__)
    globals()[sync.dag_id] = sync
