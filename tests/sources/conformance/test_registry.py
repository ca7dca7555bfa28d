"""No source goes without the suite."""

from __future__ import annotations

import pytest

from lienthong.sources import profiles
from tests.sources.conformance.bench import Fact, Verdict
from tests.sources.conformance.registry import BENCHES


def test_every_kind_of_record_that_a_registered_profile_reads_has_a_bench() -> None:
    """Put up a bench for a new source (docs/connect-a-source.md): then it has the whole suite."""
    registered = {(profile, kind) for profile, kinds in profiles.PROFILES.items() for kind in kinds}
    assert registered == {(bench.profile, bench.kind_of_records()) for bench, _ in BENCHES.values()}


@pytest.mark.parametrize("name", BENCHES)
def test_what_a_source_does_otherwise_is_declared_with_a_reason(name: str) -> None:
    bench, _ = BENCHES[name]
    assert all(len(habit.why) > 20 for habit in bench.habits.values())
    assert not [
        fact
        for fact in (Fact.FIRST, Fact.AGAIN, Fact.REREAD, Fact.KILLED, Fact.CUT)
        if bench.habit(fact).verdict is Verdict.IMPOSSIBLE
    ]
