"""Vietnamese words and numbers that all reports share."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from lienthong.indices.award import half_up
from lienthong.indices.table import ComponentScore, Flag, ScoreKind, ScoreTable, UnitKind
from lienthong.model.numbers import grouped
from lienthong.model.periods import BUSINESS_ZONE

NO_DATA = "chưa có dữ liệu"
NOTHING_TO_COUNT = "không phát sinh"

KIND_LABELS = {
    UnitKind.MINISTRY: "Bộ, ngành",
    UnitKind.PROVINCE: "Tỉnh, thành phố",
    UnitKind.DEPARTMENT: "Sở, ban, ngành",
    UnitKind.COMMUNE: "Xã, phường, đặc khu",
}


def decimal_comma(value: Decimal | None, decimals: int = 2) -> str:
    """`1234.5` → `1.234,50`; None → `chưa có dữ liệu`."""
    if value is None:
        return NO_DATA
    return grouped(value, decimals)


def instant(moment: datetime) -> str:
    """`05/11/2026 08:00`, time of Vietnam."""
    return moment.astimezone(BUSINESS_ZONE).strftime("%d/%m/%Y %H:%M")


def missing(score: ComponentScore) -> str:
    """Why a component has no score."""
    return NOTHING_TO_COUNT if Flag.ZERO_DENOMINATOR in score.flags else NO_DATA


def title(table: ScoreTable) -> str:
    return f"{table.definition.title} – {table.month.label_vi.upper()}"


def is_provisional(table: ScoreTable) -> bool:
    """A month that runs, or points that nobody can measure yet: either makes totals provisional."""
    return table.kind is ScoreKind.PROVISIONAL or table.available < 100


def facts_about(table: ScoreTable) -> list[tuple[str, str]]:
    """What the cover says: label and text."""
    last_day = (table.month.end - timedelta(days=1)).strftime("%d/%m/%Y")
    kinds = {ScoreKind.PROVISIONAL: "tạm tính, kỳ chưa chốt", ScoreKind.FINAL: "trọn kỳ"}
    loads = "; ".join(f"{tenant}: {grouped(number or 0)} lần nạp" for tenant, number in sorted(table.loads.items()))
    return [
        ("Căn cứ", table.definition.legal_base),
        ("Kỳ đánh giá", f"{table.month.label_vi} (01/{table.month.month:02d}/{table.month.year} – {last_day})"),
        ("Số liệu tính đến", f"{instant(table.as_of)} (giờ Việt Nam)"),
        ("Loại điểm", kinds[table.kind]),
        (
            "Cách tính",
            f"{table.definition.id}, phiên bản {table.definition.version} (mã {table.definition.hash[:12]}), "
            f"lần chấm số {table.run_id}",
        ),
        ("Dữ liệu đã nạp", loads),
    ]


def warnings(table: ScoreTable) -> list[str]:
    """What a reader must know before comparing totals."""
    if not table.without_data:
        return []
    percent = decimal_comma(half_up(table.available), 0)
    absent = "; ".join(f"{component.id} {component.name}" for component in table.without_data)
    lead = "TẠM TÍNH" if table.kind is ScoreKind.PROVISIONAL else "CHƯA ĐỦ 100 ĐIỂM"
    return [
        f"{lead}: tổng điểm tính trên {percent}/100 điểm đã có dữ liệu; xếp loại theo tỷ lệ % của số điểm đó.",
        f"Chưa có dữ liệu: {absent}.",
    ]
