"""Taking over what another program delivered: by asking the portal, or by declaration. Nothing is sent here.

An adopted dossier is acknowledged with our payload of now, so only a later change is owed. Its steps up to the moment
when the other program stopped are that program's: they are not sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from lienthong.exchange.shadow import BEFORE_ALL
from lienthong.model.codes import DossierStatus
from lienthong.model.errors import ContractError
from lienthong.warehouse.statements import run

PAGE = 5000
#: Statuses after which nothing more is expected of a dossier (portal-exchange §4.1).
FINAL = (
    DossierStatus.NOT_ACCEPTED,
    DossierStatus.WITHDRAWN,
    DossierStatus.STOPPED,
    DossierStatus.FINISHED,
    DossierStatus.RETURNED,
)


@dataclass(frozen=True)
class Adoption:
    """The take-over of one tenant: `frozen_at` is when the other program stopped sending, `assumed_before` the widest
    declaration so far.
    """

    frozen_at: datetime
    assumed_before: datetime | None


@dataclass(frozen=True)
class AdoptionSummary:
    """Dossiers of one tenant that have a payload: adopted by evidence or by declaration, found missing or different
    (`delta`: owed), delivered by ourselves, or nothing of these (`undecided`).
    """

    tenant: str
    verified: int
    assumed: int
    delta: int
    ours: int
    undecided: int


def open_adoption(engine: Engine, tenant: str, frozen_at: datetime | None, now: datetime) -> Adoption:
    """The tenant's take-over; a first call without `frozen_at` takes `now`, later ones keep what the first said.

    Another `frozen_at` begins a new take-over: what was adopted or delivered before it is to be decided again.
    """
    if frozen_at is not None and frozen_at > now:
        raise ContractError(
            f"The other program can't have stopped in the future ({frozen_at.isoformat()}).",
            next_step="stop it first, then give the instant when it sent last.",
            source=tenant,
        )
    with engine.begin() as connection:
        row = run(connection, "exchange/open_adoption", tenant=tenant, frozen_at=frozen_at, now=now).one()
    return Adoption(row.frozen_at, row.assumed_before)


def adopt_assumed(engine: Engine, tenant: str, adoption: Adoption, assumed_before: datetime, now: datetime) -> int:
    """Take every final dossier whose last event lies before `assumed_before` as delivered; returns how many were new.

    Set-based, a page of dossiers per transaction: killed, it goes on where it was.
    """
    if assumed_before > adoption.frozen_at:
        raise ContractError(
            "Dossiers finished after the other program stopped can't be taken as delivered by it.",
            next_step=f"give an instant not after {adoption.frozen_at.isoformat()}.",
            source=tenant,
        )
    with engine.begin() as connection:
        run(connection, "exchange/note_assumption", tenant=tenant, assumed_before=assumed_before)
    return _in_pages(
        engine,
        tenant,
        "exchange/adopt_assumed",
        final_statuses=[status.value for status in FINAL],
        assumed_before=assumed_before,
        frozen_at=adoption.frozen_at,
        now=now,
    )


def adopt_compared(engine: Engine, tenant: str, adoption: Adoption, now: datetime, *, accept_presence: bool) -> int:
    """Decide by the comparisons made since the other program stopped; returns how many dossiers were decided.

    `accept_presence`: a dossier that the portal holds without showing its contents is taken as delivered (assumed).
    """
    return _in_pages(
        engine,
        tenant,
        "exchange/adopt_compared",
        frozen_at=adoption.frozen_at,
        accept_presence=accept_presence,
        now=now,
    )


def adoption_summary(engine: Engine, tenant: str) -> AdoptionSummary:
    """Count the tenant's dossiers by what is known about them."""
    with engine.connect() as connection:
        rows = run(connection, "exchange/count_adoptions", tenant=tenant).all()
    counted = {row.adoption: int(row.dossiers) for row in rows}
    return AdoptionSummary(
        tenant, *(counted.get(name, 0) for name in ("verified", "assumed", "delta", "ours", "undecided"))
    )


def _in_pages(engine: Engine, tenant: str, statement: str, **parameters: Any) -> int:
    total = 0
    after: str | None = BEFORE_ALL
    while after is not None:
        with engine.begin() as connection:
            run(connection, "exchange/lock_derive_state", tenant=tenant)
            run(connection, "exchange/plan_by_key")
            row = run(connection, statement, tenant=tenant, after=after, page_size=PAGE, **parameters).one()
        total += int(row.dossiers)
        after = row.last_id
    return total
