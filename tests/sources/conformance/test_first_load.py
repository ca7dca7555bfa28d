"""The first load believes the truth; loading again changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.sources.conformance.bench import Fact
from tests.sources.conformance.conftest import Yard
from tests.sources.conformance.rig import Counts, Rig


@dataclass
class Story:
    """What was believed after the first load, after another one, and after one that read everything."""

    rig: Rig
    first: Counts
    wrong: dict[str, Any]
    findings: dict[tuple[str, str], int]
    states: tuple[dict[str, Any], ...]
    again: Counts
    whole: Counts


@pytest.fixture(scope="module")
def story(yard: Yard) -> Story:
    rig = yard.rig()
    first, wrong, findings, states = rig.load(), rig.wrong(), rig.findings(), [rig.state()]
    again = rig.load()
    states.append(rig.state())
    whole = rig.load("full")
    states.append(rig.state())
    return Story(rig, first, wrong, findings, tuple(states), again, whole)


@pytest.mark.proves(Fact.FIRST)
def test_the_first_load_believes_every_record_and_child_field_by_field(story: Story) -> None:
    assert story.wrong == {}
    true = story.rig.bench.truth()
    assert {entity for entity, rows in true.items() if rows} == set(story.first), (
        "each entity has rows, or this shows nothing"
    )


@pytest.mark.proves(Fact.FIRST)
def test_the_first_load_inserts_what_is_there_and_nothing_is_quarantined(story: Story) -> None:
    for entity, rows in story.rig.bench.truth().items():
        outcomes = story.first[entity]
        assert outcomes["inserted"] == outcomes["extracted"] == len(rows), entity
    assert story.rig.rows("SELECT * FROM quality.quarantine") == []
    assert story.rig.superseded() == {}


@pytest.mark.proves(Fact.FIRST)
def test_a_sound_source_has_no_unknown_words_and_keys(story: Story) -> None:
    assert story.findings == {}


@pytest.mark.proves(Fact.AGAIN)
def test_a_second_load_reads_the_overlap_again_and_touches_no_row(story: Story) -> None:
    outcomes = story.again[story.rig.kind.root.entity]
    assert outcomes["inserted"] == outcomes["updated"] == outcomes["stale"] == 0
    assert 0 < outcomes["unchanged"] == outcomes["extracted"]
    assert outcomes["extracted"] < len(story.rig.bench.keys()), "an incremental load doesn't read everything"
    assert story.states[1] == story.states[0]


@pytest.mark.proves(Fact.REREAD)
def test_a_full_load_reads_everything_again_and_touches_no_row(story: Story) -> None:
    for entity, rows in story.rig.bench.truth().items():
        assert story.whole[entity]["unchanged"] == story.whole[entity]["extracted"] == len(rows), entity
    assert story.states[2] == story.states[0]
    assert story.rig.vanished() == set()
