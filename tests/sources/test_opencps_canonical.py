"""OpenCPS rows become canonical records: typed, in UTC and NFC, in the exchange's codes, traceable to landing."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from lienthong.landing import LandedBatch
from lienthong.model.kinds.dossier import SPECS, Entity
from lienthong.sources.profile import UnmappedCode
from lienthong.sources.profiles import profile_of
from tests.sources.conftest import Province, at, frame_of

DOSSIER, ACTION, FILE, FEE = "opencps_dossier", "opencps_dossieraction", "opencps_dossierfile", "opencps_paymentfile"
ARROW = {
    "text": pa.string(),
    "smallint": pa.int16(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "timestamptz": pa.timestamp("us", "UTC"),
    "text[]": pa.list_(pa.string()),
}


def rows(province: Province, entity: Entity = Entity.DOSSIER, **changes: Any) -> list[dict[str, Any]]:
    return province.canonical(province.load(), **changes)[entity]


def one(province: Province, **columns: Any) -> dict[str, Any]:
    """The canonical dossier of one row with these columns."""
    province.add(DOSSIER, 1, **columns)
    return rows(province)[0]


def document(province: Province, **columns: Any) -> dict[str, Any]:
    province.add(FILE, 1, dossierId=1, **columns)
    return rows(province, Entity.DOCUMENT)[0]


def services(province: Province, batch: LandedBatch) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = profile_of(province.contract).services(province.contract, batch).to_pylist()
    return found


def unmapped(province: Province, batch: LandedBatch) -> list[UnmappedCode]:
    return profile_of(province.contract).unmapped_codes(province.contract, batch)


def test_canonical_tables_have_exactly_the_fields_of_the_model(province: Province) -> None:
    province.add(DOSSIER, 1)
    for child_table in (ACTION, FILE, FEE):
        province.add(child_table, 1, dossierId=1)
    batch = province.load()
    seen = []
    for entity, table in profile_of(province.contract).canonicalise(province.contract, batch):
        seen.append(entity)
        child = [] if entity is Entity.DOSSIER else ["child_key"]
        places = ["landing_part", "landing_row", "type_errors"]
        assert table.schema.names == ["source_id", "source_key", *child, *places, *SPECS[entity].names]
        assert table.schema.types[-len(SPECS[entity].fields) :] == [ARROW[f.type] for f in SPECS[entity].fields]
        assert [table.schema.field(name).type for name in places] == [pa.int32(), pa.int64(), ARROW["text[]"]]
    assert seen[-1] is Entity.DOSSIER
    assert sorted(seen) == sorted(Entity)


def test_local_times_become_utc(province: Province) -> None:
    row = one(province, submitDate="2026-10-12 23:59:59", receiveDate="2026-10-13 00:00:00", dueDate=None)
    assert row["submitted_at"] == at("2026-10-12T16:59:59+00:00")
    assert row["received_at"] == at("2026-10-12T17:00:00+00:00")
    assert row["due_at"] is None


def test_a_moved_appointment_counts_before_the_first(province: Province) -> None:
    row = one(province, dueDate="2026-10-12 17:00:00", extendDate="2026-10-20 17:00:00")
    assert row["due_at"] == at("2026-10-20T10:00:00+00:00")


def test_the_date_of_cancelling_is_a_refusal_only_for_refused_dossiers(province: Province) -> None:
    province.add(DOSSIER, 1, dossierStatus="denied", cancellingDate="2026-10-12 10:00:00")
    province.add(DOSSIER, 2, dossierStatus="cancelled", cancellingDate="2026-10-12 10:00:00")
    assert [row["refused_at"] for row in rows(province)] == [at("2026-10-12T03:00:00+00:00"), None]


def test_text_is_trimmed_and_composed_and_the_dossier_is_marked(province: Province) -> None:
    name = "Nguyễn Thị Bích Ngọc"
    province.add(DOSSIER, 1, applicantName=unicodedata.normalize("NFD", f"  {name} \n"))
    province.add(DOSSIER, 2, applicantName=name)
    first, second = rows(province)
    assert (first["applicant_name"], first["was_not_nfc"]) == (name, True)
    assert (second["applicant_name"], second["was_not_nfc"]) == (name, False)


@pytest.mark.parametrize(("table", "column"), [(ACTION, "actionNote"), (FILE, "displayName"), (FEE, "paymentFee")])
def test_decomposed_text_of_a_child_marks_its_dossier(province: Province, table: str, column: str) -> None:
    province.add(DOSSIER, 1, 2)
    province.add(table, 1, dossierId=2, **{column: unicodedata.normalize("NFD", "Lệ phí")})
    assert [row["was_not_nfc"] for row in rows(province)] == [False, True]


def test_empty_text_stays_empty_and_absent_text_stays_absent(province: Province) -> None:
    row = one(province, govAgencyName="", applicantName=None, dossierNo="  ")
    assert (row["agency_name"], row["applicant_name"]) == ("", None)
    assert row["dossier_code"] is None  # a code is unique when present: blank is no code


@pytest.mark.parametrize(
    ("local", "mapped", "code"),
    [
        ("1.004873.000.00.00.H17", None, "1.004873"),
        ("DNG-HT-03", "1.004873", "1.004873"),
        ("1.000001.000.00.00.H17", "2.000002.000.00.00.H17", "2.000002"),
        ("DNG-XX-51", None, None),
    ],
)
def test_the_procedure_is_told_by_the_province_s_mapping_or_by_the_code_itself(
    province: Province, local: str, mapped: str | None, code: str | None
) -> None:
    if mapped:
        province.add("opencps_serviceinfomapping", 1, serviceCode=f" {local}", serviceCodeDVCQG=mapped)
    row = one(province, serviceCode=local)
    assert (row["procedure_code"], row["procedure_code_raw"]) == (code, local)


def test_an_agency_has_one_spelling(province: Province) -> None:
    province.add(DOSSIER, 1, govAgencyCode="000.00.05.H17")
    province.add(DOSSIER, 2, govAgencyCode=" h17.05")
    province.add(DOSSIER, 3, govAgencyCode="")
    assert [row["agency_code"] for row in rows(province)] == ["H17.05", "H17.05", None]


def test_the_province_s_status_mapping_wins_and_the_sub_status_before_the_status(province: Province) -> None:
    words = [("processing", ""), ("processing", "posting"), ("processing", "pausing"), ("done", ""), ("odd", "posting")]
    for key, (status, sub) in enumerate(words, start=1):
        province.add(DOSSIER, key, dossierStatus=status, dossierSubStatus=sub)
    mapping = [("processing", "posting", "9"), ("done", None, "9"), ("waiting", "", "0"), ("", "", "")]
    for key, (status, sub, code) in enumerate(mapping):  # type: ignore[assignment]
        province.add("opencps_dossierstatusmapping", key, statusCode=status, subStatusCode=sub, statusCodeDVCQG=code)
    batch = province.load()
    found = [(row["status"], row["status_raw"]) for row in province.canonical(batch)[Entity.DOSSIER]]
    assert found == [
        (4, "processing"),
        (9, "processing/posting"),
        (4, "processing/pausing"),
        (9, "done"),
        (None, "odd/posting"),
    ]
    assert unmapped(province, batch) == [
        UnmappedCode("status", "odd/posting", 1),
        UnmappedCode("substatus", "processing/pausing", 1),
    ]


def test_the_channel_follows_from_three_columns(province: Province) -> None:
    cases = [(True, 3, 0), (None, 1, 0), (False, 3, 1), (False, None, 0), (None, None, None)]
    for key, (online, originality, postal) in enumerate(cases, start=1):
        province.add(DOSSIER, key, online_=online, originality=originality, fromViaPostal=postal)
    assert [row["channel"] for row in rows(province)] == [2, 2, 3, 1, 1]


def test_the_way_of_return_follows_opencps(province: Province) -> None:
    for key, postal in enumerate([0, 1, 2, None], start=1):
        province.add(DOSSIER, key, viaPostal=postal)
    assert [row["return_method"] for row in rows(province)] == [0, 0, 1, None]  # 1: could be posted, was not


def test_what_is_in_the_bin_or_a_group_is_stored_without_a_status_and_counted(province: Province) -> None:
    for key, originality in enumerate([3, -3, 9, -1, None, 7], start=1):
        province.add(DOSSIER, key, dossierStatus="done", originality=originality)
    batch = province.load()
    found = [(row["status"], row["status_raw"], row["channel"]) for row in province.canonical(batch)[Entity.DOSSIER]]
    assert found == [
        (10, "done", 1),
        (None, "done (originality -3)", 1),
        (None, "done (originality 9)", 1),
        (None, "done (originality -1)", 2),  # it had come in online
        (10, "done", 1),
        (None, "done (originality 7)", 1),
    ]
    assert unmapped(province, batch) == [
        UnmappedCode("left_out", "9", 1),
        UnmappedCode("originality", "7", 1),
        UnmappedCode("removed", "-1", 1),
        UnmappedCode("removed", "-3", 1),
    ]
    lax = province.contract.dossier.codes.model_copy(update={"originality": {}})
    without = province.contract.with_section(codes=lax)
    assert profile_of(without).unmapped_codes(without, batch) == []
    assert {row["status"] for row in province.canonical(batch, codes=lax)[Entity.DOSSIER]} == {10}


HERE, THERE = 20143, 55301


def test_a_mapping_holds_for_its_own_group_only(province: Province) -> None:
    """Two sites in one database: same words, other meanings; and a third that keeps no tables."""
    for key, (group, sub) in enumerate([(HERE, ""), (THERE, ""), (THERE, "posting"), (777, ""), (777, "posting")]):
        province.add(DOSSIER, key, groupId=group, dossierStatus="odd", dossierSubStatus=sub, serviceCode="HT-03")
    mapping = [
        (HERE, "odd", "", "4"),
        (THERE, "odd", None, "9"),
        (HERE, "odd", "posting", "5"),
        (THERE, "", "posting", "3"),
    ]
    for key, (group, status, sub, code) in enumerate(mapping):
        province.add("opencps_dossierstatusmapping", key, groupId=group, statusCode=status, subStatusCode=sub,
                     statusCodeDVCQG=code)  # fmt: skip
    for key, (group, code) in enumerate([(THERE, "2.000222"), (HERE, "1.000111"), (HERE, "9.999999")]):
        province.add("opencps_serviceinfomapping", key, groupId=group, serviceCode="HT-03", serviceCodeDVCQG=code)
    for key, group in enumerate([HERE, THERE, 777], start=1):
        province.add("opencps_serviceinfo", key, groupId=group, serviceCode="HT-03", maxLevel=4)
        province.add("opencps_serviceconfig", key, groupId=group, serviceInfoId=key, govAgencyCode=f"H17.0{key}")
    batch = province.load()
    found = [(row["status"], row["procedure_code"]) for row in province.canonical(batch)[Entity.DOSSIER]]
    assert found == [(4, "1.000111"), (9, "2.000222"), (9, "2.000222"), (None, None), (None, None)]
    assert [tuple(row.values()) for row in services(province, batch)] == [
        ("H17.01", "1.000111", 4),
        ("H17.02", "2.000222", 4),
    ]
    assert unmapped(province, batch) == [
        UnmappedCode("procedure", "HT-03", 2),
        UnmappedCode("service", "HT-03", 1),
        UnmappedCode("status", "odd", 1),
        UnmappedCode("status", "odd/posting", 1),
        UnmappedCode("substatus", "odd/posting", 1),
    ]


def test_without_groups_in_the_tables_a_mapping_holds_for_all(province: Province) -> None:
    province.add(DOSSIER, 1, groupId=HERE, dossierStatus="odd")
    province.add("opencps_dossierstatusmapping", 1, groupId=THERE, statusCode="odd", statusCodeDVCQG="9")
    province.run('ALTER TABLE opencps_dossierstatusmapping DROP COLUMN "groupId"')
    ignore = {"opencps_dossierstatusmapping": ("groupId",)}
    assert [row["status"] for row in province.canonical(province.load(ignore=ignore))[Entity.DOSSIER]] == [9]


def test_of_several_rows_for_one_word_the_oldest_counts(province: Province) -> None:
    province.add(DOSSIER, 1, dossierStatus="odd")
    for key, code in ((9, "4"), (10, "8"), (3, "9")):
        province.add("opencps_dossierstatusmapping", key, statusCode="odd", statusCodeDVCQG=code)
    assert [row["status"] for row in rows(province)] == [9]


def test_a_sub_status_of_the_contract_means_something_beside_its_status_only(province: Province) -> None:
    for key, status in enumerate(["processing", "waiting", "done"], start=1):
        province.add(DOSSIER, key, dossierStatus=status, dossierSubStatus="by_court")
    province.add("opencps_dossierstatusmapping", 1, statusCode="waiting", statusCodeDVCQG="6")
    codes = province.contract.dossier.codes.model_copy(
        update={"substatus": {"processing/by_court": 8, "waiting/by_court": 8}}
    )
    assert [row["status"] for row in rows(province, codes=codes)] == [8, 8, 10]


def test_extensions_fill_fields_from_json(province: Province) -> None:
    meta = {"TaiKhoanDuocXacThucVoiVNeID": "1", "DSKetNoiCSDL": ["7", "1"], "HoSoCoThanhPhanSoHoa": 0, "Khac": {}}
    province.add(DOSSIER, 1, metaData=json.dumps(meta))
    province.add(DOSSIER, 2, metaData='{"DSKetNoiCSDL": []}')
    province.add(DOSSIER, 3, metaData="")
    first, second, third = rows(province)
    names = ("vneid_verified", "has_digitised_component", "database_codes", "type_errors")
    assert [first[name] for name in names] == [True, False, ["1", "7"], None]
    assert [second[name] for name in names] == [None, None, [], None]
    assert [third[name] for name in names] == [None, None, None, None]


@pytest.mark.parametrize("text", ["{broken", '["a list"]', '"text"', "[" * 100_000])
def test_json_that_is_no_object_is_a_type_error_of_its_row_only(province: Province, text: str) -> None:
    province.add(DOSSIER, 1, metaData=text)
    province.add(DOSSIER, 2, metaData='{"TaiKhoanDuocXacThucVoiVNeID": "1"}')
    first, second = rows(province)
    assert first["type_errors"] == ["has_digitised_component", "vneid_verified", "database_codes"]
    assert (second["type_errors"], second["vneid_verified"]) == (None, True)


def test_a_json_value_of_the_wrong_kind_is_a_type_error(province: Province) -> None:
    form = {"url": "https://a.example/1", "DuocTaiSuDung": "hai", "DuocSoHoa": "có", "DuocLayTuKhoDMQG": ""}
    row = document(province, formData=json.dumps(form))
    assert (row["reuse"], row["digitised"], row["from_citizen_store"]) == (None, None, None)
    assert row["type_errors"] == ["digitised", "reuse"]


def test_the_volatile_part_of_a_url_is_stripped(province: Province) -> None:
    row = document(province, formData=json.dumps({"url": "https://a.example/documents/5?t=1760236800000"}))
    assert row["url"] == "https://a.example/documents/5"


def test_a_document_has_a_role_and_perhaps_a_file(province: Province) -> None:
    province.add(FILE, 1, dossierId=1, dossierPartType=2, deliverableCode="KQ.01", fileEntryId=77)
    province.add(FILE, 2, dossierId=1, dossierPartType=1, dossierPartNo="TP01", fileEntryId=0)
    province.add(FILE, 3, dossierId=1, dossierPartType=None, fileEntryId=None, removed=True)
    found = rows(province, Entity.DOCUMENT)
    assert [(row["role"], row["has_file"], row["removed"]) for row in found] == [
        ("result", True, False),
        ("component", False, False),
        ("component", False, True),
    ]
    assert (found[0]["result_code"], found[1]["component_code"]) == ("KQ.01", "TP01")


def test_a_step_has_the_portal_s_status_and_its_text(province: Province) -> None:
    moment = "2026-10-02 09:00:00"
    province.add(ACTION, 7, dossierId=1, stepCode="350", createDate=moment, actionNote="", stepName="Yêu cầu bổ sung")
    province.add(ACTION, 8, dossierId=1, stepCode="999", actionUser="Trần Văn B", actionNote="Ghi chú", stepName="Khác")
    first, second = rows(province, Entity.STEP)
    assert (first["status"], first["occurred_at"], first["content"]) == (
        5,
        at("2026-10-02T02:00:00+00:00"),
        "Yêu cầu bổ sung",
    )
    assert (second["status"], second["status_raw"], second["content"]) == (None, "999", "Ghi chú")
    assert (first["source_key"], first["child_key"], first["step_no"]) == ("1", "7", 7)


@pytest.mark.parametrize(
    ("fees", "expected"),
    [
        ([], 0),
        ([("CASH", 3)], 0),
        ([("KEYPAY", 3), ("CASH", 3)], 2),
        ([("KEYPAY", 3), ("DVCQG", 3)], 1),
        ([("DVCQG", 1), ("", 1)], 0),
        ([("MOMO", 3)], None),
        ([("MOMO", 3), ("DVCQG", 3)], 1),
    ],
)
def test_online_payment_follows_from_the_paid_fees(
    province: Province, fees: list[tuple[str, int]], expected: int | None
) -> None:
    province.add(DOSSIER, 1, 2)
    for key, (method, status) in enumerate(fees, start=1):
        province.add(FEE, key, dossierId=1, paymentMethod=method, paymentStatus=status, paymentAmount=50000)
    first, second = rows(province)
    assert (first["online_payment"], second["online_payment"]) == (expected, 0)


def test_a_fee_is_paid_when_it_is_said_or_confirmed_to_be(province: Province) -> None:
    for state in range(6):
        province.add(FEE, state, dossierId=1, paymentStatus=state)
    assert [row["paid"] for row in rows(province, Entity.FEE)] == [False, False, False, True, False, True]


def test_a_group_s_output_is_what_the_contract_says(province: Province) -> None:
    province.add(FILE, 1, dossierId=1, dossierPartType=7)
    roles = {**province.contract.dossier.codes.document_role, "7": "result"}
    codes = province.contract.dossier.codes.model_copy(update={"document_role": roles})
    batch = province.load()
    assert [row["role"] for row in province.canonical(batch)[Entity.DOCUMENT]] == ["component"]
    assert [row["role"] for row in province.canonical(batch, codes=codes)[Entity.DOCUMENT]] == ["result"]


def test_a_fee_says_what_was_paid_and_when(province: Province) -> None:
    province.add(
        FEE, 1, dossierId=1, paymentFee="Lệ phí", paymentAmount=50000, paymentStatus=3, paymentMethod="DVCQG",
        confirmDatetime="2026-10-02 09:00:00",
    )  # fmt: skip
    fee = rows(province, Entity.FEE)[0]
    assert (fee["name"], fee["amount"], fee["payment_channel"], fee["paid"]) == ("Lệ phí", 50000, 1, True)
    assert fee["paid_at"] == at("2026-10-02T02:00:00+00:00")


def test_columns_stored_as_text_are_typed_and_nonsense_is_reported_by_field(province: Province) -> None:
    province.run('ALTER TABLE opencps_paymentfile ALTER "paymentAmount" TYPE text, ALTER "confirmDatetime" TYPE text')
    for key, (amount, moment) in enumerate([("50000.00", "02/10/2026 09:00:00"), ("năm chục", "31/02/2026"), ("", "")]):
        province.add(FEE, key, dossierId=1, paymentAmount=amount, confirmDatetime=moment)
    found = rows(province, Entity.FEE)
    assert [(row["amount"], row["type_errors"]) for row in found] == [
        (50000, None),
        (None, ["amount", "paid_at"]),
        (None, None),
    ]
    assert found[0]["paid_at"] == at("2026-10-02T02:00:00+00:00")


def test_every_canonical_row_points_at_its_landed_row(province: Province) -> None:
    province.add(DOSSIER, *range(1, 6))
    batch = province.load()
    raw = frame_of(batch, DOSSIER)["dossierId"].to_list()
    for row in province.canonical(batch)[Entity.DOSSIER]:
        assert row["landing_part"] == 0
        assert str(raw[row["landing_row"]]) == row["source_key"]


def test_an_orphan_child_keeps_the_key_it_names(province: Province) -> None:
    province.add(FILE, 1, dossierId=404)
    province.add(FILE, 2, dossierId=None)
    keys = {row["child_key"]: row["source_key"] for row in rows(province, Entity.DOCUMENT)}
    assert keys == {"1": "404", "2": None}


def test_services_have_the_agency_s_level_else_the_highest(province: Province) -> None:
    province.add("opencps_serviceinfo", 1, serviceCode="1.004873.000.00.00.H17", maxLevel=4)
    province.add("opencps_serviceinfo", 2, serviceCode="DNG-HT-03", maxLevel=3)
    province.add("opencps_serviceinfo", 3, serviceCode="DNG-XX-51", maxLevel=3)
    province.add("opencps_serviceinfomapping", 1, serviceCode="DNG-HT-03", serviceCodeDVCQG="1.000111")
    for key, (service, agency, level) in enumerate(
        [
            (1, "H17.05", 3),
            (1, "000.00.05.H17", 2),
            (1, "H17.06", None),
            (2, "H17.05", 2),
            (3, "H17.05", 4),
            (9, "X", 4),
        ]
    ):
        province.add("opencps_serviceconfig", key, serviceInfoId=service, govAgencyCode=agency, serviceLevel=level)
    batch = province.load()
    assert [tuple(row.values()) for row in services(province, batch)] == [
        ("H17.05", "1.000111", 2),
        ("H17.05", "1.004873", 3),
        ("H17.06", "1.004873", 4),
    ]
    assert unmapped(province, batch) == [UnmappedCode("service", "DNG-XX-51", 1)]


def test_words_without_a_code_are_counted_by_kind(province: Province) -> None:
    province.add(DOSSIER, 1, 2, applicantIdType="alien", serviceCode="DNG-XX-51")
    province.add(ACTION, 1, dossierId=1, stepCode="777")
    province.add(FEE, 1, 2, 3, dossierId=1, paymentMethod="MOMO")
    for key, state in enumerate([0, 1, 2, 3, 4, 5, 7], start=4):
        province.add(FEE, key, dossierId=1, paymentMethod="CASH", paymentStatus=state)
    assert unmapped(province, province.load()) == [
        UnmappedCode("payment_method", "MOMO", 3),
        UnmappedCode("payment_status", "7", 1),
        UnmappedCode("procedure", "DNG-XX-51", 2),
        UnmappedCode("step", "777", 1),
        UnmappedCode("subject", "alien", 2),
    ]


def test_words_that_other_covers_are_mapped_and_without_it_they_are_reported(province: Province) -> None:
    province.add(DOSSIER, 1, viaPostal=2)
    province.add(FILE, 1, dossierId=1, dossierPartType=5)
    batch = province.load()
    assert unmapped(province, batch) == []
    codes = province.contract.dossier.codes.model_copy(
        update={"return_method": {"0": 0}, "document_role": {"2": "result"}}
    )
    without = province.contract.with_section(codes=codes)
    assert profile_of(without).unmapped_codes(without, batch) == [
        UnmappedCode("document_role", "5", 1),
        UnmappedCode("return_method", "2", 1),
    ]


def test_what_children_say_is_gathered_once_however_many_pieces_the_dossiers_come_in(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    province.add(DOSSIER, *range(1, 10))
    province.add(FEE, 1, dossierId=2, paymentMethod="DVCQG", paymentStatus=3)
    province.add(FEE, 2, dossierId=8, paymentMethod="KEYPAY", paymentStatus=3)
    province.add(FILE, 1, dossierId=5, displayName=unicodedata.normalize("NFD", "Lệ phí"))
    batch = province.load()
    gathered: list[int] = []
    concat = pl.concat

    def counted(frames: Any, *args: Any, **options: Any) -> Any:
        gathered.append(len(frames))
        return concat(frames, *args, **options)

    def canonical(rows: int) -> tuple[list[tuple[int, bool]], int]:
        monkeypatch.setattr(LandedBatch.batches, "__defaults__", (None, rows))
        gathered.clear()
        found = province.canonical(batch)[Entity.DOSSIER]
        return [(row["online_payment"], row["was_not_nfc"]) for row in found], len(gathered)

    monkeypatch.setattr(pl, "concat", counted)
    whole, pieces = canonical(100), canonical(2)
    assert whole == pieces
    assert [payment for payment, _ in pieces[0]] == [0, 1, 0, 0, 0, 0, 0, 2, 0]
    assert [key for key, (_, marked) in enumerate(pieces[0], start=1) if marked] == [5]
