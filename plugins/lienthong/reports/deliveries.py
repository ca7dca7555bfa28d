"""The work list of deliveries that wait for a person, as lines, as CSV and as a page. Keys and codes only."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Engine

from lienthong.disk import replacing
from lienthong.exchange.decisions import Open, Undecided, undecided
from lienthong.model.cells import safe_cell
from lienthong.model.numbers import grouped
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.reports.headings import CODE_COLUMN, MOMENT_COLUMN

EXAMPLES = 20
KIND_VI = {
    Open.PARKED: "Tạm dừng gửi",
    Open.UNSETTLED: "Hồ sơ chưa rõ đã tới Cổng hay chưa",
    Open.STEPS: "Bước xử lý chưa rõ đã tới Cổng hay chưa",
}
ADVICE_VI = {
    Open.PARKED: "xem lý do, rồi `lienthong delivery resume` để gửi tiếp",
    Open.UNSETTLED: "không cần làm gì: hệ thống tự hỏi lại Cổng",
    Open.STEPS: "xem tiến trình trên Cổng, rồi `lienthong delivery settle --arrived` hoặc `--resend`",
}
RULE_VI = {
    "unanswered": "nhiều lần gửi hoặc hỏi mà Cổng không trả lời riêng hồ sơ này",
    "circling": "một lần gửi cứ phải xét lại hồ sơ này mãi: báo cho người vận hành",
}
HEADER = (
    "Tỉnh/Bộ", "Việc", CODE_COLUMN, "Nguồn", "Khóa hồ sơ ở nguồn", "Lý do", "Người quyết định", "Từ lúc",
    MOMENT_COLUMN, "Số lần thử", "Kết quả cuối", "Mã trả lời cuối",
)  # fmt: skip


def why(line: Undecided) -> str:
    """Why a delivery is parked, in words; empty for the other kinds."""
    return RULE_VI.get(line.rule, line.rule) if line.rule else line.reason or ""


def work_list_lines(tenant: str, lines: Sequence[Undecided], most: int = EXAMPLES) -> list[str]:
    """Counts by kind with what to do, then the oldest dossiers of each kind, at most `most`."""
    if not lines:
        return [f"{tenant}: không có việc gì phải quyết định."]
    told = []
    for kind in Open:
        own = [line for line in lines if line.kind is kind]
        if not own:
            continue
        steps = f", {grouped(sum(len(line.moments) for line in own))} bước" if kind is Open.STEPS else ""
        told.append(f"{tenant}: {KIND_VI[kind]}: {grouped(len(own))} hồ sơ{steps}. Việc cần làm: {ADVICE_VI[kind]}.")
        for reason, number in Counter(filter(None, map(why, own))).most_common():
            told.append(f"  Lý do: {reason} ({grouped(number)} hồ sơ)")
        told += [f"  {line.dossier_code or line.source_key}  từ {_moment(line)}" for line in own[:most]]
        if len(own) > most:
            told.append(f"  … và {grouped(len(own) - most)} hồ sơ nữa (danh sách đầy đủ: --csv TỆP)")
    return told


def write_listing(engine: Engine, tenants: Sequence[str], path: Path) -> Path:
    """One CSV file, a line per dossier or doubtful step; `lienthong delivery … --file` takes it back. With a mark,
    which spreadsheets need to read Vietnamese.
    """
    with replacing(path) as unfinished, unfinished.open("w", encoding="utf-8-sig", newline="") as sink:
        writer = csv.writer(sink)
        writer.writerow(HEADER)
        for tenant in tenants:
            for line in undecided(engine, tenant):
                for moment in line.moments or (None,):
                    cells = (
                        tenant, KIND_VI[line.kind], line.dossier_code, line.source_id, line.source_key, why(line),
                        line.decided_by, _moment(line), moment and moment.astimezone(BUSINESS_ZONE).isoformat(),
                        line.attempts, line.last_outcome, line.last_code,
                    )  # fmt: skip
                    writer.writerow([safe_cell("" if cell is None else cell) for cell in cells])
    return path


def write_page(engine: Engine, tenants: Sequence[str], path: Path) -> Path:
    """The page for people (one file, nothing loaded from elsewhere) and, beside it, the listing; returns the page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("lienthong.reports"), autoescape=True, undefined=StrictUndefined
    )  # fmt: skip
    environment.filters |= {"number": grouped, "moment": _moment, "why": why}
    groups = []
    for tenant in tenants:
        lines = undecided(engine, tenant)
        groups += [(tenant, kind, [line for line in lines if line.kind is kind]) for kind in Open]
    listing = write_listing(engine, tenants, path.with_suffix(".csv"))
    page = environment.get_template("deliveries.html").render(
        groups=[group for group in groups if group[2]],
        kinds=KIND_VI,
        advice=ADVICE_VI,
        limit=200,
        listing=listing.name,
    )
    with replacing(path) as unfinished:
        unfinished.write_bytes(page.encode("utf-8"))
    return path


def _moment(line: Undecided) -> str:
    return "" if line.since is None else line.since.astimezone(BUSINESS_ZONE).strftime("%H:%M ngày %d/%m/%Y")
