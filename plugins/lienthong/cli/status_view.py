"""The status as Vietnamese text that fits 80 columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from textwrap import fill

from rich.console import Console
from rich.table import Table

from lienthong.cli.tables import new_table
from lienthong.freshness.findings import AGENCY_KINDS, Finding, FindingSeverity
from lienthong.freshness.workdays import DayKind
from lienthong.model.kinds import KINDS
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.views import labels
from lienthong.views.findings import finding_view
from lienthong.views.formats import amount, lasting, moment
from lienthong.views.next_steps import importance, next_steps
from lienthong.views.status import SourceDetail, SourceHealth, SourceStatus, Status, UnmappedView

#: Findings, agencies, unmapped words shown before the rest is only counted.
SHOWN_FINDINGS, SHOWN_AGENCIES, SHOWN_UNMAPPED = 10, 30, 30
HEALTH_STYLES = {SourceHealth.FAILED: "red", SourceHealth.LATE: "yellow"}


def print_status(status: Status, console: Console) -> None:
    """All sources on one screen."""
    _say(console, f"Tình trạng lúc {moment(status.now)} (giờ Việt Nam)", style="bold")
    console.print(_sources(status))
    _print_errors(status, console)
    _print_findings(status.findings, console)
    _print_unmapped(status.sources, console)
    console.print(_deliveries(status))
    _print_next_steps(status, console)


def print_detail(found: SourceDetail, console: Console, *, everything: bool) -> None:
    """One source: its load, what nobody maps, its newest days, its agencies."""
    status = found.status
    (source,) = status.sources
    _say(console, f"{source.title} ({source.source_id}, {source.tenant}) lúc {moment(status.now)}", style="bold")
    _say(console, f"{_mode(source)}; {amount(source.records)} {KINDS[source.kind].title_vi} trong kho.")
    for label, instant in (
        ("Hồ sơ mới nhất", source.newest_arrival_at),
        ("Thay đổi mới nhất", source.newest_modified_at),
        ("Đánh giá gần nhất", source.evaluated_at),
    ):
        ago = f"{moment(instant)} ({lasting(status.now - instant)} trước)" if instant else "chưa có"
        _say(console, f"{label}: {ago}.")
    if source.newest is not None:
        _say(console, f"Lần nạp {source.newest.load_id} ({source.newest.mode}): {_load(source, status.now)}.")
    _print_errors(status, console)
    _print_findings(status.findings, console, limit=1000 if everything else SHOWN_FINDINGS)
    if source.unmapped:
        _print_unmapped_words(source.unmapped, console, everything=everything)
    days = new_table("Hồ sơ đến theo ngày", ("Ngày", "left"), ("", "left"), ("Đã thấy", "right"), ("Dự kiến", "right"))
    for day in found.days:
        expected = f"~{amount(round(day.expected))}" if day.expected is not None else "–"
        days.add_row(f"{day.day:%d/%m/%Y}", labels.DAYS[day.kind], amount(day.seen), expected)
    console.print(days)
    shown = found.agencies if everything else found.agencies[:SHOWN_AGENCIES]
    agencies = new_table(
        f"Cơ quan ({len(found.agencies)}; lâu không có hồ sơ xếp trước)",
        ("Mã", "left"), ("Cơ quan", "left"), ("Hồ sơ cuối", "right"),
        (f"{found.last_workdays} ngày\nlàm việc", "right"), ("Thường", "right"),
    )  # fmt: skip
    for agency in shown:
        name = agency.name or ("(hồ sơ không ghi cơ quan)" if not agency.agency_code else "(ngoài danh mục)")
        name = name if agency.listed is not False else f"{name} (đã ngừng)"
        expected = f"~{amount(round(agency.expected))}" if agency.expected is not None else "–"
        agencies.add_row(agency.agency_code, name, f"{agency.last_day:%d/%m/%Y}", amount(agency.seen), expected)
    console.print(agencies)
    if len(shown) < len(found.agencies):
        _say(console, f"… và {len(found.agencies) - len(shown)} cơ quan khác: thêm --all.")
    _print_next_steps(status, console)


def _sources(status: Status) -> Table:
    table = new_table(
        "Nguồn",
        ("Nguồn", "left"), ("Chế độ", "left"), ("Lần nạp gần nhất", "left"), ("Hồ sơ\nđổi/đọc", "right"),
        ("Hồ sơ\nmới nhất", "right"), ("Hôm nay/\ndự kiến", "right"), ("Phát\nhiện", "right"),
    )  # fmt: skip
    for source in status.sources:
        open_here = sum(finding.source_id == source.source_id for finding in status.findings)
        newest = lasting(status.now - source.newest_arrival_at) if source.newest_arrival_at else "–"
        read = f"{amount(source.changed or 0)}/{amount(source.extracted)}" if source.extracted is not None else "–"
        table.add_row(
            source.source_id, source.mode or "-", _load(source, status.now), read, newest, _today(source),
            amount(open_here), style=HEALTH_STYLES.get(source.health),
        )  # fmt: skip
    return table


def _load(source: SourceStatus, now: datetime) -> str:
    """`xong 05/11 07:30, 12 phút`: state, when, and how long it took or has been running."""
    newest, label = source.newest, labels.HEALTH[source.health]
    if newest is None:
        return label
    end = newest.merged_at or newest.failed_at or now
    at = newest.opened_at.astimezone(BUSINESS_ZONE).strftime("%d/%m %H:%M")
    return f"{label} {at}, {lasting(end - newest.opened_at)}"


def _today(source: SourceStatus) -> str:
    if source.expected_today is not None:
        return f"{amount(source.seen_today)}/~{amount(round(source.expected_today))}"
    return amount(source.seen_today) if source.today is DayKind.WORKING else f"{amount(source.seen_today)} (nghỉ)"


def _print_errors(status: Status, console: Console) -> None:
    for error in status.contract_errors:
        _say(console, f"LỖI hợp đồng nguồn: {error}", style="red")
    for source in status.sources:
        if source.health is SourceHealth.FAILED and source.newest is not None:
            when = moment(source.newest.failed_at or source.newest.opened_at)
            _say(console, f"LỖI {source.source_id}, lần nạp {source.newest.load_id}, lúc {when}:", style="red")
            _say(console, f"  {source.newest.error}")


def _print_findings(findings: Iterable[Finding], console: Console, limit: int = SHOWN_FINDINGS) -> None:
    """Errors first, then the busiest of the silent agencies."""
    ordered = sorted(findings, key=importance)
    if not ordered:
        return
    silent = sum(finding.kind in AGENCY_KINDS for finding in ordered)
    _say(console, f"\nPhát hiện đang mở: {len(ordered)} (cơ quan ít hoặc không có hồ sơ: {silent})", style="bold")
    for finding in ordered[:limit]:
        view = finding_view(finding)
        style = "red" if finding.severity is FindingSeverity.ERROR else ""
        label = labels.FINDING_SEVERITIES[finding.severity].lower()
        _say(console, f"  {label}: {view.where}: {view.what}; từ {view.since}.", style=style)
    if len(ordered) > limit:
        _say(console, f"  … và {len(ordered) - limit} phát hiện khác: `lienthong status <nguồn>` hoặc --json.")


def _print_unmapped(sources: Iterable[SourceStatus], console: Console) -> None:
    """How many of each kind, by source; which ones is told by the view of one source."""
    found = [source for source in sources if source.unmapped]
    if found:
        _say(console, "\nTừ và cột chưa ánh xạ (chi tiết: `lienthong status <nguồn>`)", style="bold")
    for source in found:
        kinds = Counter(_unmapped_label(one.kind) for one in source.unmapped)
        counted = ", ".join(f"{label} {amount(number)}" for label, number in kinds.items())
        _say(console, f"  {source.source_id}: {amount(len(source.unmapped))} ({counted}).")


def _print_unmapped_words(found: Sequence[UnmappedView], console: Console, *, everything: bool) -> None:
    table = new_table(
        f"Từ và cột chưa ánh xạ ({amount(len(found))})",
        ("Loại", "left"), ("Từ hoặc cột", "left"), ("Số dòng", "right"), ("Từ lần nạp", "right"),
        ("Gặp lần cuối", "right"),
    )  # fmt: skip
    shown = found if everything else found[:SHOWN_UNMAPPED]
    for one in shown:
        seen = amount(one.seen) if one.seen else "–"
        table.add_row(_unmapped_label(one.kind), one.name, seen, str(one.first_load_id), str(one.last_load_id))
    console.print(table)
    if len(shown) < len(found):
        _say(console, f"… và {amount(len(found) - len(shown))} từ hoặc cột khác: thêm --all.")


def _unmapped_label(kind: str) -> str:
    return labels.UNMAPPED.get(kind, kind)


def _deliveries(status: Status) -> Table:
    table = new_table(
        "Gửi lên Cổng Dịch vụ công quốc gia (hồ sơ)",
        ("Tỉnh", "left"), ("Còn nợ", "right"), ("Nợ lâu nhất", "right"), ("Chưa rõ kết quả", "right"),
        ("Cổng từ chối", "right"), ("Bị chặn", "right"), ("Tạm dừng", "right"), ("Bước chưa rõ", "right"),
    )  # fmt: skip
    for tenant, backlog in status.backlogs.items():
        oldest = lasting(status.now - backlog.oldest_owed_at) if backlog.oldest_owed_at else "–"
        table.add_row(
            tenant, amount(backlog.owed), oldest, amount(backlog.unsettled), amount(backlog.rejected),
            amount(backlog.blocked), amount(backlog.parked), amount(backlog.steps_unsettled),
        )  # fmt: skip
    return table


def _print_next_steps(status: Status, console: Console) -> None:
    """What a person does next, each step once."""
    steps = next_steps(status)
    _say(console, "\nViệc cần làm", style="bold")
    for step in steps:
        _say(console, f"  - {step}.")
    if not steps:
        _say(console, "  Không có.")


def _say(console: Console, text: str, style: str = "") -> None:
    """A paragraph whose later lines are indented, so that lists stay readable."""
    for line in text.split("\n"):
        filled = fill(line, console.width, subsequent_indent="    ", break_on_hyphens=False) or line
        console.print(filled, style=style, markup=False, highlight=False, soft_wrap=True)


def _mode(source: SourceStatus) -> str:
    return f"Chế độ {source.mode}" if source.mode else "Không gửi đi"
