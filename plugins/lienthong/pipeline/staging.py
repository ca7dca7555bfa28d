"""From landing into staging: what is known stays behind, the rest is made canonical, staged and hashed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.model.errors import ConservationError, ContractError
from lienthong.model.kinds import KindSpec
from lienthong.pipeline.runtime import Runtime
from lienthong.warehouse import fingerprints as remembered
from lienthong.warehouse import ledger, sightings, staging
from lienthong.warehouse.ledger import GateBasis, Load
from lienthong.warehouse.statements import run

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from lienthong.landing import LandedBatch
    from lienthong.sources.contract import SourceContract
    from lienthong.sources.system import System


def source_of(rt: Runtime, load: Load) -> tuple[SourceContract, System]:
    """Contract and profile of the load's source. ContractError when its tenant was changed meanwhile."""
    from lienthong.sources.profiles import profile_of

    contract = rt.contract(load.source_id)
    if contract.tenant != load.tenant:
        raise ContractError(
            f"The load was opened for {load.tenant}, the contract now says {contract.tenant}.",
            source=load.source_id,
            load=load.load_id,
            key="tenant",
            next_step=f"put tenant: {load.tenant} back; another tenant's system needs a source id of its own.",
        )
    return contract, profile_of(contract)


def landed_batch(rt: Runtime, load: Load) -> LandedBatch:
    """The batch that the load extracted."""
    from lienthong.landing import LandingStore

    assert load.manifest_url is not None, "an extracted load has a manifest"
    return LandingStore(rt.settings.landing_url).open(load.manifest_url)


def landed_rows(profile: System, batch: LandedBatch) -> Mapping[str, int]:
    """Rows landed per entity of the kind, also of those that this system doesn't have: conservation starts from it."""
    from lienthong.model.kinds import kind_of_entity

    tables, ours = batch.manifest.tables, profile.entity_tables
    names = kind_of_entity(next(iter(ours))).entity_names
    landed = {entity: tables.get(ours.get(entity, "")) for entity in names}
    return {entity: table.rows if table else 0 for entity, table in landed.items()}


def stage_batch(rt: Runtime, connection: Connection, load: Load) -> None:
    """Bring what the gate has to see into staging and close the step. The caller holds the load's lock.

    Twice what is known is set aside. By its landed rows, before anything is made of them: the usual case. By what they
    came to, for dossiers that were touched and not changed, and after the contract or our own code changed.
    """
    from lienthong.sources.system import listed_by

    contract, profile = source_of(rt, load)
    batch = landed_batch(rt, load)
    batch.verify()
    newest_merge = ledger.newest_merge(connection, load)
    judged = _gate_basis(rt, connection, load.kind)
    new = _leave_known(connection, load, contract, profile, batch, judged)
    rows = profile.canonicalise(contract, new.batch)
    staged = staging.stage_rows(connection, load.kind, load.tenant, load.load_id, rows)
    landed = landed_rows(profile, batch)
    accounted = {entity: rows + new.known.get(entity, 0) for entity, rows in staged.items()}
    if accounted != landed:
        raise ConservationError(
            f"Landed {landed}, canonicalised {staged}, known already {dict(new.known)}.",
            source=load.source_id,
            load=load.load_id,
            next_step="nothing was staged; report this as a defect of the source profile.",
        )
    remembered.remember(connection, load)
    sightings.note(connection, load, listed_by(profile, batch))
    unchanged = staging.set_aside_known(connection, load, judged)
    ledger.finish_stage(
        connection,
        load,
        {entity: rows - unchanged[entity] for entity, rows in staged.items()},
        rt.now(),
        set_aside={entity: rows + new.known.get(entity, 0) for entity, rows in unchanged.items()},
        judged=judged,
        staged_after=newest_merge,
    )


@dataclass(frozen=True)
class _New:
    """What has to be staged of a batch; `known`: rows per entity that are left out."""

    batch: LandedBatch
    known: Mapping[str, int]


def _leave_known(
    connection: Connection,
    load: Load,
    contract: SourceContract,
    profile: System,
    batch: LandedBatch,
    judged: GateBasis,
) -> _New:
    import polars as pl

    from lienthong.landing import Sieve
    from lienthong.landing.fingerprints import fingerprints
    from lienthong.sources.making import making

    version = f"{contract.contract_hash} {batch.manifest.facts.codes_hash} {making()}"
    # In the order of keys: looking them up then walks over the warehouse's pages once.
    prints = fingerprints(batch, profile.owners, version).sort("owner")
    # A key with a NUL is none for the warehouse: the gate rejects it.
    keyed = ~pl.col("owner").str.contains("\0", literal=True).fill_null(True)
    once = keyed & (pl.col(profile.entity_tables[load.kind.root.entity]) == 1)
    known = remembered.find_known(connection, load, prints, once, judged)
    rows = {
        entity: int(prints[table].filter(known).sum()) if table in prints.columns else 0
        for entity, table in profile.entity_tables.items()
    }
    if not known.any():
        return _New(batch, rows)
    # The shorter list of the two is looked up for every row.
    keeps = 2 * int(known.sum()) > prints.height
    listed = prints["owner"].filter(~known if keeps else known)
    return _New(batch.through(Sieve(profile.owners, listed, keeps)), rows)


def _gate_basis(rt: Runtime, connection: Connection, kind: KindSpec) -> GateBasis:
    """By what a load that is staged now will be judged. A catalogue synced before the gate only makes it newer."""
    from lienthong.quality.suites import rules_digest

    revision = run(connection, "registry/read_revision").scalar_one()
    return GateBasis(rules_digest(rt.settings.home, kind), revision)
