"""What is owed to the portal, derived from what is believed: no event queue, only a comparison of hashes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Engine
from sqlalchemy.engine import Connection

from lienthong.exchange.believed import load_believed
from lienthong.exchange.elsewhere import standing, told_modes
from lienthong.exchange.wanted import sound, store_wanted, want
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


def derive(
    engine: Engine, tenant: str, modes: Mapping[str, SourceMode], covers: Mapping[str, str] | None = None
) -> DeriveSummary:
    """Bring exchange.delivery up to what is believed: every dossier of `tenant` whose version, catalogue entry or
    source mode is newer than what was derived. Only dossiers of newer merges and changed procedures are looked at.

    `modes` names all sources of the tenant; dossiers of a source that is not named are only observed, those of a source
    in `own` that may not send yet (`senders`) are derived as in `shadow`. `covers`: procedures that a ministry sends
    itself → the source that shows its dossiers (`elsewhere`). Each page is one transaction, so an
    interrupted call is finished by the next.
    """
    summary = DeriveSummary()
    after = _BEFORE_ALL
    with engine.begin() as connection:
        run(connection, "ops/ensure_tenant", tenant=tenant)
        run(connection, "exchange/open_derive_state", tenant=tenant)
    with engine.begin() as connection:
        _note_stale(connection, tenant, modes, covers or {})
    while True:
        with engine.begin() as connection:
            now_modes = run(connection, "exchange/lock_derive_state", tenant=tenant).one().modes
            taken = run(connection, "exchange/take_stale_dossiers", tenant=tenant, after=after, page_size=PAGE)
            ids = sorted(row.dossier_id for row in taken)
            if not ids:
                if summary.examined >= PAGE:
                    run(connection, "exchange/analyze", tenant=tenant)
                return summary
            page = [sound(want(d, *standing(now_modes, d))) for d in load_believed(connection, tenant, ids)]
            counts = store_wanted(connection, tenant, page)
        after = ids[-1]
        summary = _added(summary, counts, sum(len(wanted.steps) for wanted in page))


def _note_stale(
    connection: Connection, tenant: str, modes: Mapping[str, SourceMode], covers: Mapping[str, str]
) -> None:
    """Put what is newer than the state on the work list and move the state on, both or neither."""
    state = run(connection, "exchange/lock_derive_state", tenant=tenant).one()
    wanted = told_modes(connection, tenant, modes, covers)
    if (state.newest_merge_no, state.newest_revision, wanted) == (state.merge_no, state.revision, state.modes):
        return
    run(
        connection,
        "exchange/note_stale_dossiers",
        tenant=tenant,
        merge_no=state.merge_no,
        revision=state.revision,
        modes=json.dumps(wanted),
        modes_changed=wanted != state.modes,
    )
    run(
        connection,
        "exchange/advance_derive_state",
        tenant=tenant,
        merge_no=state.newest_merge_no,
        revision=state.newest_revision,
        modes=json.dumps(wanted),
    )


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
