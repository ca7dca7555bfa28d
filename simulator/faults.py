"""The spoiled values that faults put into a province's rows, whatever kind of system holds them."""

from __future__ import annotations

from simulator.catalogue import Catalogue, Procedure
from simulator.facts import Facts

#: A number that clerks type in when they have none.
DUMMY_ID = "000000001"


def refused_id(key: int) -> str:
    """A personal number whose first digits are no province: well-formed, but the portal says no."""
    return f"997{key % 10**9:09d}"


def retired_procedure(facts: Facts, catalogue: Catalogue) -> Procedure:
    retired = [procedure for procedure in catalogue.procedures if procedure.state == "retired"]
    return retired[facts.plan.key % len(retired)]


def unknown_procedure(facts: Facts, catalogue: Catalogue) -> str:
    """A procedure that vanished from the catalogue, a number nobody gave, or a local code without a mapping."""
    key, province = facts.plan.key, facts.province
    if key % 3 == 0:
        vanished = [procedure for procedure in catalogue.procedures if procedure.state == "vanished"]
        return f"{vanished[key % len(vanished)].code}.{province.sender}"
    return f"1.999{key % 1000:03d}.{province.sender}" if key % 3 == 1 else f"{province.local_prefix}-XX-{key % 90 + 10}"


def malformed_code(code: str, key: int) -> str:
    agency, day, number = code.split("-")
    spoiled = (f"{agency}/{day}/{number}", f"{agency}-{day}-{number[1:]}", f"{code}-BS", f"{agency}-20{day}-{number}")
    return spoiled[key % 4]
