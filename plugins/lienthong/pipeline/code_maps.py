"""Code maps that change: what earlier loads brought still stands under the old ones until everything is read again.

An incremental load applies a changed map only to what it reads. Reading a whole province unasked, perhaps in its
working hours, is not for a load to decide: the change is noticed, logged, and shown until a full load has settled it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.connections import Role
from lienthong.model.codes import LoadMode
from lienthong.pipeline.runtime import Runtime
from lienthong.warehouse.statements import run

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from lienthong.warehouse.ledger import Load

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChangedCodeMaps:
    """A source whose code maps changed with load `changed_load_id`; loads up to then were read with the older ones."""

    tenant: str
    source_id: str
    changed_load_id: int

    def advice_vi(self) -> str:
        """One line for people."""
        return (
            f"{self.source_id}: bảng mã đã đổi từ lần nạp {self.changed_load_id}; hồ sơ nạp trước đó vẫn theo bảng mã "
            f"cũ. Chạy `lienthong load {self.source_id} --mode full` (hoặc DAG với mode full) để áp dụng cho tất cả."
        )


def note_code_maps(connection: Connection, load: Load, codes_hash: str) -> None:
    """Remember the maps of a load, in the transaction that makes it believed; a change is logged as a warning."""
    noted = run(
        connection,
        "ops/note_code_maps",
        tenant=load.tenant,
        source_id=load.source_id,
        load_id=load.load_id,
        codes_hash=codes_hash,
        whole=load.mode is LoadMode.FULL,
    ).one()
    if noted.changed_load_id is not None:
        _log.warning(
            "[source %s, load %s] The code maps changed with load %s: dossiers that no load has read since stand under "
            "the older ones. Next: run a full load of this source.",
            load.source_id,
            load.load_id,
            noted.changed_load_id,
        )


def changed_code_maps(rt: Runtime) -> list[ChangedCodeMaps]:
    """Every source that needs a full load for this reason, sorted."""
    with rt.warehouse(Role.READER).connect() as connection:
        rows = run(connection, "ops/read_changed_code_maps").all()
    return [ChangedCodeMaps(row.tenant, row.source_id, row.changed_load_id) for row in rows]
