"""What people are shown (`lienthong.views`), read with a runtime: the one way for command line, tasks and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.connections import Role
from lienthong.pipeline.runtime import Runtime

if TYPE_CHECKING:
    from lienthong.exchange.disagreements import Disagreement
    from lienthong.views.deliveries import DeliveryView
    from lienthong.views.load_steps import ExtractedLoad, GatedLoad, OpenedLoad, StagedLoad
    from lienthong.views.loads import LoadView
    from lienthong.views.notices import ChangedCodeMaps
    from lienthong.views.scored_month import ScoredMonth
    from lienthong.views.status import SourceDetail, Status


def status(rt: Runtime, source_id: str | None = None) -> Status:
    """The status of all sources, or of one. ContractError when there is no such source or its contract is broken."""
    from lienthong.pipeline.freshness import freshness_settings
    from lienthong.sources.contract import read_contracts
    from lienthong.views.read_status import read_status

    found = read_contracts(rt.settings.sources)
    contracts = found.valid if source_id is None else {source_id: rt.contract(source_id)}
    errors = [str(error) for error in found.errors] if source_id is None else []
    settings = freshness_settings(rt)
    with rt.warehouse(Role.READER).connect() as connection:
        return read_status(connection, contracts, settings, rt.now(), source_id=source_id, contract_errors=errors)


def source_detail(rt: Runtime, source_id: str) -> SourceDetail:
    """One source in depth; errors as `status`."""
    from lienthong.pipeline.freshness import freshness_settings
    from lienthong.views.read_status import read_source_detail

    found, contract, settings = status(rt, source_id), rt.contract(source_id), freshness_settings(rt)
    with rt.warehouse(Role.READER).connect() as connection:
        return read_source_detail(connection, contract, found, settings, rt.now())


def load(rt: Runtime, load_id: int) -> LoadView:
    """What became of the rows of one load."""
    from lienthong.views.loads import read_load_view

    with rt.warehouse(Role.READER).connect() as connection:
        return read_load_view(connection, load_id)


def newest_loads(rt: Runtime) -> list[LoadView]:
    """The newest load of every source."""
    from lienthong.views.loads import read_newest_loads

    with rt.warehouse(Role.READER).connect() as connection:
        return read_newest_loads(connection)


def deliveries(rt: Runtime, only: str | None = None) -> list[DeliveryView]:
    """Where the deliveries of every province stand, or of `only` one."""
    from lienthong.pipeline.push import tenants
    from lienthong.views.deliveries import read_deliveries

    return read_deliveries(rt.warehouse(Role.READER), tenants(rt) if only is None else [only])


def disagreements(rt: Runtime, tenant: str) -> list[Disagreement]:
    """Where a province's systems and those of ministries that send dossiers themselves say different things.

    ArgumentError for a tenant without such a source.
    """
    from lienthong.exchange.disagreements import Holder, read_disagreements
    from lienthong.model.errors import ArgumentError

    holders = []
    for contract in rt.contracts().values():
        sent = contract.section.delivery
        if contract.tenant == tenant and sent and sent.sent_by and (told := contract.dossier.sent_by):
            statuses = tuple(contract.dossier.codes.status.values())
            holders.append(Holder(contract.source_id, told.sender, told.procedures, told.compare, statuses))
    if not holders:
        raise ArgumentError(
            f"No source of tenant {tenant!r} holds dossiers that a ministry sends itself.",
            key=tenant,
            next_step="choose a province with such a source (`sent_by` in its contract).",
        )
    with rt.warehouse(Role.READER).connect() as connection:
        return read_disagreements(connection, tenant, holders)


def compared_tenants(rt: Runtime) -> list[str]:
    """Tenants with a source whose dossiers a ministry sends itself, sorted."""
    sent = ((contract.tenant, contract.section.delivery) for contract in rt.contracts().values())
    return sorted({tenant for tenant, delivery in sent if delivery and delivery.sent_by})


def changed_code_maps(rt: Runtime) -> list[ChangedCodeMaps]:
    """Every source of which earlier loads still stand under older code maps."""
    from lienthong.views.notices import read_changed_code_maps

    with rt.warehouse(Role.READER).connect() as connection:
        return read_changed_code_maps(connection)


def opened_load(rt: Runtime, load_id: int, *, collapse_accepted: bool) -> OpenedLoad:
    """Which load was opened, and how far its source was read before."""
    from lienthong.views.load_steps import read_opened

    with rt.warehouse(Role.READER).connect() as connection:
        return read_opened(connection, load_id, collapse_accepted=collapse_accepted)


def extracted_load(rt: Runtime, load_id: int) -> ExtractedLoad:
    """What a load has landed."""
    from lienthong.pipeline.staging import landed_batch, landed_rows, source_of
    from lienthong.views.load_steps import ExtractedLoad
    from lienthong.warehouse import ledger

    with rt.warehouse(Role.READER).connect() as connection:
        found = ledger.read_load(connection, load_id)
    _, profile = source_of(rt, found)
    batch = landed_batch(rt, found)
    facts = batch.manifest.facts
    unmapped = sum(len(columns) for columns in facts.unmapped_columns.values())
    return ExtractedLoad(found, landed_rows(profile, batch), facts.observed_at, unmapped)


def staged_load(rt: Runtime, load_id: int) -> StagedLoad:
    """What a load has staged."""
    from lienthong.views.load_steps import StagedLoad
    from lienthong.warehouse import ledger

    with rt.warehouse(Role.READER).connect() as connection:
        return StagedLoad(ledger.read_load(connection, load_id))


def gated_load(rt: Runtime, load_id: int) -> GatedLoad:
    """What the gate said of a load."""
    from lienthong.views.load_steps import read_gated

    with rt.warehouse(Role.LOADER).connect() as connection:  # what is staged, only loads see
        return read_gated(connection, load_id)


def scored_month(rt: Runtime, run_id: int) -> ScoredMonth:
    """Which month a run scored, how many units, and the points of each province."""
    from lienthong.views.scored_month import read_scored_month

    with rt.warehouse(Role.READER).connect() as connection:
        return read_scored_month(connection, run_id)
