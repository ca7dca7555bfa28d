"""Believed dossiers in the portal's words (portal-exchange §2.3, §2.4), and the hashes that decide what is owed.

Pure functions. Together with `replies`, the only module that knows wire names. Nothing is invented about a dossier, a
person or a date: an absent value is "" (portal-exchange §2.7 lists what other clients made up).

Four constants are sent, the only values seen in public clients; their lists are unverified (§4.5): `NoiNopHoSo` always,
`HinhThucThu` of a fee always, `MaPhiLePhi` and `LoaiPhiLePhi` of a fee where the source has none. SoBienNhan,
MaDoiTuong, ThongTinKhac, Fax, ThongTinTra, GhiChu, TepDinhKemId, MaKetQuaThayThe and GiayToId are always "", and
DanhSachTepDinhKemKhac and DanhSachHoSoBoSung always empty: no source tells them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from lienthong.exchange.believed import BelievedDossier, Document, Fee, Step
from lienthong.model.digests import json_digest
from lienthong.model.periods import BUSINESS_ZONE

#: Number of the payload recipe. Raise it whenever the same dossier would give another payload.
PAYLOAD_RECIPE = 1

Wire = dict[str, Any]

ABSTRACT_LIMIT = 1000
FILE_NAME_LIMIT = 4000
RESULT_NAME_LIMIT = 2000
ACTOR_LIMIT = 50
#: The only value ever seen for HinhThucThu, MaPhiLePhi and LoaiPhiLePhi; their lists are unverified (§4.5).
FEE_CODE = "1"
#: NoiNopHoSo: handed in at a provincial or ministerial system (§4.5).
PLACE_OWN_SYSTEM = "2"

_ONLY_V1 = ("SoBienNhan",)
_ONLY_V2 = (
    "SoGiayToChuHoSo", "DinhDanhCHS", "NgayNopHoSo", "NgayTuChoi", "KenhThucHien", "NoiNopHoSo",
    "HoSoCoThanhPhanSoHoa", "TaiKhoanDuocXacThucVoiVNeID", "DuocThanhToanTrucTuyen", "DSKetNoiCSDL",
)  # fmt: skip
_ONLY_V2_CHILD = ("DuocSoHoa", "DuocTaiSuDung", "DuocLayTuKhoDMQG", "MaKetQuaThayThe", "MaGiayToKetQua")
_ID_KINDS = {12: "1", 9: "2"}


def dossier_payload(dossier: BelievedDossier) -> Wire:
    """Every field of both generations; what is sent is chosen by `as_sent`, what is hashed is this."""
    person = dossier.person
    return {
        "MaHoSo": dossier.dossier_code or "",
        "MaTTHC": dossier.procedure_code or dossier.procedure_code_raw or "",
        "TenTTHC": dossier.procedure.name or dossier.procedure_name or "",
        "MaLinhVuc": dossier.procedure.field_code or "",
        "TenLinhVuc": dossier.procedure.field_name or "",
        "SoBienNhan": "",
        "ChuHoSo": person.name or "",
        "SoGiayToChuHoSo": person.id_number or "",
        "DinhDanhCHS": _identities(person.id_number),
        "LoaiDoiTuong": _number(dossier.subject_type),
        "MaDoiTuong": "",
        "ThongTinKhac": "",
        "Email": person.email or "",
        "Fax": "",
        "SoDienThoai": person.phone or "",
        "TrichYeuHoSo": (person.abstract or "")[:ABSTRACT_LIMIT],
        "NgayNopHoSo": wire_time(dossier.submitted_at),
        "NgayTiepNhan": wire_time(dossier.received_at),
        "NgayHenTra": wire_time(dossier.due_at),
        "TrangThaiHoSo": _number(dossier.status),
        "NgayTuChoi": wire_time(dossier.refused_at),
        "NgayKetThucXuLy": wire_time(dossier.finished_at),
        "NgayTra": wire_time(dossier.returned_at),
        "ThongTinTra": "",
        "HinhThuc": _number(dossier.return_method),
        "DonViXuLy": dossier.agency_name or "",
        "GhiChu": "",
        "KenhThucHien": _number(dossier.channel),
        "NoiNopHoSo": PLACE_OWN_SYSTEM,
        "HoSoCoThanhPhanSoHoa": _flag(dossier.has_digitised_component),
        "TaiKhoanDuocXacThucVoiVNeID": _flag(dossier.vneid_verified),
        "DuocThanhToanTrucTuyen": _number(dossier.online_payment),
        "DSKetNoiCSDL": [{"MaCSDL": code} for code in sorted(dossier.database_codes)],
        "TaiLieuNop": [_component(d) for d in dossier.documents if d.role != "result" and (d.has_file or d.removed)],
        "DanhSachLePhi": [_fee(fee) for fee in dossier.fees],
        "DanhSachTepDinhKemKhac": [],
        "DanhSachHoSoBoSung": [],
        "DanhSachGiayToKetQua": [
            _result(d) for d in dossier.documents if d.role == "result" and d.has_file and not d.removed
        ],
    }


def as_sent(payload: Wire, *, v2: bool) -> Wire:
    """The fields of one generation: 2023 (`v2`) or 2020. Child objects lose their newer fields with it."""
    if v2:
        return {name: value for name, value in payload.items() if name not in _ONLY_V1}
    return {name: _older(value) for name, value in payload.items() if name not in _ONLY_V2}


def _older(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return [{name: item for name, item in child.items() if name not in _ONLY_V2_CHILD} for child in value]


def step_payload(dossier_code: str, step: Step) -> Wire:
    """One progress step (§2.4). Callers leave out steps without status or time: see `sendable_steps`."""
    return {
        "MaHoSo": dossier_code,
        "NguoiXuLy": (step.actor_name or "")[:ACTOR_LIMIT],
        "ChucDanh": step.actor_title or "",
        "ThoiDiemXuLy": wire_time(step.occurred_at),
        "PhongBanXuLy": step.department or "",
        "NoiDungXuLy": step.content or "",
        "TrangThai": _number(step.status),
        "NgayBatDau": wire_time(step.started_at),
        "NgayKetThucTheoQuyDinh": wire_time(step.due_at),
    }


def is_complete_step(payload: Wire) -> bool:
    """Whether a step fills every field that clients always send; the portal may refuse one that does not."""
    return all(payload[name] for name in ("MaHoSo", "NguoiXuLy", "ThoiDiemXuLy", "NoiDungXuLy", "TrangThai"))


def sendable_steps(dossier: BelievedDossier) -> list[Step]:
    """Steps that say when and what, in the order in which they happened. The rest is a finding of the gate."""
    known = [step for step in dossier.steps if step.status is not None and step.occurred_at is not None]
    return sorted(known, key=lambda step: (step.occurred_at, step.step_no or 0, step.child_key))


def step_key(dossier: BelievedDossier, step: Step) -> str:
    """Identity of a step on the portal, which has none of its own: the code it was sent under and the source's key."""
    return f"{dossier.dossier_code}|{dossier.source_id}|{step.child_key}"


def payload_hash(payload: Mapping[str, Any]) -> bytes:
    """SHA-256 over canonical JSON (sorted keys, NFC, UTF-8). Compare only within PAYLOAD_RECIPE.

    Nothing volatile is in a payload: canonical URLs have lost their query (portal-exchange §2.7.10).
    """
    return json_digest(payload)


def wire_time(instant: datetime | None) -> str:
    """`yyyyMMddHHmmss` in Asia/Ho_Chi_Minh; absent is ""."""
    return "" if instant is None else instant.astimezone(BUSINESS_ZONE).strftime("%Y%m%d%H%M%S")


def texts_of(payloads: Iterable[Mapping[str, Any]]) -> set[str]:
    """Every text inside some payloads: what must not come back in a message that is kept."""
    found: set[str] = set()
    pending: list[Any] = list(payloads)
    while pending:
        value = pending.pop()
        if isinstance(value, Mapping):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, str) and value:
            found.add(value)
    return found


def _identities(number: str | None) -> list[Wire]:
    """DinhDanhCHS by length (§4.5); a number of unknown kind gets none, never a dummy."""
    kind = _ID_KINDS.get(len(number)) if number and re.fullmatch(r"[0-9]+", number) else None
    return [{"LoaiDinhDanh": kind, "SoDinhDanh": number}] if kind else []


def _component(document: Document) -> Wire:
    return {
        "TepDinhKemId": "",
        "TenTepDinhKem": (document.name or "")[:FILE_NAME_LIMIT],
        "IsDeleted": "True" if document.removed else "False",
        "MaThanhPhanHoSo": document.component_code or "",
        "DuongDanTaiTepTin": document.url or "",
        "DuocSoHoa": _flag(document.digitised),
        "DuocTaiSuDung": _number(document.reuse),
        "DuocLayTuKhoDMQG": _flag(document.from_citizen_store),
        "MaKetQuaThayThe": "",
    }


def _result(document: Document) -> Wire:
    return {
        "TenGiayTo": (document.name or "")[:RESULT_NAME_LIMIT],
        "MaThanhPhanHoSo": document.component_code or "",
        "GiayToId": "",
        "DuongDanTepTinKetQua": document.url or "",
        "MaGiayToKetQua": document.result_code or "",
    }


def _fee(fee: Fee) -> Wire:
    return {
        "TenPhiLePhi": fee.name or "",
        "MaPhiLePhi": fee.fee_code or FEE_CODE,
        "HinhThucThu": FEE_CODE,
        "Gia": _number(fee.amount),
        "LoaiPhiLePhi": fee.kind or FEE_CODE,
    }


def _flag(value: bool | None) -> str:
    return "" if value is None else "1" if value else "0"


def _number(value: int | None) -> str:
    return "" if value is None else str(int(value))
