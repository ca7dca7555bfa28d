"""Rows of one dossier in OpenCPS' tables, with the fault that the dossier carries. Column → value; None is NULL."""

from __future__ import annotations

import json
import unicodedata
import uuid
from typing import Any

from simulator.catalogue import Catalogue
from simulator.defects import Defect
from simulator.facts import Facts, Fee, File
from simulator.faults import DUMMY_ID, malformed_code, refused_id, retired_procedure, unknown_procedure
from simulator.plans import Trait
from simulator.steps import SPECS, Step
from simulator.wire import flag
from simulator.workdays import DAY, HOUR, sql

Row = dict[str, Any]

GROUP_IDS = {"H17": 55301, "H26": 20143}
COMPANY_ID = 20099
_SUB_STATUS = {"processing": "interoperating", "waiting": "correcting", "releasing": "posting"}
_UNKNOWN_STATUSES = ("archiving", "forwarded", "dang_cho_ky")
_PAYMENT_METHODS: dict[int, str | None] = {0: None, 1: "DVCQG", 2: "KEYPAY", 3: "CASH"}


def rows_of(facts: Facts, catalogue: Catalogue) -> dict[str, list[Row]]:
    """All rows of one dossier, by table."""
    defect = facts.plan.defect
    dossier = [] if defect == Defect.ORPHAN_CHILD else [dossier_row(facts, catalogue)]
    return {
        "opencps_dossier": dossier,
        "opencps_dossieraction": [_action(facts, number) for number in range(len(facts.steps))],
        "opencps_paymentfile": [_payment(facts, number, fee) for number, fee in enumerate(facts.fees)],
        "opencps_dossierfile": [_file(facts, file) for file in facts.files],
    }


def dossier_row(facts: Facts, catalogue: Catalogue) -> Row:
    """The row of `opencps_dossier`."""
    plan, who, agency, procedure = facts.plan, facts.who, facts.agency, facts.procedure
    spec = SPECS[plan.last_step]
    place = (plan.dossier_id * 7919) % 100_000
    changed = agency.changed_spelling and plan.code is not None and not plan.code.startswith(agency.code)
    sub = _SUB_STATUS.get(spec.word) if plan.has(Trait.SUBSTATUS) else None
    known = not plan.has(Trait.META_UNKNOWN)
    row = _audit(facts, "dossier", plan.submitted, plan.modified) | {
        "dossierId": plan.dossier_id,
        "referenceUid": str(uuid.UUID(int=plan.key << 64 | plan.dossier_id)),
        "counter": 1,
        "serviceCode": procedure.local_code(facts.province),
        "serviceName": procedure.name,
        "govAgencyCode": agency.old_code if changed else agency.code,
        "govAgencyName": agency.name,
        "applicantName": who.name,
        "applicantIdType": "business" if plan.business else "citizen",
        "applicantIdNo": who.id_number,
        "address": who.address,
        "cityCode": facts.province.code,
        "cityName": f"Thành phố {facts.province.name}",
        "wardName": agency.place or None,
        "contactName": who.contact,
        "contactTelNo": who.phone,
        "contactEmail": who.email,
        "delegateName": who.contact if who.contact != who.name else None,
        "dossierTemplateNo": f"MAU.{procedure.code}",
        "dossierTemplateName": procedure.name,
        "dossierNo": plan.code,
        "dossierName": facts.abstract,
        "briefNote": facts.abstract,
        "submitting": False,
        "submitDate": moment(plan.submitted),
        "receiveDate": moment(plan.received),
        "dueDate": moment(plan.due),
        "extendDate": moment(plan.extended),
        "releaseDate": moment(plan.moment_of(Step.FINISHED)),
        "finishDate": moment(plan.moment_of(Step.RETURNED)),
        "cancellingDate": moment(plan.moment_of(Step.REFUSED) or plan.moment_of(Step.WITHDRAWN)),
        "dossierStatus": spec.word,
        "dossierStatusText": spec.word_text,
        "dossierSubStatus": sub or "",
        "dossierSubStatusText": "",
        "dossierActionId": _action_id(facts, len(facts.steps) - 1),
        "viaPostal": 2 if plan.has(Trait.RETURN_BY_POST) else place % 2,  # 1: it could have been posted
        "fromViaPostal": 1 if plan.channel == 3 else 0,
        "notification": place % 3 == 0,
        "online_": plan.channel == 2,
        "original": True,
        "originality": 3,
        "lockState": "",
        "durationUnit": 0,
        "durationCount": float(procedure.term_days),
        "metaData": _meta(facts) if known else "{}",
        "systemId": 0,
    }
    return row | _fault(facts, row, catalogue)


def _fault(facts: Facts, row: Row, catalogue: Catalogue) -> Row:
    """The columns that the dossier's fault spoils."""
    plan, key = facts.plan, facts.plan.key
    match plan.defect:
        case Defect.UNKNOWN_PROCEDURE:
            return {"serviceCode": unknown_procedure(facts, catalogue)}
        case Defect.RETIRED_PROCEDURE:
            chosen = retired_procedure(facts, catalogue)
            return {"serviceCode": chosen.local_code(facts.province), "serviceName": chosen.name}
        case Defect.MALFORMED_CODE:
            return {"dossierNo": malformed_code(plan.code or "", key)}
        case Defect.DATES_OUT_OF_ORDER:
            if key % 3 == 1 and plan.moment_of(Step.FINISHED):
                return {"releaseDate": moment(plan.received - DAY)}
            if key % 3 == 2:
                return {"submitDate": moment(plan.received + HOUR)}
            return {"dueDate": moment(plan.received - 3 * DAY), "extendDate": None}
        case Defect.UNKNOWN_STATUS:
            return {"dossierStatus": _UNKNOWN_STATUSES[key % 3], "dossierStatusText": "", "dossierSubStatus": ""}
        case Defect.DUMMY_ID:
            return {"applicantIdNo": DUMMY_ID}
        case Defect.NFD_TEXT:
            spoiled = ("applicantName", "dossierName", "briefNote", "serviceName", "govAgencyName", "address")
            return {name: unicodedata.normalize("NFD", row[name]) for name in spoiled}
        case Defect.EMPTY_REQUIRED:
            return ({"govAgencyName": ""}, {"applicantName": ""}, {"receiveDate": None})[key % 3]
        case Defect.PORTAL_REFUSES:
            return {"applicantIdNo": refused_id(key)}
    return {}


def _meta(facts: Facts) -> str:
    plan = facts.plan
    return dump(
        {
            "TaiKhoanDuocXacThucVoiVNeID": flag(plan.has(Trait.VNEID)),
            "DSKetNoiCSDL": ["7"] if plan.has(Trait.POPULATION) else [],
            "HoSoCoThanhPhanSoHoa": flag(any(file.digitised for file in facts.files)),
        }
    )


def _action_id(facts: Facts, number: int) -> int:
    return facts.plan.dossier_id * 64 + number


def _action(facts: Facts, number: int) -> Row:
    step = facts.steps[number]
    spec = SPECS[step.step]
    before = facts.steps[number - 1] if number else None
    return _audit(facts, f"action{number}", step.at, step.at, user=step.actor) | {
        "dossierActionId": _action_id(facts, number),
        "dossierId": facts.plan.dossier_id,
        "serviceProcessId": 1000 + facts.procedure.index,
        "previousActionId": _action_id(facts, number - 1) if before else 0,
        "fromStepCode": SPECS[before.step].code if before else "",
        "fromStepName": SPECS[before.step].name if before else "",
        "actionCode": f"1{spec.code}",
        "actionUser": step.actor,
        "actionName": spec.name,
        "actionNote": step.note,
        "actionOverdue": 0,
        "pending": number == len(facts.steps) - 1 and not facts.plan.closed,
        "rollbackable": False,
        "stepCode": spec.code,
        "stepName": spec.name,
        "sequenceNo": f"{number + 1:02d}",
        "dueDate": moment(step.due),
        "nextActionId": _action_id(facts, number + 1) if number + 1 < len(facts.steps) else 0,
        "state_": 0,
        "eventStatus": 0,
    }


def _payment(facts: Facts, number: int, fee: Fee) -> Row:
    plan = facts.plan
    levy = fee.name.startswith("Lệ phí")
    return _audit(facts, f"payment{number}", plan.received, max(fee.paid, plan.received)) | {
        "paymentFileId": plan.dossier_id * 4 + number,
        "dossierId": plan.dossier_id,
        "govAgencyCode": facts.agency.code,
        "govAgencyName": facts.agency.name,
        "paymentFee": fee.name,
        "advanceAmount": 0,
        "feeAmount": 0 if levy else fee.amount,
        "serviceAmount": fee.amount if levy else 0,
        "shipAmount": 0,
        "paymentAmount": fee.amount,
        "paymentStatus": (3, 5)[plan.key % 2] if fee.paid else (1, 0)[plan.key % 2],
        "paymentMethod": "BANK" if fee.channel == 3 and plan.key % 4 == 0 else _PAYMENT_METHODS[fee.channel],
        "confirmDatetime": moment(fee.paid),
    }


def _file(facts: Facts, file: File) -> Row:
    plan = facts.plan
    missing = file.result and plan.defect == Defect.RESULT_WITHOUT_FILE
    form: Row = {} if missing else {"url": f"{file.url}?t={file.rewritten * 1000 + plan.key % 1000}"}
    if not file.result:
        form |= {
            "DuocSoHoa": flag(file.digitised),
            "DuocTaiSuDung": str(file.reuse),
            "DuocLayTuKhoDMQG": flag(file.from_store),
        }
    return _audit(facts, f"file{file.ordinal}", file.uploaded, file.rewritten) | {
        "dossierFileId": plan.dossier_id * 32 + file.ordinal,
        "dossierId": plan.dossier_id,
        "dossierTemplateNo": f"MAU.{facts.procedure.code}",
        "dossierPartNo": "" if file.result else file.code,
        "dossierPartType": 2 if file.result else 1,
        "displayName": file.name,
        "formData": dump(form),
        "fileEntryId": 0 if missing else file.file_id,
        "original": True,
        "eForm": False,
        "isNew": False,
        "removed": file.removed,
        "signCheck": 1 if file.result else 0,
        "deliverableCode": file.code if file.result else "",
    }


def _audit(facts: Facts, part: str, created: int, modified: int, user: str = "") -> Row:
    number = facts.plan.key << 64 | facts.plan.dossier_id << 16 | sum(part.encode())
    return {
        "uuid_": str(uuid.UUID(int=number)),
        "groupId": GROUP_IDS[facts.province.code],
        "companyId": COMPANY_ID,
        "userId": 20_000 + facts.agency.index,
        "userName": user or "Bộ phận Một cửa",
        "createDate": sql(created),
        "modifiedDate": sql(modified),
    }


def moment(value: int) -> str | None:
    """For a nullable timestamp column."""
    return sql(value) if value else None


def dump(value: object) -> str:
    """Compact JSON that keeps Vietnamese readable."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
