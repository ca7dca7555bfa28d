"""Lists of numbered pages, read while they move: nothing is lost, nothing is believed that contradicts itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from pydantic_core import from_json

from lienthong.connections import Connection
from lienthong.landing import LandedBatch, LandingStore, Watermark
from lienthong.model.codes import LoadMode
from lienthong.model.errors import CollapsedExtractError, SourceAnswerError
from lienthong.settings import PROJECT
from lienthong.sources.contract import SourceContract, load_contract
from lienthong.sources.kit.lists.dates import instant_of
from lienthong.sources.profile import Window
from lienthong.sources.profiles import profile_of
from simulator.desks import Desks
from simulator.feedback import Desk, Feedback, PetitionDefect, RatingDefect
from simulator.service import FaultKind, ServiceServer
from simulator.streams import stream
from simulator.world import World

PAKN, HOTLINE, RATINGS = "pakn_h17", "hotline1022_h17", "rating_h17"
ROOT = {PAKN: "petition", HOTLINE: "petition", RATINGS: "rating"}


@dataclass
class Reading:
    """The desks of a small world, and a landing area to read them into."""

    feedback: Feedback
    desks: Desks
    store: LandingStore
    loads: int = 0
    fence: int = 1

    def server(self, source: str) -> ServiceServer:
        return {PAKN: self.desks.pakn, HOTLINE: self.desks.hotlines["H17"], RATINGS: self.desks.ratings["H17"]}[source]

    def contract(self, source: str, page_rows: int = 10) -> SourceContract:
        contract = load_contract(PROJECT / "include" / "sources" / f"{source}.yaml")
        limits = contract.http.model_copy(update={"backoff_ms": 1, "longest_wait_s": 0.01})
        read = contract.read.model_copy(update={"page_rows": page_rows})
        return contract.model_copy(update={"http": limits, "read": read})

    def connection(self, source: str) -> Connection:
        account, parts = self.server(source).service("H17"), urlsplit(self.server(source).url)
        return Connection(
            source, "http", parts.hostname, parts.port, account["username"], account["password"], "http"
        )  # fmt: skip

    def read(
        self, source: str, mode: LoadMode = LoadMode.FULL, marks: Mapping[str, Watermark] | None = None,
        window: Window | None = None, page_rows: int = 10, again: bool = False,
    ) -> LandedBatch:  # fmt: skip
        """A load; `again`: another try of the one before."""
        self.loads, self.fence = (self.loads, self.fence + 1) if again else (self.loads + 1, 1)
        contract = self.contract(source, page_rows)
        writer = self.store.writer("H17", source, self.loads, self.fence)
        url = profile_of(contract).extract(contract, self.connection(source), writer, marks or {}, mode, window)
        return self.store.open(url)


@pytest.fixture(scope="module")
def world() -> World:
    return World.generate(7, 200, "2026-10", provinces=("H17",))


@pytest.fixture
def reading(world: World, tmp_path: Path) -> Iterator[Reading]:
    feedback = Feedback.of(world, "H17", size=60, share=0)
    with Desks({"H17": feedback}) as desks:
        yield Reading(feedback, desks, LandingStore(tmp_path.as_uri()))


def rows(batch: LandedBatch, table: str) -> list[dict[str, Any]]:
    return [row for _, _, raw in batch.batches(table) for row in raw.to_pylist()]


def keys(batch: LandedBatch, table: str) -> list[str]:
    return sorted(row["key"] for row in rows(batch, table))


def between_pages(server: ServiceServer, what: Callable[[int], None]) -> None:
    """Let `what` happen before each page that is served, with the page's number since now."""
    served, original = [0], server.state.begin_page

    def begin() -> bool:
        served[0] += 1
        what(served[0])
        return original()

    server.state.begin_page = begin  # type: ignore[method-assign]


@pytest.mark.parametrize("source", [PAKN, HOTLINE, RATINGS])
def test_a_list_that_stands_still_is_read_once(reading: Reading, source: str) -> None:
    batch = reading.read(source)
    desk = {PAKN: Desk.PAKN, HOTLINE: Desk.HOTLINE}.get(source)
    there = reading.feedback.petitions[desk] if desk else reading.feedback.ratings
    assert len(set(keys(batch, ROOT[source]))) == batch.manifest.tables[ROOT[source]].rows == len(there)
    asked = reading.server(source).state.counts
    lists = {PAKN: ("petitions",), HOTLINE: ("petitions", "steps"), RATINGS: ("ratings",)}[source]
    expected = {name: -(-len(there) // 10) for name in lists}
    if source == HOTLINE:
        expected["steps"] = -(-sum(len(plan.events) // 2 for plan in there) // 10)
    assert {name: asked[name] for name in lists} == expected


def test_what_moves_to_the_end_while_it_is_read_hides_nothing(reading: Reading) -> None:
    plans = reading.feedback.petitions[Desk.PAKN]
    newest = max(plan.modified for plan in plans)

    def touch(page: int) -> None:
        if 2 <= page <= 5:  # from a page that was read already: all rows behind it slide up by one
            plan = min(plans, key=lambda plan: (max(plan.modified, plan.touched), plan.number))
            plan.touched = newest + 60 * page

    between_pages(reading.server(PAKN), touch)
    batch = reading.read(PAKN)
    assert set(keys(batch, "petition")) == {f"h17-{plan.number}" for plan in plans}
    assert len(keys(batch, "petition")) == len(plans)


def test_a_list_that_never_stands_still_is_read_to_an_end(reading: Reading) -> None:
    plans = reading.feedback.petitions[Desk.HOTLINE]
    before = {str(plan.number) for plan in plans}
    between_pages(
        reading.server(HOTLINE), lambda page: reading.feedback.advance(page, 2, at=reading.feedback.clock + 60)
    )
    batch = reading.read(HOTLINE)
    assert before <= set(keys(batch, "petition"))


def test_a_date_in_the_future_does_not_make_a_moving_list_endless(reading: Reading) -> None:
    reading.feedback.ratings[3].defect = RatingDefect.DATED_AHEAD
    lives, about = reading.feedback.lives, reading.feedback.lives.ratable()

    def rate(page: int) -> None:
        number = 1001 + len(reading.feedback.ratings)
        at = max(plan.rated for plan in reading.feedback.ratings) + 60
        reading.feedback.ratings.append(lives.rating(stream(page, "rate"), number, about[0], at))

    before = {str(plan.number) for plan in reading.feedback.ratings}
    between_pages(reading.server(RATINGS), rate)
    assert before <= set(keys(reading.read(RATINGS), "rating"))


def test_of_a_record_that_was_read_twice_the_last_reading_counts(reading: Reading) -> None:
    plan = reading.feedback.petitions[Desk.PAKN][0]
    done = []

    def like(page: int) -> None:
        if page == 3 and not done:
            done.append(page)
            plan.likes += 7
            plan.modified = max(other.modified for other in reading.feedback.petitions[Desk.PAKN]) + 60

    between_pages(reading.server(PAKN), like)
    batch = reading.read(PAKN)
    [item] = [from_json(row["item"]) for row in rows(batch, "petition") if row["key"] == f"h17-{plan.number}"]
    assert item["likeCount"] == plan.likes


def test_rows_that_the_list_itself_holds_twice_are_both_landed(reading: Reading) -> None:
    plan = next(plan for plan in reading.feedback.petitions[Desk.HOTLINE] if not plan.twin)
    plan.defect = PetitionDefect.DUPLICATE_ROW
    batch = reading.read(HOTLINE)
    assert keys(batch, "petition").count(str(plan.number)) == 2
    assert reading.server(HOTLINE).state.counts["petitions"] == 2 * 7, "a second round tells a slip from a habit"


@pytest.mark.parametrize("source", [PAKN, HOTLINE, RATINGS])
def test_a_list_that_counts_more_than_it_shows_is_given_up(reading: Reading, source: str) -> None:
    endpoint = "ratings" if source == RATINGS else "petitions"
    reading.server(source).fail_next(endpoint, FaultKind.PAGE_SKIP, 500)
    with pytest.raises(SourceAnswerError, match="contradicts itself") as caught:
        reading.read(source)
    assert caught.value.key == ROOT[source]
    assert caught.value.source == source


def test_another_try_after_a_contradiction_counts_from_one_again(reading: Reading) -> None:
    reading.server(PAKN).fail_next("petitions", FaultKind.PAGE_SKIP, 500)
    with pytest.raises(SourceAnswerError):
        reading.read(PAKN)
    reading.server(PAKN).state.reset()
    plans = reading.feedback.petitions[Desk.PAKN]
    assert len(keys(reading.read(PAKN, again=True), "petition")) == len(plans)


def test_another_try_after_a_collapse_looks_whether_the_rows_are_back(reading: Reading) -> None:
    plans = reading.feedback.petitions[Desk.HOTLINE]
    marks = reading.read(HOTLINE, LoadMode.INCREMENTAL).manifest.facts.watermarks
    for plan in plans[5:]:
        plan.gone = True
    with pytest.raises(CollapsedExtractError):
        reading.read(HOTLINE, LoadMode.INCREMENTAL, marks)
    for plan in plans:
        plan.gone = False
    batch = reading.read(HOTLINE, LoadMode.INCREMENTAL, marks, again=True)
    assert batch.manifest.tables["petition"].rows == marks["petition"].overlap_rows


def test_larger_pages_that_are_cut_without_a_word_are_read_on(reading: Reading) -> None:
    server = reading.server(PAKN)
    server.switches = server.switches.changed({"max_page_size": 7})
    assert len(keys(reading.read(PAKN, page_rows=1000), "petition")) == len(reading.feedback.petitions[Desk.PAKN])


def test_an_incremental_reading_goes_back_by_the_overlap_and_moves_the_watermark(reading: Reading) -> None:
    first = reading.read(PAKN, LoadMode.INCREMENTAL).manifest.facts.watermarks
    newest = max(plan.modified for plan in reading.feedback.petitions[Desk.PAKN])
    assert first["petition"].modified_at == datetime.fromtimestamp(newest, UTC) - timedelta(hours=7)
    again = reading.read(PAKN, LoadMode.INCREMENTAL, first)
    inside = [plan for plan in reading.feedback.petitions[Desk.PAKN] if plan.modified >= newest - 2 * 86_400]
    assert again.manifest.tables["petition"].rows == len(inside) == first["petition"].overlap_rows
    assert again.manifest.facts.watermarks == first


def test_a_date_in_the_future_does_not_move_the_watermark(reading: Reading) -> None:
    plan = reading.feedback.petitions[Desk.PAKN][0]
    before = max(other.modified for other in reading.feedback.petitions[Desk.PAKN])
    plan.modified = before + 2000 * 86_400
    mark = reading.read(PAKN, LoadMode.INCREMENTAL).manifest.facts.watermarks["petition"]
    assert mark.modified_at == datetime.fromtimestamp(before, UTC) - timedelta(hours=7)


def test_what_the_overlap_held_and_is_gone_stops_the_reading(reading: Reading) -> None:
    marks = reading.read(HOTLINE, LoadMode.INCREMENTAL).manifest.facts.watermarks
    for plan in reading.feedback.petitions[Desk.HOTLINE][5:]:
        plan.gone = True
    with pytest.raises(CollapsedExtractError):
        reading.read(HOTLINE, LoadMode.INCREMENTAL, marks)


@pytest.mark.parametrize("source", [PAKN, HOTLINE, RATINGS])
def test_a_look_tells_volumes_days_and_what_nobody_maps(reading: Reading, source: str) -> None:
    server = reading.server(source)
    server.switches = server.switches.changed({"extra_field": True})
    contract = reading.contract(source)
    sight = profile_of(contract).look(contract, reading.connection(source), lambda: datetime.now(UTC))
    table = next(table for table in sight.tables if table.name == ROOT[source])
    assert table.rows == len(keys(reading.read(source), ROOT[source]))
    assert sight.days
    assert sight.clock is not None
    assert not sight.missing
    assert any(len(paths) == 1 for paths in sight.unmapped_columns.values())


@pytest.mark.parametrize("source", [PAKN, HOTLINE, RATINGS])
def test_a_sample_holds_whole_records(reading: Reading, source: str) -> None:
    contract = reading.contract(source, 100)
    writer = reading.store.writer("H17", source, 99, 1)
    batch = reading.store.open(profile_of(contract).sample(contract, reading.connection(source), writer, 9))
    assert batch.manifest.tables[ROOT[source]].rows == 9
    child = "rating_mark" if source == RATINGS else "petition_step"
    assert {row["owner"] for row in rows(batch, child)} == set(keys(batch, ROOT[source]))
    tables = [(entity, table.num_rows) for entity, table in profile_of(contract).canonicalise(contract, batch)]
    assert tables[-1] == (ROOT[source], 9)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-10-03T08:12:00+07:00", datetime(2026, 10, 3, 1, 12, tzinfo=UTC)),
        ("2026-10-03T08:12:44", datetime(2026, 10, 3, 1, 12, 44, tzinfo=UTC)),
        ("03/10/2026 08:12", datetime(2026, 10, 3, 1, 12, tzinfo=UTC)),
        ("03/10/2026", datetime(2026, 10, 2, 17, tzinfo=UTC)),
        ("20261003081244", datetime(2026, 10, 3, 1, 12, 44, tzinfo=UTC)),
        ("31/02/2026 08:00", None),
        ("2026-13-01T08:00:00", None),
        ("0001-01-01T00:00:00+07:00", None),
        ("", None),
        (None, None),
        ("hôm qua", None),
    ],
)
def test_dates_of_the_wire_are_instants_or_nothing(text: str | None, moment: datetime | None) -> None:
    assert instant_of(text, ZoneInfo("Asia/Ho_Chi_Minh")) == moment
