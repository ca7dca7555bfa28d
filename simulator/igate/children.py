"""What belongs to a dossier but is not in the search: files (in the detail) and fees (a collection of their own)."""

from __future__ import annotations

import uuid
from typing import Any

from simulator.defects import Defect
from simulator.facts import Facts, File
from simulator.igate import ids
from simulator.wire import flag

Part = dict[str, Any]
_RESULTS = "5f9bd9692994dc687e68b5a6"


def files(facts: Facts) -> Part:
    """`dossierFormFile` (what was handed in, one entry per file) and `attachment` (results)."""
    return {
        "dossierFormFile": [_form(facts, file) for file in facts.files if not file.result],
        "attachment": [_result(facts, file) for file in facts.files if file.result],
    }


def fees(facts: Facts) -> list[Part]:
    """Elements of `GET /pa/dossier-fee/--by-dossiers`. Amounts in đồng; an exempt fee costs 0 and stays unpaid."""
    plan = facts.plan
    return [
        {
            "id": ids.part_id(ids.FEE, plan.dossier_id, number),
            "procost": {
                "id": ids.part_id(ids.FEE, facts.procedure.index, 0xF00),
                "type": {
                    "id": ids.part_id(ids.FEE, sum(fee.name.encode()), 0xF01),
                    "type": 111,
                    "name": [
                        {"languageId": ids.VIETNAMESE, "name": fee.name},
                        {"languageId": ids.ENGLISH, "name": ""},
                    ],
                    "quantityEditable": 0,
                },
                "description": [{"languageId": ids.VIETNAMESE, "name": f"{fee.name}: {fee.amount} đồng"}],
            },
            "amount": float(fee.amount),
            "quantity": 1,
            "paid": float(fee.amount) if fee.paid else 0.0,
            "required": 1,
            "dossier": {"id": ids.dossier_id(plan.province, plan.dossier_id)},
        }
        for number, fee in enumerate(facts.fees)
    ]


def _form(facts: Facts, file: File) -> Part:
    form = ids.part_id(ids.FORM, facts.procedure.index, sum(file.code.encode()))
    title = next((title for code, title in facts.procedure.components if code == file.code), file.code)
    return {
        "id": ids.part_id(ids.FORM, facts.plan.dossier_id, file.ordinal),
        "procedureFormId": form,
        "formName": title,
        "procedureForm": {"id": form, "name": title, "code": file.code},
        "requirement": {"typeId": "623462c0f2e2ad4ed5787167", "typeName": "Bản sao", "quantity": 1},
        "file": [
            _file(file, missing=False)
            | {
                "updateCount": int(file.rewritten > file.uploaded),
                "isDeleted": int(file.removed),
                "DuocSoHoa": flag(file.digitised),
                "DuocTaiSuDung": str(file.reuse),
                "DuocLayTuKhoDMQG": flag(file.from_store),
            }
        ],
    }


def _result(facts: Facts, file: File) -> Part:
    missing = facts.plan.defect == Defect.RESULT_WITHOUT_FILE
    return _file(file, missing=missing) | {"group": _RESULTS, "code": file.code}


def _file(file: File, *, missing: bool) -> Part:
    return {
        "id": "" if missing else ids.part_id(ids.FILE, file.file_id),
        "filename": file.name,
        "size": 0 if missing else 20_000 + file.file_id % 900_000,
        "uuid": "" if missing else str(uuid.UUID(int=file.file_id)),
        "additionalFlag": 0,
        "downloadURL": "" if missing else file.url,
    }
