"""Catalogue answers read into the registry's terms (portal-exchange §3.1). Pure; knows the wire names of catalogues."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, TypeVar

from lienthong.exchange.payload import payload_hash
from lienthong.model.identifiers import base_procedure_code, normalise_agency_code

MINISTRY = "ministry"
PROVINCE = "province"
DEPARTMENT = "department"
COMMUNE = "commune"
#: CAPDONVI as CapThucHien (§4.5): 0 ministry, 1 province, 3 commune; districts (2) are gone since 01/7/2025.
_COMMUNE_LEVEL = "3"
_T = TypeVar("_T", int, str)


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
        return payload_hash({field.name: getattr(self, field.name) for field in fields(self)})


def read_agencies(rows: Iterable[Mapping[str, Any]]) -> dict[str, AgencyEntry]:
    """LayDanhMucCoQuan by normalised code; the first of two spellings of one agency wins. Parents follow the code."""
    named: dict[str, tuple[str, str]] = {}
    for row in rows:
        code = normalise_agency_code(_text(row, "MADONVI"))
        if code:
            named.setdefault(code, (_text(row, "TENDONVI"), _text(row, "CAPDONVI")))
    return {
        code: AgencyEntry(code, code.split(".")[0], name, _level(code, level), _parent(code, named))
        for code, (name, level) in named.items()
    }


def closure(agencies: Mapping[str, AgencyEntry]) -> list[tuple[str, str, int]]:
    """(ancestor, descendant, depth) for every agency, itself at depth 0."""
    pairs: list[tuple[str, str, int]] = []
    for code in agencies:
        ancestor: str | None = code
        depth = 0
        while ancestor is not None:
            pairs.append((ancestor, code, depth))
            ancestor, depth = agencies[ancestor].parent_code, depth + 1
    return pairs


def read_procedure(detail: Mapping[str, Any]) -> ProcedureEntry | None:
    """One answer of LayThuTuc; None when it carries no national code."""
    code = base_procedure_code(_text(detail, "MATTHC"))
    if code is None:
        return None
    kinds = _list(detail, "LINHVUCTHUCHIEN")
    results = [item for item in _list(detail, "KETQUATHUCHIEN") if _text(item, "MAKETQUA") or _text(item, "TENKETQUA")]
    terms = [term for way in _list(detail, "CACHTHUCTHUCHIEN") for term in _list(way, "THOIGIAN")]
    fees = [fee for term in terms for fee in _list(term, "PHILEPHI")]
    value, unit = _longest(terms)
    return ProcedureEntry(
        code=code,
        name=_text(detail, "TENTTHC"),
        field_code=(_text(kinds[0], "MALINHVUC") if kinds else "") or None,
        field_name=(_text(kinds[0], "TENLINHVUC") if kinds else "") or None,
        active=_text(detail, "TRANGTHAI") == "1",
        levels=_sorted(
            int(level) for item in _list(detail, "CAPTHUCHIEN") if (level := _text(item, "CAPTHUCHIEN")).isdecimal()
        ),
        subjects=_sorted(
            subject
            for item in _list(detail, "DOITUONGTHUCHIEN")
            if (subject := _text(item, "TENDOITUONG") or _text(item, "MADOITUONG"))
        ),
        returns_paper=bool(results),
        result_codes=_sorted(result for item in results if (result := _text(item, "MAKETQUA"))),
        has_fee=any(_amount(_text(fee, "SOTIEN")) for fee in fees),
        max_term_value=value,
        max_term_unit=unit,
        agencies=_sorted(
            agency
            for item in _list(detail, "COQUANTHUCHIEN")
            if (agency := normalise_agency_code(_text(item, "MADONVI")))
        ),
    )


def _level(code: str, level: str) -> str:
    groups = code.split(".")
    if len(groups) == 1:
        return PROVINCE if re.fullmatch(r"H[0-9]{2}", code) else MINISTRY
    return COMMUNE if level == _COMMUNE_LEVEL or len(groups[1]) == 3 else DEPARTMENT


def _parent(code: str, known: Mapping[str, object]) -> str | None:
    """The nearest listed code above: H17.05 → H17."""
    groups = code.split(".")
    above = (".".join(groups[:length]) for length in range(len(groups) - 1, 0, -1))
    return next((candidate for candidate in above if candidate in known), None)


def _longest(terms: Iterable[Mapping[str, Any]]) -> tuple[int | None, str | None]:
    """The longest term; a working day counts as the longer one of two equal numbers."""
    found = [
        (int(number), "làm việc" in unit.casefold(), unit)
        for term in terms
        if (number := _text(term, "THOIGIANGIAIQUYET")).isdecimal() and (unit := _text(term, "DONVITINH"))
    ]
    if not found:
        return None, None
    value, _, unit = max(found)
    return value, unit


def _amount(text: str) -> int:
    """`15.000` → 15000; words ("Theo quy định") → 0."""
    digits = re.sub(r"[^0-9]", "", text)
    return int(digits) if digits else 0


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else " ".join(str(value).split())


def _list(row: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = row.get(name)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _sorted(values: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(sorted(set(values)))
