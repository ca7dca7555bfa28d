"""Every job with its request: the one entrance for the command line, for tasks and for pages.

`run_key` names the run: the same key asked for twice is one piece of work. Errors as the job's own module says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.pipeline.requests import AdoptRequest, LoadRequest, PushRequest, ScoreRequest, ShadowRequest
from lienthong.pipeline.runtime import Runtime

if TYPE_CHECKING:
    from lienthong.exchange.adoption import AdoptionSummary
    from lienthong.exchange.decisions import Decided
    from lienthong.exchange.shadow import ShadowSummary
    from lienthong.pipeline.decision_request import DecisionRequest


def sync_catalogue(rt: Runtime, run_key: str) -> dict[str, object]:
    """Sync the national catalogue; returns counts."""
    from lienthong.pipeline.catalogue import sync_catalogue as sync

    return sync(rt, run_key)


def open_load(rt: Runtime, request: LoadRequest, run_key: str) -> int:
    """Open a load whose steps are run one by one; returns its id."""
    from lienthong.pipeline import freshness, load

    load_id = load.open_load(
        rt, request.source_id, run_key, request.mode, request.window_from, request.window_to
    )  # fmt: skip
    if request.accept_collapse:
        freshness.accept_collapse(rt, load_id)
    return load_id


def load(rt: Runtime, request: LoadRequest, run_key: str) -> dict[str, object]:
    """Open a load and run all of its steps; returns what became of its rows."""
    from lienthong.pipeline.load import load_once

    rt.resolve(rt.contract(request.source_id).connection)  # one that is not there leaves no opened load behind
    return load_once(
        rt,
        request.source_id,
        run_key,
        request.mode,
        request.window_from,
        request.window_to,
        request.accept_collapse,
    )


def push(rt: Runtime, request: PushRequest, run_key: str) -> dict[str, object]:
    """Deliver what a tenant owes the portal; returns the counts of this run and the totals after it."""
    from lienthong.pipeline.push import push as deliver

    return deliver(rt, request.tenant, run_key, send_history=request.send_history)


def shadow(rt: Runtime, request: ShadowRequest, run_key: str) -> ShadowSummary:
    """Compare with the portal; nothing is sent."""
    from lienthong.pipeline.shadow import shadow as compare

    return compare(rt, request.tenant, run_key, limit=request.limit, again=request.again)


def adopt(rt: Runtime, request: AdoptRequest, run_key: str) -> AdoptionSummary:
    """Take over what another program delivered; nothing is sent."""
    from lienthong.pipeline.adopt import adopt as take_over

    return take_over(
        rt,
        request.tenant,
        run_key,
        frozen_at=request.frozen_at,
        assume_finished_before=request.assume_finished_before,
        verify=request.verify,
        verify_assumed=request.verify_assumed,
        accept_presence=request.accept_presence,
        limit=request.limit,
    )


def score(rt: Runtime, request: ScoreRequest, run_key: str) -> int:
    """Score a month, or find its final score again; returns the id of the score run."""
    from lienthong.pipeline.score import final_run
    from lienthong.pipeline.score import score as compute

    month = str(request.month) if request.month else None
    return final_run(rt, month) if request.again else compute(rt, month, run_key, request.final)


def judge_freshness(rt: Runtime) -> dict[str, int]:
    """Judge the volumes and ages of every source; returns how many findings were opened, are open, were closed."""
    from lienthong.pipeline.freshness import evaluate

    return evaluate(rt)


def decide(rt: Runtime, request: DecisionRequest) -> Decided:
    """Carry out a person's decision about deliveries, or say what it would meet."""
    from lienthong.pipeline.decisions import decide as carry_out

    return carry_out(
        rt,
        request.tenant,
        request.action,
        request.choice,
        reason=request.reason,
        decided_by=request.decided_by,
        preview=request.preview,
    )
