"""Believed dossiers in the portal's words (portal-exchange §2.3, §2.4), and their hashes."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.exchange.believed import BelievedDossier, Document, Fee, Person, Procedure, Step
from lienthong.exchange.payload import (
    PAYLOAD_RECIPE,
    as_sent,
    dossier_payload,
    is_complete_step,
    payload_hash,
    sendable_steps,
    step_payload,
    texts_of,
    wire_time,
)
from lienthong.exchange.progress import chunks
from lienthong.exchange.wanted import WantedStep

MORNING = datetime(2026, 10, 12, 18, 30, 5, tzinfo=UTC)

COMPONENT = Document("1", "component", "TP01", None, True, False, True, 1, False, "to-khai.pdf", "https://x.invalid/1")
RESULT = Document("2", "result", None, "KQ.01", True, False, None, None, None, "Giấy khai sinh", "https://x.invalid/2")
STEP = Step("1", 1, 2, MORNING, None, None, None, None, "Trần Văn Khoa", "Tiếp nhận")
DOSSIER = BelievedDossier(
    dossier_id="0b8a9c1e-0000-5000-8000-000000000001",
    source_id="opencps_h17",
    source_key="1",
    version=3,
    dossier_code="H17.05-261012-0012",
    recorded_code="H17.05-261012-0012",
    blocked_reasons=(),
    procedure_code="1.001193",
    procedure_code_raw="1.001193.000.00.00.H17",
    procedure_name="Khai sinh (tên ở tỉnh)",
    agency_name="Sở Tư pháp",
    status=4,
    channel=2,
    subject_type=1,
    return_method=0,
    submitted_at=MORNING,
    received_at=None,
    due_at=MORNING + timedelta(days=3),
    finished_at=None,
    returned_at=None,
    refused_at=None,
    has_digitised_component=True,
    vneid_verified=None,
    online_payment=2,
    database_codes=("7", "1"),
    person=Person("Nguyễn Thị Ngân", "048190001234", "0905123456", None, "Đăng ký lại"),
    procedure=Procedure("Đăng ký khai sinh", "G15-HT02", "Hộ tịch", 1),
    documents=(COMPONENT, RESULT),
    fees=(Fee("1", "Lệ phí", None, None, 15000),),
    steps=(STEP,),
)


#: Names of a dossier's fields, as public clients of the exchange build them: of 2020, those that 2023 added, those that
#: 2023 no longer has (portal-exchange §2.3).
FIRST = {
    "MaHoSo",
    "MaTTHC",
    "TenTTHC",
    "MaLinhVuc",
    "TenLinhVuc",
    "ChuHoSo",
    "LoaiDoiTuong",
    "MaDoiTuong",
    "ThongTinKhac",
    "Email",
    "Fax",
    "SoDienThoai",
    "TrichYeuHoSo",
    "NgayTiepNhan",
    "NgayHenTra",
    "TrangThaiHoSo",
    "NgayTra",
    "ThongTinTra",
    "HinhThuc",
    "NgayKetThucXuLy",
    "DonViXuLy",
    "GhiChu",
    "TaiLieuNop",
    "DanhSachLePhi",
    "DanhSachTepDinhKemKhac",
    "DanhSachHoSoBoSung",
    "DanhSachGiayToKetQua",
}
ADDED = {
    "SoGiayToChuHoSo",
    "DinhDanhCHS",
    "NgayNopHoSo",
    "NgayTuChoi",
    "KenhThucHien",
    "NoiNopHoSo",
    "HoSoCoThanhPhanSoHoa",
    "TaiKhoanDuocXacThucVoiVNeID",
    "DuocThanhToanTrucTuyen",
    "DSKetNoiCSDL",
}
DROPPED = {"SoBienNhan"}
#: List → names inside: of 2020, and those that 2023 added.
INSIDE = {
    "TaiLieuNop": (
        "TepDinhKemId TenTepDinhKem IsDeleted MaThanhPhanHoSo DuongDanTaiTepTin",
        "DuocSoHoa DuocTaiSuDung DuocLayTuKhoDMQG MaKetQuaThayThe",
    ),
    "DanhSachLePhi": ("TenPhiLePhi MaPhiLePhi HinhThucThu Gia LoaiPhiLePhi", ""),
    "DanhSachGiayToKetQua": ("TenGiayTo MaThanhPhanHoSo GiayToId DuongDanTepTinKetQua", "MaGiayToKetQua"),
    "DinhDanhCHS": ("", "LoaiDinhDanh SoDinhDanh"),
    "DSKetNoiCSDL": ("", "MaCSDL"),
}


@pytest.mark.parametrize("v2", [True, False])
def test_a_payload_has_exactly_the_fields_of_its_generation(v2: bool) -> None:
    ours = as_sent(dossier_payload(DOSSIER), v2=v2)
    assert set(ours) == (FIRST | ADDED if v2 else FIRST | DROPPED)
    for name, (first, added) in INSIDE.items():
        if name in ours:
            assert ours[name], f"{name} has something to look at"
            for item in ours[name]:
                assert set(item) == set(first.split()) | (set(added.split()) if v2 else set()), name


def test_a_step_has_exactly_the_fields_that_clients_send() -> None:
    assert set(step_payload("H17.05-261012-0012", STEP)) == {
        "MaHoSo",
        "NguoiXuLy",
        "ChucDanh",
        "ThoiDiemXuLy",
        "PhongBanXuLy",
        "NoiDungXuLy",
        "TrangThai",
        "NgayBatDau",
        "NgayKetThucTheoQuyDinh",
    }


def test_values_are_texts_in_vietnamese_time_and_absent_ones_are_empty() -> None:
    payload = dossier_payload(DOSSIER)
    assert payload["NgayNopHoSo"] == "20261013013005"
    assert payload["NgayTiepNhan"] == ""
    assert payload["TenTTHC"] == "Đăng ký khai sinh"
    assert payload["MaTTHC"] == "1.001193"
    assert (payload["HoSoCoThanhPhanSoHoa"], payload["TaiKhoanDuocXacThucVoiVNeID"]) == ("1", "")
    assert (payload["Email"], payload["Fax"], payload["SoDienThoai"]) == ("", "", "0905123456")
    assert payload["DSKetNoiCSDL"] == [{"MaCSDL": "1"}, {"MaCSDL": "7"}]
    assert payload["DanhSachLePhi"][0]["Gia"] == "15000"
    assert payload["DuocThanhToanTrucTuyen"] == "2"


def test_an_unlisted_procedure_keeps_the_name_the_province_gives_it() -> None:
    payload = dossier_payload(
        replace(DOSSIER, procedure=Procedure(None, None, None, None), procedure_code=None, procedure_code_raw="DNG-1")
    )
    assert (payload["TenTTHC"], payload["MaTTHC"], payload["MaLinhVuc"]) == ("Khai sinh (tên ở tỉnh)", "DNG-1", "")


@pytest.mark.parametrize(
    ("number", "expected"),
    [("048190001234", "1"), ("201234567", "2"), ("0401234567", None), ("", None), (None, None), ("04819000123x", None)],
)
def test_an_identity_is_told_by_its_length_and_never_made_up(number: str | None, expected: str | None) -> None:
    payload = dossier_payload(replace(DOSSIER, person=replace(DOSSIER.person, id_number=number)))
    assert payload["DinhDanhCHS"] == ([{"LoaiDinhDanh": expected, "SoDinhDanh": number}] if expected else [])
    assert payload["SoGiayToChuHoSo"] == (number or "")


@pytest.mark.parametrize("status", range(1, 11))
def test_a_status_is_sent_as_it_is(status: int) -> None:
    assert dossier_payload(replace(DOSSIER, status=status))["TrangThaiHoSo"] == str(status)


def test_without_a_result_file_no_submitted_file_takes_its_place() -> None:
    bare = replace(RESULT, has_file=False, url=None)
    assert dossier_payload(replace(DOSSIER, documents=(COMPONENT, bare)))["DanhSachGiayToKetQua"] == []


def test_a_removed_file_is_sent_as_deleted_and_an_absent_one_not_at_all() -> None:
    removed = replace(COMPONENT, removed=True)
    absent = replace(COMPONENT, child_key="9", has_file=False)
    files = dossier_payload(replace(DOSSIER, documents=(removed, absent)))["TaiLieuNop"]
    assert [file["IsDeleted"] for file in files] == ["True"]


def test_long_texts_are_cut_where_the_portal_cuts_them() -> None:
    payload = dossier_payload(replace(DOSSIER, person=replace(DOSSIER.person, abstract="x" * 2000)))
    assert len(payload["TrichYeuHoSo"]) == 1000
    assert len(step_payload("c", replace(STEP, actor_name="y" * 80))["NguoiXuLy"]) == 50


def test_steps_without_status_or_time_are_left_out_and_the_rest_is_in_order() -> None:
    late = replace(STEP, child_key="2", occurred_at=MORNING + timedelta(hours=1))
    dossier = replace(
        DOSSIER, steps=(late, replace(STEP, child_key="3", status=None), replace(STEP, occurred_at=None), STEP)
    )
    assert [step.child_key for step in sendable_steps(dossier)] == ["1", "2"]


def test_an_incomplete_step_gets_a_call_of_its_own() -> None:
    full = step_payload("c", STEP)
    bare = full | {"NoiDungXuLy": ""}
    assert is_complete_step(full)
    assert not is_complete_step(bare)
    steps = [WantedStep(str(n), MORNING, wire) for n, wire in enumerate([full, full, bare, full, full, full])]
    assert [[step.key for step in chunk] for chunk in chunks(steps, 2)] == [["0", "1"], ["2"], ["3", "4"], ["5"]]


def test_the_hash_ignores_the_order_of_keys_and_the_form_of_unicode() -> None:
    payload = dossier_payload(DOSSIER)
    shuffled = dict(reversed(payload.items())) | {"ChuHoSo": unicodedata.normalize("NFD", payload["ChuHoSo"])}
    assert payload_hash(payload) == payload_hash(shuffled)


def test_the_constants_are_those_that_are_told_and_no_others() -> None:
    payload = dossier_payload(replace(DOSSIER, fees=(Fee("1", None, None, None, None),)))
    assert payload["NoiNopHoSo"] == "2"
    assert payload["DanhSachLePhi"] == [
        {"TenPhiLePhi": "", "MaPhiLePhi": "1", "HinhThucThu": "1", "Gia": "", "LoaiPhiLePhi": "1"}
    ]
    known = dossier_payload(replace(DOSSIER, fees=(Fee("1", "Phí", "P7", "L8", 5),)))["DanhSachLePhi"][0]
    assert (known["MaPhiLePhi"], known["LoaiPhiLePhi"], known["HinhThucThu"]) == ("P7", "L8", "1")
    empty = BelievedDossier(
        **dict.fromkeys(BelievedDossier.__dataclass_fields__)
        | dict.fromkeys(("blocked_reasons", "database_codes", "documents", "fees", "steps"), ())
        | {"person": Person(None, None, None, None, None), "procedure": Procedure(None, None, None, None)}
    )
    sent = {name: value for name, value in dossier_payload(empty).items() if value not in ("", [])}
    assert sent == {"NoiNopHoSo": "2"}, "everything else that is absent stays empty"


def test_the_same_dossier_has_the_same_payload_until_the_recipe_is_raised() -> None:
    """Else an upgrade would owe every dossier to the portal again, or never a change."""
    payload, step = payload_hash(dossier_payload(DOSSIER)).hex(), payload_hash(step_payload("c", STEP)).hex()
    assert (PAYLOAD_RECIPE, payload[:16], step[:16]) == (1, "d0716ad6c78cb0a5", "0f2a1920837c6eaa")


FIELDS = sorted(set(dossier_payload(DOSSIER)))


@given(st.sampled_from(FIELDS), st.text(min_size=1, alphabet="abcđê123"))
def test_the_hash_notices_a_change_of_any_field(name: str, value: str) -> None:
    payload = dossier_payload(DOSSIER)
    changed = payload | {name: [{"x": value}] if isinstance(payload[name], list) else payload[name] + value}
    assert payload_hash(changed) != payload_hash(payload)


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2099, 1, 1)))
def test_wire_time_is_seven_hours_ahead_of_utc(moment: datetime) -> None:
    instant = moment.replace(tzinfo=UTC, microsecond=0)
    assert datetime.strptime(wire_time(instant), "%Y%m%d%H%M%S") == instant.replace(tzinfo=None) + timedelta(hours=7)


def test_texts_of_a_payload_hold_everything_personal() -> None:
    texts = texts_of([{"data": [dossier_payload(DOSSIER)]}])
    assert {"Nguyễn Thị Ngân", "048190001234", "0905123456", "to-khai.pdf", "https://x.invalid/1"} <= texts
