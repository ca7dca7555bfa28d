"""What a person does next about the status: sentences, each once; and which findings come first."""

from __future__ import annotations

from datetime import timedelta

from lienthong.freshness.findings import AGENCY_KINDS, Finding, FindingSeverity
from lienthong.model.sync_dags import sync_dag
from lienthong.views.findings import finding_view
from lienthong.views.status import SourceHealth, Status

#: A judgement older than this is told to be old: the DAG runs hourly.
JUDGED_LATELY = timedelta(hours=3)


def next_steps(status: Status) -> list[str]:
    """Without a full stop; empty when nothing is to be done."""
    steps = ["sửa hợp đồng nguồn bị lỗi (xem trên)"] if status.contract_errors else []
    for source in status.sources:
        if source.health is SourceHealth.NEVER_LOADED:
            steps.append(f"chạy DAG {sync_dag(source.kind, source.source_id)}: nguồn chưa được nạp lần nào")
        elif source.health is SourceHealth.FAILED:
            steps.append(f"{source.source_id}: sửa lỗi nêu trên rồi chạy lại lần nạp")
        elif source.health is SourceHealth.LATE:
            steps.append(f"xem DAG {sync_dag(source.kind, source.source_id)} có bị tạm dừng hoặc lỗi không")
    where_next: dict[str, list[str]] = {}
    for finding in sorted(status.findings, key=importance):
        where_next.setdefault(finding_view(finding).next_step, []).append(finding.source_id or finding.tenant)
    for step, where in where_next.items():
        steps.append(f"{', '.join(sorted(set(filter(None, where))))}: {step}".lstrip(": "))
    loaded = [source for source in status.sources if source.newest is not None]
    judged = [source.evaluated_at for source in loaded if source.evaluated_at is not None]
    if len(judged) < len(loaded):
        never = ", ".join(source.source_id for source in loaded if source.evaluated_at is None)
        steps.append(
            f"{never}: chưa đánh giá lần nào; DAG freshness chạy mỗi giờ (đánh giá ngay: `lienthong freshness`)"
        )
    if any(status.now - at > JUDGED_LATELY for at in judged):
        steps.append(
            "xem DAG freshness có bị tạm dừng hoặc lỗi không, hoặc chạy `lienthong freshness`: "
            "số liệu chưa được đánh giá gần đây"
        )
    return list(dict.fromkeys(steps))


def importance(finding: Finding) -> tuple[bool, bool, float, int]:
    """A sort key: errors first, then the busiest of the silent agencies."""
    usual = finding.details.get("usual") or finding.details.get("expected") or 0
    is_agency = finding.kind in AGENCY_KINDS
    return (finding.severity is not FindingSeverity.ERROR, is_agency, -float(usual), finding.finding_id)
