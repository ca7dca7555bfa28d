"""The source contracts as DAG files see them: good ones become DAGs, broken ones an import error of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import Asset, AssetAny

from lienthong.model.errors import ContractError
from lienthong.registry.provinces import read_provinces
from lienthong.settings import Settings

if TYPE_CHECKING:
    from lienthong.model.kinds.spec import KindSpec
    from lienthong.sources.contract import SourceContract


def usable_contracts() -> list[SourceContract]:
    """Every contract that can be used, by source id; a broken one hides only itself."""
    from lienthong.sources.contract import read_contracts

    found = read_contracts(Settings.from_environment().sources).valid
    return [found[source_id] for source_id in sorted(found)]


def raise_contract_errors() -> None:
    """ContractError that lists every contract that can't be used; nothing when all are fine."""
    from lienthong.sources.contract import read_contracts

    errors = read_contracts(Settings.from_environment().sources).errors
    if errors:
        listed = "\n".join(f"- {error}" for error in sorted(errors, key=str))
        raise ContractError(
            f"{len(errors)} source contract(s) can't be used and have no DAG until they are corrected:\n{listed}\n",
            next_step="correct the file named above; the other sources keep running.",
        )


def records_of(kind: KindSpec, tenant: str) -> Asset:
    """The asset that changes when a load of a tenant's records of one kind was merged."""
    plural = f"{kind.name}s"
    return Asset(name=f"{plural}-{tenant}", uri=f"lienthong://{tenant}/{plural}", group=plural)


def quality_of(tenant: str) -> Asset:
    """The asset that changes when a load of this tenant was merged: its gate results and the quarantine are there."""
    return Asset(name=f"quality-{tenant}", uri=f"lienthong://{tenant}/quality", group="quality")


def labels_of(tenant: str) -> list[str]:
    """Tags of a tenant's DAGs: its code, and its name if it is a province."""
    province = read_provinces(Settings.from_environment().provinces).get(tenant)
    return [tenant, province.name] if province else [tenant]


def anything_sent() -> AssetAny | None:
    """Fires when any records changed that go to the portal; None while there is no usable contract of such."""
    sent = [contract for contract in usable_contracts() if contract.section.delivery]
    changed = {(contract.tenant, contract.kind.name): records_of(contract.kind, contract.tenant) for contract in sent}
    return AssetAny(*(changed[key] for key in sorted(changed))) if changed else None
