"""A list that shows no date of modification: the newest step serves, or windows of months and the open dossiers do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lienthong.landing import LandedBatch
from lienthong.model.codes import LoadMode
from lienthong.model.errors import CollapsedExtractError, SchemaDriftError, SourceAnswerError
from lienthong.model.kinds.dossier import Entity
from lienthong.sources.igate import lists
from lienthong.sources.igate.mapping import DOSSIER, PAPER, SET_ASIDE, TASK
from simulator.changes import ChangeKind
from simulator.igate import FaultKind, IgateServer, IgateSwitches
from simulator.igate.items import item
from simulator.steps import Step
from simulator.world import World
from tests.sources.igate import MONTH, PAGE, SIZE, Gateway, Window, contract_of, landed, versions
from tests.sources.test_igate_moving import at_rows

#: Shortly after the world's last change, so that its month and the one before are the recent ones.
NOW = datetime(2026, 11, 8, tzinfo=UTC)


def blind(tmp_path: Path, changes: str, **switches: Any) -> Gateway:
    server = IgateServer(
        World.generate(11, SIZE, MONTH, provinces=("H21",)), "H21", switches=IgateSwitches.of_public_clients(**switches)
    )
    return Gateway(server, tmp_path / "landing", contract_of(http={"changes": changes}))


@pytest.fixture(params=["newest_task", "windows"])
def public(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gateway]:
    """An iGate as public clients show it, read in one of the two ways."""
    made = blind(tmp_path, request.param)
    with made.server:
        yield made


@pytest.fixture
def windowed(tmp_path: Path) -> Iterator[Gateway]:
    made = blind(tmp_path, "windows")
    with made.server:
        yield made


@pytest.fixture
def stepped(tmp_path: Path) -> Iterator[Gateway]:
    made = blind(tmp_path, "newest_task")
    with made.server:
        yield made


def now() -> datetime:
    return NOW


def load(gateway: Gateway, earlier: LandedBatch | None = None, **options: Any) -> LandedBatch:
    return gateway.load(earlier=earlier, now=now, **options)


def true_items(gateway: Gateway) -> dict[str, str]:
    """id → dossierStatus and number of steps, as the source would show them now."""
    store = gateway.server.store
    with store.lock:
        return {
            made["id"]: f"{made['dossierStatus']['id']} {len(made['task'])}"
            for made in (
                item(store.world.facts(store.plan(n)), store.world.catalogue, 0, IgateSwitches())
                for n in store.newest_first()
            )
        }


def known(*batches: LandedBatch) -> dict[str, str]:
    """What somebody believes who was told these batches one after the other. Status 11 counts as the one it hides."""
    import json

    found = {}
    for batch in batches:
        for row in landed(batch):
            made = json.loads(row["item"])
            status = made["dossierStatus"]["id"]
            steps = [step["bpmProcessDefinitionTask"]["name"]["name"] for step in made["task"]]
            found[row["id"]] = f"{2 if status == 11 and steps[-1] == 'Đã bổ sung' else status} {len(made['task'])}"
    return found


def test_a_first_load_reads_the_whole_list_each_dossier_once(public: Gateway) -> None:
    batch = load(public)
    assert set(versions(batch)) == set(public.there())
    assert landed(batch, SET_ASIDE) == []
    assert known(batch) == true_items(public)
    assert len(landed(batch, TASK)) > len(public.there())


def test_an_incremental_load_finds_all_that_moved_and_reads_less_than_everything(public: Gateway) -> None:
    batches = [load(public)]
    first = len(public.searches())
    for seed in (5, 6, 7):
        public.server.advance(seed, 20)
        before = len(public.searches())
        batches.append(load(public, batches[-1]))
        assert known(*batches) == true_items(public)
        assert len(landed(batches[-1])) < len(public.there())
        if public.contract.http.changes == "newest_task":
            assert len(public.searches()) - before < first


def test_without_the_batch_before_everything_is_read(public: Gateway) -> None:
    load(public)
    public.server.advance(5, 20)
    assert set(versions(load(public))) == set(public.there())


def test_a_batch_made_in_another_way_is_no_batch_before(public: Gateway) -> None:
    earlier = load(public)
    other = "windows" if public.contract.http.changes == "newest_task" else "newest_task"
    public.contract = contract_of(http={"changes": other})
    assert set(versions(load(public, earlier))) == set(public.there())


def test_a_watermark_of_one_way_of_reading_says_nothing_to_another(tmp_path: Path) -> None:
    with blind(tmp_path, "newest_task", shows_updated_date=True).server as server:
        made = Gateway(server, tmp_path / "landing", contract_of(http={"changes": "newest_task"}))
        load(made)
        assert list(made.marks) == ["dossier.newest_task"]
        made.contract = contract_of()
        assert set(versions(load(made))) == set(made.there())


def test_what_changes_while_a_list_is_read_arrives_at_the_latest_with_the_next_load(public: Gateway) -> None:
    moves = at_rows({40: lambda: public.server.advance(1), 90: lambda: public.server.advance(2)})
    first = load(public, progress=moves)
    assert set(known(first)) <= set(public.there())
    second = load(public, first)
    assert known(first, second) == true_items(public)


@pytest.mark.parametrize("removed", [1, 3, PAGE, 2 * PAGE + 5])
def test_rows_that_vanish_let_the_list_slide_up_and_nothing_is_missed(public: Gateway, removed: int) -> None:
    batch = load(public, progress=at_rows({60: lambda: [public.remove(0) for _ in range(removed)]}))
    assert set(public.there()) <= set(versions(batch))


@pytest.mark.parametrize("kind", [FaultKind.PAGE_REPEAT, FaultKind.PAGE_SKIP])
def test_pages_that_repeat_or_skip_rows_now_and_then_are_healed(public: Gateway, kind: FaultKind) -> None:
    order = at_rows({PAGE: lambda: public.server.fail_next("search", kind, 2)})
    assert set(versions(load(public, progress=order))) == set(public.there())


def test_a_server_that_hides_rows_for_ever_is_told_and_never_believed(public: Gateway) -> None:
    public.server.fail_next("search", FaultKind.PAGE_SKIP, 10_000)
    with pytest.raises(SourceAnswerError):
        load(public)
    assert public.marks == {}


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_a_read_that_broke_off_goes_on_where_it_stopped(
    public: Gateway, pages: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "PAGES_PER_PIECE", 1)
    batches = [load(public)]
    public.server.advance(5, 20)
    before = len(public.searches())
    wanted = len(landed(load(public, batches[0])))
    whole = len(public.searches()) - before
    public.marks = batches[0].manifest.facts.watermarks

    asked = iter(range(1, 1_000))

    def stop(table: str, rows: int) -> None:
        if next(asked) == pages:
            raise KeyboardInterrupt

    before = len(public.searches())
    with pytest.raises(KeyboardInterrupt):
        load(public, batches[0], progress=stop)
    batch = load(public, batches[0], again=True)
    assert known(batches[0], batch) == true_items(public)
    assert len(landed(batch)) == wanted
    assert len(public.searches()) - before <= whole + 5, "what was read is not asked for again"


def test_a_dossier_touched_without_a_step_does_not_hide_what_moved_before_it(stepped: Gateway) -> None:
    """A job rewrites many dossiers: they stand at the top, dated as ever, and push down what moved before."""
    first = load(stepped)
    stepped.server.advance(5, 10)
    store = stepped.server.store
    for number in store.newest_first()[30:120]:
        store.touch(number)
    second = load(stepped, first)
    assert known(first, second) == true_items(stepped)


def test_papers_of_a_dossier_that_moved_up_are_asked_for_again_though_it_looks_the_same(stepped: Gateway) -> None:
    stepped.contract = contract_of(entities=tuple(Entity), http={"changes": "newest_task"})
    first = load(stepped)
    stepped.server.advance(5, 10)
    second = load(stepped, first)
    store = stepped.server.store
    number = store.newest_first()[25]
    plan = store.plan(number)
    plan.added = (*plan.added, store.newest + 60)  # one more paper; no step, no payment
    store.refresh((number,))
    asked = stepped.server.igate.counts["detail"]
    third = load(stepped, second)
    assert stepped.server.igate.counts["detail"] - asked == 1

    def papers(batch: LandedBatch) -> int:
        return sum(int(row["dossierId"][-8:], 16) == number for row in landed(batch, PAPER))

    assert papers(third) == papers(load(stepped, mode=LoadMode.FULL)) > papers(first)


def test_a_load_by_the_newest_step_leaves_what_rests_alone(stepped: Gateway) -> None:
    first = load(stepped)
    assert stepped.marks["dossier.newest_task"].modified_at is not None
    second = load(stepped, first)
    assert 0 < len(landed(second)) < SIZE / 2
    third = load(stepped, second)
    assert versions(third).keys() == versions(second).keys()


def test_a_list_that_lost_most_of_the_overlap_window_is_a_collapse(stepped: Gateway) -> None:
    first = load(stepped, overlap=timedelta(days=30))
    had = stepped.marks["dossier.newest_task"].overlap_rows
    assert had > 40
    for _ in range(had - 10):
        stepped.remove(0)
    with pytest.raises(CollapsedExtractError):
        load(stepped, first, overlap=timedelta(days=30))


def test_windows_that_lost_most_of_what_the_last_load_saw_are_a_collapse(windowed: Gateway) -> None:
    first = load(windowed)
    for _ in range(120):
        windowed.remove(0)
    with pytest.raises(CollapsedExtractError):
        load(windowed, first)
    assert len(landed(load(windowed, first, volume_guard=no_guard(windowed)))) < 40


def no_guard(gateway: Gateway) -> Any:
    return gateway.contract.volume_guard.model_copy(update={"overlap_min_ratio": 0.0})


def test_windows_find_a_dossier_of_long_ago_that_ended_since_the_last_load(windowed: Gateway) -> None:
    """It is open no more, and in no recent month: only the batch before knows that it has to be somewhere."""
    store = windowed.server.store
    old = next(plan for plan in store.world.plans["H21"] if plan.last_step == Step.RETURNED and not plan.defect)
    old.received = old.submitted = old.received - 300 * 86_400
    old.events = old.events[:-2]
    if old.last_step == Step.FINISHED:
        old.events = old.events[:-2]
    store.refresh()
    first = load(windowed)
    second = load(windowed, first)
    old.events = (*old.events, Step.RETURNED.value, store.newest + 60)
    old.modified = store.newest + 60
    store.refresh()
    third = load(windowed, second)
    assert known(first, second, third) == true_items(windowed)
    assert known(third).keys() >= {key for key in windowed.there() if key.endswith(f"{old.dossier_id:08x}")}
    fourth = load(windowed, third)
    assert not {key for key in known(fourth) if key.endswith(f"{old.dossier_id:08x}")}, "it rests now"


def test_windows_tell_of_an_open_dossier_that_is_nowhere_any_more(windowed: Gateway) -> None:
    first = load(windowed)
    store = windowed.server.store
    place = next(
        place for place, n in enumerate(store.newest_first()) if not store.plan(n).closed and store.plan(n).code
    )
    key = windowed.remove(place)
    second = load(windowed, first)
    assert [(row["id"], row["why"]) for row in landed(second, SET_ASIDE)] == [(key, "lost")]
    assert key not in versions(second)
    assert landed(load(windowed, second), SET_ASIDE) == [], "told once"


def test_a_server_that_ignores_windows_is_found_out(tmp_path: Path) -> None:
    made = blind(tmp_path, "windows", honours_windows=False)
    with made.server:
        first = load(made)
        with pytest.raises(SchemaDriftError, match="accepted-from"):
            load(made, first)


def test_windows_need_no_order(tmp_path: Path) -> None:
    made = blind(tmp_path, "windows", honours_sort=False)
    with made.server:
        first = load(made)
        made.server.advance(5, 20)
        assert known(first, load(made, first)) == true_items(made)


def test_windows_go_by_the_date_of_application_where_the_contract_says_so(tmp_path: Path) -> None:
    made = blind(tmp_path, "windows")
    made.contract = contract_of(http={"changes": "windows", "window_by": "applied"})
    with made.server:
        first = load(made)
        made.server.advance(5, 20)
        assert known(first, load(made, first)) == true_items(made)


def test_a_range_keeps_what_moved_in_its_window_and_is_no_base_for_the_next_load(public: Gateway) -> None:
    public.server.switches = IgateSwitches.of_public_clients()
    first = load(public)
    window = Window(datetime(2026, 10, 12, tzinfo=UTC), datetime(2026, 10, 20, tzinfo=UTC))
    batch = load(public, first, mode=LoadMode.RANGE, window=window)
    assert 0 < len(landed(batch)) < len(landed(first))
    assert batch.manifest.facts.watermarks == {}
    assert set(versions(load(public, batch))) == set(public.there()), "everything is read"


def test_a_full_load_reads_everything_and_serves_the_next_one(public: Gateway) -> None:
    load(public)
    public.server.advance(5, 20)
    full = load(public, mode=LoadMode.FULL)
    assert set(versions(full)) == set(public.there())
    public.server.advance(6, 20)
    assert known(full, load(public, full)) == true_items(public)


def test_a_path_that_the_contract_names_tells_when_a_dossier_moved(gateway: Gateway) -> None:
    server = gateway.server.igate.searcher
    original = server.page

    def renamed(*arguments: Any, **options: Any) -> dict[str, Any]:
        answer = original(*arguments, **options)
        for made in answer["content"]:
            made["audit"] = {"changedAt": made.pop("updatedDate")}
        return answer

    server.page = renamed  # type: ignore[method-assign]
    with pytest.raises(SchemaDriftError, match="updatedDate"):
        gateway.load()
    gateway.contract = contract_of(fields={Entity.DOSSIER: {"source_modified_at": "audit.changedAt"}})
    batch = gateway.load()
    assert versions(batch) == gateway.there()
    before = len(gateway.searches())
    changed = {change.dossier_id for change in gateway.server.advance(5, 10) if change.kind is not ChangeKind.NEW}
    assert {int(key[-8:], 16) for key in versions(gateway.load())} >= changed
    assert len(gateway.searches()) - before < 5
    assert gateway.marks[DOSSIER].modified_at == max(datetime.fromisoformat(one) for one in gateway.there().values())
