"""The national catalogue in our own terms: what the portal's answers are read into and what the registry keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property

from lienthong.model.digests import json_digest


@dataclass(frozen=True)
class AgencyEntry:
    """One agency; `tenant` is its topmost code (H17 for H17.05)."""

    code: str
    tenant: str
    name: str
    level: str
    parent_code: str | None


@dataclass(frozen=True)
class ProcedureEntry:
    """One procedure of the national catalogue. `max_term_value` in `max_term_unit` (the catalogue's own words)."""

    code: str
    name: str
    field_code: str | None
    field_name: str | None
    active: bool
    levels: tuple[int, ...]
    subjects: tuple[str, ...]
    returns_paper: bool
    result_codes: tuple[str, ...]
    has_fee: bool
    max_term_value: int | None
    max_term_unit: str | None
    agencies: tuple[str, ...]

    @cached_property
    def detail_hash(self) -> bytes:
        """SHA-256 over the fields above: what the registry does not keep changes nothing there."""
        return json_digest({field.name: getattr(self, field.name) for field in fields(self)})


@dataclass(frozen=True)
class CatalogueReading:
    """One reading of the catalogue, by code. `listed`: every procedure of the list; `procedures`: those with a detail.

    `services`: which service of the portal gave which list (agencies, procedures, procedures with detail), for errors.
    """

    agencies: Mapping[str, AgencyEntry]
    listed: frozenset[str]
    procedures: Mapping[str, ProcedureEntry]
    services: Mapping[str, str]
