"""A month that was scored, in short: how many units, and the points of each province."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.engine import Connection

from lienthong.indices.award import TOTAL
from lienthong.model.numbers import grouped
from lienthong.model.periods import Month
from lienthong.views import labels
from lienthong.warehouse.statements import run


@dataclass(frozen=True)
class TopScore:
    """The points of a province or ministry; `score` None: it has none. `available`: points that it could have."""

    tenant: str
    name: str
    score: Decimal | None
    available: Decimal


@dataclass(frozen=True)
class ScoredMonth:
    """One score run. `units`: scored units by kind; `provinces`: by code."""

    run_id: int
    month: Month
    kind: str
    units: tuple[tuple[str, int], ...]
    provinces: tuple[TopScore, ...]

    @property
    def lines(self) -> list[str]:
        """Which month was scored, how many units, and the points of each province."""
        counted = ", ".join(f"{grouped(number)} {labels.UNITS.get(kind, kind).lower()}" for kind, number in self.units)
        return [
            f"Đã chấm Bộ chỉ số 766 {self.month.label_vi}, {labels.SCORES[self.kind]} (lần chấm {self.run_id}).",
            f"Đơn vị được chấm: {counted or '0'}.",
            *(
                f"{top.name} ({top.tenant}): {grouped(top.score or 0, 2)} trên {grouped(top.available)} điểm đo được."
                for top in self.provinces
            ),
        ]


def read_scored_month(connection: Connection, run_id: int) -> ScoredMonth:
    """What a run scored."""
    found = run(connection, "indices/read_score_run", run_id=run_id).one()
    scope = {"tenants": list(found.tenants), "run_id": run_id}
    units = run(connection, "indices/count_scored_units", scope).all()
    provinces = run(connection, "indices/read_top_scores", **scope, total=TOTAL).all()
    return ScoredMonth(
        run_id,
        Month.parse(found.month),
        found.kind,
        tuple((row.kind, int(row.units)) for row in units),
        tuple(TopScore(row.tenant, row.name, row.score, row.max_available) for row in provinces),
    )


def published_lines(result: Mapping[str, object]) -> list[str]:
    """Where the reports lie."""
    return [
        "Đã ghi bảng điểm và báo cáo cách ly.",
        f"Bảng điểm: {result['workbook']}",
        f"Báo cáo cách ly: {result['quarantine']}",
    ]
