"""Does a tenant exist, and is it the source's own?

A mistyped province would be loaded like any other, and nobody could score it. A source that moves to another tenant
would be read again from the beginning, and its dossiers would count for both.
"""

from __future__ import annotations

import csv
import difflib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from lienthong.connections import Role
from lienthong.model.errors import ContractError, LienThongError
from lienthong.model.masking import mask_word
from lienthong.model.numbers import grouped
from lienthong.pipeline.check_lines import Line, good, problem, warning
from lienthong.pipeline.runtime import Runtime
from lienthong.sources.contract import SourceContract
from lienthong.warehouse import ledger
from lienthong.warehouse.statements import run

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

#: Codes of provinces begin so, and the project lists them all; other senders only the catalogue knows.
_PROVINCE = "H"
_NEAR = 4


@dataclass(frozen=True)
class Verdict:
    """What is known of a tenant's code. `known` is None when only the catalogue could tell, and there is none yet.

    `near`: codes that look like it, with the province's name where it is known.
    """

    known: bool | None
    near: tuple[str, ...] = ()


def judge(rt: Runtime, tenant: str) -> Verdict:
    """By the project's list of provinces and, where a warehouse answers, its registry. Raises nothing for an outage."""
    provinces = _provinces(rt)
    if tenant in provinces:
        return Verdict(True)
    try:
        with rt.warehouse(Role.READER).connect() as connection:
            return _judge(connection, tenant, provinces)
    except (LienThongError, SQLAlchemyError, ValueError):  # also: not migrated, a connection nobody can read
        return _without_registry(tenant, provinces)


def require_known(rt: Runtime, connection: Connection, tenant: str, source_id: str) -> None:
    """ContractError when the registry has agencies, but neither it nor the list of provinces knows the tenant."""
    found = run(connection, "registry/knows_tenant", tenant=tenant).one()
    if found.known or not found.synced:
        return
    verdict = _judge(connection, tenant, _provinces(rt))
    if verdict.known is False:
        raise refused(source_id, tenant, verdict)


def refused(source_id: str, tenant: str, verdict: Verdict) -> ContractError:
    near = f" Near codes: {', '.join(verdict.near)}." if verdict.near else ""
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


def tenant_line(rt: Runtime, contract: SourceContract) -> Line:
    """Whether the contract's tenant exists, and is the one that the source was loaded for so far."""
    tenant, home = contract.tenant, _home(rt, contract.source_id)
    if home not in (None, tenant):
        return problem(
            "tenant",
            f"Hợp đồng ghi đơn vị {tenant}, nhưng nguồn này đã được nạp cho đơn vị {home}.",
            f"ghi lại tenant {home} (và agency, portal_connection) trong {contract.source_id}.yaml; "
            "nếu là hệ thống khác, viết hợp đồng mới với source_id mới.",
            tenant=tenant,
            home=home,
        )
    verdict = judge(rt, tenant)
    if verdict.known:
        return good("tenant", f"Có đơn vị mang mã {tenant}.", tenant=tenant)
    if verdict.known is None:
        return warning(
            "tenant",
            f"Chưa kiểm tra được mã đơn vị {tenant}: không phải mã tỉnh, và chưa có danh mục quốc gia.",
            "đồng bộ danh mục (lienthong catalogue) rồi kiểm tra lại.",
            tenant=tenant,
        )
    near = f" Mã gần giống: {', '.join(verdict.near)}." if verdict.near else ""
    return problem(
        "tenant",
        f"Không có đơn vị mang mã {tenant}: không có trong danh mục quốc gia và danh sách tỉnh, thành phố.{near}",
        f"sửa tenant (và agency) trong {contract.source_id}.yaml; nếu là mã mới, đồng bộ danh mục trước.",
        tenant=tenant,
        near=list(verdict.near),
    )


def agencies_line(contract: SourceContract, dossiers: Mapping[str, int]) -> Line | None:
    """Whose agencies a sample names: a problem when most belong to somebody else, which is how a wrong database looks.

    `dossiers`: agency code → dossiers of the sample. None when all is well, or no agency is named.
    """
    by_tenant: Counter[str] = Counter()
    for code, amount in dossiers.items():
        by_tenant[mask_word(code.split(".")[0])] += amount
    others = Counter({tenant: amount for tenant, amount in by_tenant.items() if tenant != contract.tenant})
    if 2 * others.total() <= by_tenant.total():
        return None
    (tenant, amount), *_ = others.most_common(1)
    return problem(
        "agencies",
        f"Phần lớn hồ sơ trong mẫu do cơ quan của đơn vị khác xử lý: {grouped(amount)} trên "
        f"{grouped(by_tenant.total())} hồ sơ mang mã {tenant}, hợp đồng ghi {contract.tenant}.",
        f"sửa tenant trong {contract.source_id}.yaml, hoặc trỏ kết nối {contract.connection} tới đúng cơ sở dữ liệu.",
        tenants=dict(by_tenant),
    )


def _home(rt: Runtime, source_id: str) -> str | None:
    """As `ledger.home_tenant`; None also where no warehouse answers."""
    try:
        with rt.warehouse(Role.READER).connect() as connection:
            return ledger.home_tenant(connection, source_id)
    except (LienThongError, SQLAlchemyError, ValueError):
        return None


def _judge(connection: Connection, tenant: str, provinces: Mapping[str, str]) -> Verdict:
    found = run(connection, "registry/knows_tenant", tenant=tenant).one()
    if found.known or tenant in provinces:
        return Verdict(True)
    if not found.synced:
        return _without_registry(tenant, provinces)
    codes = {row.tenant for row in run(connection, "registry/list_codes")}
    return Verdict(False, _near(tenant, {**dict.fromkeys(codes, ""), **provinces}))


def _without_registry(tenant: str, provinces: Mapping[str, str]) -> Verdict:
    if not tenant.startswith(_PROVINCE):
        return Verdict(None)  # the first source may be a ministry's: its account fetches the catalogue
    return Verdict(False, _near(tenant, provinces))


def _near(tenant: str, names: Mapping[str, str]) -> tuple[str, ...]:
    near = difflib.get_close_matches(tenant, sorted(names), n=_NEAR, cutoff=0.6)
    return tuple(f"{code} ({names[code]})" if names[code] else code for code in near)


def _provinces(rt: Runtime) -> dict[str, str]:
    """Code → name, from the list that the registry is seeded with."""
    path = rt.settings.include / "registry" / "provinces.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {row["tenant"]: row["name"] for row in csv.DictReader(file)}
