"""The province's own mapping tables, as they were landed with the batch.

A row holds for its own `groupId` (portal-exchange §6.1): several sites may share a database and its words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from lienthong.landing import LandedBatch
from lienthong.model.identifiers import base_procedure_code
from lienthong.sources.chunk import Chunk
from lienthong.sources.contract import SourceContract
from lienthong.sources.systems.opencps.tables import DOSSIER, GROUP, SERVICE_MAPPING, STATUS_MAPPING
from lienthong.sources.words import rows_of

#: Between group, status and sub-status where they are one key.
PAIR = "\x1f"


@dataclass(frozen=True)
class Lookups:
    """`procedures`: (group, local code) → national base code; `statuses`: (group, status, sub-status) → TrangThaiHoSo.

    `grouped`: the mapping tables that tell groups apart; the rows of another one hold for all of them.
    """

    contract: SourceContract
    procedures: Mapping[tuple[str, str], str]
    statuses: Mapping[tuple[str, str, str], int]
    grouped: frozenset[str]

    def procedure(self, key: str) -> str | None:
        """The national base code of `group␟local code`: by the group's mapping, else the code itself if it has one."""
        group, _, local_code = key.partition(PAIR)
        return self.procedures.get((self._group(SERVICE_MAPPING.name, group), local_code)) or base_procedure_code(
            local_code
        )

    def status(self, key: str) -> int | None:
        """TrangThaiHoSo of `group␟status␟sub-status`: the pair before the status alone, the group's rows before the
        contract's (portal-exchange §4.1)."""
        group, status, sub = self._split(key)
        found = self._paired(group, status, sub)
        if found is None:
            found = self.statuses.get((group, status, ""))
        return self.contract.dossier.codes.status.get(status) if found is None else found

    def passes_over(self, key: str) -> bool:
        """Whether `group␟status␟sub-status` has a code though nobody says what its sub-status means."""
        group, status, sub = self._split(key)
        return bool(sub) and self._paired(group, status, sub) is None and self.status(key) is not None

    def _paired(self, group: str, status: str, sub: str) -> int | None:
        found = self.statuses.get((group, status, sub))
        return self.contract.dossier.codes.substatus.get(f"{status}/{sub}") if found is None and sub else found

    def _split(self, key: str) -> tuple[str, str, str]:
        group, status, sub = key.split(PAIR, 2)
        return self._group(STATUS_MAPPING.name, group), status, sub

    def _group(self, table: str, group: str) -> str:
        return group if table in self.grouped else ""


def lookups_of(contract: SourceContract, batch: LandedBatch) -> Lookups:
    """Read the mapping tables of a batch. Rows that map to nothing usable are passed over; of several for one key, the
    oldest counts, as in OpenCPS."""
    grouped = frozenset(
        table.name
        for table in (STATUS_MAPPING, SERVICE_MAPPING)
        if _has_groups(batch, DOSSIER.name) and _has_groups(batch, table.name)
    )
    procedures: dict[tuple[str, str], str] = {}
    for group, local, national in _oldest_first(
        batch, SERVICE_MAPPING.name, "serviceInfoMappingId", "serviceCode", "serviceCodeDVCQG"
    ):
        code = base_procedure_code(national)
        if local.strip() and code:
            group = group if SERVICE_MAPPING.name in grouped else ""
            procedures.setdefault((group, local.strip()), code)
    statuses: dict[tuple[str, str, str], int] = {}
    for group, status, sub, code in _oldest_first(
        batch, STATUS_MAPPING.name, "dossierStatusMappingId", "statusCode", "subStatusCode", "statusCodeDVCQG"
    ):
        if code.strip().isdecimal() and 1 <= int(code) <= 10:
            group = group if STATUS_MAPPING.name in grouped else ""
            statuses.setdefault((group, status.strip(), sub.strip()), int(code))
    return Lookups(contract, procedures, statuses, grouped)


def groups(chunk: Chunk) -> pl.Series:
    """Each row's group as text, '' where it has none."""
    return chunk.column(GROUP).cast(pl.String).fill_null("")


def procedure_keys(chunk: Chunk) -> pl.Series:
    """`group␟local code` of dossiers; null without a code."""
    return _joined(groups(chunk), chunk.text("serviceCode"))


def status_keys(chunk: Chunk) -> pl.Series:
    """`group␟status␟sub-status` of dossiers; null without a status."""
    return _joined(groups(chunk), chunk.text("dossierStatus"), chunk.text("dossierSubStatus").fill_null(""))


def _joined(*parts: pl.Series) -> pl.Series:
    return pl.select(pl.concat_str(*parts, separator=PAIR)).to_series()


def told(key: str) -> str:
    """A key as people read it: `status/sub-status`, or the local code."""
    return key.partition(PAIR)[2].rstrip(PAIR).replace(PAIR, "/")


def _oldest_first(batch: LandedBatch, table: str, key: str, *columns: str) -> list[tuple[str, ...]]:
    """(group, *columns) by the table's key."""
    rows = list(rows_of(batch, table, key, GROUP, *columns))
    rows.sort(key=lambda row: int(row[0]) if row[0].lstrip("-").isdecimal() else 0)
    return [row[1:] for row in rows]


def _has_groups(batch: LandedBatch, table: str) -> bool:
    return table in batch.manifest.tables and any(name == GROUP for name, _ in batch.manifest.tables[table].columns)
