"""The simulator's truth against the warehouse and against the portal's store, dossier by dossier, field by field."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from lienthong.model.kinds.dossier import DOSSIER
from lienthong.model.kinds.spec import ValueType
from lienthong.model.periods import BUSINESS_ZONE
from simulator.defects import Defect
from simulator.ledger import Entry
from tests.pipeline.comparison import differences
from tests.world import PROVINCES, Live

#: Defects that the gate must hold back, with the reasons it may give.
BLOCKING = {
    Defect.UNKNOWN_PROCEDURE: {"procedure_known"},
    Defect.RETIRED_PROCEDURE: {"procedure_not_retired"},
    Defect.MALFORMED_CODE: {"dossier_code_well_formed"},
    Defect.UNKNOWN_STATUS: {"status_mapped"},
}


pytestmark = pytest.mark.xdist_group("truth")  # one world, `delivered`


@pytest.fixture(params=PROVINCES)
def tenant(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def entries(live: Live, tenant: str, wanted: Callable[[Entry], bool]) -> list[Entry]:
    found = [entry for entry in live.world.ledger(tenant) if wanted(entry)]
    assert found, "the world must hold such dossiers, or this test shows nothing"
    return found


def with_defect(defect: Defect) -> Callable[[Entry], bool]:
    return lambda entry: defect in entry.defects


def wire_text(value: Any, kind: ValueType) -> str:
    """A canonical value as the portal writes it."""
    if value is None:
        return ""
    if kind is ValueType.INSTANT:
        assert isinstance(value, datetime)
        return value.astimezone(BUSINESS_ZONE).strftime("%Y%m%d%H%M%S")
    if kind is ValueType.BOOLEAN:
        return "1" if value else "0"
    return str(value)


def test_every_sendable_dossier_is_on_the_portal_exactly_as_it_is_true(delivered: Live, tenant: str) -> None:
    kept_back = {*BLOCKING, Defect.ORPHAN_CHILD, Defect.PORTAL_REFUSES, Defect.EMPTY_REQUIRED}
    sendable = entries(delivered, tenant, lambda e: e.code is not None and not kept_back & set(e.defects))
    wrong = {}
    for entry in sendable:
        stored = delivered.portal.store.dossier(entry.code or "")
        found = differences(entry, stored.body) if stored else {"": ("on the portal", "absent")}
        if found:
            wrong[entry.code] = (entry.defects, found)
    assert wrong == {}


def test_the_portal_holds_every_step_once_in_order(delivered: Live, tenant: str) -> None:
    wrong = {}
    for entry in entries(delivered, tenant, lambda e: e.clean and e.code is not None):
        held = [step.body for step in delivered.portal.store.steps(entry.code)]
        if held != list(entry.steps):
            wrong[entry.code] = (len(held), len(entry.steps))
    assert wrong == {}


def test_the_portal_holds_nothing_else(delivered: Live, tenant: str) -> None:
    known = {entry.code for entry in delivered.world.ledger(tenant)}
    assert {stored.code for stored in delivered.portal.store.dossiers(tenant)} <= known


def test_the_warehouse_believes_the_truth_field_by_field(delivered: Live, tenant: str) -> None:
    fields = [field for field in DOSSIER.fields if field.wire and field.type is not ValueType.TEXTS]
    columns = ", ".join(f"{'p' if field.personal else 'r'}.{field.name}" for field in fields)
    rows = delivered.rows(
        f"SELECT r.source_key, {columns} FROM dossier.source_record r "
        "JOIN dossier.person p USING (tenant, source_id, source_key) WHERE r.tenant = :tenant",
        tenant=tenant,
    )
    believed = {row[0]: dict(zip((field.wire for field in fields), row[1:], strict=True)) for row in rows}
    wrong = {}
    for entry in entries(delivered, tenant, lambda e: e.clean or Defect.NFD_TEXT in e.defects):
        row = believed[str(entry.dossier_id)]
        text = {field.wire: wire_text(row[field.wire], field.type) for field in fields if field.wire != "TenTTHC"}
        found = {
            name: (entry.truth[name], value) for name, value in text.items() if name and entry.truth[name] != value
        }
        if found:
            wrong[entry.dossier_id] = found
    assert wrong == {}


def children_of(live: Live, tenant: str, table: str, columns: str) -> dict[str, list[tuple[str, ...]]]:
    """Children the warehouse believes, per dossier, in the order of their keys; instants as the portal writes them."""
    rows = live.rows(
        f"SELECT source_key, {columns} FROM dossier.{table} WHERE tenant = :tenant "
        "ORDER BY source_key, length(child_key), child_key",
        tenant=tenant,
    )
    found: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for key, *values in rows:
        found[key].append(tuple("" if value is None else str(value) for value in values))
    return found


LOCAL = "coalesce(to_char({} AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYYMMDDHH24MISS'), '')"
FLAG = "CASE {} WHEN true THEN '1' WHEN false THEN '0' END"
CHILDREN: list[tuple[str, str, str | None, tuple[str, ...]]] = [
    (
        "step",
        f"{LOCAL.format('occurred_at')}, status, actor_name, content, {LOCAL.format('due_at')}",
        None,
        ("ThoiDiemXuLy", "TrangThai", "NguoiXuLy", "NoiDungXuLy", "NgayKetThucTheoQuyDinh"),
    ),
    ("fee", "name, amount", "DanhSachLePhi", ("TenPhiLePhi", "Gia")),
    (
        "document",
        f"role, name, url, component_code, {FLAG.format('digitised')}, reuse, {FLAG.format('from_citizen_store')}",
        "TaiLieuNop",
        (
            "TenTepDinhKem",
            "DuongDanTaiTepTin",
            "MaThanhPhanHoSo",
            "DuocSoHoa",
            "DuocTaiSuDung",
            "DuocLayTuKhoDMQG",
        ),
    ),
]


@pytest.mark.parametrize(("table", "columns", "list_name", "names"), CHILDREN, ids=[child[0] for child in CHILDREN])
def test_the_warehouse_believes_the_children_field_by_field(
    delivered: Live, tenant: str, table: str, columns: str, list_name: str | None, names: tuple[str, ...]
) -> None:
    believed = children_of(delivered, tenant, table, columns)
    wrong = {}
    for entry in entries(delivered, tenant, lambda e: e.clean):
        rows = believed.get(str(entry.dossier_id), [])
        if table == "document":
            rows = [row[1:] for row in rows if row[0] == "component"]
        true = [tuple(item[name] for name in names) for item in (entry.truth[list_name] if list_name else entry.steps)]
        if sorted(rows) != sorted(true):
            wrong[entry.dossier_id] = (true, rows)
    assert wrong == {}
    assert believed


def test_a_dossier_that_was_not_received_waits_and_is_not_on_the_portal(delivered: Live, tenant: str) -> None:
    states = dict(
        delivered.rows(
            "SELECT d.source_key, x.state FROM exchange.delivery x JOIN dossier.dossier d USING (tenant, dossier_id) "
            "WHERE tenant = :tenant",
            tenant=tenant,
        )
    )
    waiting = entries(delivered, tenant, lambda e: e.clean and e.code is None)
    assert {states[str(entry.dossier_id)] for entry in waiting} == {"waiting"}


@pytest.mark.parametrize("defect", BLOCKING)
def test_what_is_known_to_be_wrong_is_stored_blocked_and_not_sent(delivered: Live, tenant: str, defect: Defect) -> None:
    found = entries(delivered, tenant, with_defect(defect))
    reasons = dict(
        delivered.rows(
            "SELECT source_key, blocked_reasons FROM dossier.source_record WHERE tenant = :tenant", tenant=tenant
        )
    )
    for entry in found:
        assert BLOCKING[defect] <= set(reasons[str(entry.dossier_id)]), entry.dossier_id
        assert entry.code is None or delivered.portal.store.dossier(entry.code) is None


def test_an_empty_required_field_is_blocked_or_sent_but_never_lost(delivered: Live, tenant: str) -> None:
    states = dict(
        delivered.rows(
            "SELECT d.source_key, x.state FROM exchange.delivery x JOIN dossier.dossier d USING (tenant, dossier_id) "
            "WHERE tenant = :tenant",
            tenant=tenant,
        )
    )
    for entry in entries(delivered, tenant, with_defect(Defect.EMPTY_REQUIRED)):
        assert states[str(entry.dossier_id)] in ("blocked", "acknowledged", "rejected"), entry.dossier_id


def test_what_the_portal_refuses_is_rejected_with_a_reason_and_stops_nobody_else(delivered: Live, tenant: str) -> None:
    for entry in entries(delivered, tenant, with_defect(Defect.PORTAL_REFUSES)):
        [(state, outcome)] = delivered.rows(
            "SELECT state, last_outcome FROM exchange.delivery WHERE tenant = :tenant AND dossier_code = :code",
            tenant=tenant,
            code=entry.code,
        )
        assert (state, outcome.lower()) == ("rejected", "rejected")
        assert delivered.portal.store.dossier(entry.code or "") is None


def test_orphan_children_are_quarantined_and_nothing_else_is(delivered: Live, tenant: str) -> None:
    orphans = {str(entry.dossier_id) for entry in entries(delivered, tenant, with_defect(Defect.ORPHAN_CHILD))}
    rows = delivered.rows(
        "SELECT DISTINCT source_key, reasons FROM quality.quarantine WHERE tenant = :tenant AND state = 'open'",
        tenant=tenant,
    )
    assert {key for key, _ in rows} == orphans
    assert {tuple(reasons) for _, reasons in rows} == {("orphan_child",)}


def test_a_dossier_imported_twice_is_two_records_and_one_dossier(delivered: Live, tenant: str) -> None:
    for entry in entries(delivered, tenant, with_defect(Defect.DUPLICATE_ROW)):
        rows = delivered.rows(
            "SELECT dossier_id FROM dossier.source_record WHERE tenant = :tenant AND source_key IN (:one, :two)",
            tenant=tenant,
            one=str(entry.dossier_id),
            two=str(entry.duplicate_of),
        )
        assert len(rows) == 2
        assert len(set(rows)) == 1


@pytest.mark.parametrize(
    ("defect", "rule"),
    [
        (Defect.DUMMY_ID, "id_number_plausible"),
        (Defect.DATES_OUT_OF_ORDER, "dates_in_order"),
        (Defect.RESULT_WITHOUT_FILE, "result_has_file"),
        (Defect.NFD_TEXT, "text_was_nfc"),
    ],
)
def test_what_looks_odd_is_recorded_as_a_warning(delivered: Live, tenant: str, defect: Defect, rule: str) -> None:
    warned = {
        key
        for (key,) in delivered.rows(
            "SELECT source_key FROM quality.violation WHERE tenant = :tenant AND rule_id = :rule "
            "AND severity = 'warn' AND resolved_load_id IS NULL",
            tenant=tenant,
            rule=rule,
        )
    }
    missed = {str(entry.dossier_id) for entry in entries(delivered, tenant, with_defect(defect))} - warned
    assert missed == set()


def test_every_load_adds_up(delivered: Live) -> None:
    rows = delivered.rows(
        "SELECT extracted - inserted - updated - unchanged - duplicate - stale - quarantined, extracted "
        "FROM ops.load_count"
    )
    assert len(rows) == 8
    assert {gap for gap, _ in rows} == {0}
    assert all(extracted > 0 for _, extracted in rows)


def test_no_personal_value_reaches_tables_that_must_not_hold_any(delivered: Live, tenant: str) -> None:
    """Names and numbers of the people of the world, looked for in every text of the other schemas."""
    secrets = [
        entry.truth[name]
        for entry in entries(delivered, tenant, lambda e: e.clean)[:25]
        for name in ("ChuHoSo", "SoDienThoai", "Email", "TrichYeuHoSo")
        if len(entry.truth[name]) > 5
    ]
    tables = delivered.rows(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('quality', 'exchange', 'indices', 'ops') "
        "AND tablename NOT LIKE '%\\_\\_h%'"
    )
    for schema, table in tables:
        hits = delivered.rows(
            f"SELECT t::text FROM {schema}.{table} AS t WHERE t::text ILIKE ANY (CAST(:patterns AS text[])) LIMIT 1",
            patterns=[f"%{secret}%" for secret in secrets],
        )
        assert hits == [], f"{schema}.{table}"
