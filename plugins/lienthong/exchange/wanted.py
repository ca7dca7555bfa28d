"""What should be on the portal for one believed dossier, and how a page of that reaches the delivery table."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy.engine import Connection

from lienthong.exchange.believed import BelievedDossier
from lienthong.exchange.payload import (
    PAYLOAD_RECIPE,
    Wire,
    dossier_payload,
    payload_hash,
    sendable_steps,
    step_key,
    step_payload,
)  # fmt: skip
from lienthong.model.codes import DeliveryState, SourceMode
from lienthong.warehouse.copying import copy_in
from lienthong.warehouse.statements import read, run

#: Reasons of this package; those of blocked dossiers otherwise come from the gate.
NOT_RECEIVED = "not_received"
NO_CODE = "dossier_code_missing"
PAYLOAD_DEFECT = "payload_defect"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WantedStep:
    """One step that belongs on the portal."""

    key: str
    occurred_at: datetime
    payload: Wire

    @cached_property
    def hash(self) -> bytes:
        return payload_hash(self.payload)


@dataclass(frozen=True)
class Wanted:
    """What one dossier should become. `hold` forbids sending for now. What is costly is made when it is asked for."""

    dossier: BelievedDossier
    mode: SourceMode
    hold: DeliveryState | None
    reasons: tuple[str, ...]
    defective: bool = False

    @cached_property
    def payload(self) -> Wire | None:
        """None when none can be built: without a code, or of a source that is only observed."""
        if self.mode is SourceMode.OBSERVE or self.dossier.dossier_code is None or self.defective:
            return None
        return dossier_payload(self.dossier)

    @cached_property
    def hash(self) -> bytes | None:
        return None if self.payload is None else payload_hash(self.payload)

    @cached_property
    def steps(self) -> tuple[WantedStep, ...]:
        """In the order of time; none while nothing may be sent."""
        code = self.dossier.dossier_code
        if self.hold is not None or code is None:
            return ()
        return tuple(
            WantedStep(step_key(self.dossier, step), step.occurred_at, step_payload(code, step))
            for step in sendable_steps(self.dossier)
            if step.occurred_at is not None
        )


def want(dossier: BelievedDossier, mode: SourceMode, why: str | None = None) -> Wanted:
    """Decide what is wanted. Only sources in mode `own` ever send; `shadow` keeps the hash for comparison, and
    after its own reason those for which the dossier would be blocked. `why`: the reason of a mode that is not its
    source's (`elsewhere`).
    """
    hold: DeliveryState | None = None
    reasons: tuple[str, ...] = ()
    if mode is not SourceMode.OWN:
        held_for = dossier.blocked_reasons if mode is SourceMode.SHADOW else ()
        hold, reasons = DeliveryState.WAITING, (why or f"source_{mode.value}", *held_for)
    elif dossier.recorded_code is None:
        hold, reasons = DeliveryState.WAITING, (NOT_RECEIVED,)
    elif dossier.blocked_reasons:
        hold, reasons = DeliveryState.BLOCKED, dossier.blocked_reasons
    elif dossier.dossier_code is None:
        hold, reasons = DeliveryState.BLOCKED, (NO_CODE,)
    return Wanted(dossier, mode, hold, reasons)


def sound(wanted: Wanted, *, papers: bool = True, steps: bool = True) -> Wanted:
    """`wanted` with its payload and steps made, or blocked for PAYLOAD_DEFECT: a dossier for which our own program
    fails must not stop its province.
    """
    try:
        if papers:
            _ = wanted.payload
        if steps:
            _ = wanted.steps
    except Exception as error:
        _log.error("[%s] No payload can be built (%s).", wanted.dossier.dossier_id, type(error).__name__)
        return replace(wanted, hold=DeliveryState.BLOCKED, reasons=(PAYLOAD_DEFECT,), defective=True)
    return wanted


def store_wanted(
    connection: Connection, tenant: str, page: Sequence[Wanted]
) -> list[tuple[DeliveryState, SourceMode, int]]:
    """Write a page of wishes, in the caller's transaction (once per transaction). Returns what the page came to:
    (state, mode, dossiers).
    """
    run(connection, "exchange/create_wanted")
    _copy(connection, "exchange/copy_delivery_wanted", map(_delivery_row, page))
    _copy(
        connection,
        "exchange/copy_step_wanted",
        (
            (wanted.dossier.dossier_id, step.key, _bytea(step.hash), step.occurred_at.isoformat())
            for wanted in page
            for step in wanted.steps
        ),
    )
    run(connection, "exchange/store_wanted", tenant=tenant)
    run(connection, "exchange/retire_steps", tenant=tenant)
    run(connection, "exchange/store_steps", tenant=tenant)
    counts = run(connection, "exchange/count_wanted", tenant=tenant)
    return [(DeliveryState(row.state), SourceMode(row.mode), row.dossiers) for row in counts]


def _delivery_row(wanted: Wanted) -> tuple[Any, ...]:
    dossier = wanted.dossier
    return (
        dossier.dossier_id,
        dossier.dossier_code,
        dossier.source_id,
        wanted.mode.value,
        wanted.hold.value if wanted.hold else None,
        _array(wanted.reasons),
        dossier.version,
        dossier.procedure.revision,
        _bytea(wanted.hash) if wanted.hash else None,
        PAYLOAD_RECIPE,
    )


def _copy(connection: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    buffer.seek(0)
    copy_in(connection, read(statement), buffer)


def _bytea(value: bytes) -> str:
    return "\\x" + value.hex()


def _array(values: Sequence[str]) -> str:
    escaped = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in escaped) + "}"
