"""Which steps of a dossier the portal shows, where TraCuuHoSo returns them (portal-exchange §2.5; unverified). Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from lienthong.exchange.payload import Wire

CODE = "MaHoSo"
AT = "ThoiDiemXuLy"


def shown_steps(
    result: Sequence[Mapping[str, Any]], dossier_code: str, field: str, steps: Sequence[Wire]
) -> list[bool] | None:
    """For each of `steps`, as they were sent, whether the hit of `dossier_code` shows it under `field`.

    A shown step answers for one sent step at most, and is the same when it has the same time and agrees in every other
    field that both have. None when no list is shown: then nothing is known.
    """
    shown = _list_of(result, dossier_code, field)
    if shown is None:
        return None
    left = [{str(name).casefold(): _text(value) for name, value in step.items()} for step in shown]
    found = []
    for step in steps:
        sent = {name.casefold(): _text(value) for name, value in step.items()}
        same = next((other for other in left if _is_same(sent, other)), None)
        if same is not None:
            left.remove(same)
        found.append(same is not None)
    return found


def _list_of(
    result: Sequence[Mapping[str, Any]], dossier_code: str, field: str
) -> list[Mapping[str, Any]] | None:  # fmt: skip
    records = [{str(name).casefold(): value for name, value in record.items()} for record in result]
    named = [record for record in records if _text(record.get(CODE.casefold())) == dossier_code]
    record = named[0] if named else records[0] if len(records) == 1 and CODE.casefold() not in records[0] else {}
    shown = record.get(field.casefold())
    return [step for step in shown if isinstance(step, Mapping)] if isinstance(shown, list) else None


def _is_same(sent: Mapping[str, str], shown: Mapping[str, str]) -> bool:
    at = AT.casefold()
    return bool(shown.get(at)) and all(sent[name] == shown[name] for name in sent.keys() & shown.keys())


def _text(value: Any) -> str:
    return "" if value is None else unicodedata.normalize("NFC", " ".join(str(value).split()))
