"""One dossier as the list shows it, with the fault that it carries."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from typing import Any

from simulator.catalogue import Catalogue
from simulator.defects import Defect
from simulator.facts import Facts
from simulator.faults import malformed_code, unknown_procedure
from simulator.sectors import dated_by_day
from simulator.steps import SPECS, Step
from simulator.workdays import DAY, HOUR

Item = dict[str, Any]
MINISTRY = "000.00.00.G17"
_ORIGIN = datetime(1970, 1, 1)
_UNKNOWN = ("archiving", "forwarded", "dang_cho_ky")
_CHANNELS = {1: 0, 2: 1}


def item(facts: Facts, catalogue: Catalogue) -> Item:
    """An element of `data`. MaTTHC is the national code with the ministry's own suffix; a phone has dots."""
    plan = facts.plan
    made: Item = {
        "MaHoSo": plan.code,
        "MaTTHC": f"{facts.procedure.code}.{MINISTRY}",
        "KenhThucHien": _CHANNELS[plan.channel],
        "DonViXuLy": facts.agency.name,
        "MaDonViXuLy": facts.agency.code,
        "ChuHoSo": facts.who.name,
        "SoDienThoai": dotted(facts.who.phone),
        "NgayGuiHoSo": date(plan.submitted),
        "NgayTiepNhan": date(plan.received),
        "NgayHenTra": date(facts.due, by_day=dated_by_day(plan)),
        "NgayKetThucXuLy": date(plan.moment_of(Step.FINISHED)),
        "NgayTra": date(plan.moment_of(Step.RETURNED)),
        "NgayHuyHoSo": date(plan.moment_of(Step.REFUSED) or plan.moment_of(Step.WITHDRAWN)),
        "TrangThaiHoSo": SPECS[plan.last_step].word,
    }
    _spoil(facts, made, catalogue)
    return made


def date(moment: int, *, by_day: bool = False) -> str:
    """`dd/MM/yyyy HH:mm:ss`, or the day alone; absent is the empty string."""
    form = "%d/%m/%Y" if by_day else "%d/%m/%Y %H:%M:%S"
    return (_ORIGIN + timedelta(seconds=moment)).strftime(form) if moment else ""


def dotted(phone: str) -> str:
    return f"{phone[:4]}.{phone[4:7]}.{phone[7:]}" if phone else ""


def _spoil(facts: Facts, made: Item, catalogue: Catalogue) -> None:
    plan = facts.plan
    match plan.defect:
        case Defect.UNKNOWN_PROCEDURE:
            made["MaTTHC"] = unknown_procedure(facts, catalogue)
        case Defect.MALFORMED_CODE:
            made["MaHoSo"] = malformed_code(plan.code or "", plan.key)
        case Defect.DATES_OUT_OF_ORDER:
            if plan.key % 2:
                made["NgayGuiHoSo"] = date(plan.received + HOUR)
            else:
                made["NgayHenTra"] = date(plan.received - 3 * DAY)
        case Defect.UNKNOWN_STATUS:
            made["TrangThaiHoSo"] = _UNKNOWN[plan.key % 3]
        case Defect.NFD_TEXT:
            for name in ("ChuHoSo", "DonViXuLy"):
                made[name] = unicodedata.normalize("NFD", made[name])
        case Defect.EMPTY_REQUIRED:
            made["DonViXuLy" if plan.key % 2 else "ChuHoSo"] = ""
