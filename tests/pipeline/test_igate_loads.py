"""Loads of an iGate province over time: repeated, moved on, killed, refused half-way; always the same truth."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from lienthong.model.errors import LienThongError, SourceAccessError, SourceAnswerError
from lienthong.pipeline import load as loading
from lienthong.pipeline.load import extract, open_load
from simulator.defects import Defect
from simulator.igate import FaultKind, IgateServer, IgateSwitches
from tests.pipeline.comparison import differences
from tests.pipeline.igates import SOURCE, TENANT, running_igate
from tests.pipeline.test_igate import DELETED, key_of, received
from tests.pipeline.test_truth import BLOCKING
from tests.sources.test_igate_gone import DetailService, details
from tests.world import Live, Wiring

__all__ = ["details"]  # a fixture

pytestmark = pytest.mark.xdist_group("igate-loads")
SMALL = 80
PROCESSES = multiprocessing.get_context("forkserver")


@pytest.fixture
def live(request: pytest.FixtureRequest) -> Iterator[Live]:
    """A small province of its own; catalogue synced, nothing loaded. Pages of 10, impatient."""
    with running_igate(request, SMALL) as live:
        path = live.settings.sources / f"{SOURCE}.yaml"
        hasty = path.read_text().replace("page_rows: 200", "page_rows: 10").replace("backoff_ms: 1000", "backoff_ms: 1")
        path.write_text(hasty.replace("attempts: 5", "attempts: 2").replace("smallest_page: 10", "smallest_page: 8"))
        live.sync_catalogue()
        yield live


def igate(live: Live) -> IgateServer:
    return live.igates[TENANT]


def believed(live: Live) -> set[str]:
    return {key for (key,) in live.rows("SELECT source_key FROM dossier.source_record WHERE tenant = 'H21'")}


def true_keys(live: Live) -> set[str]:
    return {key_of(entry) for entry in live.world.ledger(TENANT)}


def portal_differs(live: Live) -> dict[str, object]:
    """Sendable dossiers that the portal doesn't hold as they are true."""
    kept_back = {*BLOCKING, DELETED, Defect.PORTAL_REFUSES, Defect.EMPTY_REQUIRED, Defect.DUPLICATE_ROW}
    wrong: dict[str, object] = {}
    for entry in live.world.ledger(TENANT):
        if received(entry) and not kept_back & set(entry.defects):
            stored = live.portal.store.dossier(entry.code or "")
            found: object = differences(entry, stored.body) if stored else "absent"
            if found:
                wrong[entry.code or ""] = found
    return wrong


def test_a_second_load_changes_nothing_and_what_moves_on_arrives_once(live: Live) -> None:
    first = live.load(SOURCE)
    live.push(TENANT)
    before = live.contents()
    asked = igate(live).igate.counts["detail"]
    second = live.load(SOURCE)
    assert igate(live).igate.counts["detail"] == asked, "papers of dossiers that rest are not asked for again"
    assert first["dossier"]["inserted"] == len(true_keys(live))
    assert second["dossier"]["inserted"] == second["dossier"]["updated"] == 0
    assert second["dossier"]["unchanged"] > 0, "the overlap window is read again"
    assert live.contents() == before

    changes = igate(live).advance(3, 20)
    third = live.load(SOURCE)
    assert 0 < igate(live).igate.counts["detail"] - asked <= len({change.dossier_id for change in changes})
    moved = {change.dossier_id for change in changes if change.wire_changed}
    assert third["dossier"]["inserted"] + third["dossier"]["updated"] <= len({c.dossier_id for c in changes})
    assert third["dossier"]["inserted"] + third["dossier"]["updated"] >= len(moved) - 1
    assert third["dossier"]["stale"] == third["dossier"]["quarantined"] == 0
    live.push(TENANT)
    assert portal_differs(live) == {}

    kept = live.contents()
    full = live.load(SOURCE, mode="full")
    assert full["dossier"]["unchanged"] == len(true_keys(live))
    assert full["dossier"]["inserted"] == full["dossier"]["updated"] == 0
    assert live.contents() == kept


def die_after(wiring: Wiring, load_id: int, endpoint: str, calls: int) -> None:
    """An extract that is killed when it has made so many calls of one kind."""
    from lienthong.sources.systems.igate.client import IgateClient

    original = getattr(IgateClient, endpoint)
    made = iter(range(1, 10_000))

    def counted(*arguments: object, **options: object) -> object:
        if next(made) == calls:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **options)

    setattr(IgateClient, endpoint, counted)
    extract(wiring.rt, load_id)


def test_an_extract_killed_in_the_list_and_again_among_the_papers_is_finished_by_the_next_try(live: Live) -> None:
    load_id = open_load(live.rt, SOURCE, "killed")
    for endpoint, calls in (("search", 8), ("detail", 30)):
        child = PROCESSES.Process(target=die_after, args=(live.wiring, load_id, endpoint, calls))
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGKILL
        assert believed(live) == set()
    asked = [call for call in igate(live).igate.calls if call.endpoint == "detail"]
    changed = igate(live).advance(4, 5)
    for step in ("extract", "stage", "gate", "merge"):
        getattr(loading, step)(live.rt, load_id)
    details = [call for call in igate(live).igate.calls if call.endpoint == "detail"]
    assert len(details) - len(asked) < len(true_keys(live)) + 20, "the list was not read anew"
    assert believed(live) >= true_keys(live) - {
        f"{key_of(next(iter(live.world.ledger(TENANT))))[:16]}{change.dossier_id:08x}" for change in changed
    }
    live.load(SOURCE)
    assert believed(live) == true_keys(live), "what changed after the list was read comes with the next load"
    live.push(TENANT)
    assert portal_differs(live) == {}
    assert not list(live.folder.rglob("progress")), "nothing personal is left behind"


@pytest.mark.parametrize(
    ("endpoint", "kind", "error"),
    [
        ("search", FaultKind.HTML_PAGE, SourceAnswerError),
        ("detail", FaultKind.ERROR_BODY, SourceAnswerError),
        ("fees", FaultKind.TRUNCATED_JSON, SourceAnswerError),
    ],
)
def test_an_answer_that_is_no_answer_fails_the_load_with_one_clear_error_and_the_next_try_finishes_it(
    live: Live, endpoint: str, kind: FaultKind, error: type[LienThongError]
) -> None:
    igate(live).fail_next(endpoint, kind, 2)
    load_id = open_load(live.rt, SOURCE, "garbled")
    with pytest.raises(error) as caught:
        extract(live.rt, load_id)
    message = str(caught.value)
    assert f"source {SOURCE}, load {load_id}, key " in message
    [(said, state)] = live.rows("SELECT error, state FROM ops.load WHERE load_id = :id", id=load_id)
    assert said.endswith(message)
    assert state == "opened"
    assert believed(live) == set()
    for step in ("extract", "stage", "gate", "merge"):
        getattr(loading, step)(live.rt, load_id)
    assert believed(live) == true_keys(live)


def test_a_token_refused_half_way_is_told_and_the_same_load_goes_on_after_it_works_again(live: Live) -> None:
    igate(live).switches = IgateSwitches(refuse_after_pages=5, refuse_for_good=True)
    load_id = open_load(live.rt, SOURCE, "refused")
    with pytest.raises(SourceAccessError, match="right after a log-in"):
        extract(live.rt, load_id)
    igate(live).switches = IgateSwitches()
    before = igate(live).igate.counts["search"]
    for step in ("extract", "stage", "gate", "merge"):
        getattr(loading, step)(live.rt, load_id)
    assert believed(live) == true_keys(live)
    assert igate(live).igate.counts["search"] - before < before + 5
    with live.engine.connect() as connection:
        gaps = connection.execute(
            text("SELECT sum(extracted - inserted - updated - unchanged - duplicate - stale) FROM ops.load_count")
        )
        assert gaps.scalar_one() == 0


def told_gone(live: Live) -> list[tuple[str, int]]:
    return [(name, seen) for name, seen in live.rows("SELECT name, seen FROM ops.finding WHERE kind = 'set_aside'")]


def test_a_detail_service_that_knows_no_dossier_fails_the_load_and_the_same_load_brings_them_all_later(
    live: Live, details: DetailService
) -> None:
    details.lacks = lambda key, before: True
    load_id = open_load(live.rt, SOURCE, "without details")
    with pytest.raises(SourceAnswerError, match="HTTP 404"):
        extract(live.rt, load_id)
    assert live.rows("SELECT state FROM ops.load WHERE load_id = :id", id=load_id) == [("opened",)]
    assert live.rows("SELECT modified_at FROM ops.watermark") == []
    details.lacks = lambda key, before: False
    for step in ("extract", "stage", "gate", "merge"):
        getattr(loading, step)(live.rt, load_id)
    assert believed(live) == true_keys(live)
    assert told_gone(live) == []


def test_a_dossier_that_vanished_before_its_papers_were_asked_for_is_told_and_the_others_are_believed(
    live: Live, details: DetailService
) -> None:
    gone = min(true_keys(live))
    details.lacks = lambda key, before: key == gone
    counts = live.load(SOURCE)
    assert believed(live) == true_keys(live) - {gone}
    assert counts["dossier"]["extracted"] == len(true_keys(live)) - 1
    assert told_gone(live) == [("gone", 1)]
