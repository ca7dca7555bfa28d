"""Papers and fees of dossiers that rest are not asked for at every load; those of changed ones always are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from lienthong.landing import LandedBatch
from lienthong.model.codes import LoadMode
from lienthong.model.errors import SourceAnswerError, SourceUnreachableError
from lienthong.model.kinds.dossier import Entity
from lienthong.sources.igate.mapping import DOSSIER, FEE, PAPER, SET_ASIDE
from simulator.igate import FaultKind
from tests.sources.igate import Gateway, contract_of, landed, small_gateway, versions
from tests.sources.test_igate_gone import DetailService, details, healthy_owners, owners

__all__ = ["details", "small_gateway"]  # fixtures


@pytest.fixture
def whole(gateway: Gateway) -> Gateway:
    """An iGate that is read with papers and fees; its overlap is longer than its history."""
    everything = (Entity.DOSSIER, Entity.STEP, Entity.DOCUMENT, Entity.FEE)
    gateway.contract = contract_of(entities=everything, overlap=timedelta(days=4_000))
    return gateway


def children(batch: LandedBatch, table: str) -> list[tuple[str, str, str]]:
    return sorted((row["dossierId"], row["key"], row["item"]) for row in landed(batch, table))


def asked(gateway: Gateway, endpoint: str, work: Callable[[], object]) -> int:
    """Calls of an endpoint while something is done."""
    before = gateway.server.igate.counts[endpoint]
    work()
    return int(gateway.server.igate.counts[endpoint] - before)


def test_a_load_asks_only_for_papers_of_dossiers_that_changed_and_lands_those_of_all(
    whole: Gateway, details: DetailService
) -> None:
    first = whole.load()
    whole.server.advance(seed=3, changes=10)
    details.asked.clear()
    second = whole.load(earlier=first)
    before, now = versions(first), versions(second)
    assert now == whole.there()
    changed = {key for key, updated in now.items() if before.get(key) != updated}
    assert 0 < len(changed) <= 10
    assert set(details.asked) == changed
    fresh = whole.load()
    assert children(second, PAPER) == children(fresh, PAPER)
    assert children(second, FEE) == children(fresh, FEE)


def test_a_chain_of_loads_keeps_the_papers_of_those_that_never_change(whole: Gateway, details: DetailService) -> None:
    batch = whole.load()
    papers = children(batch, PAPER)
    details.asked.clear()
    for _ in range(3):
        batch = whole.load(earlier=batch)
    assert children(batch, PAPER) == papers
    assert not details.asked
    assert asked(whole, "fees", lambda: whole.load(earlier=batch)) == 0


@pytest.mark.parametrize("mode", [LoadMode.FULL, LoadMode.INCREMENTAL], ids=["full", "reuse_papers false"])
def test_a_full_load_or_a_contract_that_says_so_asks_for_all_papers_again(
    whole: Gateway, details: DetailService, mode: LoadMode
) -> None:
    batch = whole.load()
    details.asked.clear()
    if mode is LoadMode.INCREMENTAL:
        whole.contract = contract_of(
            entities=whole.contract.section.entities, overlap=whole.contract.overlap, http={"reuse_papers": False}
        )
    again = whole.load(mode=mode, earlier=batch)
    assert set(details.asked) == set(versions(again))


def test_another_contract_asks_for_all_papers_again(whole: Gateway, details: DetailService) -> None:
    batch = whole.load()
    details.asked.clear()
    again = whole.load(earlier=batch, time_zone="Asia/Bangkok")
    assert set(details.asked) == set(versions(again))


def test_an_earlier_batch_that_was_altered_is_not_believed(
    whole: Gateway, details: DetailService, caplog: pytest.LogCaptureFixture
) -> None:
    batch = whole.load()
    [papers] = [path for path in Path(whole.landing).rglob("*.parquet") if path.name.startswith(PAPER)]
    papers.chmod(0o600)
    papers.write_bytes(papers.read_bytes()[:-1] + b"x")
    details.asked.clear()
    again = whole.load(earlier=batch)
    assert set(details.asked) == set(versions(again))
    assert "was altered" in caplog.text


def test_a_load_that_breaks_among_the_papers_goes_on_without_landing_any_twice(
    whole: Gateway, details: DetailService
) -> None:
    first = whole.load()
    whole.server.advance(seed=5, changes=30)
    whole.server.fail_next("fees", FaultKind.HTTP_500, times=50)
    with pytest.raises((SourceUnreachableError, SourceAnswerError)):
        whole.load(earlier=first)
    whole.server.igate._faults.clear()
    second = whole.load(again=True, earlier=first)
    for table in (DOSSIER, PAPER, FEE):
        key = "id" if table == DOSSIER else "key"
        rows = [(row.get("dossierId"), row[key]) for row in landed(second, table)]
        assert len(set(rows)) == len(rows), table
    assert (owners(second, PAPER), owners(second, FEE)) == healthy_owners(whole)


def test_a_dossier_that_was_gone_before_is_asked_for_alone_and_stops_nothing(
    whole: Gateway, details: DetailService
) -> None:
    lost = sorted(whole.there())[6]
    details.lacks = lambda key, before: key == lost
    first = whole.load()
    assert [row["id"] for row in landed(first, SET_ASIDE)] == [lost]
    details.asked.clear()
    second = whole.load(earlier=first)
    assert set(details.asked) == {lost}
    assert [row["id"] for row in landed(second, SET_ASIDE)] == [lost]
    details.lacks = lambda key, before: False
    third = whole.load(earlier=second)
    assert versions(third) == whole.there()
    assert lost in owners(third, PAPER)


def test_a_detail_service_that_is_out_is_noticed_though_few_are_asked_for(
    whole: Gateway, details: DetailService
) -> None:
    first = whole.load()
    whole.server.advance(seed=4, changes=12)
    details.lacks = lambda key, before: True
    with pytest.raises(SourceAnswerError, match="HTTP 404"):
        whole.load(earlier=first)


def test_one_changed_dossier_that_is_gone_stops_nothing_while_others_are_known(
    whole: Gateway, details: DetailService
) -> None:
    """At night a load asks for few; dossiers that rest are asked for to see whether the service is there."""
    first = whole.load()
    [change] = whole.server.advance(seed=4, changes=1)
    before = versions(first)
    lost = {key for key, updated in whole.there().items() if before.get(key) != updated}
    assert len(lost) == 1, change
    details.lacks = lambda key, asked: key in lost
    second = whole.load(earlier=first)
    assert {row["id"] for row in landed(second, SET_ASIDE)} == lost
    assert versions(second).keys() == whole.there().keys() - lost
    details.lacks = lambda key, asked: True
    whole.marks = first.manifest.facts.watermarks
    with pytest.raises(SourceAnswerError, match="HTTP 404"):
        whole.load(earlier=first)
