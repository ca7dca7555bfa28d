"""The tasks: each calls one pipeline function. Only ids, counts and paths are returned, never rows."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from airflow.sdk import get_current_context, task

from lienthong.model.codes import LoadMode
from lienthong.orchestration import metrics
from lienthong.orchestration.defaults import changed, run_key
from lienthong.orchestration.failures import guarded
from lienthong.orchestration.logbook import note
from lienthong.orchestration.requests import SCHEDULED, adopt_request, load_key, load_request
from lienthong.orchestration.runtime import runtime
from lienthong.pipeline.requests import PushRequest, ScoreRequest, ShadowRequest

SHORT = timedelta(minutes=10)
LONG = timedelta(hours=6)


@task(execution_timeout=SHORT)
@guarded
def open_load(source_id: str, cron: str, full: str | None) -> int:
    """Open the load of this run: as its parameters say, over its interval when it belongs to a backfill, and of
    everything when that is due."""
    from lienthong.pipeline import full_loads, jobs, views

    context = get_current_context()
    run = context["dag_run"]
    run_type = run.run_type.value
    request = load_request(source_id, run_type, run.logical_date, context["params"], cron)
    rt = runtime()
    tick = run.logical_date if run_type == SCHEDULED else None
    if full and tick and full_loads.is_due(rt, source_id, full, tick):
        request = replace(request, mode=LoadMode.FULL, window_from=None, window_to=None)
    load_id = jobs.open_load(rt, request, load_key(run_key(), run_type, run.clear_number))
    note(views.opened_load(rt, load_id, collapse_accepted=request.accept_collapse).lines)
    return load_id


@task(execution_timeout=LONG)
@guarded
def extract(load_id: int) -> int:
    """Read the source into landing."""
    from lienthong.pipeline import load, views

    rt = runtime()
    load.extract(rt, load_id)
    note(views.extracted_load(rt, load_id).lines)
    return load_id


@task
@guarded
def stage(load_id: int) -> int:
    """Canonicalise the landed batch into staging."""
    from lienthong.pipeline import load, views

    rt = runtime()
    load.stage(rt, load_id)
    note(views.staged_load(rt, load_id).lines)
    return load_id


@task
@guarded
def gate(load_id: int) -> int:
    """Run the expectations; failing rows are marked with every reason."""
    from lienthong.pipeline import load, views

    rt = runtime()
    load.gate(rt, load_id)
    note(views.gated_load(rt, load_id).lines)
    return load_id


@task
@guarded
def merge(load_id: int) -> dict[str, Any]:
    """Make the load believed; returns what became of its rows."""
    from lienthong.pipeline import load
    from lienthong.views.load_steps import merged_lines

    result = load.merge(runtime(), load_id)
    note(merged_lines(result))
    changed(source_id=result["source_id"], load_id=load_id)
    metrics.load_merged(result, get_current_context()["dag_run"].start_date)
    return result


@task
@guarded
def sync_catalogue() -> dict[str, Any]:
    """Fetch the portal's catalogue of procedures, agencies and fields."""
    from lienthong.pipeline import jobs
    from lienthong.views.portal import catalogue_lines

    result = jobs.sync_catalogue(runtime(), run_key())
    note(["Đã đồng bộ danh mục thủ tục hành chính quốc gia.", *catalogue_lines(result)])
    metrics.catalogue_synced(result)
    return result


@task(execution_timeout=SHORT)
@guarded
def tenants_to_push() -> list[str]:
    """Codes of the tenants whose dossiers go to the portal: after a load those that a push would find something to do
    for, else (a person triggered the run) all."""
    from lienthong.pipeline.push import owing, tenants
    from lienthong.views.portal import owing_lines

    after_load = bool(get_current_context()["triggering_asset_events"])
    found = owing(runtime()) if after_load else tenants(runtime())
    note(owing_lines(found, after_load=after_load))
    return found


@task(execution_timeout=LONG, map_index_template="{{ tenant }}")
@guarded
def push_tenant(tenant: str) -> dict[str, Any]:
    """Send what one tenant owes; returns what became of it."""
    from lienthong.pipeline import jobs
    from lienthong.views.portal import push_lines, standing_lines

    context = get_current_context()
    context["tenant"] = tenant  # type: ignore[typeddict-unknown-key]  # names the mapped task in the UI
    request = PushRequest(tenant, send_history=tenant in (context["params"]["send_history"] or ()))
    result = jobs.push(runtime(), request, run_key())
    note([f"Đã xong lượt gửi lên Cổng của {tenant}.", *push_lines(result), *standing_lines(result)])
    metrics.tenant_pushed(result)
    return result


@task(execution_timeout=LONG)
@guarded
def compare_tenant() -> dict[str, Any]:
    """Compare one tenant's payloads with what the portal shows, as the run's parameters say; returns the counts."""
    from lienthong.pipeline import jobs
    from lienthong.views.portal import shadow_lines

    params = get_current_context()["params"]
    request = ShadowRequest(params["tenant"], params["limit"], bool(params["again"]))
    summary = jobs.shadow(runtime(), request, run_key())
    note([f"Đã xong lượt đối chiếu với Cổng của {request.tenant}; không gửi gì.", *shadow_lines(summary)])
    return summary.counts()


@task(execution_timeout=LONG)
@guarded
def adopt_tenant() -> dict[str, Any]:
    """Take over what another program delivered for one tenant, as the run's parameters say; returns the counts."""
    from lienthong.pipeline import jobs
    from lienthong.views.portal import adoption_lines

    request = adopt_request(get_current_context()["params"])
    summary = jobs.adopt(runtime(), request, run_key())
    note([f"Đã xong lượt nhận bàn giao của {request.tenant}; không gửi gì.", *adoption_lines(summary)])
    return asdict(summary)


@task
@guarded
def score_month() -> int:
    """Compute the indices of the month that the run asks for; returns the id of the score run."""
    from lienthong.pipeline import jobs, views

    params, rt = get_current_context()["params"], runtime()
    run_id = jobs.score(rt, ScoreRequest.parse(params["month"], final=bool(params["final"])), run_key())
    note(views.scored_month(rt, run_id).lines)
    return run_id


@task
@guarded
def publish_scores(score_run_id: int) -> dict[str, Any]:
    """Write the workbook of a score run and the quarantine report; returns where they lie."""
    from lienthong.pipeline.score import publish, scored
    from lienthong.views.scored_month import published_lines

    rt = runtime()
    result = publish(rt, score_run_id)
    note(published_lines(result))
    changed(**scored(rt, score_run_id))
    return result


@task(execution_timeout=SHORT)
@guarded
def judge_freshness() -> dict[str, int]:
    """Judge the volumes and ages of every source; returns how many findings were opened, are open, were closed."""
    from lienthong.pipeline import jobs
    from lienthong.views.findings import judged_lines

    result = jobs.judge_freshness(runtime())
    note(judged_lines(result))
    metrics.freshness_judged(result)
    return result


@task(execution_timeout=SHORT)
@guarded
def tell_findings() -> dict[str, int]:
    """Tell what nobody was told yet on every channel that is configured; returns how many findings each told."""
    from lienthong.orchestration import alerts
    from lienthong.views.findings import alerted_lines

    sent = alerts.send_alerts(alerts.this_run())
    note(alerted_lines(sent))
    return sent
