"""The truth in the portal's words: the dossier and step objects of portal-exchange §2.3 and §2.4.

These are what the portal ought to hold when everything is mapped right. Choices the domain page leaves open are listed
in `simulator/README.md`.
"""

from __future__ import annotations

import re
from typing import Any

from simulator.facts import Facts, File
from simulator.plans import Trait
from simulator.steps import SPECS, Step
from simulator.workdays import wire

Wire = dict[str, Any]


def dossier(facts: Facts) -> Wire:
    """One element of `data` of DongBoHoSoMC. All scalars are strings; MaHoSo is "" as long as there is none."""
    plan, who = facts.plan, facts.who
    known = not plan.has(Trait.META_UNKNOWN)
    return {
        "MaHoSo": plan.code or "",
        "MaTTHC": facts.procedure.code,
        "TenTTHC": facts.procedure.name,
        "MaLinhVuc": facts.procedure.field.code,
        "TenLinhVuc": facts.procedure.field.name,
        "SoBienNhan": "",
        "ChuHoSo": who.name,
        "SoGiayToChuHoSo": who.id_number,
        "DinhDanhCHS": identities(who.id_number),
        "LoaiDoiTuong": "2" if plan.business else "1",
        "MaDoiTuong": "",
        "ThongTinKhac": "",
        "Email": who.email,
        "Fax": "",
        "SoDienThoai": who.phone,
        "TrichYeuHoSo": facts.abstract,
        "NgayNopHoSo": wire(plan.submitted),
        "NgayTiepNhan": wire(plan.received),
        "NgayHenTra": wire(facts.due),
        "TrangThaiHoSo": plan.status,
        "NgayTuChoi": wire(plan.moment_of(Step.REFUSED)),
        "NgayKetThucXuLy": wire(plan.moment_of(Step.FINISHED)),
        "NgayTra": wire(plan.moment_of(Step.RETURNED)),
        "ThongTinTra": "",
        "HinhThuc": "1" if plan.has(Trait.RETURN_BY_POST) else "0",
        "DonViXuLy": facts.agency.name,
        "GhiChu": "",
        "KenhThucHien": str(plan.channel),
        "NoiNopHoSo": "2",
        "HoSoCoThanhPhanSoHoa": flag(any(file.digitised for file in facts.files)) if known else "",
        "TaiKhoanDuocXacThucVoiVNeID": flag(plan.has(Trait.VNEID)) if known else "",
        "DuocThanhToanTrucTuyen": str(facts.online_payment),
        "DSKetNoiCSDL": [{"MaCSDL": "7"}] if known and plan.has(Trait.POPULATION) else [],
        "TaiLieuNop": [_component(file) for file in facts.files if not file.result],
        "DanhSachLePhi": [
            {
                "TenPhiLePhi": fee.name,
                "MaPhiLePhi": "1",
                "HinhThucThu": "1",
                "Gia": str(fee.amount),
                "LoaiPhiLePhi": "1",
            }
            for fee in facts.fees
        ],
        "DanhSachTepDinhKemKhac": [],
        "DanhSachHoSoBoSung": [],
        "DanhSachGiayToKetQua": [
            {
                "TenGiayTo": file.name,
                "MaThanhPhanHoSo": "",
                "GiayToId": "",
                "DuongDanTepTinKetQua": file.url,
                "MaGiayToKetQua": file.code,
            }
            for file in facts.files
            if file.result
        ],
    }


def steps(facts: Facts) -> list[Wire]:
    """The elements of `data` of CapNhatTienDoHoSoMC, in order."""
    return [
        {
            "MaHoSo": facts.plan.code or "",
            "NguoiXuLy": happening.actor,
            "ChucDanh": "",
            "ThoiDiemXuLy": wire(happening.at),
            "PhongBanXuLy": "",
            "NoiDungXuLy": happening.note,
            "TrangThai": SPECS[happening.step].status,
            "NgayBatDau": "",
            "NgayKetThucTheoQuyDinh": wire(happening.due),
        }
        for happening in facts.steps
    ]


def identities(number: str) -> list[Wire]:
    """DinhDanhCHS: 12 digits are a personal number ("1"), 9 an old identity card ("2"); others have no known code."""
    kind = {12: "1", 9: "2"}.get(len(number)) if re.fullmatch(r"\d+", number) else None
    return [{"LoaiDinhDanh": kind, "SoDinhDanh": number}] if kind else []


def flag(value: bool) -> str:
    return "1" if value else "0"


def _component(file: File) -> Wire:
    return {
        "TepDinhKemId": "",
        "TenTepDinhKem": file.name,
        "IsDeleted": "True" if file.removed else "False",
        "MaThanhPhanHoSo": file.code,
        "DuongDanTaiTepTin": file.url,
        "DuocSoHoa": flag(file.digitised),
        "DuocTaiSuDung": str(file.reuse),
        "DuocLayTuKhoDMQG": flag(file.from_store),
        "MaKetQuaThayThe": "",
    }
