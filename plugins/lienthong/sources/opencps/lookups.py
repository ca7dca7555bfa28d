"""The province's own mapping tables, as they were landed with the batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from lienthong.landing import LandedBatch
from lienthong.model.identifiers import base_procedure_code
from lienthong.sources.contract import SourceContract
from lienthong.sources.opencps.tables import SERVICE_MAPPING, STATUS_MAPPING

#: Between status and sub-status where a pair of them is one key.
PAIR = "\x1f"


@dataclass(frozen=True)
class Lookups:
    """`procedures`: local code → national base code; `statuses`: (status, sub-status) → TrangThaiHoSo."""

    contract: SourceContract
    procedures: dict[str, str]
    statuses: dict[tuple[str, str], int]

    def procedure(self, local_code: str) -> str | None:
        """The national base code: by the province's mapping, else the code itself if it contains one."""
        return self.procedures.get(local_code) or base_procedure_code(local_code)

    def status(self, pair: str) -> int | None:
        """TrangThaiHoSo of `status␟sub-status`: the province's rows before the contract's, the sub-status before the
        status (portal-exchange §4.1)."""
        status, _, sub = pair.partition(PAIR)
        codes = self.contract.codes
        for found in (
            self.statuses.get((status, sub)),
            self.statuses.get((status, "")),
            codes.substatus.get(sub) if sub else None,
        ):
            if found is not None:
                return found
        return codes.status.get(status)

    def passes_over(self, pair: str) -> bool:
        """Whether `status␟sub-status` has a code though nobody says what its sub-status means."""
        status, _, sub = pair.partition(PAIR)
        known = not sub or (status, sub) in self.statuses or sub in self.contract.codes.substatus
        return not known and self.status(pair) is not None


def lookups_of(contract: SourceContract, batch: LandedBatch) -> Lookups:
    """Read the mapping tables of a batch. Rows that map to nothing usable are passed over."""
    procedures: dict[str, str] = {}
    for local, national in rows_of(batch, SERVICE_MAPPING.name, "serviceCode", "serviceCodeDVCQG"):
        code = base_procedure_code(national)
        if local.strip() and code:
            procedures[local.strip()] = code
    statuses: dict[tuple[str, str], int] = {}
    for status, sub, code in rows_of(batch, STATUS_MAPPING.name, "statusCode", "subStatusCode", "statusCodeDVCQG"):
        if code.strip().isdecimal() and 1 <= int(code) <= 10:
            statuses[(status.strip(), sub.strip())] = int(code)
    return Lookups(contract, procedures, statuses)


def rows_of(batch: LandedBatch, table: str, *columns: str) -> Iterator[tuple[str, ...]]:
    """Columns of a small landed table as text, '' for null; nothing when the batch lacks the table."""
    if table not in batch.manifest.tables:
        return
    for _, _, piece in batch.batches(table, columns):
        frame = pl.from_arrow(piece)
        assert isinstance(frame, pl.DataFrame)
        texts = frame.select(pl.col(columns).cast(pl.String).fill_null(""))
        yield from texts.iter_rows()
