"""The papers and fees of dossiers: what the list does not hold, asked for dossier by dossier or by the handful."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa

from lienthong.model.kinds.dossier import Entity
from lienthong.sources.contract import SourceContract
from lienthong.sources.igate.audit import Audit
from lienthong.sources.igate.client import DETAIL, IgateClient
from lienthong.sources.igate.json_paths import dump, find
from lienthong.sources.igate.mapping import ATTACHMENTS, FEE, FORMS, PAPER

#: One landed row per child; `key` is unique within its dossier, `place` its place among its equals there, from 1.
_FIELDS: list[tuple[str, pa.DataType]] = [
    ("dossierId", pa.string()),
    ("key", pa.string()),
    ("place", pa.int64()),
    ("item", pa.string()),
]
CHILD_SCHEMA = pa.schema(_FIELDS)

#: Dossiers that are asked for only to see whether the service is there.
MOST_CONTROLS = 20

#: Keys of a dossier that say how its fees were paid.
_PAYMENT = ("paymentMethod", "paymentRequestData")

Row = dict[str, str | int]


def most_gone(asked: int) -> int:
    """How many of the dossiers asked for in a load may be gone: 3, or 2 % of them where that is more, up to 100; and
    never more than half of them.

    Now and then a dossier is deleted between the list and the question. But a service that is out, or an account that
    lost its rights, is a 404 as well: believed, it would move the watermark past dossiers that were never loaded.
    """
    return min(max(3, asked // 50), 100, asked // 2)


class Children:
    """Reads the papers and fees of dossiers that the list gave.

    `gone`: dossiers that vanished between the list and the question; they are set aside, not loaded without papers.
    """

    def __init__(self, client: IgateClient, contract: SourceContract, audit: Audit) -> None:
        self._client = client
        self._audit = audit
        self._papers = Entity.DOCUMENT in contract.dossier.entities
        self._fees = Entity.FEE in contract.dossier.entities
        self._limits = contract.http
        self.gone: list[str] = []

    @property
    def wanted(self) -> bool:
        """Whether there is anything to ask for."""
        return self._papers or self._fees

    def read(self, dossiers: Sequence[dict[str, Any]]) -> tuple[list[Row], list[Row]]:
        """Rows of papers and of fees of some items of the list."""
        papers: list[Row] = []
        there = list(dossiers)
        if self._papers:
            there = []
            for dossier in dossiers:
                whole = self._client.detail(dossier["id"]) if self._limits.details else dossier
                if whole is None:
                    self.gone.append(dossier["id"])
                    continue
                there.append(dossier)
                papers += self._rows(PAPER, dossier["id"], papers_of(whole))
        fees: list[Row] = []
        if self._fees:
            for first in range(0, len(there), self._limits.fee_ids):
                fees += self._fee_rows({item["id"]: item for item in there[first : first + self._limits.fee_ids]})
        return papers, fees

    def refuse_too_many_gone(self, asked: int, known: Collection[str] = (), controls: Iterable[str] = ()) -> None:
        """SourceAnswerError when more are gone than may be (`most_gone`) of the `asked` ones of the whole load.

        Those that were `known` to be gone, and have not changed since, are no sign of a service that is out. Where few
        are asked for, `controls` tell more: dossiers that the service knew at an earlier load are asked for, too.
        """
        gone = [dossier for dossier in self.gone if dossier not in known]
        if len(gone) <= most_gone(asked):
            return
        asked += sum(self._client.detail(dossier) is not None for dossier in islice(controls, MOST_CONTROLS))
        if len(gone) <= most_gone(asked):
            return
        raise self._client.answer_error(
            f"The list shows dossiers whose papers the server does not know (HTTP 404): {len(gone)} so far, of "
            f"{asked} to ask for; at most {most_gone(asked)} may have been deleted meanwhile. Nothing was loaded.",
            DETAIL,
            "check the detail service and the account's rights with the system's operator. The next try of this load "
            "asks for them again and goes on where it stopped; if they really were deleted, start a new load, which "
            "reads the list anew.",
        )

    def _fee_rows(self, dossiers: Mapping[str, dict[str, Any]]) -> list[Row]:
        by_owner: dict[str, list[dict[str, Any]]] = {}
        for fee in self._client.fees(list(dossiers)):
            owner = find(fee, ("dossier", "id"))
            if owner in dossiers:  # a fee that names no dossier we asked for belongs to nobody we read
                by_owner.setdefault(owner, []).append(fee)
        rows: list[Row] = []
        for owner, found in by_owner.items():
            payment = {name: dossiers[owner].get(name) for name in _PAYMENT}
            children = [(_key(fee, "fee", place), {"fee": fee, "dossier": payment}) for place, fee in enumerate(found)]
            rows += self._rows(FEE, owner, children)
        return rows

    def _rows(self, table: str, owner: str, children: list[tuple[str, dict[str, Any]]]) -> list[Row]:
        rows: list[Row] = []
        for place, (key, child) in enumerate(children, start=1):
            self._audit.look(table, child)
            rows.append({"dossierId": owner, "key": key, "place": place, "item": dump(child)})
        return rows


def children_table(rows: Sequence[Row]) -> pa.Table:
    """Landed rows of papers or fees."""
    return pa.Table.from_pylist(list(rows), CHILD_SCHEMA)


def papers_of(dossier: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Key and {role, form, file} of every file of a dossier: those of its forms, and its results."""
    found: list[tuple[str, dict[str, Any]]] = []
    for place, form in enumerate(_objects(dossier.get(FORMS))):
        about = {name: value for name, value in form.items() if name != "file"}
        for number, file in enumerate(_objects(form.get("file"))):
            found.append((_key(file, f"form-{place}", number), {"role": "form", "form": about, "file": file}))
    for number, file in enumerate(_objects(dossier.get(ATTACHMENTS))):
        found.append((_key(file, "attachment", number), {"role": "attachment", "form": None, "file": file}))
    return found


def _key(child: Mapping[str, Any], kind: str, place: int) -> str:
    """Its own id, or its place where it has none (a result without a file)."""
    own = child.get("id")
    return own if isinstance(own, str) and own else f"{kind}-{place}"


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
