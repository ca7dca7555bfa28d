"""What quality teams read: what is quarantined, blocked or warned about, why, and how to put it right.

Keys and codes only: no value of a dossier is shown, so the report can be passed on.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine

from lienthong.disk import replacing
from lienthong.model.cells import safe_cell
from lienthong.model.codes import Severity
from lienthong.model.identifiers import DOSSIER_CODE_PATTERN
from lienthong.model.kinds import ENTITIES
from lienthong.model.numbers import grouped
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.warehouse.statements import run, statement

EXAMPLES = 50
SEVERITY_VI = {Severity.REJECT: "Cách ly", Severity.BLOCK: "Chặn gửi", Severity.WARN: "Cảnh báo"}
ENTITY_VI = {name: f"{spec.title_vi[:1].upper()}{spec.title_vi[1:]}" for name, spec in ENTITIES.items()}
CSV_HEADER = (
    "Tỉnh/Bộ", "Nguồn", "Mức độ", "Đối tượng", "Quy tắc", "Nội dung", "Khóa hồ sơ ở nguồn", "Khóa bản ghi con",
    "Mã hồ sơ", "Đơn vị xử lý lỗi", "Lần nạp phát hiện", "Lần nạp gần nhất",
)  # fmt: skip


@dataclass(frozen=True)
class Example:
    """One dossier: its key in the source and, when known and well formed, its MaHoSo."""

    source_key: str
    dossier_code: str | None


@dataclass(frozen=True)
class ReportRow:
    """One rule that is broken in one source at present: in how many records, of how many dossiers."""

    tenant: str
    source_id: str
    entity: str
    rule_id: str
    severity: Severity
    records: int
    dossiers: int
    title_vi: str
    explanation_vi: str
    owner: str
    field: str
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class SourceSummary:
    """One source at present; `merged_at` is the time of its last merged load."""

    tenant: str
    source_id: str
    source_title: str
    load_id: int | None
    merged_at: datetime | None
    quarantined_dossiers: int
    quarantined_children: int
    blocked_dossiers: int
    warned_dossiers: int


def quarantine_report(engine: Engine, tenant: str | None, examples: int = EXAMPLES) -> list[ReportRow]:
    """What is wrong now in `tenant` (None: in all): rejects first, then the most frequent; ≤ `examples` each."""
    with engine.connect() as connection:
        tenants = [tenant] if tenant is not None else _tenants(connection)
        return [row for name in tenants for row in _rows(connection, name, examples)]


def source_summaries(engine: Engine, tenant: str | None) -> list[SourceSummary]:
    """One line per source that was ever loaded, clean or not."""
    with engine.connect() as connection:
        tenants = [tenant] if tenant is not None else _tenants(connection)
        return [
            SourceSummary(name, **row)
            for name in tenants
            for row in run(connection, "quality/read_quality_summary", tenant=name).mappings()
        ]


def write_quarantine_report(engine: Engine, path: Path) -> tuple[Path, Path]:
    """Write the page (one file, nothing loaded from elsewhere) and, beside it, the full list as CSV; returns both."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["number"] = grouped
    environment.filters["local"] = lambda at: at.astimezone(BUSINESS_ZONE).strftime("%H:%M ngày %d/%m/%Y")
    rows, listing = quarantine_report(engine, None), path.with_suffix(".csv")
    page = environment.get_template("quarantine.html").render(
        summaries=source_summaries(engine, None),
        rows=rows,
        severities=SEVERITY_VI,
        entities=ENTITY_VI,
        limit=EXAMPLES,
        listing=listing.name,
    )
    with replacing(path) as unfinished:
        unfinished.write_bytes(page.encode("utf-8"))
    _write_listing(engine, listing)
    return path, listing


def _tenants(connection: Connection) -> list[str]:
    return list(run(connection, "quality/list_tenants").scalars())


def _rows(connection: Connection, tenant: str, examples: int) -> Iterator[ReportRow]:
    found = run(
        connection,
        "quality/read_quarantine_report",
        tenant=tenant,
        examples=examples,
        code_pattern=DOSSIER_CODE_PATTERN,
    )
    for row in found.mappings():
        values = dict(row)
        keys, codes = values.pop("source_keys"), values.pop("dossier_codes")
        shown = tuple(Example(key, code or None) for key, code in zip(keys, codes, strict=True))
        yield ReportRow(tenant, **values | {"severity": Severity(values["severity"]), "examples": shown})


def _write_listing(engine: Engine, path: Path) -> None:
    """Every open violation, streamed. UTF-8 with a mark, which spreadsheets need to read Vietnamese."""
    with (
        replacing(path) as unfinished,
        engine.connect() as connection,
        unfinished.open("w", encoding="utf-8-sig", newline="") as sink,
    ):
        writer = csv.writer(sink)
        writer.writerow(CSV_HEADER)
        for tenant in _tenants(connection):
            found = connection.execution_options(yield_per=5_000).execute(
                statement("quality/read_open_violations"), {"tenant": tenant, "code_pattern": DOSSIER_CODE_PATTERN}
            )
            for row in found:
                cells = (
                    tenant, row.source_id, SEVERITY_VI[Severity(row.severity)], ENTITY_VI[row.entity], row.rule_id,
                    row.title_vi, row.source_key, row.child_key, row.dossier_code, row.owner, row.first_load_id,
                    row.last_load_id,
                )  # fmt: skip
                writer.writerow([safe_cell(cell) for cell in cells])
