"""A source whose clock is an hour off for a while: nothing is lost, nothing doubled, and it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.sources.conformance.bench import Fact
from tests.sources.conformance.rig import Rig

HOUR = timedelta(hours=1)


@pytest.mark.proves
@pytest.mark.parametrize("fact", [Fact.CLOCK_AHEAD, Fact.CLOCK_BEHIND])
def test_what_happens_while_the_clock_is_an_hour_off_and_after_it_is_put_right_is_believed_once(
    loaded: Rig, fact: Fact
) -> None:
    rig, bench = loaded, loaded.bench
    rig.overlap = "2h"  # the shortest that a contract may have: with days this would show nothing
    rig.write_contract()
    rig.clock = datetime.now(UTC)
    bench.turn_clock(HOUR if fact is Fact.CLOCK_AHEAD else -HOUR)
    changed = [bench.change()]
    rig.load()
    if fact is Fact.CLOCK_AHEAD:
        assert "source_clock_ahead" in rig.told()
    changed.append(bench.change())
    bench.turn_clock(timedelta())
    changed.append(bench.change())
    rig.load()
    assert {key: rig.versions()[key] for key in changed} == dict.fromkeys(changed, 2)
    assert rig.wrong() == {}
    assert "source_clock_ahead" not in rig.told()
    marks = [moment for _, moment, _ in rig.watermarks() if moment is not None]
    assert marks
    assert max(marks) <= datetime.now(UTC) + HOUR
    changed.append(bench.change())
    rig.load()
    assert rig.wrong() == {}
    assert {version for key, version in rig.versions().items() if key not in changed} == {1}
