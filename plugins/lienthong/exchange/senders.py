"""Which sources may send. A source that comes to mode `own` with a history must say first what becomes of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.engine import Connection

from lienthong.exchange.settings import PortalSettings
from lienthong.model.codes import SourceMode
from lienthong.model.errors import HistoryUndecidedError
from lienthong.warehouse.statements import run

NO_HISTORY = "no_history"
HISTORY_SENT = "history_sent"


@dataclass(frozen=True)
class Refusal:
    """A source that may not send yet: `dossiers` were received more than `days` ago and nobody decided about them."""

    tenant: str
    source_id: str
    dossiers: int
    days: int

    def error(self) -> HistoryUndecidedError:
        """What to tell people."""
        return HistoryUndecidedError(
            f"{self.dossiers} dossiers were received more than {self.days} days ago and may be on the portal already; "
            "nothing of this source was sent.",
            next_step=(
                "decide once, see docs/cutting-over.md. "
                f"`lienthong adopt {self.tenant} --verify` asks the portal about each of them; "
                f"`lienthong adopt {self.tenant} --assume-finished-before DATE` takes the finished ones as delivered; "
                f"`lienthong push {self.tenant} --all-history` (or portal_push with it in send_history) sends them."
            ),
            source=self.source_id,
        )


def open_senders(
    engine: Engine,
    tenant: str,
    owns: Mapping[str, bool],
    settings: PortalSettings,
    now: datetime,
    covered: Collection[str] = (),
) -> list[Refusal]:
    """Let the sources in `owns` send that have no undecided history to speak of (`history_days`, `history_most`), or
    whose history may be sent (value True).

    Once opened, a source stays open. `covered`: procedures that are sent elsewhere, and so no history of the source.
    Returns the sources that stay closed.
    """
    refused = []
    with engine.begin() as connection:
        run(connection, "ops/ensure_tenant", tenant=tenant)
        opened = may_send(connection, tenant)
        for source_id, send_history in sorted(owns.items()):
            if source_id in opened:
                continue
            if send_history:
                open_sender(connection, tenant, source_id, HISTORY_SENT, now)
                continue
            before = now - timedelta(days=settings.history_days)
            found = run(
                connection,
                "exchange/count_history",
                tenant=tenant,
                source_id=source_id,
                before=before,
                covered=sorted(covered),
            ).one()
            if found.undecided > settings.history_most:
                refused.append(Refusal(tenant, source_id, int(found.undecided), settings.history_days))
            elif found.dossiers:  # before its first load a source says nothing about its history
                open_sender(connection, tenant, source_id, NO_HISTORY, now)
    return refused


def open_sender(connection: Connection, tenant: str, source_id: str, reason: str, now: datetime) -> None:
    """Let one source send from now on; the first reason stays."""
    run(connection, "exchange/open_sender", tenant=tenant, source_id=source_id, reason=reason, now=now)


def may_send(connection: Connection, tenant: str) -> set[str]:
    """Sources of the tenant that were opened."""
    return {row.source_id for row in run(connection, "exchange/read_senders", tenant=tenant)}


def effective_modes(connection: Connection, tenant: str, modes: Mapping[str, SourceMode]) -> dict[str, SourceMode]:
    """The modes that count: a source in `own` that was not opened is only compared."""
    opened = may_send(connection, tenant)
    return {
        source_id: SourceMode.SHADOW if mode is SourceMode.OWN and source_id not in opened else mode
        for source_id, mode in modes.items()
    }
