"""What a run of the pipeline did, as tables for people at a terminal, in Vietnamese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lienthong.cli.tables import new_table
from lienthong.connections import Role
from lienthong.model.numbers import grouped
from lienthong.pipeline import views
from lienthong.pipeline.runtime import Runtime
from lienthong.views import labels

if TYPE_CHECKING:
    from rich.console import Console

    from lienthong.views.loads import LoadView


def print_summary(rt: Runtime, console: Console, *, run_id: int | None, reports: Mapping[str, str], logs: str) -> None:
    """Loads per source, deliveries per province, what ministries say otherwise, the month's scores, files."""
    for load in views.newest_loads(rt):
        print_load(load, console)
    print_deliveries(rt, console)
    print_disagreements(rt, console)
    if run_id is not None:
        print_scores(rt, console, run_id)
    print_reports(console, reports)
    console.print(f"  Nhật ký: {logs}", soft_wrap=True)


def print_load(load: LoadView, console: Console) -> None:
    """One load: every entity's rows by what became of them, adding up, and the error that it ended with, if any."""
    table = new_table(f"Nguồn {load.source_id} ({load.tenant}), lần nạp {load.load_id}")
    table.add_column("", no_wrap=True)
    for label in labels.OUTCOMES.values():
        table.add_column(label, justify="right", overflow="fold")
    for counts in load.entities:
        table.add_row(counts.label, *(grouped(counts.outcomes[outcome]) for outcome in labels.OUTCOMES))
    console.print(table)
    if load.error:
        console.print(f"Lỗi: {load.error}", style="red", markup=False, highlight=False, soft_wrap=True)
    elif load.brought_nothing_new:
        console.print("  Không có gì mới: mọi hồ sơ đọc lại đều giống lần trước.")


def print_deliveries(rt: Runtime, console: Console, only: str | None = None) -> None:
    """Where the delivery of each province's dossiers stands, or of `only` one, with the reasons of what is held, and
    how the records of the loads come to be these dossiers.
    """
    found = views.deliveries(rt, only)
    table = new_table("Gửi lên Cổng Dịch vụ công quốc gia (số hồ sơ, số bước xử lý)")
    table.add_column("Tỉnh", no_wrap=True)
    for label in (*labels.DELIVERY_COLUMNS, *labels.STEP_COLUMNS):
        table.add_column(label, justify="right", overflow="fold")
    for view in found:
        table.add_row(view.tenant, *(grouped(number) for number in (*view.dossiers, *view.steps)))
    console.print(table)
    for line in (line for view in found for line in view.record_sentences):
        console.print(line, highlight=False, soft_wrap=True)
    for view in found:
        if view.blocked_sentence:
            console.print(view.blocked_sentence, highlight=False)


def print_disagreements(rt: Runtime, console: Console) -> None:
    """In one line per province: what it and a ministry say differently about dossiers that the ministry sends."""
    from lienthong.views.disagreements import summary_line

    for tenant in views.compared_tenants(rt):
        line = summary_line(tenant, views.disagreements(rt, tenant))
        console.print(f"{line} Xem: lienthong disagreements {tenant}", highlight=False, soft_wrap=True)


def print_reports(console: Console, reports: Mapping[str, str]) -> None:
    """Where the files are that have the rest."""
    console.print("\n[bold]Xem tiếp ở đâu[/bold]")
    for name, path in reports.items():
        console.print(f"  {labels.REPORTS.get(name, name)}: {path}", highlight=False, soft_wrap=True)


def print_scores(rt: Runtime, console: Console, run_id: int, all_units: bool = False) -> None:
    """The month's provinces and what their scores show; with `all_units` their departments and communes as well."""
    from lienthong.indices import scores
    from lienthong.reports.terminal import score_lines

    console.print()
    for line in score_lines(scores(rt.warehouse(Role.READER), run_id), all_units=all_units):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
