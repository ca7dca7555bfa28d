"""From the words of a system of dossiers to ours, by the contract's code maps: the same for every vendor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from lienthong.model.capabilities import Capability
from lienthong.model.codes import DossierStatus
from lienthong.model.identifiers import base_procedure_code, normalise_agency_code
from lienthong.model.kinds.dossier import DOSSIER, Entity
from lienthong.sources.capabilities import capabilities_of
from lienthong.sources.typing_columns import Typed, looked_up

if TYPE_CHECKING:
    from lienthong.sources.contract import SourceContract
    from lienthong.sources.kit.lists import Codes
    from lienthong.sources.kit.lists.columns import Columns

#: Statuses that can come before reception: a dossier has its code from reception on.
_BEFORE_RECEPTION = (DossierStatus.REGISTERED.value, DossierStatus.NOT_ACCEPTED.value, DossierStatus.WITHDRAWN.value)
#: The last moment of a day, for a date that comes without a time and means "until the end of it".
_DAYS_END = pl.duration(hours=23, minutes=59, seconds=59)


def fill(columns: Columns, contract: SourceContract) -> None:
    """Constants, codes, procedure and agency of a dossier, whose words stand in the fields themselves or in `…_raw`."""
    chunk, section = columns.chunk, contract.dossier
    for field, value in section.constants.items():
        chunk.put(field, pl.repeat(value, chunk.rows, dtype=pl.String, eager=True))
    told = {*columns.paths, *section.constants}
    if "status_raw" in columns.paths:
        columns.coded("status", "status_raw", section.codes.status)
    if "procedure_code_raw" in told:
        chunk.put("procedure_code", looked_up(chunk.field("procedure_code_raw"), base_procedure_code, pl.String))
    if "agency_code_raw" in told:
        chunk.put("agency_code", looked_up(chunk.field("agency_code_raw"), normalise_agency_code, pl.String))
    for field, codes in _words(contract).items():
        if field in columns.paths:
            columns.coded(field, field, codes)


def only_from_reception(columns: Columns) -> None:
    """Take the code off dossiers that were not received: it may still change."""
    chunk = columns.chunk
    waiting = chunk.field("status").is_in(_BEFORE_RECEPTION).fill_null(False) & chunk.field("received_at").is_null()
    chunk.put("dossier_code", chunk.field("dossier_code"), only=~waiting)


def until_the_days_end(columns: Columns, field: str) -> None:
    """An appointment without a time is kept until its day ends."""
    by_day = columns.text(field).str.contains(r"^(\d{1,2}/\d{1,2}/\d{4}|\d{4}-\d{2}-\d{2})$").fill_null(False)
    columns.chunk.edit(field, lambda moments: _later(moments, by_day))


def only_when(columns: Columns, field: str, status: DossierStatus) -> None:
    """Keep an instant only where the dossier ended in this way."""
    chunk = columns.chunk
    chunk.put(field, Typed(chunk.field(field)), only=chunk.field("status") == status.value)


def codes_of(contract: SourceContract) -> Mapping[str, tuple[Codes, ...]]:
    """Entity → its words that need a code."""
    codes = contract.dossier.codes
    words = {"subject_type": "subject"}
    return {
        DOSSIER.entity: (
            ("status", "status_raw", {**codes.status, **dict.fromkeys(codes.removed)}),
            *((words.get(field, field), field, known) for field, known in _words(contract).items()),
        )
    }


def capabilities(contract: SourceContract, fields: Mapping[str, Mapping[str, str]]) -> frozenset[Capability]:
    """What a source can tell that fills these fields."""
    filled = [(Entity(entity), field) for entity, paths in fields.items() for field in paths]
    return capabilities_of(contract.dossier.entities, filled, tells_services=False)


def _words(contract: SourceContract) -> dict[str, Mapping[str, int]]:
    codes = contract.dossier.codes
    return {"channel": codes.channel, "subject_type": codes.subject, "return_method": codes.return_method}


def _later(moments: pl.Series, where: pl.Series) -> pl.Series:
    return pl.select(pl.when(where).then(moments + _DAYS_END).otherwise(moments)).to_series()
