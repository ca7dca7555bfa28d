"""The faults that real provincial data has, injected on purpose and known to the ledger. At most one per dossier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from random import Random

from simulator.plans import Plan, Trait
from simulator.steps import Step


class Defect(StrEnum):
    """Kinds of injected faults."""

    UNKNOWN_PROCEDURE = "unknown_procedure"  # a code that the portal's catalogue does not hold (any more)
    RETIRED_PROCEDURE = "retired_procedure"  # listed, but TRANGTHAI is not 1
    MALFORMED_CODE = "malformed_code"  # MaHoSo does not have the form of one
    DATES_OUT_OF_ORDER = "dates_out_of_order"
    UNKNOWN_STATUS = "unknown_status"  # a dossierStatus outside every list
    DUMMY_ID = "dummy_id"  # applicantIdNo 000000001
    ORPHAN_CHILD = "orphan_child"  # child rows without their dossier row
    DUPLICATE_ROW = "duplicate_row"  # the same dossier under a second dossierId
    NFD_TEXT = "nfd_text"  # decomposed Unicode
    EMPTY_REQUIRED = "empty_required"  # a name is '', or receiveDate is NULL though received
    RESULT_WITHOUT_FILE = "result_without_file"
    PORTAL_REFUSES = "portal_refuses"  # well-formed, but the portal's own check says no


#: Share of dossiers per kind.
DEFAULT_RATES: Mapping[Defect, float] = {
    Defect.UNKNOWN_PROCEDURE: 0.008,
    Defect.RETIRED_PROCEDURE: 0.008,
    Defect.MALFORMED_CODE: 0.005,
    Defect.DATES_OUT_OF_ORDER: 0.006,
    Defect.UNKNOWN_STATUS: 0.004,
    Defect.DUMMY_ID: 0.010,
    Defect.ORPHAN_CHILD: 0.003,
    Defect.DUPLICATE_ROW: 0.005,
    Defect.NFD_TEXT: 0.010,
    Defect.EMPTY_REQUIRED: 0.006,
    Defect.RESULT_WITHOUT_FILE: 0.010,
    Defect.PORTAL_REFUSES: 0.004,
}
NO_DEFECTS: Mapping[Defect, float] = {}

#: From this many dossiers on, every kind with a rate occurs at least once.
ALL_KINDS_FROM = 300


def assign(plans: list[Plan], rates: Mapping[Defect, float], rng: Random) -> list[Plan]:
    """Mark the plans in place and return the duplicates to be added (they carry the defect, their originals do not)."""
    fits = _conditions()
    chosen: dict[Defect, int] = dict.fromkeys(rates, 0)
    duplicated: list[Plan] = []

    def mark(plan: Plan, kind: Defect) -> None:
        chosen[kind] += 1
        if kind is Defect.DUPLICATE_ROW:
            duplicated.append(plan)
            plan.defect = "original"  # taken: cleared below
        else:
            plan.defect = kind

    for plan in plans:
        draw = rng.random()
        for kind, rate in rates.items():
            if draw < rate:
                if fits[kind](plan):
                    mark(plan, kind)
                break
            draw -= rate
    if len(plans) >= ALL_KINDS_FROM:
        for kind in (kind for kind, rate in rates.items() if rate and not chosen[kind]):
            free = [plan for plan in plans if plan.defect is None and fits[kind](plan)]
            if free:
                mark(free[int(rng.random() * len(free))], kind)
    for plan in duplicated:
        plan.defect = None
    return duplicated


def _conditions() -> dict[Defect, Callable[[Plan], bool]]:
    """Which dossiers can carry which fault: all must have been received, so that the portal would owe them a place."""

    def received(plan: Plan) -> bool:
        return plan.code is not None and plan.received > 0

    def finished_electronically(plan: Plan) -> bool:
        return received(plan) and plan.has(Trait.ELECTRONIC_RESULT) and plan.moment_of(Step.FINISHED) > 0

    def citizen(plan: Plan) -> bool:
        return received(plan) and not plan.business

    conditions: dict[Defect, Callable[[Plan], bool]] = dict.fromkeys(Defect, received)
    conditions[Defect.RESULT_WITHOUT_FILE] = finished_electronically
    conditions[Defect.PORTAL_REFUSES] = citizen
    return conditions
