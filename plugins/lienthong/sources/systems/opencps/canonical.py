"""Landed OpenCPS rows → canonical records. Children come first: the dossier looks at its fees and its children's text.

The meaning of columns is portal-exchange §6.1's; the meaning of words is the contract's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl
import pyarrow as pa

from lienthong.landing import LandedBatch
from lienthong.model.codes import DossierStatus, OnlinePayment
from lienthong.model.identifiers import normalise_agency_code
from lienthong.model.kinds.dossier import DOCUMENT, DOSSIER, FEE, SPECS, STEP, Entity
from lienthong.model.kinds.spec import EntitySpec, ValueType
from lienthong.sources.chunk import Chunk
from lienthong.sources.contract import SourceContract
from lienthong.sources.sections import DossierCodes
from lienthong.sources.systems.opencps.lookups import Lookups, lookups_of, procedure_keys, status_keys, told
from lienthong.sources.systems.opencps.tables import ENTITY_TABLES, OWNER
from lienthong.sources.text_cleaning import without_query
from lienthong.sources.typing_columns import first_filled, first_told, looked_up

#: A fee was paid by a method that the contract doesn't know: whether it was online can't be told.
_UNKNOWN_METHOD = 9

#: DuocThanhToanTrucTuyen: the portal if any paid fee went through it, else the own gateway, else none.
_PAYMENT_RANKS = {
    OnlinePayment.PORTAL.value: 1,
    OnlinePayment.OWN_GATEWAY.value: 2,
    _UNKNOWN_METHOD: 3,
    OnlinePayment.NONE.value: 4,
}

_DOSSIER_COLUMNS = {
    "reference_code": "referenceUid",
    "procedure_code_raw": "serviceCode",
    "procedure_name": "serviceName",
    "agency_code_raw": "govAgencyCode",
    "agency_name": "govAgencyName",
    "submitted_at": "submitDate",
    "received_at": "receiveDate",
    "finished_at": "releaseDate",
    "returned_at": "finishDate",
    "applicant_name": "applicantName",
    "applicant_id_number": "applicantIdNo",
    "applicant_phone": "contactTelNo",
    "applicant_email": "contactEmail",
    "applicant_address": "address",
    "source_modified_at": "modifiedDate",
}
_STEP_COLUMNS = {
    "step_no": "dossierActionId",  # sequenceNo repeats when a dossier goes back; the key only ever rises
    "status_raw": "stepCode",
    "occurred_at": "createDate",
    "due_at": "dueDate",
    "actor_name": "actionUser",
}
_DOCUMENT_COLUMNS = {
    "component_code": "dossierPartNo",
    "result_code": "deliverableCode",
    "removed": "removed",
    "name": "displayName",
}
_FEE_COLUMNS = {"name": "paymentFee", "amount": "paymentAmount", "paid_at": "confirmDatetime"}


@dataclass
class _Seen:
    """What children say about their dossiers: paid fees by owner, and owners with text that was not in NFC.

    Children come first, so the first dossier asks when all is known: what it asks for is made once per batch.
    """

    payments: list[pl.DataFrame] = field(default_factory=list)
    not_nfc: list[pl.Series] = field(default_factory=list)

    @cached_property
    def best_payment(self) -> pl.DataFrame | None:
        """owner, rank of the best method among its paid fees; None where none is paid."""
        if not self.payments:
            return None
        paid = pl.concat(self.payments)
        rank = pl.col("method").replace_strict(_PAYMENT_RANKS, return_dtype=pl.Int16)
        return paid.group_by("owner").agg(rank.min().alias("rank"))

    @cached_property
    def not_nfc_owners(self) -> pl.Series | None:
        """Distinct, as the one list that `is_in` takes."""
        return pl.concat(self.not_nfc).unique().implode() if self.not_nfc else None


def canonicalise(contract: SourceContract, batch: LandedBatch) -> Iterator[tuple[Entity, pa.Table]]:
    """See `system.canonicalise`. Exactly one canonical row per landed row of an entity's table."""
    lookups = lookups_of(contract, batch)
    seen = _Seen()
    for entity in (Entity.STEP, Entity.DOCUMENT, Entity.FEE, Entity.DOSSIER):
        table = ENTITY_TABLES[entity].name
        if entity not in contract.dossier.entities or table not in batch.manifest.tables:
            continue
        for part, places, raw in batch.batches(table):
            yield entity, _rows(entity, Chunk(raw, contract.time_zone), lookups, seen, part, places)


def _rows(entity: Entity, chunk: Chunk, lookups: Lookups, seen: _Seen, part: int, places: pa.Array[Any]) -> pa.Table:
    contract, spec = lookups.contract, SPECS[entity]
    keys: tuple[str, ...] = (OWNER,)
    if entity is Entity.DOSSIER:
        _dossier(chunk, lookups, seen)
    else:
        keys = (OWNER, _child(entity, chunk, lookups))
    for column, wanted in contract.dossier.extensions.get(entity, {}).items():
        chunk.take_json(spec, column, wanted)
    if entity is Entity.DOCUMENT:
        chunk.edit("url", lambda urls: without_query(urls, contract.dossier.volatile_query))
    if entity is Entity.DOSSIER:
        owners = seen.not_nfc_owners
        below = chunk.column(OWNER).is_in(owners).fill_null(False) if owners is not None else chunk.not_nfc
        chunk.put("was_not_nfc", chunk.not_nfc | below)
    elif chunk.not_nfc.any():
        seen.not_nfc.append(chunk.column(OWNER).filter(chunk.not_nfc))
    if entity is Entity.FEE:
        seen.payments.append(_payments(chunk))
    return chunk.table(spec, contract.source_id, part, places, keys)


def _child(entity: Entity, chunk: Chunk, lookups: Lookups) -> str:
    """Fill a step, document or fee; returns the column of its key."""
    codes = lookups.contract.dossier.codes
    if entity is Entity.STEP:
        _take(chunk, STEP, _STEP_COLUMNS)
        chunk.put("status", looked_up(chunk.text("stepCode"), codes.step.get, pl.Int16))
        chunk.put("content", first_filled(chunk.text("actionNote"), chunk.text("stepName")))
        return "dossierActionId"
    if entity is Entity.DOCUMENT:
        _take(chunk, DOCUMENT, _DOCUMENT_COLUMNS)
        roles = codes.document_role
        kinds = chunk.text("dossierPartType").fill_null("")
        chunk.put("role", looked_up(kinds, lambda word: roles.get(word, roles.get("other")), pl.String))
        entry = chunk.typed("fileEntryId", ValueType.BIGINT)
        chunk.put("has_file", entry._replace(values=(entry.values > 0).fill_null(False)))
        return "dossierFileId"
    _take(chunk, FEE, _FEE_COLUMNS)
    chunk.put("payment_channel", looked_up(chunk.text("paymentMethod"), codes.payment_method.get, pl.Int16))
    chunk.put("paid", chunk.text("paymentStatus").is_in(codes.paid).fill_null(False))
    return "paymentFileId"


def _dossier(chunk: Chunk, lookups: Lookups, seen: _Seen) -> None:
    _take(chunk, DOSSIER, _DOSSIER_COLUMNS)
    codes = lookups.contract.dossier.codes
    chunk.put("dossier_code", looked_up(chunk.text("dossierNo"), lambda code: code or None, pl.String))
    chunk.put("procedure_code", looked_up(procedure_keys(chunk), lookups.procedure, pl.String))
    chunk.put("agency_code", looked_up(chunk.text("govAgencyCode"), normalise_agency_code, pl.String))
    chunk.put("abstract", first_filled(chunk.text("briefNote"), chunk.text("dossierName")))
    keys = status_keys(chunk)
    status, raw = looked_up(keys, lookups.status, pl.Int16), looked_up(keys, told, pl.String)
    live = is_live(chunk, codes)
    if not live.all():
        why = pl.format("{} (originality {})", raw, chunk.text("originality"))
        status = pl.select(pl.when(live).then(status)).to_series()
        raw = pl.select(pl.when(live).then(raw).otherwise(why)).to_series()
    chunk.put("status", status)
    chunk.put("status_raw", raw)
    chunk.put("channel", looked_up(channel_words(chunk), codes.channel.get, pl.Int16))
    chunk.put("subject_type", looked_up(chunk.text("applicantIdType"), codes.subject.get, pl.Int16))
    methods = codes.return_method
    chunk.put(
        "return_method",
        looked_up(chunk.text("viaPostal"), lambda key: methods.get(key, methods.get("other")), pl.Int16),
    )
    due, extended = chunk.typed("dueDate", ValueType.INSTANT), chunk.typed("extendDate", ValueType.INSTANT)
    chunk.put("due_at", first_told(extended, due))
    refused = chunk.typed("cancellingDate", ValueType.INSTANT)
    chunk.put("refused_at", refused, only=status == DossierStatus.NOT_ACCEPTED.value)
    if Entity.FEE in lookups.contract.dossier.entities:
        chunk.put("online_payment", _online_payment(chunk.column(OWNER), seen.best_payment))


def is_live(chunk: Chunk, codes: DossierCodes) -> pl.Series:
    """Which dossiers have a status of the portal's: not those in the bin, not those left out of OpenCPS' own lists, and
    not those of an originality that the contract doesn't know. Without a rule, and without an originality: all."""
    if not codes.originality:
        return pl.repeat(True, chunk.rows, dtype=pl.Boolean, eager=True)
    said = chunk.column("originality")
    words = chunk.text("originality") if said.dtype == pl.String else said
    return looked_up(words, lambda word: codes.originality.get(str(word)) == "live", pl.Boolean).fill_null(True)


def channel_words(chunk: Chunk) -> pl.Series:
    """online, postal or direct: how the dossier came in. The bin flips the sign of `originality`."""
    came_online = chunk.typed("originality", ValueType.BIGINT).values.abs() == 1
    online = chunk.typed("online_", ValueType.BOOLEAN).values | came_online
    postal = chunk.typed("fromViaPostal", ValueType.BIGINT).values == 1
    word = pl.when(online).then(pl.lit("online")).when(postal).then(pl.lit("postal")).otherwise(pl.lit("direct"))
    return pl.select(word).to_series()


def _take(chunk: Chunk, spec: EntitySpec, columns: dict[str, str]) -> None:
    for name, column in columns.items():
        chunk.take(spec.field(name), column)


def _payments(chunk: Chunk) -> pl.DataFrame:
    """owner, method of the paid fees of this chunk."""
    frame = pl.DataFrame(
        {"owner": chunk.column(OWNER), "method": chunk.field("payment_channel").fill_null(_UNKNOWN_METHOD)}
    )
    return frame.filter(chunk.field("paid"))


def _online_payment(owners: pl.Series, best: pl.DataFrame | None) -> pl.Series:
    """DuocThanhToanTrucTuyen of dossiers; null where only a fee by an unknown method could tell."""
    if best is None:
        return pl.repeat(OnlinePayment.NONE.value, len(owners), dtype=pl.Int16, eager=True)
    codes = {rank: None if code == _UNKNOWN_METHOD else code for code, rank in _PAYMENT_RANKS.items()}
    found = owners.rename("owner").to_frame().join(best, on="owner", how="left", maintain_order="left")["rank"]
    return found.fill_null(_PAYMENT_RANKS[OnlinePayment.NONE.value]).replace_strict(codes, return_dtype=pl.Int16)
