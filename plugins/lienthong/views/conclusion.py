"""What a month's scores show, in three sentences: who leads and who is last, where most is lost, where to begin."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from lienthong.indices.definition import Component
from lienthong.indices.table import ComponentScore, ScoreTable, UnitKind, UnitScore
from lienthong.views.scores import decimal_comma, short_name


def conclusions(table: ScoreTable) -> list[str]:
    """Three sentences in Vietnamese; fewer where no province had anything to count or nothing was lost."""
    ranked = [unit for unit in table.provinces if not unit.idle]
    month = table.month.label_vi.capitalize()
    if not ranked:
        return [f"{month}: không địa phương nào phát sinh hồ sơ, nên không xếp hạng."]
    return [f"{month}: {_ends(ranked)}.", *_losses(table, ranked)]


def _ends(ranked: Sequence[UnitScore]) -> str:
    best, worst = ranked[0], ranked[-1]
    if best.rank == worst.rank:
        return f"{_all_names(ranked)} đạt {_standing(best)}"
    return f"{short_name(best)} dẫn đầu với {_standing(best)}; {short_name(worst)} đứng cuối với {_standing(worst)}"


def _all_names(units: Sequence[UnitScore]) -> str:
    return ", ".join(short_name(unit) for unit in units)


def _standing(unit: UnitScore) -> str:
    points = f"{decimal_comma(unit.total)}/{decimal_comma(unit.available, 0)} điểm"
    return f"{decimal_comma(unit.percent)}% ({points}, xếp loại {unit.band})"


def _losses(table: ScoreTable, ranked: Sequence[UnitScore]) -> list[str]:
    """The component that costs the provinces most together, and the unit where most of it was missed."""
    scored = [component for component in table.definition.components if component.max > 0]
    component = max(scored, key=lambda component: sum(_lost(component, unit) for unit in ranked))
    counted = [unit for unit in ranked if unit.components[component.id].absence is None]
    lost = sum((_lost(component, unit) for unit in counted), Decimal(0))
    if not lost:
        return ["Không thành phần nào có dữ liệu bị mất điểm."]
    hardest = max(counted, key=lambda unit: _lost(component, unit))
    average = lost / len(counted)
    what = f"{component.id} {component.name}"
    where = f"{short_name(hardest)} ({decimal_comma(_lost(component, hardest))} điểm; {_reached(hardest, component)})"
    if len(counted) > 1:
        loss = f"trung bình {decimal_comma(average)}/{component.max:f} điểm mỗi địa phương, nhiều nhất ở {where}"
    else:
        loss = f"ở {where}, tối đa {component.max:f} điểm"
    return [f"Mất điểm nhiều nhất là {what}: {loss}.", _next_step(table, hardest, component)]


def _next_step(table: ScoreTable, province: UnitScore, component: Component) -> str:
    units = [unit for kind in (UnitKind.DEPARTMENT, UnitKind.COMMUNE) for unit in table.units_of(province.tenant, kind)]
    rest = f"các đơn vị khác có trong trang {province.agency_code} của tệp Excel"
    behind = max(units, key=lambda unit: _missed(unit.components[component.id]), default=None)
    if behind is None or not _missed(behind.components[component.id]):
        return f"Việc nên làm trước: ở {short_name(province)}, rà soát {component.id}; {rest}."
    return (
        f"Việc nên làm trước: ở {short_name(province)}, rà soát {component.id} của {behind.name} "
        f"({_reached(behind, component)}); {rest}."
    )


def _lost(component: Component, unit: UnitScore) -> Decimal:
    """Points that were to be had and were not; nothing where nothing was counted."""
    scored = unit.components[component.id]
    return component.max - scored.score if scored.absence is None and scored.score is not None else Decimal(0)


def _missed(scored: ComponentScore) -> Decimal:
    return (scored.denominator or Decimal(0)) - (scored.numerator or Decimal(0))


def _reached(unit: UnitScore, component: Component) -> str:
    scored = unit.components[component.id]
    return f"đạt {decimal_comma(scored.numerator, 0)}/{decimal_comma(scored.denominator, 0)}"
