"""What nobody could verify about the portal is a switch of the simulator: delivery works either way."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.opencps.advance import advance
from tests.pipeline.comparison import differences
from tests.pipeline.small import small_live, small_loaded, small_moving
from tests.world import SMALL, Live

__all__ = ["small_live", "small_loaded", "small_moving"]  # fixtures

SWITCHES: list[dict[str, Any]] = [
    {"error_code": -1, "expired_code": "401", "session_ttl_s": 0.5},
    {"max_batch": 1},
    {"max_batch": 7, "names_bad_record": True},
    {"bad_record_fails_batch": False},
    {"progress_dedup": True},
    {"dstcode_in": "header"},
    {"lookup_fields": "code"},
    {"lookup_fields": "full"},
    {"require_v2_fields": True},
    {"reject_unknown_procedure": True},
    {"lookup_shows_steps": True, "progress_mixes_dossiers": False, "latency_s": 0.002},
]


def test_every_switch_has_a_test_of_the_other_way(live: Live) -> None:
    guesses = set(live.portal.switches.as_dict()) - {"expired_message", "hang_s", "update_merges_children"}
    assert guesses <= {name for switches in SWITCHES for name in switches}


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_everything_sendable_arrives_once_and_as_it_is_true(loaded: Live, switches: dict[str, Any]) -> None:
    loaded.portal.switches = loaded.portal.switches.changed(switches)
    if most := switches.get("max_batch"):  # a portal's limit on steps has to be configured: nobody can tell it apart
        path = loaded.settings.portal
        path.write_text(path.read_text().replace("step_chunk: 10", f"step_chunk: {most}"))
    loaded.push("H17")
    wanted = [entry for entry in loaded.world.ledger("H17") if entry.clean and entry.code]
    if switches.get("require_v2_fields"):  # what the source doesn't know can't be sent
        wanted = [entry for entry in wanted if entry.truth["TaiKhoanDuocXacThucVoiVNeID"]]
    assert len(wanted) > 0.7 * SMALL
    wrong = {}
    for entry in wanted:
        held = loaded.portal.store.dossier(entry.code or "")
        if held is None or differences(entry, held.body):
            wrong[entry.code] = differences(entry, held.body if held else {})
    assert wrong == {}
    steps = [(step.code, str(sorted(step.body.items()))) for step in loaded.portal.store.steps()]
    assert len(steps) == len(set(steps))
    assert {code for code, _ in steps} >= {entry.code for entry in wanted}


@pytest.mark.parametrize("merges", [False, True])
def test_an_update_carries_the_whole_dossier_whether_the_portal_merges_or_replaces_lists(
    moving: Live, merges: bool
) -> None:
    moving.portal.switches = moving.portal.switches.changed({"update_merges_children": merges})
    moving.sync_catalogue()
    moving.load("opencps_h17")
    moving.push("H17")
    advance(moving.world, "H17", moving.sources["H17"], seed=5, changes=20)
    moving.load("opencps_h17")
    pushed = moving.push("H17")["pushed"]
    assert pushed["updated"] > 0
    wrong = {}
    for entry in moving.world.ledger("H17"):
        held = moving.portal.store.dossier(entry.code) if entry.clean and entry.code else None
        if held and (found := differences(entry, held.body)):
            wrong[entry.code] = found
    assert wrong == {}
