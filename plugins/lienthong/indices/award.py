"""From counts to points: pure Decimal, and the only place where points are awarded, rounded, summed and ranked.

index-766 §3: each component is scored from the unrounded rate, rounded half-up to two decimals, and the rounded scores
are summed. Null is not 0: it adds nothing and stays null.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext

from lienthong.indices.definition import AwardKind, Component, Definition, ZeroRule

#: Wide enough that no quotient of counts that is not exactly halfway looks halfway.
_PRECISE = Context(prec=50, rounding=ROUND_HALF_UP)
HUNDREDTH = Decimal("0.01")
TOTAL = "TOTAL"


@dataclass(frozen=True)
class Count:
    """Numerator and denominator of one component for one unit; None means that nobody counted."""

    numerator: Decimal | None
    denominator: Decimal | None


@dataclass(frozen=True)
class Points:
    """Points of a group or of the total: `score` None when nothing in it has data; `available` points could be had."""

    score: Decimal | None
    available: Decimal


@dataclass(frozen=True)
class UnitPoints:
    """Everything awarded to one unit. `percent` is total / available in percent, and decides the band."""

    components: Mapping[str, Decimal | None]
    groups: Mapping[str, Points]
    total: Decimal
    available: Decimal
    percent: Decimal
    band: str


def half_up(value: Decimal) -> Decimal:
    """To two decimals, halves away from zero."""
    return value.quantize(HUNDREDTH, rounding=ROUND_HALF_UP)


def ratio(count: Count) -> Decimal | None:
    """The unrounded rate; None without counts or with a denominator of 0."""
    if count.numerator is None or not count.denominator:
        return None
    return _PRECISE.divide(count.numerator, count.denominator)


def component_score(component: Component, count: Count) -> Decimal | None:
    """Points of one component (index-766 §2 and §3.1–3.2), never more than its maximum; None is the portal's null."""
    if component.award.kind is AwardKind.CONSTANT:
        return half_up(component.max)
    if component.award.kind is AwardKind.NONE or count.numerator is None or count.denominator is None:
        return None
    if count.denominator == 0:
        return {ZeroRule.NULL: None, ZeroRule.ZERO: half_up(Decimal(0)), ZeroRule.FULL: half_up(component.max)}[
            component.zero
        ]
    at = component.award.at or Decimal(1)
    with localcontext(_PRECISE):
        earned = component.max * count.numerator / (count.denominator * at)
    return half_up(min(earned, component.max))


def group_points(
    components: Iterable[Component], scores: Mapping[str, Decimal | None], lacking: Collection[str] = ()
) -> Points:
    """Sum of the rounded component scores. A null adds 0 and its maximum stays; a component without a feed has none,
    nor has one that is `lacking`.
    """
    fed = [component for component in components if _is_fed(component, lacking) and component.max > 0]
    if not fed:
        return Points(None, Decimal(0))
    known = (scores.get(component.id) for component in fed)
    return Points(
        half_up(sum((score for score in known if score is not None), Decimal(0))),
        sum((component.max for component in fed), Decimal(0)),
    )


def _is_fed(component: Component, lacking: Collection[str]) -> bool:
    return component.has_data and component.id not in lacking


def unit_points(definition: Definition, counts: Mapping[str, Count], lacking: Collection[str] = ()) -> UnitPoints:
    """Award everything to one unit. Components missing from `counts` were not counted; those `lacking` (by id) can't be
    fed for this unit and count neither as earned nor as available.
    """
    nothing = Count(None, None)
    scores = {
        component.id: component_score(component, counts.get(component.id, nothing))
        for component in definition.components
        if _is_fed(component, lacking)
    }
    groups = {group.code: group_points(definition.of_group(group.code), scores, lacking) for group in definition.groups}
    total = sum((points.score for points in groups.values() if points.score is not None), Decimal(0))
    available = sum((points.available for points in groups.values()), Decimal(0))
    percent = half_up(_PRECISE.divide(total * 100, available)) if available else Decimal(0)
    return UnitPoints(scores, groups, half_up(total), available, percent, band_of(definition, percent))


def band_of(definition: Definition, percent: Decimal) -> str:
    """Name of the band (index-766 §4) of a percentage."""
    return next(band.name for band in definition.bands if percent >= band.start)


def ranks(percents: Sequence[Decimal]) -> list[int]:
    """1 for the highest; equal ones share a rank and the next rank is skipped (1, 2, 2, 4).

    Percentages, as not all units have data for the same points; where they do, the order is that of the totals.
    """
    first: dict[Decimal, int] = {}
    for position, percent in enumerate(sorted(percents, reverse=True), start=1):
        first.setdefault(percent, position)
    return [first[percent] for percent in percents]
