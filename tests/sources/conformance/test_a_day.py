"""What happens at a source arrives with the next load, once, as it is; or with a full one, where only that can see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from tests.sources.conformance.bench import Fact, Truth, Verdict
from tests.sources.conformance.conftest import Yard
from tests.sources.conformance.rig import Rig

#: What a day does to records that are known.
MOVES = (Fact.CHANGED, Fact.CHILD_CHANGED, Fact.TOUCHED)


@dataclass
class Story:
    """`keys`: what happened to whom after the first load. `after_day`, `after_night`: what is believed after an
    incremental load, and after a full one that found one more change."""

    rig: Rig
    keys: Mapping[Fact, Sequence[str]]
    before: dict[str, int]
    after_day: dict[str, int]
    believed_after_day: Truth
    wrong_after_night: dict[str, object]
    true: Truth
    stale: int
    watermarks: tuple[list[tuple[object, ...]], ...]
    told: tuple[set[str], set[str]]

    def happened(self, fact: Fact) -> Sequence[str]:
        found = self.keys.get(fact, ())
        assert found, "the day must hold such a thing, or this test shows nothing"
        return found


@pytest.fixture(scope="module")
def story(yard: Yard) -> Story:
    rig = yard.rig(loaded=True)
    bench, before, marks = rig.bench, rig.versions(), [rig.watermarks()]
    keys = dict(bench.day())
    keys[Fact.OLD] = (bench.import_old(),) if rig.can(Fact.OLD) else ()
    keys[Fact.BINNED] = (bench.bin(),) if rig.can(Fact.BINNED) else ()
    keys[Fact.REMOVED] = (bench.remove(),) if rig.can(Fact.REMOVED) else ()
    day = rig.counts()
    after_day, believed, told = rig.versions(), rig.believed(), rig.told()
    marks.append(rig.watermarks())
    keys[Fact.CHANGED] = (*keys[Fact.CHANGED], late := bench.change())
    night = rig.counts("full")
    marks.append(rig.watermarks())
    after_day[late] += 1
    removed = set(keys[Fact.REMOVED])
    return Story(
        rig,
        keys,
        before,
        after_day,
        believed,
        rig.wrong(but=removed),
        bench.truth(),
        day["stale"] + night["stale"],
        tuple(marks),
        (told, rig.told()),
    )


@pytest.mark.proves(Fact.ADDED)
def test_a_new_record_is_believed_after_the_next_load(story: Story) -> None:
    assert {story.after_day.get(key) for key in story.happened(Fact.ADDED)} == {1}


@pytest.mark.proves
@pytest.mark.parametrize("fact", [Fact.CHANGED, Fact.CHILD_CHANGED])
def test_a_changed_record_gets_one_new_version_and_the_old_one_is_history(story: Story, fact: Fact) -> None:
    habit = story.rig.habit(fact)
    if habit.verdict is Verdict.IMPOSSIBLE:
        assert fact not in story.keys, "what was declared impossible did happen"
        return
    versions = story.rig.versions() if habit.verdict is Verdict.LATER else story.after_day
    history = story.rig.superseded()
    for key in story.happened(fact):
        assert story.before[key] == 1
        assert versions[key] == 2, key
        assert history[key] == [1]


@pytest.mark.proves(Fact.TOUCHED)
def test_what_was_touched_and_says_the_same_gets_no_version(story: Story) -> None:
    if not story.rig.can(Fact.TOUCHED):
        assert Fact.TOUCHED not in story.keys
        return
    assert {story.rig.versions()[key] for key in story.happened(Fact.TOUCHED)} == {1}


@pytest.mark.proves
@pytest.mark.parametrize("fact", [Fact.LATE, Fact.OLD])
def test_an_import_with_a_past_modification_time_arrives(story: Story, fact: Fact) -> None:
    verdict = story.rig.habit(fact).verdict
    if verdict is Verdict.IMPOSSIBLE:
        assert not story.keys.get(fact)
        return
    for key in story.happened(fact):
        assert (key in story.after_day) == (verdict is Verdict.KEPT), "at the next load, or only when all is read"
        assert story.rig.versions()[key] == 1


@pytest.mark.proves(Fact.BINNED)
def test_what_was_deleted_softly_stays_and_says_so(story: Story) -> None:
    verdict = story.rig.habit(Fact.BINNED).verdict
    if verdict is Verdict.IMPOSSIBLE:
        return
    [key] = story.happened(Fact.BINNED)
    root = story.rig.kind.root.entity
    believed = story.believed_after_day if verdict is Verdict.KEPT else story.rig.believed()
    said = {name: believed[root][key][name] for name in story.rig.bench.said[key]}
    assert said == story.rig.bench.said[key]
    assert story.rig.versions()[key] == 2


@pytest.mark.proves(Fact.REMOVED)
def test_what_was_deleted_stays_believed_and_is_told_by_the_load_that_reads_everything(story: Story) -> None:
    if not story.rig.can(Fact.REMOVED):
        return
    [key] = story.happened(Fact.REMOVED)
    assert story.after_day[key] == story.rig.versions()[key] == 1, "nothing is deleted here"
    assert story.rig.vanished() == {key}
    assert "records_vanished" not in story.told[0], "only a load that reads everything can miss something"
    assert "records_vanished" in story.told[1]


@pytest.mark.proves(Fact.ADDED, Fact.CHANGED, Fact.LATE)
def test_after_day_and_night_all_is_believed_as_it_is_true(story: Story) -> None:
    assert story.wrong_after_night == {}
    touched = {key for keys in story.keys.values() for key in keys}
    others = set(story.before) - touched
    assert {story.rig.versions()[key] for key in others} == {1}, "who rests gets no version"
    assert story.stale == 0


@pytest.mark.proves(Fact.ADDED)
def test_a_load_of_what_is_new_moves_the_watermark_and_one_of_everything_does_not(story: Story) -> None:
    before, day, night = story.watermarks
    assert before != day
    assert day == night
