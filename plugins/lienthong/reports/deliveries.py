"""The work list of deliveries that wait for a person, as CSV and as a page. Keys and codes only."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Engine

from lienthong.disk import replacing
from lienthong.exchange.decisions import Open, undecided
from lienthong.model.cells import safe_cell
from lienthong.model.numbers import grouped
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.reports.headings import CODE_COLUMN, MOMENT_COLUMN
from lienthong.views.labels import UNDECIDED, UNDECIDED_ADVICE
from lienthong.views.work_list import parked_since, why_parked

HEADER = (
    "Tỉnh/Bộ", "Việc", CODE_COLUMN, "Nguồn", "Khóa hồ sơ ở nguồn", "Lý do", "Người quyết định", "Từ lúc",
    MOMENT_COLUMN, "Số lần thử", "Kết quả cuối", "Mã trả lời cuối",
)  # fmt: skip


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
                        tenant, UNDECIDED[line.kind], line.dossier_code, line.source_id, line.source_key,
                        why_parked(line), line.decided_by, parked_since(line),
                        moment and moment.astimezone(BUSINESS_ZONE).isoformat(),
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
    environment.filters |= {"number": grouped, "moment": parked_since, "why": why_parked}
    groups = []
    for tenant in tenants:
        lines = undecided(engine, tenant)
        groups += [(tenant, kind, [line for line in lines if line.kind is kind]) for kind in Open]
    listing = write_listing(engine, tenants, path.with_suffix(".csv"))
    page = environment.get_template("deliveries.html").render(
        groups=[group for group in groups if group[2]],
        kinds=UNDECIDED,
        advice=UNDECIDED_ADVICE,
        limit=200,
        listing=listing.name,
    )
    with replacing(path) as unfinished:
        unfinished.write_bytes(page.encode("utf-8"))
    return path
