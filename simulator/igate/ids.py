"""MongoDB-like identifiers (24 hex digits), derived from numbers of the world: the same on every machine."""

from __future__ import annotations

from simulator.catalogue import Agency, Procedure, Province

#: Identifiers that clients of real systems were seen to use.
VIETNAMESE = 228
ENGLISH = 46
DIRECT_RETURN = "5f8968888fffa53e4c073ded"


def dossier_id(province: str, number: int) -> str:
    return f"64c0{int(province[1:]):04x}{0:08x}{number:08x}"


def dossier_number(identifier: str) -> int:
    """The number behind a dossier's id; ValueError when it is none."""
    if len(identifier) != 24 or not identifier.startswith("64c0"):
        raise ValueError("not the id of a dossier")
    return int(identifier[-8:], 16)


def root_agency_id(province: Province) -> str:
    """The province itself, above all its agencies."""
    return f"000000000191c4e1bd3000{int(province.code[1:]):02d}"


def agency_id(agency: Agency) -> str:
    return f"64a0{agency.index:020x}"


def procedure_id(procedure: Procedure) -> str:
    return f"64b0{procedure.index:020x}"


def sector_id(procedure: Procedure) -> str:
    return f"64b1{int.from_bytes(procedure.field.code.encode()):020x}"


def part_id(kind: int, number: int, ordinal: int = 0) -> str:
    """A part of a dossier: `kind` tells tasks, files, fees … apart."""
    return f"64{kind:02x}{number:014x}{ordinal:06x}"


TASK, FORM, FILE, FEE, PERSON, PLACE, PROCESS = 0xD0, 0xE0, 0xE1, 0xF0, 0x90, 0x91, 0x92
