"""When a source is read as a whole: at the ticks of `full` in its contract, and what was missed in the next night."""

from __future__ import annotations

from datetime import datetime, timedelta

from croniter import croniter  # type: ignore[import-untyped]

from lienthong.connections import Role
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.pipeline.runtime import Runtime
from lienthong.warehouse.statements import run

#: How long after the hour of its tick a full load may still begin; later it waits for that hour of the next day.
LATEST_START = timedelta(hours=4)
_DAY = timedelta(days=1)


def is_due(rt: Runtime, source_id: str, cron: str, tick: datetime) -> bool:
    """Whether the scheduled run of `tick` is to read everything: nothing has since the last tick of `cron` (Vietnam's).

    The first load of a source read everything too. A full load that failed is tried again in the next night, once.
    """
    local = tick.astimezone(BUSINESS_ZONE)
    latest: datetime = croniter(cron, local + timedelta(seconds=1)).get_prev(datetime)
    late = max(rt.now() - tick, timedelta(0))  # Airflow may have been down when the run's time came
    if (local - latest) % _DAY + late > LATEST_START:
        return False
    contract = rt.contract(source_id)
    with rt.warehouse(Role.READER).connect() as connection:
        scope = {"tenant": contract.tenant, "source_id": source_id}
        known = run(connection, "ops/read_whole_reading", scope).one()
    tried_tonight = known.tried_at is not None and known.tried_at > local - _DAY / 2
    return known.read_at is not None and known.read_at < latest and not tried_tonight
