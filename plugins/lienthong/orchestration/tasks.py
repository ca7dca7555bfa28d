"""The tasks: each calls one pipeline function. Only ids, counts and paths are returned, never rows."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from airflow.sdk import get_current_context, task

from lienthong.model.codes import LoadMode
from lienthong.orchestration import metrics
from lienthong.orchestration.defaults import run_key
from lienthong.orchestration.failures import guarded
from lienthong.orchestration.requests import SCHEDULED, LoadRequest, adoption_request, load_key, load_request
from lienthong.orchestration.runtime import runtime

SHORT = timedelta(minutes=10)
LONG = timedelta(hours=6)


@task(execution_timeout=SHORT)
@guarded
def open_load(source_id: str, cron: str, full: str | None) -> int:
    """Open the load of this run: as its parameters say, over its interval when it belongs to a backfill, and of
    everything when that is due."""
    from lienthong.pipeline import freshness, full_loads, load

    context = get_current_context()
    run = context["dag_run"]
    wanted = load_request(run.run_type.value, run.logical_date, context["params"], cron)
    rt = runtime()
    tick = run.logical_date if run.run_type.value == SCHEDULED else None
    if full and tick and full_loads.is_due(rt, source_id, full, tick):
        wanted = LoadRequest(LoadMode.FULL)
    load_id = load.open_load(
        rt,
        source_id,
        load_key(run_key(), run.run_type.value, run.clear_number),
        mode=wanted.mode,
        window_from=wanted.window_from,
        window_to=wanted.window_to,
    )
    if context["params"]["accept_collapse"]:
        freshness.accept_collapse(rt, load_id)
    return load_id


@task(execution_timeout=LONG)
@guarded
def extract(load_id: int) -> int:
    """Read the source into landing."""
    from lienthong.pipeline import load

    load.extract(runtime(), load_id)
    return load_id


@task
@guarded
def stage(load_id: int) -> int:
    """Canonicalise the landed batch into staging."""
    from lienthong.pipeline import load

    load.stage(runtime(), load_id)
    return load_id


@task
@guarded
def gate(load_id: int) -> int:
    """Run the expectations; failing rows are marked with every reason."""
    from lienthong.pipeline import load

    load.gate(runtime(), load_id)
    return load_id


@task
@guarded
def merge(load_id: int) -> dict[str, Any]:
    """Make the load believed; returns what became of its rows."""
    from lienthong.pipeline import load

    result = load.merge(runtime(), load_id)
    metrics.load_merged(result, get_current_context()["dag_run"].start_date)
    return result


@task
@guarded
def sync_catalogue() -> dict[str, Any]:
    """Fetch the portal's catalogue of procedures, agencies and fields."""
    from lienthong.pipeline.catalogue import sync_catalogue as sync

    result = sync(runtime(), run_key())
    metrics.catalogue_synced(result)
    return result


@task(execution_timeout=SHORT)
@guarded
def tenants_to_push() -> list[str]:
    """Codes of the tenants whose dossiers go to the portal: after a load those that a push would find something to do
    for, else (a person triggered the run) all."""
    from lienthong.pipeline.push import owing, tenants

    after_load = get_current_context()["triggering_asset_events"]
    return owing(runtime()) if after_load else tenants(runtime())


@task(execution_timeout=LONG, map_index_template="{{ tenant }}")
@guarded
def push_tenant(tenant: str) -> dict[str, Any]:
    """Send what one tenant owes; returns what became of it."""
    from lienthong.pipeline.push import push

    context = get_current_context()
    context["tenant"] = tenant  # type: ignore[typeddict-unknown-key]  # names the mapped task in the UI
    result = push(runtime(), tenant, run_key(), send_history=tenant in context["params"]["send_history"])
    metrics.tenant_pushed(result)
    return result


@task(execution_timeout=LONG)
@guarded
def compare_tenant() -> dict[str, Any]:
    """Compare one tenant's payloads with what the portal shows, as the run's parameters say; returns the counts."""
    from lienthong.pipeline.shadow import shadow

    params = get_current_context()["params"]
    return shadow(runtime(), params["tenant"], run_key(), limit=params["limit"], again=params["again"]).counts()


@task(execution_timeout=LONG)
@guarded
def adopt_tenant() -> dict[str, Any]:
    """Take over what another program delivered for one tenant, as the run's parameters say; returns the counts."""
    from lienthong.pipeline.adopt import adopt

    params = get_current_context()["params"]
    chosen = adoption_request(params)
    return asdict(adopt(runtime(), params["tenant"], run_key(), **vars(chosen)))


@task
@guarded
def score_month() -> int:
    """Compute the indices of the month that the run asks for; returns the id of the score run."""
    from lienthong.pipeline.score import score

    params = get_current_context()["params"]
    return score(runtime(), params["month"] or None, run_key(), final=bool(params["final"]))


@task
@guarded
def publish_scores(score_run_id: int) -> dict[str, Any]:
    """Write the workbook and the pages of a score run; returns where they lie."""
    from lienthong.pipeline.score import publish

    return publish(runtime(), score_run_id)


@task(execution_timeout=SHORT)
@guarded
def judge_freshness() -> dict[str, int]:
    """Judge the volumes and ages of every source; returns how many findings were opened, are open, were closed."""
    from lienthong.pipeline.freshness import evaluate

    result = evaluate(runtime())
    metrics.freshness_judged(result)
    return result


@task(execution_timeout=SHORT)
@guarded
def tell_findings() -> dict[str, int]:
    """Tell what nobody was told yet on every channel that is configured; returns how many findings each told."""
    from lienthong.orchestration import alerts

    return alerts.tell_findings(alerts.this_run())
