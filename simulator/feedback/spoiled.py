"""What the desks show of a record: its truth, spoiled by its fault. Both desks show the same, each in its own words."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from simulator.faults import malformed_code
from simulator.feedback.defects import PetitionDefect, RatingDefect
from simulator.feedback.petitions import Act, Petition, PetitionFacts
from simulator.feedback.ratings import RatingFacts
from simulator.workdays import DAY

#: An agency that no tree has.
UNKNOWN_AGENCY = ("H17.999", "Đơn vị không còn trong danh mục")
UNKNOWN_STATUS = "unknown"
UNKNOWN_CLASS = "unknown"
_AHEAD = 1500 * DAY


@dataclass(frozen=True, slots=True)
class Shown:
    """The root row of a petition as the desks show it. Instants 0 = absent; None = a date that no calendar has."""

    agency: tuple[str, str]
    classification: str
    status: str
    sent: int
    transferred: int | None
    supplement_asked: int
    answered: int
    published: int
    refused: int
    dossier: str
    title: str
    content: str
    answer: str


def shown(facts: PetitionFacts) -> Shown:
    """A petition's root row."""
    plan, defect = facts.plan, facts.plan.defect
    answered = plan.moment_of(Act.ANSWERED)
    refused = plan.moment_of(Act.REFUSED)
    title, answer = facts.title, facts.answer
    if defect == PetitionDefect.ANSWERED_BEFORE_SENT:
        answered = plan.sent - 2 * DAY
    elif defect == PetitionDefect.DATED_AHEAD:
        answered += _AHEAD
    elif defect == PetitionDefect.PUBLISHED_WITHOUT_ANSWER:
        answered, answer = 0, ""
    elif defect == PetitionDefect.REFUSED_AND_ANSWERED:
        refused = answered
    elif defect == PetitionDefect.NFD_TEXT:
        title = unicodedata.normalize("NFD", title)
    return Shown(
        UNKNOWN_AGENCY if defect == PetitionDefect.UNKNOWN_AGENCY else (facts.agency.code, facts.agency.name),
        UNKNOWN_CLASS if defect == PetitionDefect.UNKNOWN_CLASS else plan.classification,
        UNKNOWN_STATUS if defect == PetitionDefect.UNKNOWN_STATUS else plan.status,
        0 if defect == PetitionDefect.NO_DATE else plan.sent,
        None if defect == PetitionDefect.BAD_DATE else plan.moment_of(Act.TRANSFERRED),
        plan.moment_of(Act.SUPPLEMENT_ASKED),
        answered,
        plan.moment_of(Act.PUBLISHED),
        refused,
        malformed(plan),
        title,
        facts.content,
        answer,
    )


def malformed(plan: Petition) -> str:
    if plan.defect == PetitionDefect.MALFORMED_DOSSIER_CODE:
        return malformed_code(plan.dossier, plan.key)
    return plan.dossier


def rated_dossier(facts: RatingFacts) -> str:
    """The dossier code that a rating's row names."""
    plan = facts.plan
    agency, day, number = plan.dossier.split("-")
    match plan.defect:
        case RatingDefect.UNKNOWN_DOSSIER:
            return f"{agency}-{day}-9{number[1:]}"
        case RatingDefect.NO_DOSSIER:
            return ""
        case RatingDefect.MALFORMED_DOSSIER_CODE:
            return malformed_code(plan.dossier, plan.key)
    return plan.dossier


def rated_at(facts: RatingFacts) -> int | None:
    """When a rating's row says it was given: 0 = not said, None = a date that no calendar has."""
    match facts.plan.defect:
        case RatingDefect.NO_TIME:
            return 0
        case RatingDefect.BAD_TIME:
            return None
        case RatingDefect.DATED_AHEAD:
            return facts.plan.rated + _AHEAD
    return facts.plan.rated
