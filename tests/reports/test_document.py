"""What programs read of a month's scores."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lienthong.cli.output import to_json
from lienthong.indices import ScoreTable
from lienthong.reports import score_document


@pytest.fixture
def document(table: ScoreTable) -> dict[str, Any]:
    """Read back from its text."""
    found: dict[str, Any] = json.loads(to_json(score_document(table)))
    return found


def unit(document: dict[str, Any], code: str) -> dict[str, Any]:
    [found] = [unit for unit in document["units"] if unit["agency_code"] == code]
    return dict(found)


def test_every_unit_is_there_with_its_exact_points(document: dict[str, Any], table: ScoreTable) -> None:
    for scored in table.units:
        found = unit(document, scored.agency_code)
        assert (found["total"], found["rank"], found["band"]) == (f"{scored.total:f}", scored.rank, scored.band)
        assert set(found["components"]) == set(scored.components)
    assert document["month"] == "2026-10"
    assert len(document["conclusions"]) == 3


def test_a_zero_of_zero_says_which_of_the_two_it_is(document: dict[str, Any]) -> None:
    idle = unit(document, "H17.01")
    assert (idle["idle"], idle["percent"], idle["rank"], idle["band"]) == (True, None, None, None)
    on_time = idle["components"]["2.1"]
    assert (on_time["score"], on_time["denominator"], on_time["absence"]) == ("0.00", "0", "nothing_arose")
    assert idle["groups"]["TDGQ"]["absence"] == "nothing_arose"
    services = unit(document, "H26.05")["components"]["3.1"]
    assert (services["score"], services["denominator"], services["absence"]) == (None, None, "no_data")
    assert unit(document, "H26")["groups"]["MDHL"] == {"score": None, "available": "0.00", "absence": "no_data"}
    assert unit(document, "H17.05")["components"]["2.1"]["absence"] is None
