"""The load ledger: which run of which source stands where. State moves only here, in our own schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection, RowMapping

from lienthong.model.codes import LoadMode, LoadState
from lienthong.model.errors import ContractError, FencedError, LoadStateError
from lienthong.model.kinds import KINDS, KindSpec
from lienthong.warehouse.statements import run


@dataclass(frozen=True)
class Load:
    """One row of the ledger. `kind` is that of its source's records; `fence` is the newest claim on the extract.

    Per entity, `staged_rows` were left in staging for gate and merge, and `set_aside` were known already.
    `staged_after` is the merge of the source that they were compared with. `reading_no` orders what loads read,
    whatever the clocks said; `clock_ahead` is how far the source's was ahead of ours.
    """

    load_id: int
    tenant: str
    source_id: str
    kind: KindSpec
    run_key: str
    mode: LoadMode
    window_from: datetime | None
    window_to: datetime | None
    state: LoadState
    fence: int
    manifest_url: str | None
    observed_at: datetime | None
    staged_rows: Mapping[str, int] | None
    set_aside: Mapping[str, int] | None = None
    staged_after: int | None = None
    reading_no: int | None = None
    clock_ahead: timedelta | None = None


@dataclass(frozen=True)
class GateBasis:
    """What a load is judged by: a digest of the expectations, and the national catalogue's revision (None: no sync)."""

    rules: str
    catalogue: int | None


@dataclass(frozen=True)
class SourceDescription:
    """What the ledger keeps of a contract. `kind`: name of the kind of its records. `removed`: words of a status that
    mean "deleted at the source". `capabilities`: what the source can tell; None when nobody said. `precedence` and
    `mode`: of sources of dossiers only. `sent_by`: the ministry that sends its records itself, and `covers` the
    procedures of which the tenant therefore sends nothing.
    """

    tenant: str
    source_id: str
    title: str
    precedence: int | None
    mode: str | None
    contract_hash: str
    removed: tuple[str, ...] = ()
    capabilities: tuple[str, ...] | None = None
    kind: str = "dossier"
    sent_by: str | None = None
    covers: tuple[str, ...] = ()


def open_load(
    connection: Connection,
    source: SourceDescription,
    run_key: str,
    *,
    mode: LoadMode,
    window: tuple[datetime, datetime] | None,
    now: datetime,
) -> int:
    """The load of this run, opened if it is new. The same run key always gives the same load.

    ContractError for a source whose records were of another kind before.
    """
    run(connection, "ops/ensure_tenant", tenant=source.tenant)
    told = None if source.capabilities is None else sorted(source.capabilities)
    lists = {"removed": list(source.removed), "covers": list(source.covers), "capabilities": told}
    run(connection, "ops/describe_source", {**vars(source), **lists})
    key = {"tenant": source.tenant, "source_id": source.source_id}
    known = run(connection, "ops/read_source_kind", key).scalar_one()
    if known != source.kind:
        raise ContractError(
            f"The source was loaded as {known} before, its contract now has a section {source.kind!r}.",
            source=source.source_id,
            key=source.kind,
            next_step="give the new contract a source_id of its own; one source is one kind of record of one system.",
        )
    run(
        connection,
        "ops/open_load",
        tenant=source.tenant,
        source_id=source.source_id,
        run_key=run_key,
        kind=source.kind,
        mode=mode.value,
        window_from=window[0] if window else None,
        window_to=window[1] if window else None,
        contract_hash=source.contract_hash,
        now=now,
    )
    found = run(
        connection, "ops/read_load_by_run", tenant=source.tenant, source_id=source.source_id, run_key=run_key
    ).scalar_one()
    return int(found)


def home_tenant(connection: Connection, source_id: str) -> str | None:
    """The tenant that a source was first loaded for; None before its first merge."""
    found = run(connection, "ops/read_home_tenant", source_id=source_id).scalar_one_or_none()
    return None if found is None else str(found)


def read_load(connection: Connection, load_id: int) -> Load:
    """The load, unlocked. LoadStateError when there is none."""
    return _load(run(connection, "ops/read_load", load_id=load_id).mappings().one_or_none(), load_id)


def lock_load(connection: Connection, load_id: int) -> Load:
    """The load, locked until the transaction ends."""
    return _load(run(connection, "ops/lock_load", load_id=load_id).mappings().one_or_none(), load_id)


def require(load: Load, *states: LoadState) -> None:
    """LoadStateError unless the load is in one of `states`."""
    if load.state not in states:
        raise LoadStateError(
            f"The load is {load.state.value}, this step needs {' or '.join(state.value for state in states)}.",
            source=load.source_id,
            load=load.load_id,
            next_step="run the steps in order: extract, stage, gate, merge.",
        )


def claim_extract(connection: Connection, load_id: int) -> int | None:
    """Take the extract of a load; returns the fence to finish it with, or None when it is already extracted."""
    fence = run(connection, "ops/claim_extract", load_id=load_id).scalar_one_or_none()
    return None if fence is None else int(fence)


def finish_extract(
    connection: Connection,
    load: Load,
    fence: int,
    *,
    manifest_url: str,
    observed_at: datetime,
    now: datetime,
    clock_ahead: timedelta | None = None,
    began_fence: int | None = None,
) -> None:
    """Commit an extract. FencedError when a newer copy claimed it meanwhile: its batch counts, not ours.

    `observed_at` by the source's clock, which was `clock_ahead` of ours. `began_fence`: the claim under which reading
    began, where that was an earlier one.
    """
    done = run(
        connection,
        "ops/finish_extract",
        load_id=load.load_id,
        fence=fence,
        manifest_url=manifest_url,
        observed_at=observed_at,
        clock_ahead=clock_ahead,
        began_fence=fence if began_fence is None else began_fence,
        now=now,
    )
    if done.rowcount != 1:
        raise fenced(load)


def fenced(load: Load) -> FencedError:
    """What the copy that lost the right to extract is told."""
    return FencedError(
        "Another copy of this extract took over.",
        source=load.source_id,
        load=load.load_id,
        next_step="nothing: the other copy finishes the work.",
    )


def newest_merge(connection: Connection, load: Load) -> int:
    """Number of the newest merge of the load's source; 0 before the first."""
    scope = {"tenant": load.tenant, "source_id": load.source_id}
    return int(run(connection, "ops/read_newest_merge", scope).scalar_one())


def finish_stage(
    connection: Connection,
    load: Load,
    staged_rows: Mapping[str, int],
    now: datetime,
    *,
    set_aside: Mapping[str, int] | None = None,
    judged: GateBasis | None = None,
    staged_after: int = 0,
) -> None:
    """The load is staged. Without `judged`, later loads judge again whatever this one brings."""
    run(
        connection,
        "ops/finish_stage",
        load_id=load.load_id,
        staged_rows=json.dumps(dict(staged_rows)),
        set_aside=json.dumps(dict(set_aside or {})),
        judged_rules=judged.rules if judged else None,
        judged_catalogue=judged.catalogue if judged else None,
        staged_after=staged_after,
        now=now,
    )


def reopen_stage(connection: Connection, load: Load) -> None:
    """Send a load back to staging: its staged rows were lost, or compared with what is no longer believed."""
    run(connection, "ops/reopen_stage", load_id=load.load_id)


def finish_gate(connection: Connection, load: Load, now: datetime) -> None:
    run(connection, "ops/finish_gate", load_id=load.load_id, now=now)


def finish_merge(connection: Connection, load: Load, now: datetime) -> None:
    run(connection, "ops/finish_merge", load_id=load.load_id, tenant=load.tenant, now=now)


def fail_load(connection: Connection, load_id: int, error: str, now: datetime) -> None:
    """Keep the words of a failed step for people; the state stays."""
    run(connection, "ops/fail_load", load_id=load_id, error=error, now=now)


def _load(row: RowMapping | None, load_id: int) -> Load:
    if row is None:
        raise LoadStateError("There is no such load.", load=load_id, next_step="open one with open_load.")
    fields = dict(row) | {
        "kind": KINDS[row["kind"]],
        "mode": LoadMode(row["mode"]),
        "state": LoadState(row["state"]),
    }
    return Load(**fields)
