"""A petition as the national system lists it: its own words, ISO dates of +07:00, steps inside."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from simulator.feedback.petitions import STATUS_AFTER, Happening, Petition, PetitionFacts
from simulator.feedback.spoiled import shown
from simulator.service import ServiceSwitches

_ORIGIN = datetime(1970, 1, 1)
#: All words here are our assumption.
STATUSES = {
    "sent": "MOI_GUI",
    "transferred": "DA_CHUYEN",
    "supplement_requested": "YEU_CAU_BO_SUNG",
    "processing": "XU_LY",
    "answered": "DA_TRA_LOI",
    "published": "DA_CONG_KHAI",
    "refused": "TU_CHOI",
    "withdrawn": "DA_RUT",
    "unknown": "CHO_THAM_TRA",
}
CLASSES = {"behaviour": "HANH_VI", "regulation": "QUY_DINH", "other": "KHAC", "unknown": "CHUA_RO"}
BAD_DATE = "2026-02-31T08:00:00+07:00"


def iso(moment: int | None) -> str | None:
    """`2026-10-03T08:12:00+07:00`; None where nothing is said."""
    if moment is None:
        return BAD_DATE
    return f"{(_ORIGIN + timedelta(seconds=moment)).isoformat()}+07:00" if moment else None


def updated(plan: Petition) -> int:
    return max(plan.modified, plan.touched)


def item(facts: PetitionFacts, switches: ServiceSwitches) -> dict[str, Any]:
    """One element of `data.items`."""
    plan, row = facts.plan, shown(facts)
    made: dict[str, Any] = {
        "id": f"{plan.province.lower()}-{plan.number}",
        "code": plan.code,
        "originCode": plan.origin or None,
        "classification": {"code": CLASSES[row.classification]},
        "status": {"code": STATUSES[row.status]},
        "department": {"code": row.agency[0], "name": row.agency[1]},
        "sentAt": iso(row.sent),
        "transferredAt": iso(row.transferred),
        "supplementRequestedAt": iso(row.supplement_asked),
        "answeredAt": iso(row.answered),
        "publishedAt": iso(row.published),
        "rejectedAt": iso(row.refused),
        "deadline": iso(facts.due),
        "likeCount": plan.likes,
        "dislikeCount": plan.dislikes,
        "reopened": plan.again,
        "dossierCode": row.dossier or None,
        "sender": {
            "fullName": facts.sender.name,
            "phone": facts.sender.phone or None,
            "email": facts.sender.email or None,
            "address": facts.sender.address,
        },
        "title": row.title,
        "content": row.content,
        "answer": row.answer or None,
        "histories": [_history(plan, step) for step in facts.steps],
        "updatedAt": iso(updated(plan)),
    }
    if switches.extra_field:
        made["priority"] = "NORMAL"
    if switches.lacks_status:
        del made["status"]
    return made


def _history(plan: Petition, step: Happening) -> dict[str, Any]:
    return {
        "id": f"{plan.number}-{step.number}",
        "order": step.number,
        "status": STATUSES[STATUS_AFTER[step.act]],
        "at": iso(step.at),
        "department": {"code": step.agency.code, "name": step.agency.name},
        "actor": step.actor,
        "note": step.note,
    }
