"""Run in a process of its own: an ordinary run of a load DAG, then real backfills over it, without a scheduler; then
runs as the scheduler makes them.

Airflow's own code creates the backfills and clears what they reprocess; the loop below does what `DAG.test` does with
the runs that it creates itself. Arguments: the DAG, the instant of the ordinary run, first and last of the backfills,
the ticks of the scheduled runs.
"""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.models.backfill import Backfill, BackfillDagRun, ReprocessBehavior, _create_backfill
from airflow.models.dagrun import DagRun
from airflow.models.serialized_dag import SerializedDagModel
from airflow.sdk import timezone
from airflow.sdk.configuration import conf
from airflow.sdk.definitions.dag import _run_task
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import select, update


def backfill(dag: Any, first: datetime, last: datetime, behaviour: ReprocessBehavior) -> None:
    made = _create_backfill(
        dag_id=dag.dag_id,
        from_date=first,
        to_date=last,
        max_active_runs=1,
        reverse=False,
        dag_run_conf=None,
        triggering_user_name="test",
        reprocess_behavior=behaviour,
    )
    with create_session() as session:
        entries = session.scalars(
            select(BackfillDagRun).where(BackfillDagRun.backfill_id == made.id).order_by(BackfillDagRun.sort_ordinal)
        )
        for number in [entry.dag_run_id for entry in entries if entry.dag_run_id]:
            run = session.get(DagRun, number)
            assert run is not None
            finish(dag, run, session)
        session.execute(update(Backfill).where(Backfill.id == made.id).values(completed_at=timezone.utcnow()))


def scheduled(dag: Any, tick: datetime) -> None:
    with create_session() as session:
        stored = session.scalar(SerializedDagModel.latest_item_select_object(dag.dag_id))
        run = stored.dag.create_dagrun(
            run_id=f"scheduled__{tick.isoformat()}",
            logical_date=tick,
            data_interval=(tick, tick),
            run_after=tick,
            run_type=DagRunType.SCHEDULED,
            triggered_by=DagRunTriggeredByType.TIMETABLE,
            state=DagRunState.QUEUED,
            session=session,
        )
        finish(dag, run, session)


def finish(dag: Any, run: DagRun, session: Any) -> None:
    """Run the tasks of a run until it ends."""
    stored = session.scalar(SerializedDagModel.latest_item_select_object(dag.dag_id))
    run.dag = stored.dag
    run.state = DagRunState.RUNNING
    run.start_date = timezone.utcnow()
    session.commit()
    while run.state == DagRunState.RUNNING:
        session.expire_all()
        run.dag = stored.dag
        ready, _ = run.update_state(session=session)
        for instance in ready:
            instance.try_number += 1
            instance.state = TaskInstanceState.SCHEDULED
        session.commit()
        for instance in ready:
            instance.task = dag.task_dict[instance.task_id]
            _run_task(ti=instance, task=instance.task)
            session.commit()
    print(run.run_type, run.run_id, run.state)


def main(dag_id: str, *instants: str) -> int:
    ordinary, first, last, *ticks = map(datetime.fromisoformat, instants)
    initdb()
    folder = conf.get("core", "dags_folder")
    dags = DagBag(dag_folder=folder, bundle_path=folder).dags
    dags["catalogue_sync"].test()
    dags[dag_id].test(logical_date=ordinary)
    backfill(dags[dag_id], first, last, ReprocessBehavior.NONE)
    backfill(dags[dag_id], first, last, ReprocessBehavior.COMPLETED)
    for tick in ticks:
        scheduled(dags[dag_id], tick)
    return 0


sys.exit(main(*sys.argv[1:]))
