"""What a run of the pipeline did, for people at a terminal, in Vietnamese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lienthong.connections import Role
from lienthong.model.numbers import grouped
from lienthong.pipeline.runtime import Runtime
from lienthong.warehouse import ledger
from lienthong.warehouse.statements import run

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

ENTITY_LABELS = {"dossier": "Hồ sơ", "step": "Bước xử lý", "document": "Giấy tờ", "fee": "Phí, lệ phí"}
OUTCOME_LABELS = {
    "extracted": "Trích\nxuất",
    "inserted": "Thêm\nmới",
    "updated": "Cập\nnhật",
    "unchanged": "Không\nđổi",
    "duplicate": "Trùng",
    "stale": "Cũ",
    "quarantined": "Cách\nly",
}
#: Columns of the delivery table: heading (broken over lines: a million must fit) → states counted in it. "watched" are
#: those of the waiting dossiers whose source may not send; all columns together are all dossiers.
DELIVERY_COLUMNS = {
    "Đã\nđồng\nbộ": ("acknowledged",),
    "Bị\nchặn": ("blocked",),
    "Cổng\ntừ\nchối": ("rejected",),
    "Chờ\ntiếp\nnhận": ("waiting",),
    "Chỉ\ntheo\ndõi": ("watched",),
    "Còn\nnợ": ("owed", "sending"),
    "Chưa\nrõ": ("unsettled",),
    "Tạm\ndừng": ("parked",),
}
REPORT_LABELS = {
    "workbook": "Bảng điểm đầy đủ, từng sở, từng xã, từng thành phần (XLSX)",
    "quarantine": "Báo cáo cách ly",
    "deliveries": "Việc gửi Cổng cần quyết định",
}
STEP_COLUMNS = {"Bước\nđã gửi": "acknowledged", "Bước\nbị từ\nchối": "rejected", "Bước\nchưa\nrõ": "unsettled"}


def print_summary(rt: Runtime, console: Console, *, run_id: int | None, reports: Mapping[str, str], logs: str) -> None:
    """Loads per source, deliveries per province, the month's scores, and where to read on."""
    print_loads(rt, console)
    print_deliveries(rt, console)
    if run_id is not None:
        print_scores(rt, console, run_id)
    print_reports(console, reports)
    console.print(f"  Nhật ký: {logs}", soft_wrap=True)


def print_loads(rt: Runtime, console: Console) -> None:
    """One table per source: its newest load, every entity, adding up."""
    with rt.warehouse(Role.READER).connect() as connection:
        loads = run(connection, "ops/read_latest_loads").all()
    for load in loads:
        print_load(rt, console, load.load_id, load.error)


def print_load(rt: Runtime, console: Console, load_id: int, error: str | None = None) -> None:
    """One load: every entity's rows by what became of them, adding up, and the error that it ended with, if any."""
    with rt.warehouse(Role.READER).connect() as connection:
        load = ledger.read_load(connection, load_id)
        counts = run(connection, "ops/read_load_counts", tenant=load.tenant, load_id=load_id).mappings().all()
    table = _table(f"Nguồn {load.source_id} ({load.tenant}), lần nạp {load_id}")
    table.add_column("", no_wrap=True)
    for label in OUTCOME_LABELS.values():
        table.add_column(label, justify="right", overflow="fold")
    rows = {row["entity"]: row for row in counts}
    for entity in (entity for entity in ENTITY_LABELS if entity in rows):
        table.add_row(ENTITY_LABELS[entity], *(grouped(rows[entity][outcome]) for outcome in OUTCOME_LABELS))
    console.print(table)
    if error:
        console.print(f"Lỗi: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
    elif rows and not any(row["inserted"] or row["updated"] for row in rows.values()):
        console.print("  Không có gì mới: mọi hồ sơ đọc lại đều giống lần trước.")


def print_deliveries(rt: Runtime, console: Console, only: str | None = None) -> None:
    """Where the delivery of each province's dossiers stands, or of `only` one, with the reasons of what is held, and
    how the records of the loads come to be these dossiers.
    """
    from lienthong.exchange.summary import delivery_summary
    from lienthong.pipeline.push import tenants

    engine = rt.warehouse(Role.READER)
    shown = tenants(rt) if only is None else [only]
    summaries = {tenant: delivery_summary(engine, tenant) for tenant in shown}
    table = _table("Gửi lên Cổng Dịch vụ công quốc gia (số hồ sơ, số bước xử lý)")
    table.add_column("Tỉnh", no_wrap=True)
    for label in (*DELIVERY_COLUMNS, *STEP_COLUMNS):
        table.add_column(label, justify="right", overflow="fold")
    for tenant, summary in summaries.items():
        states = {state.value: amount for state, amount in summary.states.items()}
        states |= {"waiting": states["waiting"] - summary.watched, "watched": summary.watched}
        dossiers = (sum(states.get(state, 0) for state in counted) for counted in DELIVERY_COLUMNS.values())
        steps = (summary.steps.get(state, 0) for state in STEP_COLUMNS.values())
        table.add_row(tenant, *(grouped(amount) for amount in (*dossiers, *steps)))
    console.print(table)
    for tenant, summary in summaries.items():
        for line in _records_lines(rt, tenant, sum(summary.states.values())):
            console.print(line, highlight=False, soft_wrap=True)
    titles = _rule_titles(rt)
    for tenant, summary in summaries.items():
        if summary.reasons:
            reasons = ", ".join(
                f"{titles.get(reason, reason)}: {grouped(amount)}"
                for reason, amount in sorted(summary.reasons.items(), key=lambda item: (-item[1], item[0]))
            )
            console.print(f"{tenant} bị chặn vì: {reasons}.", highlight=False)


def _records_lines(rt: Runtime, tenant: str, derived: int) -> list[str]:
    """Why a province has more records than dossiers, or more dossiers than the `derived` ones of the table, if so."""
    with rt.warehouse(Role.READER).connect() as connection:
        counted = run(connection, "dossier/count_records", tenant=tenant).one()
    lines = []
    if doubles := counted.records - counted.dossiers:
        lines.append(
            f"{tenant}: {grouped(counted.records)} bản ghi nguồn là {grouped(counted.dossiers)} hồ sơ "
            f"({grouped(doubles)} bản ghi trùng mã hồ sơ với bản ghi khác)."
        )
    if (later := counted.dossiers - derived) > 0:
        lines.append(f"{tenant}: {grouped(later)} hồ sơ mới nạp, lần gửi tới sẽ xét.")
    return lines


def print_reports(console: Console, reports: Mapping[str, str]) -> None:
    """Where the files are that have the rest."""
    console.print("\n[bold]Xem tiếp ở đâu[/bold]")
    for name, path in reports.items():
        console.print(f"  {REPORT_LABELS.get(name, name)}: {path}", highlight=False, soft_wrap=True)


def print_scores(rt: Runtime, console: Console, run_id: int, all_units: bool = False) -> None:
    """The month's provinces and what their scores show; with `all_units` their departments and communes as well."""
    from lienthong.indices import scores
    from lienthong.reports.terminal import score_lines

    console.print()
    for line in score_lines(scores(rt.warehouse(Role.READER), run_id), all_units=all_units):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _table(title: str) -> Table:
    """A table that fits 80 columns."""
    from rich import box
    from rich.table import Table

    return Table(
        title=f"\n{title}",
        title_style="bold",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )


def _rule_titles(rt: Runtime) -> dict[str, str]:
    with rt.warehouse(Role.READER).connect() as connection:
        rows = run(connection, "quality/read_rule_titles").all()
    return {
        "dossier_code_collision": "Mã hồ sơ đã thuộc hồ sơ khác",
        "payload_defect": "Lỗi của chương trình khi lập nội dung gửi, báo người vận hành",
    } | {row.rule_id: row.title_vi for row in rows}
