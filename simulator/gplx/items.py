"""One dossier as the register shows it, with the fault that it carries. Names below `gplxDaCap` are our assumption."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from typing import Any

from simulator.defects import Defect
from simulator.facts import Facts, File
from simulator.faults import DUMMY_ID, malformed_code
from simulator.steps import Step

Item = dict[str, Any]
_ORIGIN = datetime(1970, 1, 1)
_CLASSES = ("A1", "A", "B", "C1")


def item(facts: Facts) -> Item:
    """An element of `data`. A licence in `gplxDaCap` means that the dossier is finished; there is no status."""
    plan = facts.plan
    issued = plan.moment_of(Step.FINISHED)
    licence = {
        "soGplx": f"{plan.key % 10**12:012d}",
        "hangGplx": _CLASSES[plan.key % 4],
        "ngayCap": day(issued),
    }
    made: Item = {
        "maHoSo": plan.code,
        "maDangKyDvc": f"DVC{plan.key % 10**9:09d}" if plan.channel == 2 else "",
        "hoTen": facts.who.name,
        "soCmnd": facts.who.id_number,
        "ngayNhanHoSo": day(plan.received),
        "gplxDaCap": [licence] if issued else [],
        "hoSoDinhKem": [_attached(file) for file in facts.files if not file.result],
    }
    match plan.defect:
        case Defect.MALFORMED_CODE:
            made["maHoSo"] = malformed_code(plan.code or "", plan.key)
        case Defect.DUMMY_ID:
            made["soCmnd"] = DUMMY_ID
        case Defect.NFD_TEXT:
            made["hoTen"] = unicodedata.normalize("NFD", facts.who.name)
        case Defect.EMPTY_REQUIRED:
            made["hoTen"] = ""
    return made


def day(moment: int) -> str:
    """`yyyy-MM-dd`; absent is the empty string."""
    return (_ORIGIN + timedelta(seconds=moment)).strftime("%Y-%m-%d") if moment else ""


def _attached(file: File) -> Item:
    return {"tenGiayTo": file.name, "duongDan": file.url}
