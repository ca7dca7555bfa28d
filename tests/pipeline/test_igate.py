"""An iGate province end to end: what the portal and the warehouse hold against the truth, and what moves on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lienthong.indices import scores
from lienthong.indices.table import Absence, Flag
from lienthong.model.kinds.dossier import DOSSIER
from lienthong.model.kinds.spec import ValueType
from lienthong.pipeline.score import score
from simulator.defects import Defect
from simulator.ledger import Entry
from tests.pipeline.comparison import differences
from tests.pipeline.igates import SOURCE, TENANT, running_igate
from tests.pipeline.test_truth import BLOCKING, CHILDREN, children_of, entries, wire_text, with_defect
from tests.world import MONTH, Live

#: Enough for every kind of defect.
SIZE = 300

pytestmark = pytest.mark.xdist_group("igate-truth")  # one world for the whole module

#: What is soft-deleted at the source carries this defect in the ledger: an empty truth, nothing for the portal.
DELETED = Defect.ORPHAN_CHILD


def key_of(entry: Entry) -> str:
    """iGate's own id of a dossier of the world."""
    return f"64c0{int(entry.province[1:]):04x}{0:08x}{entry.dossier_id:08x}"


def received(entry: Entry) -> bool:
    """iGate numbers a dossier when it is registered; the portal takes it from reception on."""
    return bool(entry.truth.get("NgayTiepNhan"))


@pytest.fixture(scope="module")
def delivered(request: pytest.FixtureRequest) -> Iterator[Live]:
    """Catalogue, the province loaded, everything pushed: once for the tests that only read."""
    with running_igate(request, SIZE) as live:
        live.sync_catalogue()
        live.load(SOURCE)
        live.push(TENANT)
        yield live


def test_every_sendable_dossier_is_on_the_portal_exactly_as_it_is_true(delivered: Live) -> None:
    kept_back = {*BLOCKING, DELETED, Defect.PORTAL_REFUSES, Defect.EMPTY_REQUIRED}
    sendable = entries(delivered, TENANT, lambda e: received(e) and not kept_back & set(e.defects))
    wrong = {}
    for entry in sendable:
        stored = delivered.portal.store.dossier(entry.code or "")
        found = differences(entry, stored.body) if stored else {"": ("on the portal", "absent")}
        if found:
            wrong[entry.code] = (entry.defects, found)
    assert wrong == {}
    assert len(sendable) > SIZE * 0.9


def test_the_portal_holds_every_step_once_in_order(delivered: Live) -> None:
    wrong = {}
    for entry in entries(delivered, TENANT, lambda e: e.clean and received(e)):
        held = [step.body for step in delivered.portal.store.steps(entry.code)]
        if held != list(entry.steps):
            wrong[entry.code] = (len(held), len(entry.steps))
    assert wrong == {}


def test_the_portal_holds_nothing_else(delivered: Live) -> None:
    known = {entry.code for entry in delivered.world.ledger(TENANT)}
    assert {stored.code for stored in delivered.portal.store.dossiers(TENANT)} <= known


def test_the_warehouse_believes_the_truth_field_by_field(delivered: Live) -> None:
    fields = [field for field in DOSSIER.fields if field.wire and field.type is not ValueType.TEXTS]
    columns = ", ".join(f"{'p' if field.personal else 'r'}.{field.name}" for field in fields)
    rows = delivered.rows(
        f"SELECT r.source_key, {columns} FROM dossier.source_record r "
        "JOIN dossier.person p USING (tenant, source_id, source_key) WHERE r.tenant = :tenant",
        tenant=TENANT,
    )
    believed = {row[0]: dict(zip((field.wire for field in fields), row[1:], strict=True)) for row in rows}
    wrong = {}
    for entry in entries(delivered, TENANT, lambda e: e.clean or Defect.NFD_TEXT in e.defects):
        row = believed[key_of(entry)]
        text = {field.wire: wire_text(row[field.wire], field.type) for field in fields if field.wire != "TenTTHC"}
        true = entry.truth if received(entry) else {**entry.truth, "MaHoSo": ""}
        found = {name: (true[name], value) for name, value in text.items() if name and true[name] != value}
        if found:
            wrong[entry.dossier_id] = found
    assert wrong == {}


@pytest.mark.parametrize(("table", "columns", "list_name", "names"), CHILDREN, ids=[child[0] for child in CHILDREN])
def test_the_warehouse_believes_the_children_field_by_field(
    delivered: Live, table: str, columns: str, list_name: str | None, names: tuple[str, ...]
) -> None:
    believed = children_of(delivered, TENANT, table, columns)
    wrong = {}
    for entry in entries(delivered, TENANT, lambda e: e.clean):
        rows = believed.get(key_of(entry), [])
        if table == "document":
            rows = [row[1:] for row in rows if row[0] == "component"]
        true = [tuple(item[name] for name in names) for item in (entry.truth[list_name] if list_name else entry.steps)]
        if sorted(rows) != sorted(true):
            wrong[entry.dossier_id] = (true, rows)
    assert wrong == {}
    assert believed


def test_a_dossier_that_was_not_received_waits_and_is_not_on_the_portal(delivered: Live) -> None:
    states = dict(
        delivered.rows(
            "SELECT d.source_key, x.state FROM exchange.delivery x JOIN dossier.dossier d USING (tenant, dossier_id) "
            "WHERE tenant = :tenant",
            tenant=TENANT,
        )
    )
    waiting = entries(delivered, TENANT, lambda e: e.clean and not received(e))
    assert {states[key_of(entry)] for entry in waiting} == {"waiting"}
    assert not [entry for entry in waiting if delivered.portal.store.dossier(entry.code or "")]


@pytest.mark.parametrize("defect", BLOCKING)
def test_what_is_known_to_be_wrong_is_stored_blocked_and_not_sent(delivered: Live, defect: Defect) -> None:
    reasons = dict(
        delivered.rows(
            "SELECT source_key, blocked_reasons FROM dossier.source_record WHERE tenant = :tenant", tenant=TENANT
        )
    )
    for entry in entries(delivered, TENANT, with_defect(defect)):
        assert BLOCKING[defect] <= set(reasons[key_of(entry)]), entry.dossier_id
        assert delivered.portal.store.dossier(entry.code or "") is None


def test_what_was_deleted_at_the_source_is_stored_without_a_status_and_never_sent(delivered: Live) -> None:
    """Deleted dossiers stay in the list under a status of their own; the contract knows it, so it is no finding."""
    for entry in entries(delivered, TENANT, with_defect(DELETED)):
        [(code, raw, status, reasons)] = delivered.rows(
            "SELECT dossier_code, status_raw, status, blocked_reasons FROM dossier.source_record "
            "WHERE tenant = :tenant AND source_key = :key",
            tenant=TENANT,
            key=key_of(entry),
        )
        assert (raw, status) == ("18", None)
        assert "status_mapped" in reasons
        assert delivered.portal.store.dossier(code) is None
    words = {name for (name,) in delivered.rows("SELECT name FROM ops.finding WHERE kind = 'status'")}
    assert words
    assert "18" not in words


def test_a_dossier_imported_twice_is_two_records_and_one_dossier(delivered: Live) -> None:
    for entry in entries(delivered, TENANT, with_defect(Defect.DUPLICATE_ROW)):
        rows = delivered.rows(
            "SELECT dossier_id FROM dossier.source_record r WHERE tenant = :tenant AND dossier_code = :code",
            tenant=TENANT,
            code=entry.code,
        )
        assert len(rows) == 2
        assert len(set(rows)) == 1


def test_a_result_without_a_file_is_recorded_as_a_warning(delivered: Live) -> None:
    warned = {
        key
        for (key,) in delivered.rows(
            "SELECT source_key FROM quality.violation WHERE tenant = :tenant AND rule_id = 'result_has_file' "
            "AND resolved_load_id IS NULL",
            tenant=TENANT,
        )
    }
    assert {key_of(e) for e in entries(delivered, TENANT, with_defect(Defect.RESULT_WITHOUT_FILE))} <= warned


def test_every_load_adds_up_and_nothing_is_quarantined(delivered: Live) -> None:
    rows = delivered.rows(
        "SELECT entity, extracted - inserted - updated - unchanged - duplicate - stale - quarantined, quarantined, "
        "extracted FROM ops.load_count"
    )
    assert {entity for entity, *_ in rows} == {"dossier", "step", "document", "fee"}
    assert {(gap, bad) for _, gap, bad, _ in rows} == {(0, 0)}
    assert all(extracted > 0 for *_, extracted in rows)


def test_services_an_igate_does_not_tell_of_have_no_data_and_do_not_count_as_nothing(delivered: Live) -> None:
    table = scores(delivered.engine, score(delivered.rt, MONTH, "igate"))
    [province] = table.provinces
    for number in ("3.1", "3.2"):
        found = province.components[number]
        assert (found.score, found.denominator, found.absence) == (None, None, Absence.NO_DATA)
    assert {number for number, found in province.components.items() if Flag.NO_FEED in found.flags} == {
        "1.1", "1.2", "1.3", "3.1", "3.2", "5.1", "5.2", "5.3", "5.4", "2.2",
    }  # fmt: skip
    assert province.available == 64


def test_no_unknown_key_of_the_list_is_left_unmapped(delivered: Live) -> None:
    assert delivered.rows("SELECT name FROM ops.finding WHERE kind = 'column'") == []
