"""Alerts: what the DAG `freshness` found and tasks that failed for good, told once in Vietnamese on every channel.

An alert names source, agency, what is wrong, since when, the next step and the run. It never holds personal data, nor
words of errors that are not our own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from airflow.sdk import get_current_context
from airflow.sdk.bases.notifier import BaseNotifier
from airflow.sdk.configuration import conf

from lienthong.model.errors import ArgumentError, LienThongError
from lienthong.model.masking import mask_word
from lienthong.model.sync_dags import source_of_dag
from lienthong.orchestration.channels import Message, Send, channels
from lienthong.orchestration.failures import failure_behind
from lienthong.orchestration.runtime import runtime

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from lienthong.freshness.findings import Finding

T = TypeVar("T")

#: Airflow's type of a run that a person triggered.
_BY_HAND = "manual"
#: Findings written out in a message; the rest is counted.
_SHOWN = 20


class TaskAlert(BaseNotifier):
    """On the failure of a task: remember it as a finding and tell it, unless it is known already."""

    def notify(self, context: Context) -> None:
        _quietly(self, alert_failure, context)


class TaskRecovered(BaseNotifier):
    """On the success of a task: an earlier failure of it is over."""

    def notify(self, context: Context) -> None:
        _quietly(self, note_success, context)


def send_alerts(link: str, only: Collection[int] = ()) -> dict[str, int]:
    """Tell every channel what it has not told yet; returns how many findings each told.

    A channel that fails keeps the others from nothing; AlertChannelError or ContractError after all were tried.
    """
    from lienthong.pipeline.freshness import alert

    rt = runtime()
    return _on_every_channel(lambda name, send: alert(rt, name, _sender(send, link), only))


def alert_failure(context: Context) -> None:
    """Remember and tell a failed task. When it can't even be remembered (the warehouse is down), it is told anyway.

    Not a parameter that somebody gave wrongly: nothing is broken, and whoever triggered the run sees its log.
    """
    from lienthong.pipeline.freshness import note_task_failure

    facts: Mapping[str, Any] = context
    ti = facts["ti"]
    failure = failure_behind(facts.get("exception"))
    if failure.kind == ArgumentError.__name__ and facts["dag_run"].run_type == _BY_HAND:
        return
    details = {"class": failure.kind, "error": failure.said, "run_key": f"{ti.dag_id}/{ti.run_id}", "task": ti.task_id}
    link = f"{run_link(f'{ti.dag_id}/{ti.run_id}')}/tasks/{ti.task_id}"
    try:
        finding_id, _ = note_task_failure(runtime(), ti.dag_id, _task_name(ti), details)
    except Exception as error:
        _alert_unremembered(ti, details, link)
        raise error from None
    send_alerts(link, [finding_id])


def note_success(context: Context) -> None:
    """End the finding of an earlier failure of this task; load DAGs are judged by their loads instead."""
    from lienthong.pipeline.freshness import note_task_success

    facts: Mapping[str, Any] = context
    ti = facts["ti"]
    if source_of_dag(ti.dag_id) is None:
        note_task_success(runtime(), ti.dag_id, _task_name(ti))


def this_run() -> str:
    """Address of the current run in Airflow."""
    run = get_current_context()["dag_run"]
    return run_link(f"{run.dag_id}/{run.run_id}")


def run_link(run_key: str) -> str:
    """Address of a DAG run in Airflow, from `<dag id>/<run id>`."""
    dag_id, _, run_id = run_key.partition("/")
    base = conf.get("api", "base_url", fallback="http://localhost:8080/").rstrip("/")
    return f"{base}/dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe='')}"


def compose(findings: Sequence[Finding], link: str) -> Message:
    """One message for some findings, errors first, ends last."""
    from lienthong.freshness.findings import AGENCY_KINDS
    from lienthong.views.findings import finding_view

    ordered = sorted(findings, key=lambda finding: (not finding.is_open, finding.severity.value, finding.source_id))
    views = [finding_view(finding) for finding in ordered]
    shown = [
        line for finding, one in zip(ordered[:_SHOWN], views, strict=False) for line in _lines(finding, one.lines, link)
    ]
    if len(views) > _SHOWN:
        shown.append(f"… và {len(views) - _SHOWN} phát hiện khác: xem `lienthong status`.")
    counts = Counter(one.severity for one in views)
    subject = "[Liên Thông] " + ", ".join(f"{number} {label.lower()}" for label, number in counts.items())
    if len(views) == 1:
        subject = f"[Liên Thông] {views[0].severity}: {views[0].where}: {views[0].what}"
    data = tuple(
        {
            "tenant": finding.tenant,
            "source": finding.source_id,
            "kind": finding.kind.value,
            "subject": mask_word(finding.subject) if finding.kind in AGENCY_KINDS else finding.subject,
            "severity": finding.severity.value,
            "open": finding.is_open,
            "since": finding.since.isoformat(),
            "what": one.what,
            "next_step": one.next_step,
        }
        for finding, one in zip(ordered, views, strict=True)
    )
    return Message(subject, tuple(shown), link, data)


def _lines(finding: Finding, lines: list[str], link: str) -> list[str]:
    """A failed load or task names its own run, unless the message's link leads there."""
    parts = str(finding.details.get("run_key", "")).split("/")
    own = run_link("/".join(parts[:2])) if finding.is_open and len(parts) > 1 else None
    return lines if own is None or link.startswith(own) else [*lines, f"  Lần chạy: {own}"]


def _sender(send: Send, link: str) -> Callable[[Sequence[Finding]], None]:
    def send_findings(findings: Sequence[Finding]) -> None:
        send(compose(findings, link))

    return send_findings


def _alert_unremembered(ti: Any, details: Mapping[str, Any], link: str) -> None:
    from lienthong.freshness.findings import Finding, FindingKind, FindingSeverity

    now = runtime().now()
    subject = f"{ti.dag_id}.{_task_name(ti)}"
    finding = Finding(
        0, "", "", FindingKind.TASK_FAILED, subject, FindingSeverity.ERROR, now, details, now, now, None, None, ()
    )
    message = compose([finding], link)
    _on_every_channel(lambda _name, send: send(message))


def _on_every_channel(act: Callable[[str, Send], T]) -> dict[str, T]:
    """Whatever one channel does, the others are tried too; then the first error is raised."""
    done: dict[str, T] = {}
    failures: list[LienThongError] = []
    for name, send in channels().items():
        try:
            done[name] = act(name, send)
        except LienThongError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return done


def _task_name(ti: Any) -> str:
    """`push_tenant[H17]` for a mapped task that names its instances, else the task's id."""
    if getattr(ti, "map_index", -1) is None or getattr(ti, "map_index", -1) < 0:
        return str(ti.task_id)
    return f"{ti.task_id}[{getattr(ti, 'rendered_map_index', None) or ti.map_index}]"


def _quietly(notifier: BaseNotifier, action: Callable[[Context], None], context: Context) -> None:
    """Run a callback whose failure must not end in the log with its words: Airflow would log the whole error."""
    from lienthong.pipeline.failures import failure_of

    try:
        action(context)
    except Exception as error:
        notifier.log.warning("%s", failure_of(error).said)
