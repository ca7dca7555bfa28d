"""Running anything twice, or twice at once, gives the same tables; what moved at the source arrives once."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lienthong.pipeline.load import extract, gate, merge, open_load, stage
from simulator.opencps.advance import advance
from tests.pipeline.comparison import differences
from tests.pipeline.small import small_live, small_loaded, small_moving
from tests.world import PROVINCES, SMALL, STEPS, Live

__all__ = ["small_live", "small_loaded", "small_moving"]  # fixtures

SOURCE = "opencps_h17"


def at_once(work: Callable[[], object], times: int = 2) -> list[BaseException]:
    """Run `work` in several threads at the same moment; returns what they raised."""
    raised: list[BaseException] = []
    barrier = threading.Barrier(times)

    def run() -> None:
        barrier.wait()
        try:
            work()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_a_full_reread_of_an_unchanged_source_finds_every_row_unchanged(live: Live) -> None:
    live.sync_catalogue()
    first = live.load(SOURCE)
    before = live.contents()
    again = live.load(SOURCE, mode="full")
    for entity, counts in first.items():
        kept = counts["inserted"]
        assert again[entity]["unchanged"] == kept, entity
        assert again[entity]["inserted"] == again[entity]["updated"] == 0, entity
    assert live.contents() == before


def test_every_step_of_a_load_can_be_asked_for_twice(live: Live) -> None:
    live.sync_catalogue()
    load_id = open_load(live.rt, SOURCE, "same-run")
    assert open_load(live.rt, SOURCE, "same-run") == load_id
    for step in STEPS.values():
        step(live.rt, load_id)
        step(live.rt, load_id)
    twice = live.contents()
    assert live.rows("SELECT count(*) FROM ops.load") == [(1,)]
    live.load(SOURCE, mode="full")
    assert live.contents() == twice


def test_two_copies_of_every_step_at_once_give_the_tables_of_one(live: Live) -> None:
    from lienthong.model.errors import FencedError

    live.sync_catalogue()
    load_id = open_load(live.rt, SOURCE, "doubled")
    for name, step in STEPS.items():
        raised = at_once(lambda step=step: step(live.rt, load_id))  # type: ignore[misc]
        assert all(isinstance(error, FencedError) for error in raised), (name, raised)
        assert len(raised) <= 1
    doubled = live.contents()
    [(state,)] = live.rows("SELECT state FROM ops.load")
    assert state == "merged"
    live.load(SOURCE, mode="full")
    assert live.contents() == doubled


def test_two_loads_of_one_source_at_once_believe_everything_once(live: Live) -> None:
    live.sync_catalogue()
    assert at_once(lambda: live.load(SOURCE)) == []
    versions = live.rows("SELECT DISTINCT version FROM dossier.source_record")
    assert versions == [(1,)]
    assert live.rows("SELECT count(*) FROM dossier.source_record_history") == [(0,)]
    inserted = live.rows("SELECT sum(inserted), count(*) FROM ops.load_count WHERE entity = 'dossier'")
    assert inserted == [(live.rows("SELECT count(*) FROM dossier.source_record")[0][0], 2)]


def test_a_second_push_sends_nothing(loaded: Live) -> None:
    live = loaded
    first = live.push("H17")["pushed"]
    held = live.portal.store.count("H17")
    second = live.push("H17")["pushed"]
    assert first["delivered"] > 0.7 * SMALL
    assert (second["delivered"], second["steps_sent"]) == (0, 0)
    assert live.portal.store.count("H17") == held


def test_two_pushes_at_once_send_every_dossier_and_step_once(loaded: Live) -> None:
    live = loaded
    assert at_once(lambda: live.push("H17")) == []
    live.push("H17")
    steps = [(step.code, str(sorted(step.body.items()))) for step in live.portal.store.steps()]
    assert len(steps) == len(set(steps))
    writes = {stored.code: stored.writes for stored in live.portal.store.dossiers("H17")}
    assert len(writes) > 0.7 * SMALL
    assert set(writes.values()) == {1}


def test_what_moved_at_the_source_reaches_the_portal_and_nothing_else_is_sent(moving: Live) -> None:
    live = moving
    live.sync_catalogue()
    for tenant in PROVINCES:
        live.load(f"opencps_{tenant.lower()}")
        live.push(tenant)
    calls = len(live.portal.portal.calls)
    changes = advance(live.world, "H17", live.sources["H17"], seed=3, changes=30)
    counts = live.load(SOURCE)["dossier"]
    live.push("H17")
    assert 0 < counts["inserted"] + counts["updated"] <= len(changes)
    ids = {change.dossier_id for change in changes}
    moved = {entry.code for entry in live.world.ledger("H17") if entry.dossier_id in ids}
    sent = {code for call in list(live.portal.portal.calls)[calls:] for code in call.codes}
    assert sent <= moved
    wrong: dict[str, object] = {}
    for entry in live.world.ledger("H17"):
        if entry.clean and entry.code:
            stored = live.portal.store.dossier(entry.code)
            held = [step.body for step in live.portal.store.steps(entry.code)]
            if stored is None or differences(entry, stored.body) or held != list(entry.steps):
                wrong[entry.code] = differences(entry, stored.body if stored else {})
    assert wrong == {}


def test_a_load_that_was_overtaken_compares_again_before_it_is_merged(live: Live) -> None:
    """It set aside what was believed when it was staged; what another load brought since contradicts it."""
    live.sync_catalogue()
    live.load(SOURCE)
    rename = 'UPDATE opencps_dossier SET "govAgencyName" = {} WHERE "dossierId" IN (SELECT "dossierId" FROM kept)'
    live.at_source(
        "H17",
        'CREATE TABLE kept AS SELECT * FROM opencps_dossier WHERE "dossierNo" <> \'\' ORDER BY "dossierId" LIMIT 40',
    )
    before = live.contents()["dossier"]
    early, late = (open_load(live.rt, SOURCE, live.key("load"), "full") for _ in range(2))
    live.at_source("H17", rename.format("'Sở Mới'"))
    extract(live.rt, early)
    live.at_source(
        "H17",
        'UPDATE opencps_dossier AS d SET "govAgencyName" = k."govAgencyName" FROM kept AS k '
        'WHERE k."dossierId" = d."dossierId"',
    )
    extract(live.rt, late)
    for load in (early, late):
        stage(live.rt, load)
        gate(live.rt, load)
    changed = merge(live.rt, early)["counts"]["dossier"]["updated"]
    assert changed > 20
    assert merge(live.rt, late)["counts"]["dossier"]["updated"] == changed
    assert [row[:3] for row in live.contents()["dossier"]] == [row[:3] for row in before]
    assert live.rows("SELECT count(*) FROM dossier.source_record WHERE agency_name = 'Sở Mới'") == [(0,)]
