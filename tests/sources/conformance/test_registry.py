"""No source goes without the suite."""

from __future__ import annotations

import pytest

from lienthong.sources import profiles
from tests.sources.conformance.bench import Fact, Verdict
from tests.sources.conformance.registry import BENCHES


def test_every_registered_profile_has_a_bench() -> None:
    assert {bench.profile for bench, _ in BENCHES.values()} >= set(profiles.PROFILES)


@pytest.mark.parametrize("name", BENCHES)
def test_what_a_source_does_otherwise_is_declared_with_a_reason(name: str) -> None:
    bench, _ = BENCHES[name]
    assert all(len(habit.why) > 20 for habit in bench.habits.values())
    assert not [
        fact
        for fact in (Fact.FIRST, Fact.AGAIN, Fact.REREAD, Fact.KILLED, Fact.CUT)
        if bench.habit(fact).verdict is Verdict.IMPOSSIBLE
    ]
