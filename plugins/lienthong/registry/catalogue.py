"""The national catalogue into the registry: agencies and procedures, changed rows only, nothing ever emptied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.engine import Connection

from lienthong.model.catalogue import AgencyEntry, CatalogueReading, ProcedureEntry
from lienthong.model.errors import CollapsedExtractError
from lienthong.registry.provinces import read_provinces
from lienthong.settings import PROJECT
from lienthong.warehouse.statements import run

PROVINCES_FILE = PROJECT / "include" / "registry" / "provinces.csv"
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


def seed_tenants(engine: Engine, provinces: Path = PROVINCES_FILE) -> int:
    """registry.tenant from the list of provinces; returns how many rows were new or changed."""
    rows = list(read_provinces(provinces).values())
    with engine.begin() as connection:
        written = run(
            connection,
            "registry/seed_tenants",
            tenants=[row.tenant for row in rows],
            names=[row.name for row in rows],
            admin_codes=[row.admin_code for row in rows],
        )
        return len(written.all())


def finished_sync(engine: Engine, run_key: str) -> CatalogueSummary | None:
    """What the sync of this run did, if it was made already."""
    with engine.begin() as connection:
        return _finished(connection, run_key)


def store_catalogue(engine: Engine, reading: CatalogueReading, run_key: str, now: datetime) -> CatalogueSummary:
    """Write what changed, in one transaction. The same `run_key` twice is one sync.

    Raises CollapsedExtractError when a list is empty or less than half of what the registry holds; then the registry
    stays as it is.
    """
    listed, procedures = reading.listed, reading.procedures
    with engine.begin() as connection:
        run(connection, "registry/lock_catalogue")
        done = _finished(connection, run_key)
        if done is not None:
            return done
        _refuse_collapse(connection, reading)
        revision = int(run(connection, "registry/open_catalogue_sync", run_key=run_key, now=now).scalar_one())
        changed = _apply_procedures(connection, procedures, revision)
        vanished = len(run(connection, "registry/flag_vanished", listed=sorted(listed), revision=revision).all())
        _apply_agencies(connection, reading.agencies)
        counts = {
            "procedures": len(listed),
            "changed": changed,
            "vanished": vanished,
            "agencies": len(reading.agencies),
        }
        run(connection, "registry/close_catalogue_sync", revision=revision, **counts)
    return CatalogueSummary(revision, **counts, without_detail=len(listed) - len(procedures))


def closure(agencies: Mapping[str, AgencyEntry]) -> list[tuple[str, str, int]]:
    """(ancestor, descendant, depth) for every agency, itself at depth 0."""
    pairs: list[tuple[str, str, int]] = []
    for code in agencies:
        ancestor: str | None = code
        depth = 0
        while ancestor is not None:
            pairs.append((ancestor, code, depth))
            ancestor, depth = agencies[ancestor].parent_code, depth + 1
    return pairs


def _finished(connection: Connection, run_key: str) -> CatalogueSummary | None:
    row = run(connection, "registry/read_catalogue_sync", run_key=run_key).one_or_none()
    if row is None:
        return None
    return CatalogueSummary(row.revision, row.procedures, row.changed, row.vanished, row.agencies)


def _refuse_collapse(connection: Connection, reading: CatalogueReading) -> None:
    before = run(connection, "registry/count_registry").one()
    for what, now, then in (
        ("procedures", len(reading.listed), before.procedures),
        ("procedures with detail", len(reading.procedures), before.procedures),
        ("agencies", len(reading.agencies), before.agencies),
    ):
        if now == 0 or now < then * COLLAPSE_SHARE:
            raise CollapsedExtractError(
                f"The portal lists {now} {what}, the registry holds {then}; nothing was changed.",
                next_step="compare with the portal's own pages; sync again when the list is whole.",
                source="catalogue",
                key=reading.services.get(what, what),
            )


def _apply_procedures(connection: Connection, procedures: Mapping[str, ProcedureEntry], revision: int) -> int:
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


def _apply_agencies(connection: Connection, agencies: Mapping[str, AgencyEntry]) -> None:
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
