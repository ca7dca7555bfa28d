"""A rating (đánh giá hài lòng) of a dossier: level, words and the nine criteria of Nghị định 61/2018 (0, 1 or 2)."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from simulator.catalogue import Agency, Catalogue
from simulator.people import person_name
from simulator.streams import pick

#: Levels of a rating, worst first: the province stores their position.
LEVELS = ("dissatisfied", "acceptable", "satisfied")
CRITERIA = 9
_COMMENTS = {
    "dissatisfied": ("Chờ quá lâu, phải đi lại nhiều lần", "Không được hướng dẫn rõ", "Trả kết quả trễ hẹn"),
    "acceptable": ("Tạm được", "", "Cần nhanh hơn"),
    "satisfied": ("Hài lòng", "", "Cán bộ nhiệt tình, đúng hẹn", "Rất nhanh 👍"),
}


@dataclass(slots=True)
class Rating:
    """One rating. `marks` has one digit per criterion. `rated` is a naive local instant (`workdays`).

    `kind` is LoaiDanhGia: "1" at the counter, "2" online. `agency` is an index of agencies.
    """

    province: str
    number: int
    key: int
    dossier: str
    agency: int
    level: str
    kind: str
    marks: str
    rated: int
    defect: str | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class RatingFacts:
    """A rating in full and without its fault."""

    plan: Rating
    agency: Agency
    rater: str
    comment: str


def derive(plan: Rating, catalogue: Catalogue) -> RatingFacts:
    """Pure: the same plan always gives the same facts."""
    rng = Random(plan.key * 4 + 2)
    return RatingFacts(plan, catalogue.agencies[plan.agency], person_name(rng), pick(rng, _COMMENTS[plan.level]))
