"""Two ministries' systems end to end: their truth in the warehouse, one sender, one count, a list of what differs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lienthong.exchange.elsewhere import EXPECTED_ELSEWHERE, SENT_ELSEWHERE
from lienthong.model.kinds.dossier import DOSSIER
from simulator.defects import Defect
from simulator.ledger import Entry
from tests.pipeline.comparison import ALTERED
from tests.pipeline.sectors import CITY, HELD, Ministries, running_ministries
from tests.pipeline.test_truth import wire_text

#: Enough for every kind of defect.
SIZE = 700
pytestmark = pytest.mark.xdist_group("ministries")  # one world for the module
WIRES = {field.wire: field for field in DOSSIER.fields if field.wire}


@pytest.fixture(scope="module")
def delivered(request: pytest.FixtureRequest) -> Iterator[Ministries]:
    """Everything loaded, the ministries first, and pushed: once for the tests that only read."""
    with running_ministries(request, SIZE) as running:
        running.live.sync_catalogue()
        running.load_all()
        running.live.push("H17")
        yield running


def entries(running: Ministries, source_id: str) -> list[Entry]:
    return [entry for entry in running.live.world.ledger(source_id) if not entry.duplicate_of]


def records(running: Ministries, source_id: str) -> dict[str, dict[str, Any]]:
    """Believed records by key, in wire words."""
    fields = [field for field in WIRES.values() if field.name != "database_codes"]
    columns = ", ".join(f"{'p' if field.personal else 'r'}.{field.name}" for field in fields)
    rows = running.live.rows(
        f"SELECT r.source_key, {columns} FROM dossier.source_record r "
        "JOIN dossier.person p USING (tenant, source_id, source_key) WHERE r.source_id = :source",
        source=source_id,
    )
    return {
        row[0]: {field.wire: wire_text(value, field.type) for field, value in zip(fields, row[1:], strict=True)}
        for row in rows
    }  # type: ignore[misc]


@pytest.mark.parametrize("source_id", HELD)
def test_the_warehouse_believes_what_the_ministry_tells_field_by_field(delivered: Ministries, source_id: str) -> None:
    believed, wrong = records(delivered, source_id), {}
    told = [entry for entry in entries(delivered, source_id) if Defect.MALFORMED_CODE not in entry.defects]
    for entry in told:
        spoiled = {Defect.UNKNOWN_PROCEDURE: {"MaTTHC"}, Defect.UNKNOWN_STATUS: {"TrangThaiHoSo"}}
        altered = {name for defect in entry.defects for name in {**ALTERED, **spoiled}.get(Defect(defect), ())}
        row = believed[entry.code or ""]
        found = {
            name: (true, row[name]) for name, true in entry.truth.items() if name not in altered and row[name] != true
        }
        if found:
            wrong[entry.code] = (entry.defects, found)
    assert wrong == {}
    assert len(told) > 90


@pytest.mark.parametrize("source_id", HELD)
def test_every_load_adds_up(delivered: Ministries, source_id: str) -> None:
    [(gap, extracted, duplicate)] = delivered.live.rows(
        "SELECT extracted - inserted - updated - unchanged - duplicate - stale - quarantined, extracted, duplicate "
        "FROM ops.load_count c JOIN ops.load l USING (tenant, load_id) "
        "WHERE l.source_id = :source AND entity = 'dossier'",
        source=source_id,
    )
    assert gap == 0
    assert extracted == len(list(delivered.live.world.ledger(source_id)))
    assert duplicate == sum(bool(e.duplicate_of) for e in delivered.live.world.ledger(source_id))


def test_no_key_of_the_lists_is_left_unmapped(delivered: Ministries) -> None:
    assert delivered.live.rows("SELECT name FROM ops.finding WHERE kind = 'column'") == []


def test_nothing_that_a_ministry_sends_is_sent_by_the_city(delivered: Ministries) -> None:
    """Neither the ministries' own dossiers nor the city's copies, while all others of the city go."""
    live = delivered.live
    theirs = {entry.code for source_id in HELD for entry in live.world.ledger(source_id)}
    held = {stored.code for stored in live.portal.store.dossiers("H17")}
    assert not held & theirs
    ours = {e.code for e in live.world.ledger("H17") if e.clean and e.code and e.truth["NgayTiepNhan"]} - theirs
    assert ours <= held
    reasons = dict(
        live.rows(
            "SELECT x.dossier_code, x.reasons[1] FROM exchange.delivery x WHERE x.reasons && :why",
            why=[SENT_ELSEWHERE, EXPECTED_ELSEWHERE],
        )
    )
    assert set(reasons.values()) == {SENT_ELSEWHERE}
    assert {plan.code for plan in live.world.plans["H17"] if plan.held_by} <= set(reasons)


def test_a_dossier_that_both_hold_is_one_and_the_ministry_speaks_for_it(delivered: Ministries) -> None:
    copies = [plan.code for plan in delivered.live.world.plans["H17"] if plan.held_by]
    rows = delivered.live.rows(
        "SELECT d.dossier_code, d.source_id, count(DISTINCT r.source_id) FROM dossier.dossier d "
        "JOIN dossier.source_record r USING (tenant, dossier_id) WHERE d.dossier_code = ANY(:codes) GROUP BY 1, 2",
        codes=copies,
    )
    assert len(rows) == len(copies)
    assert {(source, systems) for _, source, systems in rows} == {(source, 2) for source in HELD}


def test_the_city_sends_nothing_of_theirs_when_its_own_system_is_read_and_pushed_first(
    request: pytest.FixtureRequest,
) -> None:
    with running_ministries(request, 150) as running:
        live = running.live
        live.sync_catalogue()
        live.load(CITY)
        live.push("H17")
        copies = {plan.code for plan in live.world.plans["H17"] if plan.held_by}
        assert copies
        assert not copies & {stored.code for stored in live.portal.store.dossiers("H17")}
        waiting = live.rows(
            "SELECT dossier_code FROM exchange.delivery WHERE :why = ANY(reasons)", why=EXPECTED_ELSEWHERE
        )
        assert {code for (code,) in waiting} == copies
        running.load_all()
        live.push("H17")
        assert not copies & {stored.code for stored in live.portal.store.dossiers("H17")}
        assert live.rows("SELECT 1 FROM exchange.delivery WHERE :why = ANY(reasons)", why=EXPECTED_ELSEWHERE) == []
