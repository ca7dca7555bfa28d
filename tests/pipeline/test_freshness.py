"""Freshness through whole loads: volumes that add up, collapses that stop before anything is promoted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lienthong.model.errors import CollapsedExtractError, SourceUnreachableError
from lienthong.pipeline.freshness import evaluate, note_task_failure
from tests.pipeline.igates import running_igate
from tests.pipeline.test_bad_input import SOURCE, unreachable
from tests.world import Live

RECOUNT = """
SELECT source_id, (coalesce(received_at, submitted_at) AT TIME ZONE 'Asia/Ho_Chi_Minh')::date,
       coalesce(agency_code, ''), count(*)
FROM dossier.source_record WHERE coalesce(received_at, submitted_at) IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
KEPT = "SELECT source_id, day, agency_code, dossiers FROM freshness.volume WHERE dossiers <> 0 ORDER BY 1, 2, 3"
HALF = 'DELETE FROM opencps_dossier WHERE "dossierId" % 2 = 0 AND "modifiedDate" < \'2026-10-15\''


def adds_up(live: Live) -> None:
    assert live.rows(KEPT) == live.rows(RECOUNT)
    assert live.rows("SELECT source_id, records FROM freshness.source_state ORDER BY 1") == live.rows(
        "SELECT source_id, count(*) FROM dossier.source_record GROUP BY 1 ORDER BY 1"
    )


def full_rows(live: Live) -> int:
    [(rows,)] = live.rows("SELECT full_rows FROM freshness.source_state WHERE source_id = :source", source=SOURCE)
    return int(rows)


def without_overlap_guard(live: Live) -> None:
    contract = live.settings.sources / f"{SOURCE}.yaml"
    contract.write_text(contract.read_text().replace("overlap_min_ratio: 0.5", "overlap_min_ratio: 0"))


def test_volumes_follow_every_load(loaded: Live) -> None:
    assert len(loaded.rows(KEPT)) > 50
    adds_up(loaded)
    loaded.at_source(
        "H17",
        'UPDATE opencps_dossier SET "receiveDate" = "receiveDate" - INTERVAL \'3 days\', "modifiedDate" = '
        '(SELECT max("modifiedDate") FROM opencps_dossier) WHERE "dossierId" % 5 = 0 AND "receiveDate" IS NOT NULL',
    )
    before = loaded.rows(KEPT)
    assert loaded.load(SOURCE)["dossier"]["updated"] > 0
    assert loaded.rows(KEPT) != before
    adds_up(loaded)


def test_a_full_load_that_found_far_fewer_dossiers_changes_nothing_until_it_is_accepted(loaded: Live) -> None:
    before, known = loaded.contents(), full_rows(loaded)
    loaded.at_source("H17", HALF)
    for _ in range(2):
        with pytest.raises(CollapsedExtractError, match=f"{known} are known"):
            loaded.load(SOURCE, mode="full")
    assert loaded.contents() == before
    assert loaded.rows("SELECT count(*) FROM staging.dossier") == [(0,)]
    assert loaded.rows("SELECT state, error IS NOT NULL FROM ops.load ORDER BY load_id DESC LIMIT 1") == [
        ("opened", True)
    ]

    accepted = loaded.load(SOURCE, mode="full", accept_collapse=True)["dossier"]
    assert accepted["extracted"] == full_rows(loaded) < known
    assert loaded.contents()["dossier"] == before["dossier"], "what the source lost is still known"
    assert loaded.load(SOURCE, mode="full")["dossier"]["unchanged"] > 0, "the accepted count is the new measure"
    adds_up(loaded)


def test_an_incremental_load_that_lost_its_overlap_can_be_accepted_too(loaded: Live) -> None:
    loaded.at_source(
        "H17",
        'DELETE FROM opencps_dossier WHERE "modifiedDate" > '
        "(SELECT max(\"modifiedDate\") - interval '3 days' FROM opencps_dossier)",
    )
    with pytest.raises(CollapsedExtractError):
        loaded.load(SOURCE)
    assert loaded.load(SOURCE, accept_collapse=True)["dossier"]["extracted"] == 1, "a file of it is newer"


def test_a_range_load_that_found_far_fewer_dossiers_is_stopped(loaded: Live) -> None:
    [(newest,)] = loaded.rows(
        "SELECT newest_modified_at FROM freshness.source_state WHERE source_id = :source", source=SOURCE
    )
    assert isinstance(newest, datetime)
    window = {"window_from": newest - timedelta(days=20), "window_to": datetime(2100, 1, 1, tzinfo=UTC)}
    assert loaded.load(SOURCE, mode="range", **window)["dossier"]["unchanged"] > 20
    loaded.at_source("H17", 'DELETE FROM opencps_dossier WHERE "dossierId" % 8 <> 0')
    before = loaded.contents()
    without_overlap_guard(loaded)
    with pytest.raises(CollapsedExtractError, match="known to be last modified"):
        loaded.load(SOURCE, mode="range", **window)
    assert loaded.contents() == before


def test_a_range_that_its_dossiers_left_because_they_were_touched_is_no_collapse(loaded: Live) -> None:
    old = {"window_from": datetime(2026, 10, 1, tzinfo=UTC), "window_to": datetime(2026, 11, 1, tzinfo=UTC)}
    assert loaded.load(SOURCE, mode="range", **old)["dossier"]["unchanged"] > 20
    for month in ("11", "12"):
        loaded.at_source("H17", f"UPDATE opencps_dossier SET \"modifiedDate\" = '2026-{month}-01 12:00'")
        assert loaded.load(SOURCE, mode="range", **old)["dossier"]["extracted"] == 0, "touched since the newest load"
        touched = loaded.load(SOURCE)["dossier"]
        assert touched["unchanged"] == touched["extracted"] == 400
        assert loaded.load(SOURCE, mode="range", **old)["dossier"]["extracted"] == 0, "touched before it"


@pytest.mark.parametrize("guarded", [True, False])
def test_a_range_of_a_source_that_lost_its_dossiers_is_a_collapse_whether_or_not_its_overlap_is_guarded(
    loaded: Live, guarded: bool
) -> None:
    old = {"window_from": datetime(2026, 10, 1, tzinfo=UTC), "window_to": datetime(2026, 11, 1, tzinfo=UTC)}
    loaded.at_source("H17", "TRUNCATE opencps_dossier")
    before = loaded.contents()
    if not guarded:
        without_overlap_guard(loaded)
    with pytest.raises(CollapsedExtractError, match="opencps_dossier is empty" if guarded else "no dossier at all"):
        loaded.load(SOURCE, mode="range", **old)
    assert loaded.contents() == before
    assert loaded.load(SOURCE, mode="range", accept_collapse=True, **old)["dossier"]["extracted"] == 0


def test_of_an_igate_too_a_range_tells_touched_dossiers_from_lost_ones(request: pytest.FixtureRequest) -> None:
    with running_igate(request, 60) as live:
        live.sync_catalogue()
        live.load("igate_h21")
        [(hour,)] = live.rows("SELECT max(hour) FROM freshness.modified WHERE dossiers > 0")
        old = {"window_from": hour - timedelta(days=60), "window_to": hour}
        assert live.load("igate_h21", mode="range", **old)["dossier"]["unchanged"] > 20
        store = live.igates["H21"].store
        for number in store.newest_first():
            store.touch(number)
        assert live.load("igate_h21", mode="range", **old)["dossier"]["extracted"] == 0
        store.world.plans["H21"].clear()
        store.refresh()
        with pytest.raises(CollapsedExtractError, match="no dossier at all"):
            live.load("igate_h21", mode="range", **old)


def test_a_guard_can_be_switched_off_in_the_contract(loaded: Live) -> None:
    contract = loaded.settings.sources / f"{SOURCE}.yaml"
    contract.write_text(
        contract.read_text().replace("{overlap_min_ratio: 0.5", "{full_min_ratio: 0, overlap_min_ratio: 0")
    )
    loaded.at_source("H17", HALF)
    assert loaded.load(SOURCE, mode="full")["dossier"]["extracted"] > 0


def test_a_load_that_stands_in_error_is_a_finding_until_the_source_is_back(loaded: Live) -> None:
    loaded.clock = loaded.clock + timedelta(minutes=1)
    good = loaded.connections["src_opencps_h17"]
    unreachable(loaded)
    with pytest.raises(SourceUnreachableError):
        loaded.load(SOURCE)
    evaluate(loaded.rt)
    failing = (
        "SELECT source_id, details->>'error' FROM freshness.finding WHERE kind = 'load_failed' AND closed_at IS NULL"
    )
    [(source_id, error)] = loaded.rows(failing)
    assert source_id == SOURCE
    assert error.startswith("extract: [source opencps_h17")
    loaded.connections["src_opencps_h17"] = good
    loaded.clock = loaded.clock + timedelta(minutes=1)
    loaded.load(SOURCE)
    assert loaded.rows(failing) == [], "the merge ends it, not the next hour"


def test_a_failed_task_and_its_load_are_one_finding_that_keeps_the_class_of_the_error(loaded: Live) -> None:
    loaded.clock = loaded.clock + timedelta(minutes=1)
    unreachable(loaded)
    with pytest.raises(SourceUnreachableError) as caught:
        loaded.load(SOURCE)
    [(run_key,)] = loaded.rows("SELECT run_key FROM ops.load ORDER BY load_id DESC LIMIT 1")
    details = {"class": "SourceUnreachableError", "error": str(caught.value), "run_key": run_key, "task": "extract"}
    note_task_failure(loaded.rt, f"dossier_sync__{SOURCE}", "extract", details)
    evaluate(loaded.rt)
    assert loaded.rows(
        "SELECT details->>'class', details->>'task', details ? 'load_id' FROM freshness.finding "
        "WHERE closed_at IS NULL AND kind = 'load_failed'"
    ) == [("SourceUnreachableError", "extract", True)]
