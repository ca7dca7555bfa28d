"""What people decide about deliveries: set aside, go on, did a doubtful step arrive, look at the portal again.

A preview is the deed, rolled back. Every decision is kept (exchange.decision) with who made it, when and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine

from lienthong.exchange.settings import PortalSettings
from lienthong.model.masking import mask
from lienthong.warehouse.statements import run

#: Codes that a result names.
EXAMPLES = 20


class Action(StrEnum):
    """ARRIVED and RESEND are about steps that may have arrived; LOOK asks the portal with the next push."""

    PARK = "park"
    RESUME = "resume"
    ARRIVED = "arrived"
    RESEND = "resend"
    LOOK = "look"


_STATEMENTS = {
    Action.PARK: "exchange/park_chosen",
    Action.RESUME: "exchange/resume_chosen",
    Action.ARRIVED: "exchange/settle_chosen",
    Action.RESEND: "exchange/settle_chosen",
    Action.LOOK: "exchange/doubt_chosen",
}


@dataclass(frozen=True)
class Choice:
    """Which deliveries of a tenant: `codes` (MaHoSo), or all (None). `moments`, if any, has one for each code: only
    steps of that second (None: all of the dossier). `rule`: only what this rule parked; `since`, `until` (left out):
    only what was acknowledged in that period.
    """

    codes: tuple[str, ...] | None = None
    moments: tuple[datetime | None, ...] = ()
    rule: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Decided:
    """What a decision met: dossiers and their doubtful steps. `examples`: the first codes; `untouched`: codes of the
    choice to which it does not apply (unknown, or not in that state).
    """

    action: Action
    dossiers: int
    steps: int
    examples: tuple[str, ...]
    untouched: tuple[str, ...]


def decide(
    engine: Engine,
    tenant: str,
    action: Action,
    choice: Choice,
    settings: PortalSettings,
    *,
    reason: str,
    decided_by: str,
    now: datetime,
    preview: bool,
) -> Decided:
    """Carry a decision out, or with `preview` only say what it would meet. `reason` is kept without personal data."""
    codes = None if choice.codes is None else [code.strip() for code in choice.codes]
    values: dict[str, Any] = {
        "tenant": tenant,
        "codes": codes,
        "reason": mask(reason),
        "decided_by": decided_by,
        "now": now,
    }
    if action is Action.RESUME:
        values["rule"] = choice.rule
    if action in (Action.ARRIVED, Action.RESEND):
        values |= {"action": action.value, "moments": list(choice.moments) or [None] * len(codes or ())}
    if action is Action.LOOK:
        due = now - timedelta(seconds=settings.look_after_s)
        values |= {"since": choice.since, "until": choice.until, "doubted_at": due}
    with engine.connect() as connection, connection.begin() as transaction:
        rows = run(connection, _STATEMENTS[action], values).all()
        if preview:
            transaction.rollback()
    met = [row.dossier_code or "" for row in rows]
    return Decided(
        action,
        len(rows),
        sum(int(row.steps) for row in rows),
        tuple(met[:EXAMPLES]),
        tuple(sorted(set(codes or ()) - set(met))),
    )


class Open(StrEnum):
    """Why a dossier is on the work list: parked, in doubt itself, or with steps that may have arrived."""

    PARKED = "parked"
    UNSETTLED = "unsettled"
    STEPS = "steps"


@dataclass(frozen=True)
class Undecided:
    """One line of the work list. `rule` parked it, or a person for `reason`; `moments` of its doubtful steps."""

    kind: Open
    dossier_code: str | None
    source_id: str
    source_key: str | None
    rule: str | None
    reason: str | None
    decided_by: str | None
    since: datetime | None
    moments: tuple[datetime, ...]
    attempts: int
    last_outcome: str | None
    last_code: str | None


def undecided(engine: Engine, tenant: str, kinds: Sequence[Open] = tuple(Open)) -> list[Undecided]:
    """The work list of a tenant, oldest first within a kind."""
    with engine.connect() as connection:
        rows = run(connection, "exchange/read_undecided", tenant=tenant).mappings().all()
    lines = [Undecided(**{**row, "kind": Open(row["kind"]), "moments": tuple(row["moments"])}) for row in rows]
    return [line for line in lines if line.kind in kinds]
