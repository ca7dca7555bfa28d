"""Identifiers of the exchange and how their many spellings become one (portal-exchange §4.6)."""

from __future__ import annotations

import re

#: Accepts every MaHoSo style seen: old and new agency codes, four digits, or the five of one vendor's random codes.
DOSSIER_CODE_PATTERN = r"^(?:\d{3}\.\d{2}\.\d{2}\.[A-Z]\d{2}|[A-Z]\d{2}(?:\.\d{2,3}){1,3})-\d{6}-\d{4,5}$"

_PROCEDURE = re.compile(r"^(\d\.\d{6})(?:\.|$)")


def base_procedure_code(text: str | None) -> str | None:
    """The national code inside a procedure code: `1.000894.000.00.00.H56` → `1.000894`; None when there is none."""
    match = _PROCEDURE.match((text or "").strip())
    return match.group(1) if match else None


def normalise_agency_code(text: str | None) -> str | None:
    """One spelling for an agency: `000.00.05.H17` → `H17.05`, `H17.05` stays; blank → None.

    Old codes are written from the smallest unit to the largest and padded with groups of zeros; new ones the other way.
    """
    code = (text or "").strip().upper()
    if not code:
        return None
    groups = code.split(".")
    if groups[0][:1].isalpha():
        return code
    kept = [group for group in reversed(groups) if group.strip("0")]
    return ".".join(kept) or None


def sender_code(tenant: str) -> str:
    """`madonvi` of a province or ministry on the wire: `H17` → `000.00.00.H17`."""
    return f"000.00.00.{tenant}"
