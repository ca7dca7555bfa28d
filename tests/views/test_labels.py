"""Every code has its word: a new state, kind or entity without one fails here and not in front of an official."""

from __future__ import annotations

from enum import StrEnum

import pytest

from lienthong.exchange.adoption import AdoptionSummary
from lienthong.exchange.compare import Difference, Verdict
from lienthong.exchange.decisions import Open
from lienthong.freshness.findings import CloseReason, FindingSeverity
from lienthong.freshness.workdays import DayKind
from lienthong.indices.table import Absence, ScoreKind, UnitKind
from lienthong.model.codes import DeliveryState, LoadMode, Severity
from lienthong.model.kinds import ENTITIES
from lienthong.views import labels
from lienthong.views.status import SourceHealth


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        (labels.LOAD_MODES, LoadMode),
        (labels.HEALTH, SourceHealth),
        (labels.GATE_SEVERITIES, Severity),
        (labels.FINDING_SEVERITIES, FindingSeverity),
        (labels.CLOSE_REASONS, CloseReason),
        (labels.DAYS, DayKind),
        (labels.UNITS, UnitKind),
        (labels.SCORES, ScoreKind),
        (labels.ABSENCES, Absence),
        (labels.COMPARED, Verdict),
        (labels.UNDECIDED, Open),
        (labels.UNDECIDED_ADVICE, Open),
    ],
)
def test_every_code_has_its_word_and_no_word_is_left_over(words: dict[str, str], codes: type[StrEnum]) -> None:
    assert set(words) == set(codes)


def test_every_entity_of_every_kind_has_its_word() -> None:
    assert set(labels.ENTITIES) == set(ENTITIES)


def test_every_kind_of_difference_has_its_word_but_missing_which_is_a_verdict() -> None:
    assert set(labels.DIFFERENCES) == set(Difference) - {Difference.MISSING}


def test_the_columns_of_deliveries_are_all_states_and_those_only_watched() -> None:
    shown = [state for states in labels.DELIVERY_COLUMNS.values() for state in states]
    assert sorted(shown) == sorted({*(state.value for state in DeliveryState), "watched"})


def test_every_count_of_an_adoption_has_its_word() -> None:
    assert set(labels.ADOPTED) == set(AdoptionSummary.__dataclass_fields__) - {"tenant"}
