"""The national catalogue, asked for and read into our own terms (portal-exchange §3.1): wire names end here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from sqlalchemy import Engine

from lienthong.exchange.client import PortalClient
from lienthong.exchange.evidence import keep_calls
from lienthong.exchange.limiter import SharedBucket
from lienthong.exchange.settings import Endpoint
from lienthong.model.catalogue import AgencyEntry, CatalogueReading, ProcedureEntry
from lienthong.model.errors import TransientError
from lienthong.model.identifiers import base_procedure_code, normalise_agency_code
from lienthong.warehouse.statements import run

AGENCIES = "LayDanhMucCoQuan"
PROCEDURES = "LayDanhSachTTHC"
PROCEDURE = "LayThuTuc"
SERVICES = {"agencies": AGENCIES, "procedures": PROCEDURES, "procedures with detail": PROCEDURE}
MINISTRY = "ministry"
PROVINCE = "province"
DEPARTMENT = "department"
COMMUNE = "commune"
#: CAPDONVI as CapThucHien (§4.5): 0 ministry, 1 province, 3 commune; districts (2) are gone since 01/7/2025.
_COMMUNE_LEVEL = "3"
_T = TypeVar("_T", int, str)


def read_catalogue(
    engine: Engine, client: PortalClient, tenant_codes: Collection[str], run_key: str
) -> CatalogueReading:
    """Read agencies and procedures through one tenant's account; the evidence of the calls is kept, whatever comes.

    Agencies are kept when they are topmost (ministries, provinces) or belong to one of `tenant_codes`. Errors as the
    client raises them: PortalUnreachableError, PortalAccessError.
    """
    with engine.begin() as connection:
        run(connection, "ops/ensure_tenant", tenant=client.tenant)
    if client.limiter is None:
        client.limiter = SharedBucket(engine, client.tenant, client.settings)
    try:
        reading = _fetch(client, set(tenant_codes))
    except BaseException:
        with suppress(TransientError):  # the evidence of the calls must not hide what went wrong
            keep_calls(engine, client, run_key)
        raise
    keep_calls(engine, client, run_key)
    return reading


def _fetch(client: PortalClient, tenants: set[str]) -> CatalogueReading:
    everything = read_agencies(client.catalogue(AGENCIES))
    agencies = {code: entry for code, entry in everything.items() if code == entry.tenant or entry.tenant in tenants}
    codes = (base_procedure_code(str(row.get("MATTHC") or "")) for row in client.catalogue(PROCEDURES))
    listed = frozenset(code for code in codes if code is not None)
    procedures: dict[str, ProcedureEntry] = {}
    for code in sorted(listed):
        for detail in client.catalogue(PROCEDURE, Endpoint.INTEGRATION, maTTHC=code)[:1]:
            entry = read_procedure(detail)
            if entry is not None and entry.code == code:
                procedures[code] = entry
    return CatalogueReading(agencies, listed, procedures, SERVICES)


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
