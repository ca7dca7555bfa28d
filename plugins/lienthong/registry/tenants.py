"""Does a tenant exist, and is it the source's own?

A mistyped province would be loaded like any other, and nobody could score it. A source that moves to another tenant
would be read again from the beginning, and its dossiers would count for both.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import Connection

from lienthong.model.errors import ContractError
from lienthong.registry.provinces import ListedProvince, read_provinces
from lienthong.warehouse import ledger
from lienthong.warehouse.statements import run

#: Codes of provinces begin so, and the project lists them all; other senders only the catalogue knows.
_PROVINCE = "H"
_NEAR = 4


@dataclass(frozen=True)
class TenantStanding:
    """What is known of a tenant's code. `known` is None when only the catalogue could tell, and there is none yet.

    `near`: codes that look like it, with the province's name where it is known.
    """

    known: bool | None
    near: tuple[str, ...] = ()


def require_known(provinces: Path, connection: Connection, tenant: str, source_id: str) -> None:
    """ContractError when the registry has agencies, but neither it nor the list of provinces knows the tenant."""
    found = run(connection, "registry/knows_tenant", tenant=tenant).one()
    if found.known or not found.synced:
        return
    standing = look_up(connection, tenant, read_provinces(provinces))
    if standing.known is False:
        raise refused(source_id, tenant, standing)


def refused(source_id: str, tenant: str, standing: TenantStanding) -> ContractError:
    near = f" Near codes: {', '.join(standing.near)}." if standing.near else ""
    return ContractError(
        f"Tenant {tenant!r} is neither in the national catalogue nor in the list of provinces.{near}",
        next_step="correct the tenant; if the code is new, run catalogue_sync first.",
        source=source_id,
        key="tenant",
    )


def require_unmoved(connection: Connection, tenant: str, source_id: str) -> None:
    """ContractError when the source was loaded for another tenant before."""
    home = ledger.home_tenant(connection, source_id)
    if home not in (None, tenant):
        raise ContractError(
            f"The contract says tenant {tenant}, but the source was loaded for tenant {home} before.",
            next_step=f"put tenant {home} back (agency and portal_connection, too); "
            "if this is another system, give it a contract with a new source id.",
            source=source_id,
            key="tenant",
        )


def look_up(connection: Connection, tenant: str, provinces: Mapping[str, ListedProvince]) -> TenantStanding:
    """By the registry and the project's list of provinces."""
    found = run(connection, "registry/knows_tenant", tenant=tenant).one()
    if found.known or tenant in provinces:
        return TenantStanding(True)
    if not found.synced:
        return without_registry(tenant, provinces)
    codes = {row.tenant for row in run(connection, "registry/list_codes")}
    return TenantStanding(False, _near(tenant, {**dict.fromkeys(codes, ""), **_names(provinces)}))


def without_registry(tenant: str, provinces: Mapping[str, ListedProvince]) -> TenantStanding:
    """By the list of provinces alone."""
    if not tenant.startswith(_PROVINCE):
        return TenantStanding(None)  # the first source may be a ministry's: its account fetches the catalogue
    return TenantStanding(False, _near(tenant, _names(provinces)))


def _names(provinces: Mapping[str, ListedProvince]) -> dict[str, str]:
    return {tenant: province.name for tenant, province in provinces.items()}


def _near(tenant: str, names: Mapping[str, str]) -> tuple[str, ...]:
    near = difflib.get_close_matches(tenant, sorted(names), n=_NEAR, cutoff=0.6)
    return tuple(f"{code} ({names[code]})" if names[code] else code for code in near)
