"""Notices beside a status: what an administrator or an engineer has to set right, though no load has failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from lienthong.warehouse.server_log import LoudSetting
from lienthong.warehouse.statements import run


@dataclass(frozen=True)
class ChangedCodeMaps:
    """A source whose code maps changed with load `changed_load_id`; loads up to then were read with the older ones."""

    tenant: str
    source_id: str
    changed_load_id: int

    @property
    def notice(self) -> str:
        """One line for people."""
        return (
            f"{self.source_id}: bảng mã đã đổi từ lần nạp {self.changed_load_id}; hồ sơ nạp trước đó vẫn theo bảng mã "
            f"cũ. Chạy `lienthong load {self.source_id} --mode full` (hoặc DAG với mode full) để áp dụng cho tất cả."
        )


def read_changed_code_maps(connection: Connection) -> list[ChangedCodeMaps]:
    """Every source that needs a full load for this reason, sorted."""
    rows = run(connection, "ops/read_changed_code_maps").all()
    return [ChangedCodeMaps(row.tenant, row.source_id, row.changed_load_id) for row in rows]


def missing_roles_notices(missing: Sequence[str]) -> list[str]:
    """That steps share rights because this server lacks groups, and who makes them."""
    if not missing:
        return []
    return [
        f"LƯU Ý: máy chủ PostgreSQL của kho chưa có nhóm quyền {', '.join(missing)}, nên chưa cấp quyền riêng cho từng "
        "bước được. Việc cần làm: quản trị máy chủ chạy deploy/postgres/20-roles.sh, rồi chạy lại `lienthong migrate`; "
        "xem docs/operate.md."
    ]


def loud_settings_notices(found: Sequence[LoudSetting]) -> list[str]:
    """That the warehouse's server would write rows into its log, and what its administrator sets instead."""
    if not found:
        return []
    settings = ", ".join(f"{one.name} = {one.wanted} (đang là {one.setting})" for one in found)
    return [
        "CẢNH BÁO: nhật ký của máy chủ PostgreSQL của kho có thể ghi dữ liệu cá nhân của hồ sơ. Việc cần làm: quản trị "
        f"máy chủ đặt {settings}; xem docs/operate.md."
    ]
