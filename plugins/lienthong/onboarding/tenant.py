"""The lines of a check about the tenant: does it exist, is it the source's own, do the agencies of a sample fit it?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sqlalchemy.exc import SQLAlchemyError

from lienthong.connections import Role
from lienthong.model.errors import LienThongError
from lienthong.model.masking import mask_word
from lienthong.model.numbers import grouped
from lienthong.onboarding.lines import Line, good, problem, warning
from lienthong.pipeline.runtime import Runtime
from lienthong.registry.provinces import read_provinces
from lienthong.registry.tenants import TenantStanding, look_up, without_registry
from lienthong.sources.contract import SourceContract
from lienthong.warehouse import ledger


def judge(rt: Runtime, tenant: str) -> TenantStanding:
    """By the project's list of provinces and, where a warehouse answers, its registry. Raises nothing for an outage."""
    provinces = read_provinces(rt.settings.provinces)
    if tenant in provinces:
        return TenantStanding(True)
    try:
        with rt.warehouse(Role.READER).connect() as connection:
            return look_up(connection, tenant, provinces)
    except (LienThongError, SQLAlchemyError, ValueError):  # also: not migrated, a connection nobody can read
        return without_registry(tenant, provinces)


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
    standing = judge(rt, tenant)
    if standing.known:
        return good("tenant", f"Có đơn vị mang mã {tenant}.", tenant=tenant)
    if standing.known is None:
        return warning(
            "tenant",
            f"Chưa kiểm tra được mã đơn vị {tenant}: không phải mã tỉnh, và chưa có danh mục quốc gia.",
            "đồng bộ danh mục (lienthong catalogue) rồi kiểm tra lại.",
            tenant=tenant,
        )
    near = f" Mã gần giống: {', '.join(standing.near)}." if standing.near else ""
    return problem(
        "tenant",
        f"Không có đơn vị mang mã {tenant}: không có trong danh mục quốc gia và danh sách tỉnh, thành phố.{near}",
        f"sửa tenant (và agency) trong {contract.source_id}.yaml; nếu là mã mới, đồng bộ danh mục trước.",
        tenant=tenant,
        near=list(standing.near),
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
