"""What the portal shows of a dossier against what we would send. Pure; nothing personal leaves this module.

Which fields a hit of TraCuuHoSo carries is unverified (portal-exchange §2.5, §9.7): it is read by our field names, in
any case, and by the names that portal.yaml adds (`lookup_names`). A field that the hit does not carry, or whose value
can't be read, is not compared. Fields that are not personal are kept with both values, of others only their names.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lienthong.exchange.payload import Wire
from lienthong.exchange.settings import PortalSettings
from lienthong.model.identifiers import base_procedure_code

STATUS = "TrangThaiHoSo"
PROCEDURE = "MaTTHC"
CODE = "MaHoSo"
_INSTANTS = (
    "NgayNopHoSo", "NgayTiepNhan", "NgayHenTra", "NgayTuChoi", "NgayKetThucXuLy", "NgayTra",
)  # fmt: skip
#: Fields whose values may be kept, if the portal's value has this form: an answer may hold anything.
_KEPT = {
    STATUS: re.compile(r"[0-9]{0,2}"),
    PROCEDURE: re.compile(r"[0-9A-Za-z.\-]{0,40}"),
} | {name: re.compile(r"[0-9]{0,14}") for name in _INSTANTS}
_INSTANT = re.compile(r"(19|20)[0-9]{12}")
HIDDEN = "…"


class Verdict(StrEnum):
    """What one question to the portal came to."""

    SAME = "same"
    MISSING = "missing"
    DIFFERENT = "different"
    UNKNOWN = "unknown"  # it is there, or the question was refused; its state can't be read


class Difference(StrEnum):
    """In what way a dossier differs; one may differ in several. RETIRED: the portal has it under a dead procedure."""

    MISSING = "missing"
    STATUS = "status"
    PROCEDURE = "procedure"
    RETIRED = "retired"
    DATES = "dates"
    OTHER = "other"
    PRESENT = "present"  # known to be there, contents not shown
    REFUSED = "refused"  # the portal answered neither yes nor no
    BLOCKED = "blocked"  # missing or different, but the gate would not let us send it


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison. `fields` are the wire names that differ, `seen` their values where these are not personal."""

    verdict: Verdict
    kinds: tuple[Difference, ...] = ()
    fields: tuple[str, ...] = ()
    seen: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def compare(payload: Wire, result: Sequence[Mapping[str, Any]], settings: PortalSettings) -> Comparison:
    """Judge the `result` of TraCuuHoSo for one dossier; `payload` is what would be sent (see `payload.as_sent`).

    Only `settings.decisive_fields` decide between same and different; other fields that differ are listed (OTHER).
    """
    if not result:
        return Comparison(Verdict.MISSING, (Difference.MISSING,))
    hit = _hit_of(payload, result, settings)
    if not hit.get(STATUS):
        return Comparison(Verdict.UNKNOWN, (Difference.PRESENT,))
    different = [name for name in payload if name in hit and not _equal(name, payload[name], hit[name])]
    kinds = sorted({_kind(name) for name in different}, key=list(Difference).index)
    decided = any(name in settings.decisive_fields for name in different)
    return Comparison(
        Verdict.DIFFERENT if decided else Verdict.SAME,
        tuple(kinds),
        tuple(different),
        {name: {"portal": _kept(name, hit[name]), "ours": str(payload[name])} for name in different if name in _KEPT},
    )


def _hit_of(payload: Wire, result: Sequence[Mapping[str, Any]], settings: PortalSettings) -> dict[str, Any]:
    """The record of this code (or the only one, if it names none), under our field names."""
    records = [{str(name).casefold(): value for name, value in record.items()} for record in result]
    code, key = _text(payload[CODE]), CODE.casefold()
    named = [record for record in records if _text(record.get(key)) == code]
    record = named[0] if named else records[0] if len(records) == 1 and key not in records[0] else {}
    found: dict[str, Any] = {}
    for name in payload:
        for known in (name, *settings.lookup_names.get(name, ())):
            if known.casefold() in record:
                found[name] = record[known.casefold()]
                break
    return found


def _equal(name: str, ours: Any, theirs: Any) -> bool:
    """Whether the portal shows what we would send. What can't be read as a value of its field counts as equal: it says
    nothing.
    """
    if isinstance(ours, list):
        return not isinstance(theirs, list) or _items(ours, theirs) == _items(theirs, ours)
    if isinstance(theirs, list | dict):
        return True
    if name == PROCEDURE and (base := base_procedure_code(_text(theirs))):
        return base == base_procedure_code(_text(ours))
    if name not in _INSTANTS:
        return _text(ours) == _text(theirs)
    shown = re.sub(r"[^0-9]", "", _text(theirs))
    if shown and not _INSTANT.fullmatch(shown):
        return True
    return _text(ours) == shown


def _items(items: Sequence[Any], others: Sequence[Any]) -> list[str]:
    """The entries of a child list in an order of their own, by the keys that both sides have, without URL queries."""
    common = _keys(items) & _keys(others)
    return sorted(
        json.dumps({name: _text(value).split("?")[0] for name, value in item.items() if name in common}, sort_keys=True)
        for item in items
        if isinstance(item, Mapping)
    )


def _keys(items: Sequence[Any]) -> set[str]:
    return {str(name) for item in items if isinstance(item, Mapping) for name in item}


def _kind(name: str) -> Difference:
    if name == STATUS:
        return Difference.STATUS
    if name == PROCEDURE:
        return Difference.PROCEDURE
    return Difference.DATES if name in _INSTANTS else Difference.OTHER


def _kept(name: str, value: Any) -> str:
    text = _text(value)
    return text if _KEPT[name].fullmatch(text) else HIDDEN


def _text(value: Any) -> str:
    return "" if value is None else unicodedata.normalize("NFC", " ".join(str(value).split()))
