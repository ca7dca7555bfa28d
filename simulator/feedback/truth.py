"""What ought to be believed of a petition or a rating, in plain words; instants are local `yyyyMMddHHmmss`."""

from __future__ import annotations

from typing import Any

from simulator.feedback.defects import PetitionDefect
from simulator.feedback.ledger import FeedbackEntry
from simulator.feedback.petitions import STATUS_AFTER, Act, PetitionFacts
from simulator.feedback.ratings import RatingFacts
from simulator.workdays import wire

Words = dict[str, Any]


def petition_entry(facts: PetitionFacts) -> FeedbackEntry:
    """The ledger's entry of one petition. An orphan's truth is empty: its row does not exist."""
    plan, sender = facts.plan, facts.sender
    defects = (plan.defect,) if plan.defect else ()
    steps = tuple(_step(step.number, step.act, step.at, step.agency.code, step.agency.name, step.actor, step.note)
                  for step in facts.steps)  # fmt: skip
    truth: Words = {
        "petition_code": plan.code,
        "origin_code": plan.origin,
        "classification": plan.classification,
        "agency_code": facts.agency.code,
        "agency_name": facts.agency.name,
        "status": plan.status,
        "sent_at": wire(plan.sent),
        "transferred_at": wire(plan.moment_of(Act.TRANSFERRED)),
        "supplement_asked_at": wire(plan.moment_of(Act.SUPPLEMENT_ASKED)),
        "answered_at": wire(plan.moment_of(Act.ANSWERED)),
        "published_at": wire(plan.moment_of(Act.PUBLISHED)),
        "refused_at": wire(plan.moment_of(Act.REFUSED)),
        "due_at": wire(facts.due),
        "likes": plan.likes,
        "dislikes": plan.dislikes,
        "complained_again": plan.again,
        "dossier_code": plan.dossier,
        "sender_name": sender.name,
        "sender_phone": sender.phone,
        "sender_email": sender.email,
        "sender_address": sender.address,
        "title": facts.title,
        "content": facts.content,
        "answer": facts.answer,
    }
    if plan.defect == PetitionDefect.ORPHAN_CHILD:
        truth = {}
    return FeedbackEntry("petition", plan.desk, plan.province, plan.number, truth, steps, defects, plan.gone)


def rating_entry(facts: RatingFacts) -> FeedbackEntry:
    """The ledger's entry of one rating; its children are the marks."""
    plan = facts.plan
    truth: Words = {
        "dossier_code": plan.dossier,
        "agency_code": facts.agency.code,
        "agency_name": facts.agency.name,
        "satisfaction": plan.level,
        "rating_type": plan.kind,
        "rated_at": wire(plan.rated),
        "rater_name": facts.rater,
        "comment": facts.comment,
    }
    marks = tuple({"criterion": str(number), "mark": int(mark)} for number, mark in enumerate(plan.marks, start=1))
    defects = (plan.defect,) if plan.defect else ()
    return FeedbackEntry("rating", "rating", plan.province, plan.number, truth, marks, defects, plan.gone)


def _step(number: int, act: Act, at: int, agency: str, name: str, actor: str, note: str) -> Words:
    return {
        "step_no": number,
        "status": STATUS_AFTER[act],
        "occurred_at": wire(at),
        "agency_code": agency,
        "agency_name": name,
        "actor_name": actor,
        "content": note,
    }
