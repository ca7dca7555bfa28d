"""The faults of petitions and ratings, injected on purpose and known to the ledger. At most one per record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from random import Random
from typing import TypeVar

from simulator.feedback.petitions import Act, Desk, Petition
from simulator.feedback.ratings import Rating

T = TypeVar("T")


class PetitionDefect(StrEnum):
    """Faults of a petition's rows."""

    NO_DATE = "no_date"  # when it was sent is not said
    BAD_DATE = "bad_date"  # a date that no calendar has
    UNKNOWN_AGENCY = "unknown_agency"  # a code outside the agency tree
    ANSWERED_BEFORE_SENT = "answered_before_sent"
    REFUSED_AND_ANSWERED = "refused_and_answered"
    UNKNOWN_STATUS = "unknown_status"
    UNKNOWN_CLASS = "unknown_class"
    PUBLISHED_WITHOUT_ANSWER = "published_without_answer"
    MALFORMED_DOSSIER_CODE = "malformed_dossier_code"
    DATED_AHEAD = "dated_ahead"  # an answer of a year that is to come
    NFD_TEXT = "nfd_text"  # decomposed Unicode
    ORPHAN_CHILD = "orphan_child"  # steps without their petition (1022 only: it lists steps apart)
    DUPLICATE_ROW = "duplicate_row"  # the same row twice in the list (1022 only)


class RatingDefect(StrEnum):
    """Faults of a rating's row."""

    UNKNOWN_DOSSIER = "unknown_dossier"  # well-formed, but nobody has that dossier
    NO_DOSSIER = "no_dossier"
    MALFORMED_DOSSIER_CODE = "malformed_dossier_code"
    UNKNOWN_LEVEL = "unknown_level"
    UNKNOWN_MARK = "unknown_mark"  # a criterion is marked 5
    NO_TIME = "no_time"
    BAD_TIME = "bad_time"
    DATED_AHEAD = "dated_ahead"
    NFD_TEXT = "nfd_text"
    DUPLICATE_ROW = "duplicate_row"  # the same row twice in the list


NO_FEEDBACK_DEFECTS = 0.0
#: Share of records of each fault, unless told otherwise; every fault that fits occurs at least once.
DEFAULT_SHARE = 0.008


def _answered(plan: Petition) -> bool:
    return plan.moment_of(Act.ANSWERED) > 0


_PETITION_FITS: Mapping[PetitionDefect, Callable[[Petition], bool]] = {
    PetitionDefect.BAD_DATE: lambda plan: plan.moment_of(Act.TRANSFERRED) > 0,
    PetitionDefect.ANSWERED_BEFORE_SENT: _answered,
    PetitionDefect.REFUSED_AND_ANSWERED: _answered,
    PetitionDefect.DATED_AHEAD: _answered,
    PetitionDefect.PUBLISHED_WITHOUT_ANSWER: lambda plan: plan.moment_of(Act.PUBLISHED) > 0,
    PetitionDefect.MALFORMED_DOSSIER_CODE: lambda plan: plan.dossier != "",
    PetitionDefect.ORPHAN_CHILD: lambda plan: plan.desk == Desk.HOTLINE,
    PetitionDefect.DUPLICATE_ROW: lambda plan: plan.desk == Desk.HOTLINE,
}


def spoil_petitions(plans: Sequence[Petition], share: float, rng: Random) -> None:
    """Mark petitions in place. Those that were passed on stay clean: two desks would carry different faults."""
    free = [plan for plan in plans if not plan.twin]
    for defect in PetitionDefect:
        fits = _PETITION_FITS.get(defect)
        left = [plan for plan in free if plan.defect is None and (fits is None or fits(plan))]
        for plan in _chosen(left, len(plans), share, rng):
            plan.defect = defect


def spoil_ratings(plans: Sequence[Rating], share: float, rng: Random) -> None:
    """Mark ratings in place."""
    for defect in RatingDefect:
        for plan in _chosen([plan for plan in plans if plan.defect is None], len(plans), share, rng):
            plan.defect = defect


def _chosen(free: list[T], whole: int, share: float, rng: Random) -> list[T]:
    if not share or not free:
        return []
    number = min(max(1, round(whole * share)), len(free))
    return [free.pop(int(rng.random() * len(free))) for _ in range(number)]
