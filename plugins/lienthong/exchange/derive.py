"""What is owed to the portal, derived from what is believed: no event queue, only a comparison of hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine

from lienthong.exchange.believed import load_believed
from lienthong.exchange.wanted import store_wanted, want
from lienthong.model.codes import DeliveryState, SourceMode
from lienthong.warehouse.statements import run

PAGE = 2000
_BEFORE_ALL = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class DeriveSummary:
    """What the dossiers examined in one call came to. `held` by their source's mode; `steps` considered, new or not."""

    examined: int = 0
    owed: int = 0
    waiting: int = 0
    blocked: int = 0
    held: int = 0
    unchanged: int = 0
    steps: int = 0


def derive(engine: Engine, tenant: str, modes: Mapping[str, SourceMode], now: datetime) -> DeriveSummary:
    """Bring exchange.delivery up to what is believed: every dossier of `tenant` whose version, catalogue entry,
    blocking reasons or source mode is newer than what was derived.

    `modes` names all sources of the tenant; dossiers of a source that is not named are only observed. Each page is one
    transaction, so an interrupted call is finished by the next. `now` dates nothing today and is part of the contract
    of every step.
    """
    summary = DeriveSummary()
    after = _BEFORE_ALL
    with engine.begin() as connection:
        run(connection, "ops/ensure_tenant", tenant=tenant)
    while True:
        with engine.begin() as connection:
            ids = [
                row.dossier_id
                for row in run(
                    connection,
                    "exchange/read_stale_dossiers",
                    tenant=tenant,
                    source_ids=list(modes),
                    modes=[mode.value for mode in modes.values()],
                    after=after,
                    page_size=PAGE,
                )
            ]
            if not ids:
                if summary.examined >= PAGE:
                    run(connection, "exchange/analyze")
                return summary
            page = [
                want(dossier, modes.get(dossier.source_id, SourceMode.OBSERVE))
                for dossier in load_believed(connection, tenant, ids)
            ]
            counts = store_wanted(connection, tenant, page)
        after = ids[-1]
        summary = _added(summary, counts, sum(len(wanted.steps) for wanted in page))


def _added(summary: DeriveSummary, counts: list[tuple[DeliveryState, SourceMode, int]], steps: int) -> DeriveSummary:
    examined = sum(number for _, _, number in counts)
    held = sum(number for _, mode, number in counts if mode is not SourceMode.OWN)

    def own(state: DeliveryState) -> int:
        return sum(number for s, mode, number in counts if s is state and mode is SourceMode.OWN)

    owed, waiting, blocked = own(DeliveryState.OWED), own(DeliveryState.WAITING), own(DeliveryState.BLOCKED)
    return replace(
        summary,
        examined=summary.examined + examined,
        owed=summary.owed + owed,
        waiting=summary.waiting + waiting,
        blocked=summary.blocked + blocked,
        held=summary.held + held,
        unchanged=summary.unchanged + examined - held - owed - waiting - blocked,
        steps=summary.steps + steps,
    )
