"""The catalogue services of portal-exchange §3.1: upper-case keys, every value a string."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulator.catalogue import PROVINCES, Catalogue, Procedure

Answer = dict[str, Any]
_CHANNELS = {2: ("1", "3"), 3: ("1", "2", "3"), 4: ("1", "2", "3")}
_SUBJECTS = {"c": ("1", "Công dân Việt Nam"), "b": ("2", "Doanh nghiệp")}
_DECISION = "QD{:04d}"


def fields(catalogue: Catalogue, _: dict[str, Any]) -> list[Answer]:
    return [
        {"MALINHVUC": item.code, "TENLINHVUC": item.name, "MANGANH": item.ministry}
        for item in catalogue.fields.values()
    ]


def agencies(catalogue: Catalogue, _: dict[str, Any]) -> list[Answer]:
    """Ministries, the 34 provinces and the units of the simulated ones; codes in mixed spelling, as on the portal."""
    rows = [(code, name, "0") for code, name in catalogue.ministries]
    rows += [
        (f"000.00.00.{code}" if code == "H37" else code, f"Ủy ban nhân dân {name}", "1")
        for code, name in catalogue.full_names.items()
    ]
    rows += [(item.code, item.name, str(item.level)) for item in catalogue.agencies]
    return [{"MADONVI": code, "TENDONVI": name, "CAPDONVI": level} for code, name, level in rows]


def provinces(catalogue: Catalogue, _: dict[str, Any]) -> list[Answer]:
    return [{"MATINHTHANH": admin, "TENTINHTHANH": name} for admin, name, _ in catalogue.all_provinces]


def communes(catalogue: Catalogue, _: dict[str, Any]) -> list[Answer]:
    """Communes of the simulated provinces; the five-digit numbers are invented."""
    admin = {code: number for number, _, code in catalogue.all_provinces}
    return [
        {
            "MAPHUONGXA": f"{20_000 + item.index:05d}",
            "TENPHUONGXA": item.place[0].upper() + item.place[1:],
            "MATINHTHANH": admin[item.province],
        }
        for item in catalogue.agencies
        if item.level == 3
    ]


def procedures(catalogue: Catalogue, _: dict[str, Any]) -> list[Answer]:
    """All listed procedures, retired ones too; vanished ones are gone."""
    return [{"MATTHC": item.code, "TENTTHC": item.name} for item in catalogue.procedures if item.state != "vanished"]


def procedure(catalogue: Catalogue, body: dict[str, Any]) -> list[Answer]:
    wanted = str(body.get("maTTHC") or body.get("matthc") or "")
    base = ".".join(wanted.split(".")[:2])
    return [_detail(catalogue, item) for item in catalogue.procedures if item.code == base and item.state != "vanished"]


def decision(catalogue: Catalogue, body: dict[str, Any]) -> list[Answer]:
    wanted = str(body.get("idQDCB") or body.get("idqdcb") or "")
    return [
        {
            "ID": wanted,
            "SOQUYETDINH": f"{1200 + item.index}/QĐ-UBND",
            "NGAYQUYETDINH": f"{item.index % 27 + 1:02d}-{item.index % 6 + 3:02d}-2026",
            "TRICHYEU": f"Về việc công bố thủ tục hành chính lĩnh vực {item.field.name}",
        }
        for item in catalogue.procedures
        if _DECISION.format(item.index) == wanted
    ]


SERVICES: dict[str, Callable[[Catalogue, dict[str, Any]], list[Answer]]] = {
    "LayDanhMucLinhVuc": fields,
    "LayDanhMucCoQuan": agencies,
    "LayDanhMucTinhThanh": provinces,
    "LayDanhMucPhuongXa": communes,
    "LayDanhSachTTHC": procedures,
    "LayThuTuc": procedure,
    "LayQDCB": decision,
}


def _detail(catalogue: Catalogue, item: Procedure) -> Answer:
    level = ("1", "Cấp Tỉnh") if item.level == 1 else ("3", "Cấp Xã")
    units = [
        {"MADONVI": province, "TENDONVI": f"Ủy ban nhân dân {PROVINCES[province].full_name}"} for province in PROVINCES
    ]
    fee = {
        "MAPHILEPHI": "1", "SOTIEN": str(item.fee), "DONVI": "Đồng", "MOTA": "", "TENTEP": "", "URL": "",
    }  # fmt: skip
    term = {
        "THOIGIANGIAIQUYET": str(item.term_days), "DONVITINH": "Ngày làm việc", "MOTA": "",
        "PHILEPHI": [fee] if item.fee else [],
    }  # fmt: skip
    papers = [
        {"MAGIAYTO": code, "TENGIAYTO": name, "SOBANCHINH": "1", "SOBANSAO": "0", "TENMAUDON": "", "URL": "",
         "MA_KQ_THAYTHE": ""}
        for code, name in item.components
    ]  # fmt: skip
    return {
        "ID": str(40_000 + item.index),
        "MATTHC": item.code,
        "TENTTHC": item.name,
        "MACOQUANCONGBO": item.field.ministry,
        "LOAITTHC": "1",
        "MOTADOITUONGTHUCHIEN": "",
        "DIACHITIEPNHAN": "Bộ phận Một cửa",
        "YEUCAU": "",
        "TUKHOA": "",
        "IDQUYETDINHCONGBO": _DECISION.format(item.index),
        "TRANGTHAI": "1" if item.state == "active" else "0",
        "MOTACOQUANTHUCHIEN": "",
        "MOTACOQUANTHAMQUYEN": "",
        "MOTA": "",
        "TRINHTUTHUCHIEN": [{"TRUONGHOP": "", "TRINHTU": [{"TENTRINHTU": "Nộp, thẩm định và trả kết quả"}]}],
        "CAPTHUCHIEN": [{"CAPTHUCHIEN": level[0], "TENCAP": level[1]}],
        "LINHVUCTHUCHIEN": [{"MALINHVUC": item.field.code, "TENLINHVUC": item.field.name}],
        "CACHTHUCTHUCHIEN": [{"KENH": channel, "THOIGIAN": [term]} for channel in _CHANNELS[item.online_level]],
        "DOITUONGTHUCHIEN": [
            {"MADOITUONG": _SUBJECTS[letter][0], "TENDOITUONG": _SUBJECTS[letter][1]} for letter in item.subjects
        ],
        "THANHPHANHOSO": [{"TRUONGHOP": "", "GIAYTO": papers}],
        "KETQUATHUCHIEN": [
            {"MAKETQUA": item.result_code, "TENKETQUA": item.result, "TENTEP": "", "URL": ""}
        ] if item.result else [],
        "CANCUPHAPLY": [
            {"SOVANBAN": f"{100 + item.index}/2025/NĐ-CP", "TENVANBAN": f"Nghị định về {item.field.name}",
             "NGAYBANHANH": "15-05-2025", "NGAYHIEULUC": "01-07-2025", "COQUANBANHANH": "Chính phủ",
             "DIACHITRUYCAP": ""}
        ],
        "COQUANTHUCHIEN": units,
        "COQUANCOTHAMQUYEN": units,
        "COQUANDUOCUYQUYEN": [],
        "COQUANPHOIHOP": [],
        "TTHCLIENQUAN": [],
        "TTHCLIENTHONG": [],
    }  # fmt: skip
