"""What a source no longer has is noticed by the load that reads everything, told, and never deleted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lienthong.model.errors import CollapsedExtractError
from lienthong.pipeline.load import extract, gate, merge, open_load, stage
from lienthong.pipeline.views import status
from lienthong.views.findings import finding_view
from simulator.igate.ids import dossier_id
from tests.pipeline.igates import running_igate
from tests.pipeline.test_bad_input import SOURCE
from tests.pipeline.test_freshness import HALF
from tests.world import Live

#: Old ones: an incremental load doesn't look there.
FIVE = 'SELECT "dossierId" FROM opencps_dossier ORDER BY "modifiedDate", "dossierId" LIMIT 5'


def told(live: Live) -> tuple[int, list[str]]:
    """How many records the open finding says are gone, and which it names."""
    found = [finding for finding in status(live.rt, SOURCE).findings if finding.kind == "records_vanished"]
    assert len(found) <= 1
    return (found[0].details["records"], found[0].details["keys"]) if found else (0, [])


def vanished(live: Live) -> list[str]:
    query = "SELECT source_key FROM dossier.vanished WHERE source_id = :source ORDER BY 1"
    return [key for (key,) in live.rows(query, source=SOURCE)]


def test_what_a_full_load_no_longer_finds_is_told_until_it_is_seen_again(loaded: Live) -> None:
    whole = loaded.load(SOURCE, mode="full")["dossier"]
    assert whole["unchanged"] == whole["extracted"] - whole["quarantined"], "set aside by its rows, and seen"
    assert (told(loaded), vanished(loaded)) == ((0, []), [])

    loaded.at_source(
        "H17",
        f'CREATE TABLE gone AS SELECT * FROM opencps_dossier WHERE "dossierId" IN ({FIVE})',
        'DELETE FROM opencps_dossier WHERE "dossierId" IN (SELECT "dossierId" FROM gone)',
    )
    before = loaded.contents()
    loaded.load(SOURCE)
    assert told(loaded) == (0, []), "only a load that reads everything can miss something"
    for _ in range(2):
        loaded.load(SOURCE, mode="full")
        number, keys = told(loaded)
        assert (number, sorted(keys)) == (5, vanished(loaded))
    assert loaded.contents() == before, "what is believed stays"
    [finding] = [one for one in status(loaded.rt).findings if one.kind == "records_vanished"]
    assert finding_view(finding).what.startswith("5 hồ sơ đã nạp không còn ở nguồn")
    assert set(keys) <= {key for (key,) in loaded.rows("SELECT source_key FROM dossier.source_record")}

    back = 'INSERT INTO opencps_dossier SELECT * FROM gone WHERE "dossierId" {} (SELECT min("dossierId") FROM gone)'
    touch = 'UPDATE gone SET "modifiedDate" = (SELECT max("modifiedDate") FROM opencps_dossier)'
    loaded.at_source("H17", touch, back.format("="))
    loaded.load(SOURCE)
    assert told(loaded)[0] == len(vanished(loaded)) == 4, "any load may see it again"
    loaded.at_source("H17", back.format(">"))
    loaded.load(SOURCE, mode="full")
    assert (told(loaded), vanished(loaded)) == ((0, []), [])
    assert loaded.rows("SELECT close_reason FROM freshness.finding WHERE kind = 'records_vanished'") == [("recovered",)]
    assert loaded.rows("SELECT count(*) FROM ops.sighting") == [(0,)]


def test_a_full_load_that_was_stopped_as_collapsed_says_of_nothing_that_it_vanished(loaded: Live) -> None:
    loaded.at_source("H17", HALF)
    with pytest.raises(CollapsedExtractError):
        loaded.load(SOURCE, mode="full")
    assert (told(loaded), vanished(loaded)) == ((0, []), [])
    loaded.load(SOURCE, mode="full", accept_collapse=True)
    assert told(loaded)[0] == len(vanished(loaded)) > 20
    assert len(told(loaded)[1]) == 20, "a finding names some, the table holds all"


def test_what_came_while_a_full_load_was_read_has_not_vanished(loaded: Live) -> None:
    full = open_load(loaded.rt, SOURCE, loaded.key("full"), "full")
    loaded.at_source("H17", f'CREATE TABLE late AS SELECT * FROM opencps_dossier WHERE "dossierId" IN ({FIVE})')
    loaded.at_source("H17", 'DELETE FROM opencps_dossier WHERE "dossierId" IN (SELECT "dossierId" FROM late)')
    extract(loaded.rt, full)
    loaded.at_source(
        "H17",
        'UPDATE late SET "dossierId" = "dossierId" + 900000, "dossierNo" = NULL',
        "INSERT INTO opencps_dossier SELECT * FROM late",
    )
    loaded.clock += timedelta(minutes=1)
    assert loaded.load(SOURCE)["dossier"]["inserted"] == 5
    for step in (stage, gate, merge):
        step(loaded.rt, full)
    assert told(loaded)[0] == len(vanished(loaded)) == 5
    assert not [key for key in vanished(loaded) if int(key) > 900_000]


def test_a_dossier_that_left_the_list_of_an_igate_is_told_too(request: pytest.FixtureRequest) -> None:
    with running_igate(request, 20) as live:
        live.sync_catalogue()
        live.load("igate_h21")
        assert live.load("igate_h21", mode="full")["dossier"]["extracted"] > 10
        assert live.rows("SELECT removed FROM ops.source") == [(["18"],)], "as its contract says"
        store = live.igates["H21"].store
        with store.lock:
            _, number = store._order.pop(5)
            store.version += 1
        live.load("igate_h21", mode="full")
        gone = (dossier_id("H21", number),)
        assert live.rows("SELECT source_key FROM dossier.vanished") == [gone]
        assert live.rows("SELECT details->'keys'->>0 FROM freshness.finding WHERE kind = 'records_vanished'") == [gone]
