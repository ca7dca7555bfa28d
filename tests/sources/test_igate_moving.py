"""A list that moves while it is read: nothing is lost, nothing is landed twice, and the newest word wins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.model.codes import LoadMode
from lienthong.model.errors import CollapsedExtractError, SourceAnswerError, SourceUnreachableError
from lienthong.sources.kit.moving.walk import next_page
from lienthong.sources.systems.igate.mapping import DOSSIER, SET_ASIDE, TASK
from simulator.changes import LATE_IMPORT_BACK, ChangeKind
from simulator.igate import FaultKind, IgateSwitches
from tests.sources.igate import PAGE, Gateway, Window, landed, versions


def at_rows(places: dict[int, Callable[[], object]]) -> Callable[[str, int], None]:
    """A progress that does something once, as soon as so many dossiers have been read."""
    waiting = dict(places)

    def progress(table: str, rows: int) -> None:
        for place in [place for place in waiting if table == DOSSIER and rows >= place]:
            waiting.pop(place)()

    return progress


@given(covered=st.integers(1, 3_000_000), page_rows=st.integers(1, 1_000))
def test_a_page_begins_inside_what_was_covered_and_reaches_beyond_it(covered: int, page_rows: int) -> None:
    number, size = next_page(covered, page_rows)
    assert number * size < covered or covered < size
    if page_rows >= 20 and covered >= page_rows:
        assert number * size < covered < (number + 1) * size
        assert size <= page_rows


def test_a_quiet_list_is_landed_whole_each_dossier_once(gateway: Gateway) -> None:
    batch = gateway.load()
    assert versions(batch) == gateway.there()
    assert landed(batch, SET_ASIDE) == []
    assert len(landed(batch, TASK)) > len(gateway.there())
    assert batch.manifest.facts.watermarks[DOSSIER].modified_at == newest(gateway)


def test_rows_that_slide_down_are_landed_once(gateway: Gateway) -> None:
    gateway.server.switches = IgateSwitches(shift_every=1)
    batch = gateway.load()
    gateway.server.switches = IgateSwitches()
    after = gateway.there()
    seen = versions(batch)
    assert set(seen) == set(after)
    late = {key for key in after if seen[key] != after[key]}
    assert len(late) <= 1, "only what moved in the very last look at the top is left to the next load"
    assert versions(gateway.load()).items() >= {key: after[key] for key in late}.items()
    old = [row for row in landed(batch, SET_ASIDE) if row["why"] == "superseded"]
    assert all(row["updatedDate"] < seen[row["id"]] for row in old)


def test_what_changes_during_the_read_arrives_as_it_became(gateway: Gateway) -> None:
    imported: set[int] = set()

    def move(seed: int) -> None:
        changes = gateway.server.advance(seed)
        imported.update(change.dossier_id for change in changes if change.kind is ChangeKind.LATE_IMPORT)

    batch = gateway.load(progress=at_rows({40: lambda: move(1), 90: lambda: move(2), 130: lambda: move(3)}))
    missed = gateway.there().items() - versions(batch).items()
    assert landed(batch, SET_ASIDE), "some of them had been read before they changed"
    late = {key for key, _ in missed}
    assert {int(key[-8:], 16) for key in late} <= imported, "an import that dates itself back is not at the top"
    assert versions(gateway.load()).items() >= missed, "the next load's overlap finds it"


def test_a_flood_of_changes_pushes_the_rest_down_by_pages_and_is_read_all_the_same(gateway: Gateway) -> None:
    batch = gateway.load(progress=at_rows({40: lambda: [gateway.server.advance(n, 60) for n in (1, 2)]}))
    assert versions(batch) == gateway.there()


@pytest.mark.parametrize("removed", [1, 3, PAGE, 2 * PAGE + 5])
def test_rows_that_vanish_let_the_list_slide_up_and_nothing_is_missed(gateway: Gateway, removed: int) -> None:
    gone: list[str] = []

    def remove() -> None:
        gone.extend(gateway.remove(0) for _ in range(removed))

    batch = gateway.load(progress=at_rows({60: remove}))
    assert len(gone) == removed
    assert set(gateway.there()) <= set(versions(batch))


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("kind", [FaultKind.PAGE_REPEAT, FaultKind.PAGE_SKIP])
def test_pages_that_repeat_or_skip_rows_now_and_then_are_healed(gateway: Gateway, kind: FaultKind, times: int) -> None:
    gateway.server.switches = IgateSwitches(page_skip_rows=7)
    order = at_rows({PAGE: lambda: gateway.server.fail_next("search", kind, times)})
    assert versions(gateway.load(progress=order)) == gateway.there()


def test_a_server_that_repeats_its_pages_for_ever_is_told_and_never_believed(gateway: Gateway) -> None:
    order = at_rows({PAGE: lambda: gateway.server.fail_next("search", FaultKind.PAGE_REPEAT, 10_000)})
    refused(gateway, order)
    healed(gateway)


def test_a_server_that_hides_rows_for_ever_is_told_and_never_believed(gateway: Gateway) -> None:
    gateway.server.switches = IgateSwitches(page_skip_rows=2 * PAGE)
    order = at_rows({PAGE: lambda: gateway.server.fail_next("search", FaultKind.PAGE_SKIP, 10_000)})
    refused(gateway, order)
    with pytest.raises(SourceAnswerError, match="150 dossiers, but its pages showed only"):
        gateway.load(again=True)  # even the first page had hidden some: only the count tells
    assert gateway.marks == {}
    healed(gateway)


def refused(gateway: Gateway, progress: Callable[[str, int], None]) -> None:
    with pytest.raises(SourceAnswerError) as caught:
        gateway.load(progress=progress)
    message = str(caught.value)
    assert "source igate_h21, load 1, key " in message
    assert "Next: " in message
    assert "manifest.json" not in gateway.files()
    assert gateway.marks == {}
    gateway.server.igate._faults.clear()  # the server is put right; nobody has tried again yet


def healed(gateway: Gateway) -> None:
    batch = gateway.load(again=True)
    assert versions(batch) == gateway.there()
    assert landed(batch, SET_ASIDE) == []
    assert gateway.marks[DOSSIER].modified_at == newest(gateway)


def newest(gateway: Gateway) -> datetime:
    return max(datetime.fromisoformat(text) for text in gateway.there().values())


def test_an_incremental_load_reads_from_the_top_to_the_overlap_only(gateway: Gateway) -> None:
    gateway.load()
    before = len(gateway.searches())
    assert before > 5
    changed = {change.dossier_id for change in gateway.server.advance(5, 10)}
    mark = gateway.marks[DOSSIER].modified_at
    assert mark is not None
    batch = gateway.load()
    seen, there = versions(batch), gateway.there()
    assert seen == {
        key: text for key, text in there.items() if datetime.fromisoformat(text) >= mark - gateway.contract.overlap
    }
    assert {int(key[-8:], 16) for key in seen} >= changed
    assert len(gateway.searches()) - before < before
    assert gateway.marks[DOSSIER].modified_at == newest(gateway)


def test_a_range_keeps_what_its_window_holds_and_moves_no_watermark(gateway: Gateway) -> None:
    moments = sorted(datetime.fromisoformat(text) for text in gateway.there().values())
    window = Window(moments[40], moments[90])
    batch = gateway.load(mode=LoadMode.RANGE, window=window)
    inside = {k for k, text in gateway.there().items() if window.start <= datetime.fromisoformat(text) < window.end}
    assert set(versions(batch)) == inside
    assert batch.manifest.facts.watermarks == {}
    assert gateway.marks == {}


def test_a_full_read_goes_to_the_end_and_moves_no_watermark(gateway: Gateway) -> None:
    gateway.load()
    mark = gateway.marks
    gateway.server.advance(5, 10)
    batch = gateway.load(mode=LoadMode.FULL)
    assert versions(batch) == gateway.there()
    assert batch.manifest.facts.watermarks == {}
    assert gateway.marks == mark


def test_a_dossier_dated_far_ahead_does_not_move_the_watermark_past_the_others(gateway: Gateway) -> None:
    far = 4_102_444_800  # the year 2100
    store = gateway.server.store
    number = store.newest_first()[10]
    store._touches[number] = far
    store.refresh((number,))
    gateway.load()
    others = [datetime.fromisoformat(text) for text in gateway.there().values()]
    assert gateway.marks[DOSSIER].modified_at == sorted(others)[-2]
    changed = {change.dossier_id for change in gateway.server.advance(5, 10)}
    assert {int(key[-8:], 16) for key in versions(gateway.load())} >= changed


def test_an_emptied_list_is_a_collapse_and_not_an_empty_load(gateway: Gateway) -> None:
    gateway.load(overlap=timedelta(days=10))
    while gateway.there():
        gateway.remove(0)
    with pytest.raises(CollapsedExtractError, match="overlap_min_ratio"):
        gateway.load(overlap=timedelta(days=10))


def test_a_list_that_lost_most_of_the_overlap_window_is_a_collapse(gateway: Gateway) -> None:
    gateway.load(overlap=timedelta(days=30))
    had = gateway.marks[DOSSIER].overlap_rows
    assert had > 40
    for _ in range(had - 10):
        gateway.remove(0)
    with pytest.raises(CollapsedExtractError, match=f"Of {had} dossiers"):
        gateway.load(overlap=timedelta(days=30))


def test_a_server_that_gives_smaller_pages_than_asked_for_is_read_in_those(gateway: Gateway) -> None:
    gateway.server.switches = IgateSwitches(max_page_size=13)
    assert versions(gateway.load()) == gateway.there()


def counting_one_more(gateway: Gateway) -> None:
    """From now on the server counts a dossier that no page shows."""
    searcher = gateway.server.igate.searcher
    original = searcher.page

    def page(*arguments: Any, **options: Any) -> dict[str, Any]:
        answer = original(*arguments, **options)
        return answer | {"totalElements": answer["totalElements"] + 1, "last": not answer["content"]}

    searcher.page = page  # type: ignore[method-assign]


def test_a_list_that_shows_fewer_dossiers_than_it_counts_is_not_believed(gateway: Gateway) -> None:
    counting_one_more(gateway)
    with pytest.raises(SourceAnswerError) as caught:
        gateway.load()
    assert "page" in str(caught.value)
    assert "manifest.json" not in gateway.files()


def jump_over_the_reader(gateway: Gateway) -> None:
    """A dossier not yet read is given a date that lies where the reader has been: neither ahead nor at the top."""
    store = gateway.server.store
    number = store.newest_first()[100]
    with store.lock:
        store._order.remove((store._updated[number], number))
        store._updated[number] = store.newest - LATE_IMPORT_BACK
        store._order.append((store._updated[number], number))
        store._order.sort()
        store.version += 1


def test_a_dossier_that_jumps_over_the_reader_is_missed_by_the_count_and_found_by_the_next_try(
    gateway: Gateway,
) -> None:
    with pytest.raises(SourceAnswerError, match="150 dossiers, but its pages showed only 149"):
        gateway.load(progress=at_rows({60: lambda: jump_over_the_reader(gateway)}))
    assert versions(gateway.load(again=True)) == gateway.there()


def test_what_stands_at_the_top_is_counted_once_though_a_second_try_looks_there_again(gateway: Gateway) -> None:
    """Counted twice, it would stand for the dossier that no page showed."""
    store = gateway.server.store

    def to_the_top() -> None:
        store.touch(store.newest_first()[120])

    waiting = [lambda: gateway.server.fail_next("search", FaultKind.HTTP_500, 3)]
    moves = at_rows({60: lambda: jump_over_the_reader(gateway), 70: to_the_top})

    def progress(table: str, rows: int) -> None:
        moves(table, rows)
        if waiting and rows > 140 and gateway.searches()[-1] == 0:  # the first look, which has found what was touched
            waiting.pop()()

    with pytest.raises(SourceUnreachableError):
        gateway.load(progress=progress)
    assert not waiting
    before = len(gateway.searches())
    with pytest.raises(SourceAnswerError, match="150 dossiers, but its pages showed only 149"):
        gateway.load(again=True)
    assert set(gateway.searches()[before:]) == {0}, "nothing but the top was asked for"
    assert "manifest.json" not in gateway.files()
    assert versions(gateway.load(again=True)) == gateway.there()
