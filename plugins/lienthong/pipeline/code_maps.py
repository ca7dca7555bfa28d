"""Code maps that change: what earlier loads brought still stands under the old ones until everything is read again.

An incremental load applies a changed map only to what it reads. Reading a whole province unasked, perhaps in its
working hours, is not for a load to decide: the change is noticed, logged, and shown until a full load has settled it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lienthong.model.codes import LoadMode
from lienthong.warehouse.statements import run

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from lienthong.warehouse.ledger import Load

_log = logging.getLogger(__name__)


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
