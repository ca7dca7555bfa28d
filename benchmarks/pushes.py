"""Pushing a first load of a province to the simulated portal, and pushing again with nothing owed."""

from __future__ import annotations

from typing import Any

from benchmarks.running import Runner
from benchmarks.setting import source_id


def measure(runner: Runner, tenant: str) -> dict[str, Any]:
    """Load the setting's source (not timed), push, push again. The portal is simulated, and on the same cores."""
    runner.run("load", "push", keep=False, source_id=source_id(tenant), run_key="bench-push")
    runner.server.checkpoint()
    first = runner.run("push", "push", tenant=tenant, run_key="bench-push-1")
    again = runner.run("push", "push_again", tenant=tenant, run_key="bench-push-2")
    told, told_again = first.pop("result"), again.pop("result")
    sent = int(told["pushed"]["delivered"])
    return {
        "tenant": tenant,
        "pushed": told["pushed"],
        "pushed_again": told_again["pushed"],
        "work_s": first["work_s"],
        "nothing_owed_s": again["work_s"],
        "dossiers_per_s": round(sent / first["work_s"], 1),
    }
