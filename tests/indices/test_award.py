"""Points agree to the hundredth with what the portal published."""

from __future__ import annotations

import csv
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from lienthong.indices.award import Count, band_of, component_score, group_points, half_up, ranks, ratio, unit_points
from lienthong.indices.definition import Award, AwardKind, Component, Definition, Feed
from tests.indices.world import DEFINITION

HERE = Path(__file__).parent
#: What the portal, or a newspaper quoting it, published: units, components with their counts, groups and totals.
PUBLISHED = HERE / "published_scores.csv"
BY_CODE = {component.code: component for component in DEFINITION.components}


def complete(definition: Definition) -> Definition:
    """The definition as if every component had a feed, as on the portal."""
    components = tuple(
        component.model_copy(update={"feed": Feed.WAREHOUSE}) if component.feed is Feed.NONE else component
        for component in definition.components
    )
    return definition.model_copy(update={"components": components})


def decimal(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.mark.parametrize("row", read(HERE / "published_cases.csv"), ids=lambda row: row["case"])
def test_a_published_component_is_reproduced(row: dict[str, str]) -> None:
    score = component_score(BY_CODE[row["component"]], Count(decimal(row["counted"]), decimal(row["out_of"])))
    assert score == decimal(row["points"])


def test_the_published_groups_are_sums_of_their_rounded_components() -> None:
    cases: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in read(HERE / "published_groups.csv"):
        cases[row["case"]].append(row)
    for case, rows in cases.items():
        components = [BY_CODE[row["component"]] for row in rows]
        scores = {
            component.id: component_score(component, Count(decimal(row["counted"]), decimal(row["out_of"])))
            for component, row in zip(components, rows, strict=True)
        }
        assert group_points(components, scores).score == Decimal(rows[0]["points"]), case


def test_every_published_component_with_counts_is_reproduced() -> None:
    rows = read(PUBLISHED)
    groups: dict[tuple[str, str, str], dict[str, Decimal | None]] = defaultdict(dict)
    components = 0
    for row in rows:
        if not row["component"]:
            continue
        component = BY_CODE[row["component"]]
        score = component_score(component, Count(decimal(row["counted"]), decimal(row["out_of"])))
        groups[row["unit"], row["period"], row["group"]][component.id] = score
        if row["group"] not in ("DVCTT", "TTTT"):
            assert score == decimal(row["points"]), row
        components += 1
        assert component.max == Decimal(row["max"]), row
    summed = 0
    for row in rows:
        scores = groups.get((row["unit"], row["period"], row["group"]))
        if row["component"] or not scores:
            continue
        whole = complete(DEFINITION)
        if set(scores) >= {component.id for component in whole.of_group(row["group"]) if component.max > 0}:
            assert group_points(whole.of_group(row["group"]), scores).score == Decimal(row["points"]), row
            summed += 1
    assert components > 80
    assert summed > 30


def test_the_published_totals_are_the_sums_of_their_groups_except_the_one_known_to_be_wrong() -> None:
    totals: dict[tuple[str, str], Decimal] = {}
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in read(PUBLISHED):
        key = (row["unit"], row["period"])
        if row["group"] == "TOTAL":
            totals[key] = Decimal(row["points"])
        elif not row["component"]:
            sums[key] += Decimal(row["points"])
    wrong = {unit for (unit, period), total in totals.items() if (unit, period) in sums and sums[unit, period] != total}
    assert wrong == {"UBND tỉnh Sơn La"}


def test_the_published_total_of_a_province_is_the_sum_of_its_groups() -> None:
    counts = {
        "1.3": (87, 89), "1.4": (138744, 138744), "1.1": (0, 0), "1.2": (0, 0), "2.1": (144625, 184513),
        "3.1": (52, 56), "3.2": (406, 1968), "3.3": (150956, 152595), "3.5": (56, 310), "3.5b": (93, 310),
        "3.6": (82913, 98459), "4.1": (133274, 184513), "4.2": (21233, 184513), "4.3": (3160, 184513),
        "4.4": (0, 184513), "4.5a": (297, 1301), "4.5b": (85644, 184513), "5.2": (182, 247), "5.3": (137, 247),
        "5.4": (144574, 184513),
    }  # fmt: skip
    given = {key: Count(Decimal(numerator), Decimal(denominator)) for key, (numerator, denominator) in counts.items()}
    points = unit_points(complete(DEFINITION), given)
    assert {code: group.score for code, group in points.groups.items()} == {
        "CKMB": Decimal("7.96"), "TDGQ": Decimal("15.68"), "DVCTT": Decimal("8.83"), "TTTT": Decimal("6.25"),
        "MDHL": Decimal("12.97"), "MDSH": Decimal("8.22"),
    }  # fmt: skip
    assert (points.total, points.available, points.percent) == (Decimal("59.91"), Decimal(100), Decimal("59.91"))
    assert points.band == "trung bình"


def test_an_idle_unit_has_sixteen_points_when_everything_can_be_measured() -> None:
    nothing = {component.id: Count(Decimal(0), Decimal(0)) for component in DEFINITION.components}
    points = unit_points(complete(DEFINITION), {**nothing, "1.3": Count(Decimal(1), Decimal(1))})
    assert points.total == Decimal("16.00")


def test_components_without_a_feed_are_null_and_their_points_are_not_available() -> None:
    points = unit_points(DEFINITION, {})
    assert points.groups["MDHL"].score is None
    assert points.groups["CKMB"].available == 6
    assert points.groups["TDGQ"].score == 0
    assert points.available == 70
    assert "5.4" not in points.components
    assert points.total == 2  # the certified copy


def test_a_null_adds_nothing_but_keeps_its_maximum() -> None:
    points = group_points(DEFINITION.of_group("CKMB"), {"1.4": None})
    assert (points.score, points.available) == (Decimal(0), Decimal(6))


def test_the_unrounded_rate_is_scored_not_the_displayed_one() -> None:
    component = BY_CODE["ORIGINAL_RESULT_AVAILABLE"]
    count = Count(Decimal(124166), Decimal(1000000))
    displayed = half_up((ratio(count) or Decimal(0)) * 100)
    assert half_up(component.max * displayed / 100) == Decimal("0.75")
    assert component_score(component, count) == Decimal("0.74")


def test_halves_go_up_and_less_than_half_goes_down() -> None:
    linear = Component.model_validate({**BY_CODE["ON_TIME"].model_dump(), "max": 1})
    assert component_score(linear, Count(Decimal(1), Decimal(200))) == Decimal("0.01")  # exactly 0.005
    assert component_score(linear, Count(Decimal(49999), Decimal(10000000))) == Decimal("0.00")


def test_a_cap_gives_full_marks_from_its_threshold_and_a_line_below() -> None:
    capped = BY_CODE["ONLINE_CHANNEL"]
    assert component_score(capped, Count(Decimal(1), Decimal(2))) == 6
    assert component_score(capped, Count(Decimal(49), Decimal(100))) == Decimal("5.88")
    assert component_score(capped, Count(Decimal(2), Decimal(2))) == 6


def test_digitisation_can_be_capped_by_changing_the_definition() -> None:
    capped = BY_CODE["SO_HOA_GIAY_TO_GIAI_QUYET"].model_copy(
        update={"award": Award(kind=AwardKind.CAP, at=Decimal("0.80"))}
    )
    assert component_score(capped, Count(Decimal(231), Decimal(482))) == Decimal("2.40")


@pytest.mark.parametrize(
    ("percent", "band"),
    [("90", "xuất sắc"), ("89.99", "tốt"), ("80", "tốt"), ("79.99", "khá"), ("70", "khá"), ("69.99", "trung bình"),
     ("50", "trung bình"), ("49.99", "yếu"), ("0", "yếu")],
)  # fmt: skip
def test_bands_begin_at_their_edges(percent: str, band: str) -> None:
    assert band_of(DEFINITION, Decimal(percent)) == band


def test_equal_totals_share_a_rank_and_the_next_rank_is_skipped() -> None:
    assert ranks([Decimal("50.00"), Decimal("61.5"), Decimal("50"), Decimal("40")]) == [2, 1, 2, 4]
