"""Dossiers of the list that the detail service does not know: a few may have been deleted, many are an outage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from lienthong.landing import LandedBatch
from lienthong.model.errors import CollapsedExtractError, SourceAnswerError
from lienthong.model.kinds.dossier import Entity
from lienthong.sources.contract_parts import VolumeGuard
from lienthong.sources.igate.mapping import DOSSIER, FEE, PAPER, SET_ASIDE
from lienthong.sources.igate.papers import most_gone
from lienthong.sources.profiles import profile_of
from simulator.igate import app
from simulator.igate.ids import dossier_id
from simulator.igate.items import listed
from tests.sources.igate import Gateway, contract_of, landed, small_gateway, versions

__all__ = ["small_gateway"]  # a fixture


class DetailService:
    """The simulated detail service; answers 404 for the dossiers of which `lacks` (id, times asked before) is true."""

    def __init__(self) -> None:
        self.lacks: Callable[[str, int], bool] = lambda key, before: False
        self.asked: Counter[str] = Counter()

    def answer(self, facts: Any, *others: Any, **options: Any) -> dict[str, Any]:
        key = dossier_id(facts.plan.province, facts.plan.dossier_id)
        before = self.asked[key]
        self.asked[key] += 1
        if self.lacks(key, before):
            raise KeyError("deleted")
        return listed(facts, *others, **options)


@pytest.fixture
def details(monkeypatch: pytest.MonkeyPatch) -> DetailService:
    service = DetailService()
    monkeypatch.setattr(app, "listed", service.answer)
    return service


@pytest.fixture
def whole(gateway: Gateway) -> Gateway:
    """An iGate that is read with papers and fees."""
    gateway.contract = contract_of(entities=(Entity.DOSSIER, Entity.STEP, Entity.DOCUMENT, Entity.FEE))
    return gateway


def findings(gateway: Gateway, batch: LandedBatch) -> list[tuple[str, int]]:
    codes = profile_of(gateway.contract).unmapped_codes(gateway.contract, batch)
    return [(code.word, code.rows) for code in codes if code.kind == SET_ASIDE]


def owners(batch: LandedBatch, table: str) -> set[str]:
    return {row["dossierId"] for row in landed(batch, table)}


@pytest.mark.parametrize(
    ("asked", "most"), [(0, 0), (1, 0), (2, 1), (5, 2), (6, 3), (150, 3), (200, 4), (5_000, 100), (500_000, 100)]
)
def test_three_or_two_in_a_hundred_may_be_gone_but_never_a_hundred_and_one_or_more_than_half(
    asked: int, most: int
) -> None:
    assert most_gone(asked) == most


def test_a_detail_service_that_knows_nothing_stops_the_load_and_all_arrives_when_it_is_back(
    whole: Gateway, details: DetailService
) -> None:
    details.lacks = lambda key, before: True
    for again in (False, True):
        with pytest.raises(SourceAnswerError, match="HTTP 404") as caught:
            whole.load(again=again)
        message = str(caught.value)
        assert "source igate_h21, load 1, key /pa/dossier/{id}/--online" in message
        assert "check the detail service and the account's rights" in message
        assert not [key for key in whole.there() if key in message]
        assert not [name for name in whole.files() if "manifest" in name]
    assert whole.marks == {}
    details.lacks = lambda key, before: False
    before = len(whole.searches())
    batch = whole.load(again=True)
    assert len(whole.searches()) == before, "the list had been read"
    assert versions(batch) == whole.there()
    assert landed(batch, SET_ASIDE) == []
    assert findings(whole, batch) == []
    assert (owners(batch, PAPER), owners(batch, FEE)) == healthy_owners(whole)


def healthy_owners(gateway: Gateway) -> tuple[set[str], set[str]]:
    """The dossiers that have papers, and those that have fees, in a load of their own without any trouble."""
    gateway.marks = {}
    batch = gateway.load()
    return owners(batch, PAPER), owners(batch, FEE)


def test_an_outage_half_way_stops_the_load_and_the_next_try_asks_only_for_what_it_lacks(
    whole: Gateway, details: DetailService
) -> None:
    details.lacks = lambda key, before: len(details.asked) > 40
    with pytest.raises(SourceAnswerError, match="HTTP 404"):
        whole.load()
    answered = set(list(details.asked)[:40])
    details.lacks = lambda key, before: False
    batch = whole.load(again=True)
    assert versions(batch) == whole.there()
    assert {details.asked[key] for key in answered} == {1}
    papers = [(row["dossierId"], row["key"]) for row in landed(batch, PAPER)]
    assert len(set(papers)) == len(papers) > 0


def test_a_dossier_that_vanished_is_set_aside_and_told_and_the_others_are_loaded(
    whole: Gateway, details: DetailService
) -> None:
    gone = next(iter(whole.there()))
    details.lacks = lambda key, before: key == gone
    batch = whole.load()
    assert set(versions(batch)) == set(whole.there()) - {gone}
    assert [(row["id"], row["why"]) for row in landed(batch, SET_ASIDE)] == [(gone, "gone")]
    assert gone not in owners(batch, PAPER) | owners(batch, FEE)
    assert findings(whole, batch) == [("gone", 1)]
    assert details.asked[gone] == 2, "it was asked for once more before it was believed to be gone"
    mark = whole.marks[DOSSIER]

    details.lacks = lambda key, before: False
    again = whole.load()
    assert gone in versions(again), "it stands inside the overlap window"
    assert findings(whole, again) == []
    assert whole.marks[DOSSIER].modified_at == mark.modified_at
    assert whole.marks[DOSSIER].overlap_rows == mark.overlap_rows + 1, "what is gone was not seen"


@pytest.mark.parametrize("times", [1, 3])
def test_dossiers_that_are_known_the_second_time_are_loaded(whole: Gateway, details: DetailService, times: int) -> None:
    late = set(list(whole.there())[10 : 10 + times])
    details.lacks = lambda key, before: key in late and before == 0
    batch = whole.load()
    assert versions(batch) == whole.there()
    assert landed(batch, SET_ASIDE) == []


def test_as_many_as_may_be_gone_are_set_aside_and_one_more_is_refused(whole: Gateway, details: DetailService) -> None:
    most = most_gone(len(whole.there()))
    lost = list(whole.there())[-most - 1 :]
    details.lacks = lambda key, before: key in lost
    with pytest.raises(SourceAnswerError, match=f"at most {most} may have been deleted"):
        whole.load()
    details.lacks = lambda key, before: key in lost[1:]
    batch = whole.load(again=True)
    assert set(versions(batch)) == set(whole.there()) - set(lost[1:])
    assert findings(whole, batch) == [("gone", most)]


def test_a_small_load_of_which_nothing_is_known_is_refused_too(whole: Gateway, details: DetailService) -> None:
    whole.load()
    mark = whole.marks
    whole.contract = whole.contract.model_copy(update={"overlap": whole.contract.overlap * 0})
    details.lacks = lambda key, before: True
    with pytest.raises(SourceAnswerError, match="HTTP 404"):
        whole.load()
    assert whole.marks == mark
    assert len([key for key, times in details.asked.items() if times > 1]) <= 3


def test_what_is_gone_does_not_count_as_found_again(whole: Gateway, details: DetailService) -> None:
    whole.load()
    strict = VolumeGuard(overlap_min_ratio=1.0, min_rows=1)
    gone = next(iter(whole.there()))
    details.lacks = lambda key, before: key == gone
    with pytest.raises(CollapsedExtractError):
        whole.load(volume_guard=strict)
    details.lacks = lambda key, before: False
    assert gone in versions(whole.load(again=True, volume_guard=strict))


def test_a_look_tells_that_the_newest_dossier_has_no_detail(whole: Gateway, details: DetailService) -> None:
    def remarks() -> str:
        look = profile_of(whole.contract).look
        return " ".join(look(whole.contract, whole.connection, lambda: datetime.now(UTC)).remarks)

    assert "404" not in remarks()
    details.lacks = lambda key, before: True
    assert "dịch vụ chi tiết (/pa/dossier/{id}/--online) trả lời 404" in remarks()
