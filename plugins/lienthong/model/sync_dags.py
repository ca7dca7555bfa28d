"""Names of the DAGs that load a source: `<kind>_sync__<source>`."""

from __future__ import annotations

from lienthong.model.kinds import KINDS

_MARK = "_sync__"


def sync_dag(kind: str, source_id: str) -> str:
    """Id of the DAG that loads a source."""
    return f"{kind}{_MARK}{source_id}"


def source_of_dag(dag_id: str) -> str | None:
    """The source that a DAG loads; None for a DAG that loads none."""
    kind, mark, source_id = dag_id.partition(_MARK)
    return source_id if mark and kind in KINDS else None
