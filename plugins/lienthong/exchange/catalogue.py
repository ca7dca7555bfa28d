"""The national catalogue into the registry: agencies and procedures, changed rows only, nothing ever emptied."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row
from sqlalchemy.engine import Connection

from lienthong.exchange.client import PortalClient
from lienthong.exchange.entries import AgencyEntry, ProcedureEntry, closure, read_agencies, read_procedure
from lienthong.exchange.evidence import keep_calls
from lienthong.exchange.limiter import SharedBucket
from lienthong.exchange.settings import Endpoint
from lienthong.model.errors import CollapsedExtractError, TransientError
from lienthong.model.identifiers import base_procedure_code
from lienthong.settings import PROJECT
from lienthong.warehouse.statements import run

PROVINCES_FILE = PROJECT / "include" / "registry" / "provinces.csv"
AGENCIES = "LayDanhMucCoQuan"
PROCEDURES = "LayDanhSachTTHC"
PROCEDURE = "LayThuTuc"
#: A list shorter than this share of what was listed before is taken for a failure of the portal.
COLLAPSE_SHARE = 0.5


@dataclass(frozen=True)
class CatalogueSummary:
    """One sync. `procedures` and `agencies` listed now; `changed` written (new ones too); `vanished` newly flagged;
    `without_detail` listed, but the portal gave no detail: they stay as they were.
    """

    revision: int
    procedures: int
    changed: int
    vanished: int
    agencies: int
    without_detail: int = 0


def seed_tenants(engine: Engine) -> int:
    """registry.tenant from include/registry/provinces.csv; returns how many rows were new or changed."""
    with PROVINCES_FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with engine.begin() as connection:
        written = run(
            connection,
            "registry/seed_tenants",
            tenants=[row["tenant"] for row in rows],
            names=[row["name"] for row in rows],
            admin_codes=[row["admin_code"] for row in rows],
        )
        return len(written.all())


def sync_catalogue(
    engine: Engine, client: PortalClient, tenant_codes: Sequence[str], run_key: str, now: datetime
) -> CatalogueSummary:
    """Read the national catalogue through one tenant's account and write what changed, in one transaction.

    Agencies are kept when they are topmost (ministries, provinces) or belong to one of `tenant_codes`. The same
    `run_key` twice is one sync. Raises CollapsedExtractError when a list is empty or less than half of what the
    registry holds; PortalUnreachableError and PortalAccessError from the client. In all three cases the registry
    stays as it is.
    """
    seed_tenants(engine)
    with engine.begin() as connection:
        run(connection, "ops/ensure_tenant", tenant=client.tenant)
        done = run(connection, "registry/read_catalogue_sync", run_key=run_key).one_or_none()
    if done is not None:
        return _summary(done)
    if client.limiter is None:
        client.limiter = SharedBucket(engine, client.tenant, client.settings)
    try:
        agencies, listed, procedures = _fetch(client, set(tenant_codes))
    except BaseException:
        with suppress(TransientError):  # the evidence of the calls must not hide what went wrong
            keep_calls(engine, client, run_key)
        raise
    keep_calls(engine, client, run_key)
    with engine.begin() as connection:
        run(connection, "registry/lock_catalogue")
        done = run(connection, "registry/read_catalogue_sync", run_key=run_key).one_or_none()
        if done is not None:
            return _summary(done)
        _refuse_collapse(connection, len(listed), len(procedures), len(agencies))
        revision = int(run(connection, "registry/open_catalogue_sync", run_key=run_key, now=now).scalar_one())
        changed = _apply_procedures(connection, procedures, revision)
        vanished = len(run(connection, "registry/flag_vanished", listed=sorted(listed), revision=revision).all())
        _apply_agencies(connection, agencies)
        counts = {"procedures": len(listed), "changed": changed, "vanished": vanished, "agencies": len(agencies)}
        run(connection, "registry/close_catalogue_sync", revision=revision, **counts)
    return CatalogueSummary(revision, **counts, without_detail=len(listed) - len(procedures))


def _summary(row: Row[Any]) -> CatalogueSummary:
    return CatalogueSummary(row.revision, row.procedures, row.changed, row.vanished, row.agencies)


def _fetch(
    client: PortalClient, tenants: set[str]
) -> tuple[dict[str, AgencyEntry], set[str], dict[str, ProcedureEntry]]:
    everything = read_agencies(client.catalogue(AGENCIES))
    agencies = {code: entry for code, entry in everything.items() if code == entry.tenant or entry.tenant in tenants}
    codes = (base_procedure_code(str(row.get("MATTHC") or "")) for row in client.catalogue(PROCEDURES))
    listed = {code for code in codes if code is not None}
    procedures: dict[str, ProcedureEntry] = {}
    for code in sorted(listed):
        for detail in client.catalogue(PROCEDURE, Endpoint.INTEGRATION, maTTHC=code)[:1]:
            entry = read_procedure(detail)
            if entry is not None and entry.code == code:
                procedures[code] = entry
    return agencies, listed, procedures


def _refuse_collapse(connection: Connection, listed: int, detailed: int, agencies: int) -> None:
    before = run(connection, "registry/count_registry").one()
    for what, service, now, then in (
        ("procedures", PROCEDURES, listed, before.procedures),
        ("procedures with detail", PROCEDURE, detailed, before.procedures),
        ("agencies", AGENCIES, agencies, before.agencies),
    ):
        if now == 0 or now < then * COLLAPSE_SHARE:
            raise CollapsedExtractError(
                f"The portal lists {now} {what}, the registry holds {then}; nothing was changed.",
                next_step="compare with the portal's own pages; sync again when the list is whole.",
                source="catalogue",
                key=service,
            )


def _apply_procedures(connection: Connection, procedures: dict[str, ProcedureEntry], revision: int) -> int:
    """Write new and changed procedures; superseded rows go to history. Returns how many were written."""
    held = {row.procedure_code: row for row in run(connection, "registry/read_procedure_hashes")}
    changed = [
        entry
        for code, entry in procedures.items()
        if code not in held or held[code].vanished or bytes(held[code].detail_hash) != entry.detail_hash
    ]
    run(
        connection,
        "registry/retire_procedures",
        codes=[entry.code for entry in changed if entry.code in held],
        revision=revision,
    )
    if changed:
        run(connection, "registry/apply_procedure", [_procedure_row(entry, revision) for entry in changed])
    return len(changed)


def _procedure_row(entry: ProcedureEntry, revision: int) -> dict[str, Any]:
    row = asdict(entry) | {"detail_hash": entry.detail_hash}
    for name in ("levels", "subjects", "result_codes", "agencies"):
        row[name] = list(row[name])
    return row | {"revision": revision}


def _apply_agencies(connection: Connection, agencies: dict[str, AgencyEntry]) -> None:
    entries = sorted(agencies.values(), key=lambda entry: entry.code)
    run(
        connection,
        "registry/apply_agencies",
        codes=[entry.code for entry in entries],
        tenants=[entry.tenant for entry in entries],
        names=[entry.name for entry in entries],
        levels=[entry.level for entry in entries],
        parents=[entry.parent_code for entry in entries],
    )
    run(connection, "registry/unlist_agencies", codes=[entry.code for entry in entries])
    pairs = closure(agencies)
    closed = {
        "ancestors": [ancestor for ancestor, _, _ in pairs],
        "descendants": [descendant for _, descendant, _ in pairs],
    }
    run(connection, "registry/retire_closure", **closed)
    run(
        connection,
        "registry/apply_closure",
        **closed,
        tenants=[agencies[descendant].tenant for _, descendant, _ in pairs],
        depths=[depth for _, _, depth in pairs],
    )
