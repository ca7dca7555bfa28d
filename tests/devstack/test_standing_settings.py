"""How `make up` runs: what was chosen holds until something else is chosen."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from croniter import croniter

from devstack.outside import WorldOptions
from devstack.standing_settings import DEFAULT_PORT, Settings, Wishes, first_world

SYNCS = ["dossier_sync__igate_h13", "dossier_sync__igate_h21", "dossier_sync__opencps_h17", "petition_sync__pakn_h17"]


def test_a_choice_holds_until_another_is_made(tmp_path: Path) -> None:
    file = tmp_path / "up" / "settings.json"
    assert Settings.kept(file) is None
    first = Settings.settle(None, Wishes(every=7))
    assert (first.port, first.every) == (DEFAULT_PORT, 7)
    first.keep(file)
    assert Settings.settle(Settings.kept(file), Wishes()) == first
    assert Settings.settle(Settings.kept(file), Wishes(port=9090)).port == 9090


@pytest.mark.parametrize("every", [1, 3, 5, 7, 30])
def test_every_source_gets_a_cron_and_they_take_turns(every: int) -> None:
    entries = dict(entry.split("=", 1) for entry in Settings(every=every).schedules(SYNCS).split("; "))
    assert set(entries) == {*SYNCS, "index_scores"}
    assert all(croniter.is_valid(cron) for cron in entries.values())
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    firsts = [croniter(entries[dag_id], midnight).get_next(datetime) for dag_id in SYNCS]
    assert len(set(firsts)) == min(every, len(SYNCS))


def test_a_new_world_ends_with_the_month_before_the_running_one_in_vietnam() -> None:
    first_of_november_there = datetime(2026, 10, 31, 18, tzinfo=UTC)
    assert first_world(WorldOptions(size=9), first_of_november_there) == WorldOptions(size=9, month="2026-10")
    assert first_world(WorldOptions(month="2026-03"), first_of_november_there).month == "2026-03"
