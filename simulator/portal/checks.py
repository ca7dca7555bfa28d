"""The portal's own checks of one record (portal-exchange §2.3, §2.4, §4). A failed check is a Vietnamese sentence."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from simulator.portal.switches import PortalSwitches

#: Mandatory in every client seen; the starred ones of §2.3 are left out by one client and therefore optional here.
REQUIRED = (
    "MaHoSo", "MaTTHC", "TenTTHC", "MaLinhVuc", "TenLinhVuc", "LoaiDoiTuong", "NgayTiepNhan", "TrangThaiHoSo",
    "HinhThuc", "DonViXuLy",
)  # fmt: skip
REQUIRED_V2 = (
    "NgayNopHoSo", "KenhThucHien", "NoiNopHoSo", "HoSoCoThanhPhanSoHoa", "TaiKhoanDuocXacThucVoiVNeID",
    "DuocThanhToanTrucTuyen",
)  # fmt: skip
OPTIONAL = (
    "SoBienNhan", "ChuHoSo", "SoGiayToChuHoSo", "MaDoiTuong", "ThongTinKhac", "Email", "Fax", "SoDienThoai",
    "TrichYeuHoSo", "NgayHenTra", "NgayTuChoi", "NgayKetThucXuLy", "NgayTra", "ThongTinTra", "GhiChu",
)  # fmt: skip
_FILE = frozenset(
    {
        "TepDinhKemId",
        "TenTepDinhKem",
        "IsDeleted",
        "MaThanhPhanHoSo",
        "DuongDanTaiTepTin",
        "DuocSoHoa",
        "DuocTaiSuDung",
        "DuocLayTuKhoDMQG",
        "MaKetQuaThayThe",
    }
)
LISTS: dict[str, frozenset[str]] = {
    "DinhDanhCHS": frozenset({"LoaiDinhDanh", "SoDinhDanh"}),
    "DSKetNoiCSDL": frozenset({"MaCSDL"}),
    "TaiLieuNop": _FILE,
    "DanhSachLePhi": frozenset({"TenPhiLePhi", "MaPhiLePhi", "HinhThucThu", "Gia", "LoaiPhiLePhi"}),
    "DanhSachTepDinhKemKhac": frozenset({"TenGiayTo", "SoLuong", "LoaiGiayTo"}),
    "DanhSachHoSoBoSung": frozenset(
        {
            "HoSoBoSungId",
            "NguoiYeuCauBoSung",
            "NoiDungBoSung",
            "NgayBoSung",
            "NguoiTiepNhanBoSung",
            "ThongTinTiepNhan",
            "NgayTiepNhanBoSung",
            "TrangThaiBoSung",
            "DanhSachGiayToBoSung",
            "DanhSachLePhiBoSung",
            "NgayHenTraTruoc",
            "NgayHenTraMoi",
        }
    ),
    "DanhSachGiayToKetQua": frozenset(
        {"TenGiayTo", "MaThanhPhanHoSo", "GiayToId", "DuongDanTepTinKetQua", "MaGiayToKetQua"}
    ),
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "TrangThaiHoSo": tuple(str(number) for number in range(1, 11)),
    "LoaiDoiTuong": ("1", "2", "3", "4"),
    "HinhThuc": ("0", "1"),
    "KenhThucHien": ("", "1", "2", "3"),
    "HoSoCoThanhPhanSoHoa": ("", "0", "1"),
    "TaiKhoanDuocXacThucVoiVNeID": ("", "0", "1"),
    "DuocThanhToanTrucTuyen": ("", "0", "1", "2", "3"),
}
STEP_REQUIRED = ("MaHoSo", "NguoiXuLy", "ThoiDiemXuLy", "NoiDungXuLy", "TrangThai")
STEP_OPTIONAL = ("ChucDanh", "PhongBanXuLy", "NgayBatDau", "NgayKetThucTheoQuyDinh")
_CODE = re.compile(r"(?:\d{3}\.\d{2}\.\d{2}\.([A-Z]\d{2})|([A-Z]\d{2})(?:\.\d{2,3}){1,3})-\d{6}-\d{4,5}")
_NULLABLE = ("MaDoiTuong", "NgayTuChoi")  # one client sends null here


def dossier_error(record: Any, switches: PortalSwitches) -> str | None:
    """Why the dossier cannot be taken, or None."""
    if not isinstance(record, dict):
        return "Bản ghi hồ sơ không đúng định dạng"
    known = {*REQUIRED, *REQUIRED_V2, *OPTIONAL, *LISTS}
    unknown = sorted(set(record) - known)
    if unknown:
        return f"Trường dữ liệu không xác định: {', '.join(unknown)}"
    for name in (*REQUIRED, *REQUIRED_V2, *OPTIONAL):
        value = record.get(name, "")
        if not isinstance(value, str) and not (value is None and name in _NULLABLE):
            return f"Trường {name} phải là chuỗi"
    for name in REQUIRED + (REQUIRED_V2 if switches.require_v2_fields else ()):
        if not record.get(name):
            return f"Thiếu trường bắt buộc {name}"
    if province_of(record["MaHoSo"]) is None:
        return "MaHoSo không đúng định dạng"
    for name, allowed in _CHOICES.items():
        if record.get(name, "1") not in allowed:
            return f"Giá trị của trường {name} không hợp lệ"
    for name in record:
        if name.startswith("Ngay") and not _is_moment(record[name] or ""):
            return f"Trường {name} không đúng định dạng yyyyMMddHHmmss"
    return _lists_error(record)


def step_error(record: Any) -> str | None:
    """Why the progress step cannot be taken, or None."""
    if not isinstance(record, dict):
        return "Bản ghi tiến độ không đúng định dạng"
    unknown = sorted(set(record) - {*STEP_REQUIRED, *STEP_OPTIONAL})
    if unknown:
        return f"Trường dữ liệu không xác định: {', '.join(unknown)}"
    if not all(isinstance(value, str) for value in record.values()):
        return "Các trường tiến độ phải là chuỗi"
    missing = [name for name in STEP_REQUIRED if not record.get(name)]
    if missing:
        return f"Thiếu trường bắt buộc {missing[0]}"
    if record["TrangThai"] not in _CHOICES["TrangThaiHoSo"]:
        return "Giá trị của trường TrangThai không hợp lệ"
    for name in ("ThoiDiemXuLy", "NgayBatDau", "NgayKetThucTheoQuyDinh"):
        if not _is_moment(record.get(name, "")):
            return f"Trường {name} không đúng định dạng yyyyMMddHHmmss"
    return None


def refusal(record: dict[str, Any]) -> str | None:
    """The portal's own verdict on a well-formed dossier: personal numbers of a province that never existed."""
    number = record.get("SoGiayToChuHoSo", "")
    if re.fullmatch(r"\d{12}", number) and not 1 <= int(number[:3]) <= 96:
        return "Từ chối hồ sơ: số định danh cá nhân không được xác thực"
    return None


def province_of(code: str) -> str | None:
    """The H or G code inside a MaHoSo, or None when it is not one."""
    match = _CODE.fullmatch(code)
    return (match.group(1) or match.group(2)) if match else None


def _lists_error(record: dict[str, Any]) -> str | None:
    for name, inner in LISTS.items():
        items = record.get(name, [])
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            return f"Trường {name} phải là danh sách"
        unknown = sorted({key for item in items for key in item} - inner)
        if unknown:
            return f"Trường dữ liệu không xác định trong {name}: {', '.join(unknown)}"
    if any(not re.fullmatch(r"\d*", str(fee.get("Gia") or "")) for fee in record.get("DanhSachLePhi", [])):
        return "Giá trị của trường Gia không hợp lệ"
    if any(file.get("IsDeleted", "False") not in ("True", "False") for file in record.get("TaiLieuNop", [])):
        return "Giá trị của trường IsDeleted không hợp lệ"
    return None


def _is_moment(text: str) -> bool:
    if text == "":
        return True
    if not re.fullmatch(r"\d{14}", text):
        return False
    try:
        datetime.strptime(text, "%Y%m%d%H%M%S")
    except ValueError:
        return False
    return True
