"""One dossier as `GET /pa/dossier/search` lists it, with the fault that it carries."""

from __future__ import annotations

import unicodedata
from typing import Any

from simulator.catalogue import Catalogue
from simulator.defects import Defect
from simulator.facts import Facts
from simulator.faults import DUMMY_ID, malformed_code, refused_id, retired_procedure, unknown_procedure
from simulator.igate import ids
from simulator.igate.children import files
from simulator.igate.habits import is_eleven, shown
from simulator.igate.instants import iso
from simulator.igate.statuses import DELETED, ELEVEN, STATUSES, UNKNOWN
from simulator.igate.switches import IgateSwitches
from simulator.igate.tasks import tasks
from simulator.plans import Plan, Trait
from simulator.steps import Step
from simulator.wire import flag
from simulator.workdays import DAY, HOUR, instant, stamp

Item = dict[str, Any]
_APPLY_METHODS = {1: (1, "Trực tiếp"), 2: (0, "Trực tuyến"), 3: (2, "Bưu chính công ích")}
_PAYMENT_METHODS = {
    1: ("5f7fca83b80e603d5300dcf4", "Thanh toán qua Cổng DVCQG", "DVCQG"),
    2: ("5f7fca83b80e603d5300dcf5", "Thanh toán qua cổng của tỉnh", "VNPTPAY"),
    3: ("5f7fca83b80e603d5300dcf6", "Tiền mặt", "CASH"),
    4: ("5f7fca83b80e603d5300dcf7", "Chuyển khoản", "BANK"),
}
_POST_RETURN = "5f8969018fffa53e4c073dee"
_EARLIEST_BIRTH = instant(1948, 1, 1)


def updated_at(plan: Plan) -> int:
    """When the document last changed: whatever changes in it, its tasks, files and payments moves this."""
    return max(plan.modified, plan.touched, plan.paid, *plan.added)


def item(facts: Facts, catalogue: Catalogue, updated: int, switches: IgateSwitches) -> Item:
    """One element of `content`. `updated` is `updated_at` or a later touch."""
    plan, procedure, agency = facts.plan, facts.procedure, facts.agency
    offset = switches.clock_offset_s
    done = tasks(facts, offset)
    made: Item = {
        "id": ids.dossier_id(plan.province, plan.dossier_id),
        "code": plan.code,
        "nationCode": _nation_code(plan),
        "dossierStatus": _status(plan),
        "dossierTaskStatus": _task_status(plan),
        "applicant": {
            "userId": ids.part_id(ids.PERSON, plan.key & 0xFFFFFFFF),
            "eformId": "60d990f88e6893001e5a7b42",
            "data": _applicant(facts),
        },
        "procedure": {
            "id": ids.procedure_id(procedure),
            "code": procedure.local_code(facts.province),
            "translate": translations(procedure.name),
            "sector": {"id": ids.sector_id(procedure), "code": procedure.field.code.split("-")[1]},
        },
        "procedureProcessDefinition": _process(facts),
        "agency": {"id": ids.agency_id(agency), "name": agency.name, "code": agency_code(facts)},
        "appliedDate": plan.submitted,
        "acceptedDate": plan.received,
        "appointmentDate": facts.due,
        "dueDate": plan.due,
        "completedDate": plan.moment_of(Step.FINISHED),
        "processingTime": float(procedure.term_days),
        "processingTimeUnit": "d",
        "undefindedCompleteTime": 0,
        "applyMethod": dict(zip(("id", "name"), _APPLY_METHODS[plan.channel], strict=True)),
        "dossierReceivingKind": _receiving(plan),
        "paymentMethod": _payment_method(plan),
        "paymentRequestData": {"paidDate": iso(plan.paid, offset)} if plan.paid else None,
        "eForm": {"id": "60da89698e6893001e5a7b48", "data": _eform(facts)},
        "isDVCLT": False,
        "task": done,
        "currentTask": [task for task in done if task["isCurrent"]],
    }
    _spoil(facts, made, catalogue)
    for name in ("appliedDate", "acceptedDate", "appointmentDate", "dueDate", "completedDate"):
        made[name] = iso(made[name], offset)
    if switches.shows_updated_date:
        made["updatedDate"] = iso(updated, offset)
    if switches.translate_as_object:
        made["procedure"]["translate"] = made["procedure"]["translate"][0]
    return made


def listed(facts: Facts, catalogue: Catalogue, updated: int, switches: IgateSwitches, *, whole: bool) -> Item:
    """A dossier as an answer shows it; `whole`: with its files."""
    made = item(facts, catalogue, updated, switches)
    return shown(made | files(facts) if whole else made, facts, switches)


def translations(name: str) -> list[Item]:
    return [{"languageId": ids.VIETNAMESE, "name": name}]


def agency_code(facts: Facts) -> str:
    """Half of the departments changed their spelling lately; older dossiers keep the old one."""
    plan, agency = facts.plan, facts.agency
    changed = agency.changed_spelling and plan.code is not None and not plan.code.startswith(agency.code)
    return agency.old_code if changed else agency.code


def status_number(plan: Plan, *, eleven: bool = False) -> int:
    """dossierStatus.id, faults included; `eleven`: as `habits` shows it."""
    return ELEVEN if eleven and is_eleven(plan) else int(_status(plan)["id"])


def _status(plan: Plan) -> Item:
    if plan.defect == Defect.ORPHAN_CHILD:
        return {"id": DELETED.number, "name": DELETED.name}
    if plan.defect == Defect.UNKNOWN_STATUS:
        return {"id": UNKNOWN[plan.key % len(UNKNOWN)], "name": ""}
    status = STATUSES[plan.last_step]
    return {"id": status.number, "name": status.name}


def _task_status(plan: Plan) -> Item:
    if plan.defect == Defect.UNKNOWN_STATUS:
        return {"id": "", "name": ""}
    status = DELETED if plan.defect == Defect.ORPHAN_CHILD else STATUSES[plan.last_step]
    return {"id": status.task, "name": status.task_name}


def _nation_code(plan: Plan) -> str | None:
    """Dossiers of nationwide joint procedures carry a second number."""
    if plan.channel != 2 or plan.key % 40:
        return None
    return f"G22.99.{int(plan.province[1:]):02d}-{stamp(plan.submitted)}-{plan.key % 10_000:04d}"


def _applicant(facts: Facts) -> Item:
    plan, who, province = facts.plan, facts.who, facts.province
    place = facts.agency.place
    return {
        "ownerFullname": who.name,
        "fullname": who.contact,
        "organization": who.name if plan.business else "",
        "identityNumber": who.id_number,
        "identityDate": iso(instant(2021, 7, 1) + plan.key % 1000 * DAY),
        "birthday": None if plan.business else iso(_EARLIEST_BIRTH + plan.key % 20_000 * DAY),
        "gender": "" if plan.business else plan.key % 2 + 1,
        "phoneNumber": f"+84{who.phone[1:]}" if who.phone else "",
        "email": who.email,
        "address": who.address,
        "nation": {"label": "Việt Nam", "value": "5f39f4a95224cf235e134c5c"},
        "province": _place(province.full_name, int(province.code[1:])),
        "district": {},
        "village": _place(place, 1000 + facts.agency.index) if place else {},
        "chonDoiTuong": 2 if plan.business else 1,
        "noidungyeucaugiaiquyet": facts.abstract,
        "note": "",
    }


def _place(label: str, number: int) -> Item:
    return {"label": label[0].upper() + label[1:], "value": ids.part_id(ids.PLACE, number)}


def _process(facts: Facts) -> Item:
    procedure = facts.procedure
    return {
        "id": ids.part_id(ids.PROCESS, procedure.index, 1),
        "processDefinition": {
            "id": ids.part_id(ids.PROCESS, procedure.index),
            "name": f"Quy trình {procedure.term_days} ngày làm việc",
            "processingTime": float(procedure.term_days),
            "processingTimeUnit": "d",
            "timesheet": {"id": "623849e3e63b54793b9ff57e", "name": "Ngày làm việc"},
        },
    }


def _receiving(plan: Plan) -> Item:
    post = plan.has(Trait.RETURN_BY_POST)
    name = "Nhận qua bưu chính công ích" if post else "Nhận trực tiếp"
    return {"id": receiving_id(plan), "name": translations(name)}


def receiving_id(plan: Plan) -> str:
    return _POST_RETURN if plan.has(Trait.RETURN_BY_POST) else ids.DIRECT_RETURN


def apply_method(plan: Plan) -> int:
    return _APPLY_METHODS[plan.channel][0]


def _payment_method(plan: Plan) -> Item | None:
    if not plan.paid:
        return None
    method = _PAYMENT_METHODS[4 if plan.pay == 3 and plan.key % 4 == 0 else plan.pay]
    return dict(zip(("id", "name", "code"), method, strict=True))


def _eform(facts: Facts) -> Item:
    plan = facts.plan
    data: Item = {"loaiHTTP": ""}
    if plan.has(Trait.META_UNKNOWN):
        return data
    return data | {
        "TaiKhoanDuocXacThucVoiVNeID": flag(plan.has(Trait.VNEID)),
        "HoSoCoThanhPhanSoHoa": flag(any(file.digitised for file in facts.files)),
        "DSKetNoiCSDL": ["7"] if plan.has(Trait.POPULATION) else [],
    }


def _spoil(facts: Facts, made: Item, catalogue: Catalogue) -> None:
    """Change in place what the dossier's fault spoils; dates are still instants here."""
    plan, key = facts.plan, facts.plan.key
    owner, procedure = made["applicant"]["data"], made["procedure"]
    match plan.defect:
        case Defect.UNKNOWN_PROCEDURE:
            procedure["code"] = unknown_procedure(facts, catalogue)
        case Defect.RETIRED_PROCEDURE:
            chosen = retired_procedure(facts, catalogue)
            procedure |= {
                "id": ids.procedure_id(chosen), "code": chosen.local_code(facts.province),
                "translate": translations(chosen.name),
            }  # fmt: skip
        case Defect.MALFORMED_CODE:
            made["code"] = malformed_code(plan.code or "", key)
        case Defect.DATES_OUT_OF_ORDER:
            if key % 3 == 1 and made["completedDate"]:
                made["completedDate"] = plan.received - DAY
            elif key % 3 == 2:
                made["appliedDate"] = plan.received + HOUR
            else:
                made["appointmentDate"] = made["dueDate"] = plan.received - 3 * DAY
        case Defect.DUMMY_ID:
            owner["identityNumber"] = DUMMY_ID
        case Defect.PORTAL_REFUSES:
            owner["identityNumber"] = refused_id(key)
        case Defect.NFD_TEXT:
            for name in ("ownerFullname", "fullname", "noidungyeucaugiaiquyet", "address"):
                owner[name] = _decomposed(owner[name])
            procedure["translate"] = translations(_decomposed(procedure["translate"][0]["name"]))
            made["agency"]["name"] = _decomposed(made["agency"]["name"])
        case Defect.EMPTY_REQUIRED:
            if key % 3 == 0:
                made["agency"]["name"] = ""
            elif key % 3 == 1:
                owner["ownerFullname"] = owner["fullname"] = ""
            else:
                made["acceptedDate"] = 0


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)
