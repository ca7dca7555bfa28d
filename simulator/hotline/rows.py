"""Petitions and their steps as a 1022 lists them: two lists, flat rows, `dd/MM/yyyy HH:mm`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from simulator.feedback.petitions import STATUS_AFTER, Happening, Petition, PetitionFacts
from simulator.feedback.spoiled import shown
from simulator.service import ServiceSwitches

_ORIGIN = datetime(1970, 1, 1)
FORM = "%d/%m/%Y %H:%M"
#: All words here are our assumption.
STATUSES = {
    "sent": "Mới tiếp nhận",
    "transferred": "Đã chuyển xử lý",
    "supplement_requested": "Chờ bổ sung",
    "processing": "Đang xử lý",
    "answered": "Đã trả lời",
    "published": "Đã công khai",
    "refused": "Không tiếp nhận",
    "withdrawn": "Người dân rút",
    "unknown": "Tạm gác",
}
CLASSES = {
    "behaviour": "Hành vi của cán bộ, công chức",
    "regulation": "Quy định hành chính",
    "other": "Khác",
    "unknown": "Giao thông đô thị",
}
BAD_DATE = "31/02/2026 08:00"


def local(moment: int | None) -> str:
    """`03/10/2026 08:12`; "" where nothing is said."""
    if moment is None:
        return BAD_DATE
    return (_ORIGIN + timedelta(seconds=moment)).strftime(FORM) if moment else ""


def row(facts: PetitionFacts, passed_to: str, switches: ServiceSwitches) -> dict[str, Any]:
    """One element of `duLieu` of the list of petitions. Everything is text."""
    plan, said = facts.plan, shown(facts)
    made: dict[str, Any] = {
        "id": str(plan.number),
        "maPhanAnh": plan.code,
        "maPAKN": passed_to,
        "linhVuc": CLASSES[said.classification],
        "trangThai": STATUSES[said.status],
        "maDonVi": said.agency[0],
        "donViXuLy": said.agency[1],
        "ngayGui": local(said.sent),
        "ngayChuyen": local(said.transferred),
        "ngayYeuCauBoSung": local(said.supplement_asked),
        "ngayTraLoi": local(said.answered),
        "ngayCongKhai": local(said.published),
        "ngayTuChoi": local(said.refused),
        "hanXuLy": local(facts.due),
        "luotThich": str(plan.likes),
        "luotKhongThich": str(plan.dislikes),
        "phanAnhLai": "Có" if plan.again else "Không",
        "maHoSo": said.dossier,
        "hoTen": facts.sender.name,
        "dienThoai": facts.sender.phone,
        "email": facts.sender.email,
        "diaChi": facts.sender.address,
        "tieuDe": said.title,
        "noiDung": said.content,
        "traLoi": said.answer,
    }
    if switches.extra_field:
        made["mucDo"] = "Thường"
    if switches.lacks_status:
        del made["trangThai"]
    return made


def step_row(plan: Petition, step: Happening) -> dict[str, Any]:
    """One element of `duLieu` of the list of steps."""
    return {
        "id": f"{plan.number}{step.number:02d}",
        "phanAnhId": str(plan.number),
        "thuTu": str(step.number),
        "trangThai": STATUSES[STATUS_AFTER[step.act]],
        "thoiGian": local(step.at),
        "maDonVi": step.agency.code,
        "donVi": step.agency.name,
        "nguoiXuLy": step.actor,
        "noiDung": step.note,
    }
