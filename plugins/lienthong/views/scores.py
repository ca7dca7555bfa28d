"""What is said of a month's scores, whoever shows them: title, basis, warnings, names and points."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

from lienthong.indices.award import half_up
from lienthong.indices.table import ScoreKind, ScoreTable, UnitKind, UnitScore
from lienthong.model.numbers import grouped
from lienthong.views.formats import minute
from lienthong.views.labels import NO_DATA

_OF_A_PROVINCE = re.compile(r"^(Ủy ban nhân dân |UBND )?(tỉnh |thành phố |TP\.? ?)?(?=\w)", re.IGNORECASE)


def decimal_comma(value: Decimal | None, decimals: int = 2) -> str:
    """`1234.5` → `1.234,50`; None → `chưa có dữ liệu`."""
    if value is None:
        return NO_DATA
    return grouped(value, decimals)


def short_name(unit: UnitScore) -> str:
    """`Ủy ban nhân dân thành phố Hà Nội` → `Hà Nội`; other units keep their name."""
    return _OF_A_PROVINCE.sub("", unit.name) if unit.kind is UnitKind.PROVINCE else unit.name


def title(table: ScoreTable) -> str:
    return f"{table.definition.title} – {table.month.label_vi.upper()}"


def standing(table: ScoreTable) -> str:
    """What a total is, in a few words. A final one is final, also while something has no data."""
    if table.kind is ScoreKind.PROVISIONAL:
        return "tạm tính"
    return "chính thức" if table.available >= 100 else "chưa đủ 100 điểm"


def facts_about(table: ScoreTable) -> list[tuple[str, str]]:
    """What the cover says: label and text."""
    last_day = (table.month.end - timedelta(days=1)).strftime("%d/%m/%Y")
    kinds = {ScoreKind.PROVISIONAL: "tạm tính, kỳ chưa chốt", ScoreKind.FINAL: "trọn kỳ"}
    loads = "; ".join(f"{tenant}: {grouped(number or 0)} lần nạp" for tenant, number in sorted(table.loads.items()))
    return [
        ("Căn cứ", table.definition.legal_base),
        ("Kỳ đánh giá", f"{table.month.label_vi} (01/{table.month.month:02d}/{table.month.year} – {last_day})"),
        ("Số liệu tính đến", f"{minute(table.as_of)} (giờ Việt Nam)"),
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
    found = []
    lead = "TẠM TÍNH" if table.kind is ScoreKind.PROVISIONAL else "CHƯA ĐỦ 100 ĐIỂM"
    if table.without_data or table.in_part:
        found.append(
            f"{lead}: tổng điểm tính trên {decimal_comma(half_up(table.available), 0)}/100 điểm đã có dữ liệu"
            f"{_less(table)}; hạng và xếp loại theo tỷ lệ % của số điểm đó."
        )
    if table.without_data:
        absent = "; ".join(f"{component.id} {component.name}" for component in table.without_data)
        found.append(f"Chưa có dữ liệu: {absent}.")
    if table.in_part:
        absent = "; ".join(
            f"{component.id} {component.name} ({', '.join(short_name(unit) for unit in units)})"
            for component, units in table.in_part.items()
        )
        found.append(f"Chưa có dữ liệu ở một số địa phương: {absent}.")
    return found


def _less(table: ScoreTable) -> str:
    """` (64 ở Gia Lai)`: provinces that have data for fewer points than others."""
    fewer = [unit for unit in table.provinces if unit.available < table.available]
    listed = "; ".join(f"{decimal_comma(half_up(unit.available), 0)} ở {short_name(unit)}" for unit in fewer)
    return f" ({listed})" if listed else ""
