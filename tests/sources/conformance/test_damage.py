"""A source that is damaged, out or another one: one clear error, the last good state, and the next load finishes."""

from __future__ import annotations

import pytest

from lienthong.model.errors import (
    CollapsedExtractError,
    LienThongError,
    SchemaDriftError,
    SourceAccessError,
    TransientError,
)
from tests.sources.conformance.bench import SHIFT, Fact, Verdict
from tests.sources.conformance.rig import Rig


@pytest.fixture
def rig(loaded: Rig) -> Rig:
    """After the first load; something changed since, so that the next load has something to bring."""
    loaded.bench.change()
    return loaded


def finishes(rig: Rig, load_id: int) -> None:
    """The load that was refused goes on, and then all is believed as it is true."""
    rig.finish(load_id)
    assert rig.wrong() == {}
    assert rig.rows("SELECT error FROM ops.load WHERE load_id = :id", id=load_id) == [(None,)]


@pytest.mark.proves(Fact.CUT)
def test_an_answer_cut_in_the_middle_is_believed_in_no_part_and_the_next_try_finishes(rig: Rig) -> None:
    rig.bench.tap.cut(rig.bench.is_page)
    error, load_id = rig.refuses()
    assert isinstance(error, TransientError), "worth another try as it is"
    rig.bench.tap.heal()
    finishes(rig, load_id)
    assert 2 in rig.versions().values()


@pytest.mark.proves(Fact.ERROR_PAGE)
def test_an_error_page_in_the_place_of_data_is_told_and_the_next_try_finishes(rig: Rig) -> None:
    if not rig.can(Fact.ERROR_PAGE):
        with pytest.raises(NotImplementedError):
            rig.bench.tap.garble(rig.bench.is_page)
        return
    rig.bench.tap.garble(rig.bench.is_page)
    error, load_id = rig.refuses()
    assert isinstance(error, TransientError)
    assert "DOCTYPE" not in str(error), "answers are never quoted"
    rig.bench.tap.heal()
    finishes(rig, load_id)


@pytest.mark.proves(Fact.AWAY)
def test_a_system_that_is_away_is_told_and_when_it_is_back_the_load_goes_on(rig: Rig) -> None:
    rig.connection = rig.bench.away_connection
    error, load_id = rig.refuses()
    assert isinstance(error, TransientError)
    rig.connection = None
    finishes(rig, load_id)


@pytest.mark.proves(Fact.EXPIRED)
def test_a_log_in_that_expires_while_it_is_read_is_renewed_and_nothing_is_lost(fresh: Rig) -> None:
    if not fresh.can(Fact.EXPIRED):
        with pytest.raises(NotImplementedError):
            fresh.bench.end_session()
        return
    fresh.bench.tap.when(fresh.bench.is_page, 2, fresh.bench.end_session)
    fresh.load()
    assert fresh.wrong() == {}


@pytest.mark.proves(Fact.REFUSED)
def test_a_refused_account_is_told_without_its_secrets_and_put_right_the_load_goes_on(rig: Rig) -> None:
    rig.connection = rig.bench.wrong_connection
    error, load_id = rig.refuses()
    assert isinstance(error, SourceAccessError)
    rig.connection = None
    finishes(rig, load_id)


@pytest.mark.proves(Fact.COLLAPSED)
def test_a_source_that_lost_most_of_what_the_last_load_saw_is_not_believed(rig: Rig) -> None:
    rig.write_contract(volume_guard={"min_rows": 2})
    rig.bench.remove_most()
    error, _ = rig.refuses()
    assert isinstance(error, CollapsedExtractError)


@pytest.mark.proves(Fact.EMPTIED)
@pytest.mark.parametrize("mode", ["incremental", "full"])
def test_an_emptied_source_never_empties_the_warehouse(rig: Rig, mode: str) -> None:
    rig.bench.remove_all()
    error, _ = rig.refuses(mode)
    assert isinstance(error, CollapsedExtractError)


@pytest.fixture
def drifted(rig: Rig, fact: Fact) -> Rig:
    rig.bench.drift(fact)
    return rig


@pytest.mark.proves
@pytest.mark.parametrize("fact", [Fact.NEW_KEY, Fact.LOST_KEY, Fact.RENAMED_KEY])
def test_a_column_or_key_that_appears_is_told_and_one_that_is_lost_stops_the_load(drifted: Rig, fact: Fact) -> None:
    verdict = drifted.habit(fact).verdict
    if verdict is Verdict.TOLD:
        drifted.load()
        assert drifted.bench.new_key in {name for _, name in drifted.findings()}
        assert fact is not Fact.NEW_KEY or drifted.wrong() == {}
        return
    assert verdict is Verdict.STOPS
    error, load_id = drifted.refuses()
    assert isinstance(error, SchemaDriftError)
    drifted.bench.undo_drift()
    finishes(drifted, load_id)


@pytest.mark.proves
@pytest.mark.parametrize("fact", [Fact.REPEATED, Fact.SHIFTED])
def test_pages_that_repeat_or_shift_are_noticed_and_nothing_is_lost_or_doubled(fresh: Rig, fact: Fact) -> None:
    rig = fresh
    if not rig.can(fact):
        with pytest.raises(NotImplementedError):
            rig.bench.shift_page() if fact is Fact.SHIFTED else rig.bench.repeat_page(for_good=False)
        return
    if fact is Fact.SHIFTED:
        rig.bench.shift_page()
    else:
        rig.bench.repeat_page(for_good=False)
    load_id = rig.open()
    try:
        rig.finish(load_id)
    except LienThongError:
        assert rig.habit(fact).verdict is Verdict.STOPS
        assert rig.versions() == {}
        rig.bench.tap.heal()
        rig.finish(load_id)
    gone = set(rig.versions()) - set(rig.bench.keys())
    assert len(gone) <= SHIFT, "who vanished while the list was read may have been read before"
    assert rig.wrong(but=gone) == {}


@pytest.mark.proves(Fact.REPEATED)
def test_pages_that_repeat_for_ever_are_told_and_never_believed(fresh: Rig) -> None:
    if not fresh.can(Fact.REPEATED):
        return
    fresh.bench.repeat_page(for_good=True)
    error, _ = fresh.refuses()
    assert isinstance(error, TransientError)


@pytest.mark.proves(Fact.MOVED)
def test_a_record_that_moves_while_it_is_read_is_believed_once_and_as_it_became_at_the_next_load(fresh: Rig) -> None:
    rig = fresh
    moved: list[str] = []
    rig.bench.tap.when(rig.bench.is_page, 2, lambda: moved.append(rig.bench.change()))
    outcomes = rig.counts()
    assert moved, "it was to move while being read"
    assert outcomes["inserted"] == outcomes["extracted"] == len(rig.bench.keys())
    assert rig.wrong(but=set(moved)) == {}
    rig.load()
    assert rig.wrong() == {}
