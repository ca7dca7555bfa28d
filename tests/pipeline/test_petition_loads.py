"""Petitions and ratings that move on, vanish and come wrong: one clear error or finding, and the others go on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from lienthong.model.codes import PetitionStatus
from lienthong.model.errors import (
    CollapsedExtractError,
    ContractError,
    LienThongError,
    SchemaDriftError,
    SourceAccessError,
    SourceAnswerError,
    SourceUnreachableError,
)
from lienthong.pipeline.load import extract, open_load
from lienthong.pipeline.views import status
from simulator.feedback import Act, Desk, Petition, PetitionDefect
from simulator.service import FaultKind
from simulator.streams import stream
from simulator.workdays import DAY, HOUR
from tests.pipeline.desks import HOTLINE, PAKN, RATINGS, Said, running_desks

pytestmark = pytest.mark.xdist_group("desks")

ALL = (PAKN, HOTLINE, RATINGS)
ROOT = {PAKN: "petition", HOTLINE: "petition", RATINGS: "rating"}
LIST = {PAKN: "petitions", HOTLINE: "petitions", RATINGS: "ratings"}


@pytest.fixture
def said(request: pytest.FixtureRequest) -> Iterator[Said]:
    """Small desks without faults, impatient contracts, and a warehouse that has the catalogue."""
    with running_desks(request, 40, share=0) as running:
        for source in ALL:
            running.contract(source, "backoff_ms: 1000", "backoff_ms: 1")
            running.contract(source, "page_rows: 100", "page_rows: 15")
            running.contract(source, "longest_wait_s: 60.0", "longest_wait_s: 0.01")
        running.live.sync_catalogue()
        yield running


def changed(counts: dict[str, dict[str, int]]) -> int:
    """Rows that a load inserted or updated."""
    return sum(row["inserted"] + row["updated"] for row in counts.values())


def petitions_of(said: Said, desk: Desk) -> list[Petition]:
    return said.feedback.petitions[desk]


def open_petition(said: Said, desk: Desk) -> Petition:
    """One that waits for an answer, at one desk only."""
    return next(p for p in petitions_of(said, desk) if p.last_act in (Act.PROCESSING, Act.TRANSFERRED) and not p.twin)


def answer(said: Said, plan: Petition) -> None:
    """The agency answers now."""
    at = (max(said.feedback.clock, max(p.modified for p in petitions_of(said, Desk(plan.desk)))) // 60 + 1) * 60
    said.feedback.lives.happen(stream(1, "answer"), plan, Act.ANSWERED, at)


@pytest.mark.parametrize("source", ALL)
def test_a_second_load_changes_nothing(said: Said, source: str) -> None:
    first = said.live.load(source)
    assert first[ROOT[source]]["inserted"] == first[ROOT[source]]["extracted"] == len(said.entries(source))
    for mode in ("incremental", "full"):
        assert changed(said.live.load(source, mode=mode)) == 0


@pytest.mark.parametrize("source", [PAKN, HOTLINE])
def test_an_answer_is_a_new_version_and_the_one_before_is_kept(said: Said, source: str) -> None:
    said.live.load(source)
    plan = open_petition(said, Desk.PAKN if source == PAKN else Desk.HOTLINE)
    key = next(key for key, entry in said.entries(source).items() if entry.number == plan.number)
    answer(said, plan)
    counts = said.live.load(source)
    assert (counts["petition"]["updated"], counts["petition"]["inserted"]) == (1, 0)
    assert counts["petition_step"]["inserted"] == 1
    now = said.live.rows(
        "SELECT version, status, answered_at IS NOT NULL FROM petition.source_record WHERE source_key = :key", key=key
    )
    before = said.live.rows(
        "SELECT version, answered_at, superseded_by FROM petition.source_record_history WHERE source_key = :key",
        key=key,
    )
    assert now == [(2, 5, True)]
    assert before == [(1, None, 2)]
    person = said.live.rows("SELECT answer FROM petition.person WHERE source_key = :key", key=key)
    assert person[0][0].endswith("đã kiểm tra và xử lý.")


def test_what_changes_in_an_old_petition_of_the_1022_is_found_by_the_full_load_only(said: Said) -> None:
    said.live.load(HOTLINE)
    newest = max(plan.sent for plan in petitions_of(said, Desk.HOTLINE))
    old = next(p for p in petitions_of(said, Desk.HOTLINE) if p.sent < newest - 62 * DAY and p.moment_of(Act.ANSWERED))
    with said.feedback.lock:
        old.likes += 5
    assert changed(said.live.load(HOTLINE)) == 0
    assert said.live.load(HOTLINE, mode="full")["petition"]["updated"] == 1


def test_a_touch_without_a_change_changes_nothing(said: Said) -> None:
    said.live.load(PAKN)
    plan = petitions_of(said, Desk.PAKN)[0]
    plan.touched = max(p.modified for p in petitions_of(said, Desk.PAKN)) + 60
    counts = said.live.load(PAKN)
    assert changed(counts) == 0
    assert counts["petition"]["extracted"] >= 1


def test_everything_that_goes_on_is_followed(said: Said) -> None:
    for source in ALL:
        said.live.load(source)
    for _ in range(6):
        said.feedback.advance(11, 12)
        said.live.clock += timedelta(days=1)
        for source in ALL:
            said.live.load(source)
    said.live.load(HOTLINE, mode="full")  # the 1022 doesn't say what changed in its old petitions
    for source in (PAKN, HOTLINE):
        believed = {
            key: (status, likes)
            for key, status, likes in said.live.rows(
                "SELECT source_key, status, likes FROM petition.source_record WHERE source_id = :source", source=source
            )
        }
        true = {
            key: (PetitionStatus[entry.truth["status"].upper()], entry.truth["likes"])
            for key, entry in said.entries(source).items()
        }
        assert believed == true
    rated = {key for (key,) in said.live.rows("SELECT source_key FROM rating.source_record")}
    assert rated == set(said.entries(RATINGS))


@pytest.mark.parametrize(("source", "kind"), [(PAKN, "petition"), (HOTLINE, "petition"), (RATINGS, "rating")])
def test_what_the_source_no_longer_lists_is_told_and_stays_believed(said: Said, source: str, kind: str) -> None:
    said.live.load(source)
    if source == RATINGS:
        said.feedback.remove_rating(1005)
    else:
        alone = next(p for p in petitions_of(said, Desk.PAKN if source == PAKN else Desk.HOTLINE) if not p.twin)
        said.feedback.remove(Desk(alone.desk), alone.number)
    gone = [key for key, entry in said.entries(source).items() if entry.gone]
    said.live.load(source, mode="full")
    assert said.live.rows(f"SELECT source_key FROM {kind}.vanished") == [(gone[0],)]
    found = [finding for finding in status(said.live.rt, source).findings if finding.kind == "records_vanished"]
    assert [finding.details["keys"] for finding in found] == [gone]
    assert said.live.rows(f"SELECT 1 FROM {kind}.source_record WHERE source_key = :key", key=gone[0]) == [(1,)]


def test_a_petition_whose_date_was_mended_leaves_quarantine(said: Said) -> None:
    plan = next(p for p in petitions_of(said, Desk.PAKN) if p.moment_of(Act.TRANSFERRED) and not p.twin)
    plan.defect = PetitionDefect.BAD_DATE
    assert said.live.load(PAKN)["petition"]["quarantined"] == 1
    assert said.live.rows("SELECT reasons, state FROM quality.quarantine WHERE entity = 'petition'") == [
        (["petition_typed"], "open")
    ]
    plan.defect = None
    plan.touched = max(p.modified for p in petitions_of(said, Desk.PAKN)) + 60
    assert said.live.load(PAKN)["petition"]["inserted"] == 1
    assert said.live.rows("SELECT DISTINCT state FROM quality.quarantine") == [("released",)]


def test_a_step_without_its_petition_is_kept_back_and_the_others_go_on(said: Said) -> None:
    plan = next(p for p in petitions_of(said, Desk.HOTLINE) if not p.twin)
    plan.defect = PetitionDefect.ORPHAN_CHILD
    counts = said.live.load(HOTLINE)
    assert counts["petition_step"]["quarantined"] == len(plan.events) // 2
    assert counts["petition"]["inserted"] == len(petitions_of(said, Desk.HOTLINE)) - 1
    plan.defect = None
    said.live.load(HOTLINE, mode="full")
    assert said.live.rows(
        "SELECT count(*) FROM petition.petition_step WHERE source_key = :key", key=str(plan.number)
    ) == [(len(plan.events) // 2,)]


@pytest.mark.parametrize("source", ALL)
def test_a_refused_account_is_one_clear_error_and_the_others_go_on(said: Said, source: str) -> None:
    said.connect(source, password="not-the-password")
    with pytest.raises(SourceAccessError) as caught:
        said.live.load(source)
    assert source in str(caught.value)
    assert f"src_{source}" in str(caught.value)
    assert "not-the-password" not in str(caught.value)
    for other in (other for other in ALL if other != source):
        assert said.live.load(other)[ROOT[other]]["inserted"] > 0


@pytest.mark.parametrize("source", ALL)
def test_a_connection_without_a_password_is_named(said: Said, source: str) -> None:
    said.connect(source, password=None)
    with pytest.raises(ContractError, match=f"'src_{source}' lacks password"):
        said.live.load(source)


@pytest.mark.parametrize("source", [PAKN, HOTLINE])
def test_a_session_that_ends_in_the_middle_is_renewed(said: Said, source: str) -> None:
    server = said.server(source)
    server.switches = server.switches.changed({"refuse_after_pages": 2})
    assert said.live.load(source)["petition"]["inserted"] == len(said.entries(source))
    assert server.state.counts["token" if source == PAKN else "login"] == 2


@pytest.mark.parametrize("source", ALL)
@pytest.mark.parametrize("fault", ["html_page", "error_body", "http_500", "http_503", "truncated_json", "drop"])
def test_a_passing_fault_is_passed_over(said: Said, source: str, fault: str) -> None:
    said.server(source).fail_next(LIST[source], fault, 2)
    assert said.live.load(source)[ROOT[source]]["inserted"] == len(said.entries(source))


@pytest.mark.parametrize("source", ALL)
@pytest.mark.parametrize(
    ("fault", "error"),
    [("html_page", SourceAnswerError), ("truncated_json", SourceAnswerError), ("http_500", SourceUnreachableError)],
)
def test_a_lasting_fault_is_one_clear_error(
    said: Said, source: str, fault: str, error: type[LienThongError]
) -> None:  # fmt: skip
    said.server(source).fail_next(LIST[source], fault, 50)
    with pytest.raises(error) as caught:
        said.live.load(source)
    assert caught.value.source == source
    assert "Bảo trì" not in str(caught.value)
    assert said.live.rows("SELECT count(*) FROM petition.source_record") == [(0,)]


@pytest.mark.parametrize("source", ALL)
@pytest.mark.parametrize("fault", [FaultKind.PAGE_REPEAT, FaultKind.PAGE_SKIP])
def test_a_repeated_or_skipped_page_loses_nothing(said: Said, source: str, fault: FaultKind) -> None:
    said.live.load(source)  # the fault strikes on a later page of the second reading
    server = said.server(source)
    id_ = open_load(said.live.rt, source, said.live.key("full"), "full")
    server.fail_next(LIST[source], fault)
    extract(said.live.rt, id_)
    rows = said.live.load(source, mode="full")[ROOT[source]]
    assert rows["extracted"] == len(said.entries(source))
    assert rows["unchanged"] == rows["extracted"]


def test_a_list_that_shows_fewer_than_it_counts_is_refused(said: Said) -> None:
    server = said.server(PAKN)
    server.fail_next("petitions", FaultKind.PAGE_SKIP, 200)
    with pytest.raises(SourceAnswerError, match="The list contradicts itself"):
        said.live.load(PAKN)


@pytest.mark.parametrize("source", ALL)
def test_a_killed_reading_goes_on_where_it_stopped(said: Said, source: str) -> None:
    server = said.server(source)
    for name in ALL:
        said.contract(name, "page_rows: 15", "page_rows: 2")
    id_ = open_load(said.live.rt, source, said.live.key("kill"))
    pages = -(-len(said.entries(source)) // 2)
    calls = server.state.counts
    original = server.state.take_fault

    def after_half(endpoint: str) -> FaultKind | None:
        if endpoint == LIST[source] and calls[endpoint] >= pages // 2:
            return FaultKind.HTTP_500
        return original(endpoint)

    server.state.take_fault = after_half  # type: ignore[method-assign]
    with pytest.raises(SourceUnreachableError):
        extract(said.live.rt, id_)
    server.state.take_fault = original  # type: ignore[method-assign]
    before = calls[LIST[source]]
    extract(said.live.rt, id_)
    assert calls[LIST[source]] - before < pages * 0.8


@pytest.mark.parametrize("source", ALL)
def test_a_field_that_nobody_knows_is_a_finding(said: Said, source: str) -> None:
    server = said.server(source)
    server.switches = server.switches.changed({"extra_field": True})
    said.live.load(source)
    name = {PAKN: "priority", HOTLINE: "mucDo", RATINGS: "ThietBi"}[source]
    found = said.live.rows("SELECT f::text FROM ops.finding f WHERE source_id = :source", source=source)
    assert any(name in row for (row,) in found), found


@pytest.mark.parametrize("source", ALL)
def test_a_lost_field_stops_the_load(said: Said, source: str) -> None:
    server = said.server(source)
    server.switches = server.switches.changed({"lacks_status": True})
    with pytest.raises(SchemaDriftError) as caught:
        said.live.load(source)
    assert {PAKN: "status", HOTLINE: "trangThai", RATINGS: "DanhGia"}[source] in caught.value.what


@pytest.mark.parametrize("source", ALL)
@pytest.mark.parametrize("mode", ["incremental", "full"])
def test_an_emptied_list_empties_nothing(said: Said, source: str, mode: str) -> None:
    said.live.load(source)
    with said.feedback.lock:
        for plan in (
            *said.feedback.petitions[Desk.PAKN],
            *said.feedback.petitions[Desk.HOTLINE],
            *said.feedback.ratings,
        ):
            plan.gone = True
    with pytest.raises(CollapsedExtractError):
        said.live.load(source, mode=mode)
    assert said.live.rows(f"SELECT count(*) FROM {ROOT[source]}.source_record")[0][0] == len(said.entries(source))


def test_a_word_without_a_code_is_a_finding_and_named(said: Said) -> None:
    said.contract(HOTLINE, "      Khác: 3\n", "")
    said.live.load(HOTLINE)
    found = [str(row) for row in said.live.rows("SELECT f::text FROM ops.finding f WHERE source_id = :s", s=HOTLINE)]
    assert any("classification" in row and "Khác" in row for row in found), found


def test_a_range_reads_what_was_sent_in_it_and_moves_no_watermark(said: Said) -> None:
    said.live.load(HOTLINE)
    marks = said.live.rows("SELECT table_name, modified_at FROM ops.watermark")
    first = min(plan.sent for plan in petitions_of(said, Desk.HOTLINE))
    start = datetime.fromtimestamp(first - 7 * HOUR, UTC)
    rows = said.live.load(HOTLINE, mode="range", window_from=start, window_to=start + timedelta(days=10))["petition"]
    sent = [plan.sent for plan in petitions_of(said, Desk.HOTLINE)]
    assert rows["extracted"] == sum(first <= at < first + 10 * DAY for at in sent) > 0
    assert said.live.rows("SELECT table_name, modified_at FROM ops.watermark") == marks
