"""What the warehouse believes about a dossier, as far as the portal is concerned, and how it is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from lienthong.warehouse.statements import run


@dataclass(frozen=True, slots=True)
class Person:
    """Who handed the dossier in. Everything here is personal."""

    name: str | None
    id_number: str | None
    phone: str | None
    email: str | None
    abstract: str | None


@dataclass(frozen=True, slots=True)
class Document:
    """A component (`role` component) or a result (`role` result) of a dossier."""

    child_key: str
    role: str | None
    component_code: str | None
    result_code: str | None
    has_file: bool | None
    removed: bool | None
    digitised: bool | None
    reuse: int | None
    from_citizen_store: bool | None
    name: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class Fee:
    """One fee item; `amount` in đồng."""

    child_key: str
    name: str | None
    fee_code: str | None
    kind: str | None
    amount: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """One processing step."""

    child_key: str
    step_no: int | None
    status: int | None
    occurred_at: datetime | None
    started_at: datetime | None
    due_at: datetime | None
    actor_title: str | None
    department: str | None
    actor_name: str | None
    content: str | None


@dataclass(frozen=True, slots=True)
class Procedure:
    """What the national catalogue says about the dossier's procedure; all None when it is not listed."""

    name: str | None
    field_code: str | None
    field_name: str | None
    revision: int | None


@dataclass(frozen=True, slots=True)
class BelievedDossier:
    """One dossier as believed, with its children. `recorded_code` is the code its record carries, sendable or not."""

    dossier_id: str
    source_id: str
    source_key: str
    version: int
    dossier_code: str | None
    recorded_code: str | None
    blocked_reasons: tuple[str, ...]
    procedure_code: str | None
    procedure_code_raw: str | None
    procedure_name: str | None
    agency_name: str | None
    status: int | None
    channel: int | None
    subject_type: int | None
    return_method: int | None
    submitted_at: datetime | None
    received_at: datetime | None
    due_at: datetime | None
    finished_at: datetime | None
    returned_at: datetime | None
    refused_at: datetime | None
    has_digitised_component: bool | None
    vneid_verified: bool | None
    online_payment: int | None
    database_codes: tuple[str, ...]
    person: Person
    procedure: Procedure
    documents: tuple[Document, ...] = ()
    fees: tuple[Fee, ...] = ()
    steps: tuple[Step, ...] = ()


def load_believed(
    connection: Connection, tenant: str, dossier_ids: Sequence[str], *, papers: bool = True, steps: bool = True
) -> list[BelievedDossier]:
    """The dossiers of `dossier_ids` that exist, with their children in key order. Without `papers` they have no
    documents and fees and no payload must be made of them; without `steps` no steps.
    """
    rows = run(connection, "exchange/read_believed", tenant=tenant, dossier_ids=list(dossier_ids)).all()
    sources = [row.source_id for row in rows]
    keys = [row.source_key for row in rows]

    def children(statement: str, make: Any) -> dict[tuple[str, str], list[Any]]:
        found: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for row in run(connection, statement, tenant=tenant, source_ids=sources, source_keys=keys):
            values: tuple[Any, ...] = tuple(row)
            found[values[0], values[1]].append(make(*values[2:]))
        return found

    documents = children("exchange/read_documents", Document) if papers else {}
    charges = children("exchange/read_fees", Fee) if papers else {}
    taken = children("exchange/read_steps", Step) if steps else {}
    return [_assemble(tuple(row), documents, charges, taken) for row in rows]


def _assemble(
    row: tuple[Any, ...],
    documents: dict[tuple[str, str], list[Any]],
    fees: dict[tuple[str, str], list[Any]],
    steps: dict[tuple[str, str], list[Any]],
) -> BelievedDossier:
    """`row` holds the scalars in the order of the dataclass, then the person's five, then the procedure's four."""
    scalars: dict[str, Any] = dict(zip(_SCALARS, row[: len(_SCALARS)], strict=True))
    person, procedure = row[len(_SCALARS) : -4], row[-4:]
    key = (str(scalars["source_id"]), str(scalars["source_key"]))
    scalars["blocked_reasons"] = tuple(scalars["blocked_reasons"] or ())
    scalars["database_codes"] = tuple(scalars["database_codes"] or ())
    return BelievedDossier(
        **scalars,
        person=Person(*person),
        procedure=Procedure(*procedure),
        documents=tuple(documents.get(key, ())),
        fees=tuple(fees.get(key, ())),
        steps=tuple(steps.get(key, ())),
    )


_SCALARS = tuple(field.name for field in fields(BelievedDossier))[:-5]
