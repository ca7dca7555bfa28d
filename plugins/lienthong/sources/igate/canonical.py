"""Landed iGate items → canonical records. Children come first: a dossier's text was not in NFC if theirs was not.

The meaning of keys is portal-exchange §6.4's or the contract's `fields`; the meaning of words, the contract's `codes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import polars as pl
import pyarrow as pa

from lienthong.landing import LandedBatch
from lienthong.model.codes import DossierStatus, OnlinePayment
from lienthong.model.identifiers import base_procedure_code, normalise_agency_code
from lienthong.model.kinds.dossier import Entity
from lienthong.model.kinds.spec import ValueType
from lienthong.sources.contract import SourceContract
from lienthong.sources.igate.columns import Columns
from lienthong.sources.igate.dating import Dating
from lienthong.sources.igate.json_paths import find, word
from lienthong.sources.igate.mapping import ENTITY_TABLES, EXPECTED, OTHER_NAME, TASKS, paths_of
from lienthong.sources.text_cleaning import without_query
from lienthong.sources.typing_columns import Typed, looked_up

#: Items are long: so many are decoded at a time.
ROWS = 4_096

#: Statuses of dossiers that may never have been received. iGate numbers a dossier when it is registered; for the portal
#: the number is a MaHoSo only from reception on (without NgayTiepNhan it takes nothing).
_BEFORE_RECEPTION = (DossierStatus.REGISTERED.value, DossierStatus.NOT_ACCEPTED.value, DossierStatus.WITHDRAWN.value)

_TASK_NAME = "bpmProcessDefinitionTask.name.name"
_FILE_ID, _FILE_SIZE = "file.id", "file.size"
#: What is looked at besides the fields' own paths.
_BESIDES: Mapping[Entity, tuple[str, ...]] = {
    Entity.DOSSIER: (OTHER_NAME,),
    Entity.STEP: (_TASK_NAME,),
    Entity.DOCUMENT: ("role", _FILE_ID, _FILE_SIZE),
    Entity.FEE: ("fee.quantity", "fee.paid"),
}
_PHONE_PREFIX = r"^\+84"


def canonicalise(contract: SourceContract, batch: LandedBatch) -> Iterator[tuple[Entity, pa.Table]]:
    """See `system.canonicalise`. Exactly one canonical row per landed row of an entity's table."""
    not_nfc: set[str] = set()
    for entity in (Entity.STEP, Entity.DOCUMENT, Entity.FEE, Entity.DOSSIER):
        table = ENTITY_TABLES[entity]
        if table not in batch.manifest.tables or entity not in contract.dossier.entities:
            continue
        for part, places, raw in batch.batches(table, rows=ROWS):
            yield entity, _rows(entity, raw, contract, not_nfc, part, places)


def _rows(
    entity: Entity, raw: pa.RecordBatch, contract: SourceContract, not_nfc: set[str], part: int, places: pa.Array[Any]
) -> pa.Table:
    columns = Columns(entity, raw, contract, _BESIDES[entity])
    chunk = columns.chunk
    if entity is Entity.DOSSIER:
        _dossier(columns, contract)
        owners = chunk.column("id")
        chunk.put("was_not_nfc", chunk.not_nfc | owners.is_in(list(not_nfc)).fill_null(False))
        return chunk.table(columns.spec, contract.source_id, part, places, ("id",))
    fill = {Entity.STEP: _step, Entity.DOCUMENT: _document, Entity.FEE: _fee}
    fill[entity](columns, contract)
    if chunk.not_nfc.any():
        not_nfc.update(chunk.column("dossierId").filter(chunk.not_nfc).to_list())
    return chunk.table(columns.spec, contract.source_id, part, places, ("dossierId", "key"))


def _dossier(columns: Columns, contract: SourceContract) -> None:
    chunk, codes = columns.chunk, contract.dossier.codes
    columns.take("dossier_code", "channel", "subject_type", "return_method", "online_payment", "applicant_phone")
    _moved(columns, contract)
    _owner_name(columns)
    chunk.put("status", columns.coded("status_raw", codes.status.get, pl.Int16))
    status = chunk.field("status")
    waiting = status.is_in(_BEFORE_RECEPTION).fill_null(False) & chunk.field("received_at").is_null()
    chunk.put("dossier_code", columns.coded("dossier_code", lambda code: code or None, pl.String), only=~waiting)
    chunk.put("procedure_code", columns.coded("procedure_code_raw", base_procedure_code, pl.String))
    chunk.put("agency_code", columns.coded("agency_code_raw", normalise_agency_code, pl.String))
    methods = codes.return_method
    for field, translate in (
        ("channel", codes.channel.get),
        ("subject_type", codes.subject.get),
        ("return_method", lambda key: methods.get(key, methods.get("other"))),
    ):
        chunk.put(field, columns.coded(field, translate, pl.Int16))
    chunk.put("online_payment", _online_payment(columns.text("online_payment"), contract))
    phone = columns.typed("applicant_phone", ValueType.TEXT)
    chunk.put("applicant_phone", phone._replace(values=phone.values.str.replace(_PHONE_PREFIX, "0")))
    last = [_last_dates(item, contract) for item in columns.items]
    for place, field in enumerate(("returned_at", "refused_at")):
        if field not in columns.paths:
            chunk.put(field, columns.moments(pl.Series(field, [dates[place] for dates in last], dtype=pl.String)))


def _moved(columns: Columns, contract: SourceContract) -> None:
    """When the dossier last moved, where the list does not say it."""
    dating = Dating(contract)
    if dating.ordered:
        return
    told = columns.chunk.field("source_modified_at")
    found = pl.Series([dating.newest_move(item) for item in columns.items], dtype=pl.Datetime("us", "UTC"))
    columns.chunk.put("source_modified_at", pl.select(pl.coalesce([told, found])).to_series())


def _owner_name(columns: Columns) -> None:
    """Who came speaks where the owner is not named apart."""
    if columns.paths["applicant_name"] != EXPECTED[Entity.DOSSIER]["applicant_name"]:
        return
    owner = columns.typed("applicant_name", ValueType.TEXT)
    missing = owner.values.fill_null("") == ""
    if owner.bad is not None:
        missing = missing & ~owner.bad
    if missing.any():
        other = columns.chunk.cleaned(pl.select(pl.when(missing).then(columns.raw(OTHER_NAME))).to_series())
        columns.chunk.edit("applicant_name", lambda names: pl.select(pl.coalesce([other, names])).to_series())


def _online_payment(methods: pl.Series, contract: SourceContract) -> pl.Series:
    """DuocThanhToanTrucTuyen; nothing was paid without a method, and a method nobody knows tells nothing."""
    code = looked_up(methods, contract.dossier.codes.payment_method.get, pl.Int16)
    none = methods.is_null() | (methods == "")
    return pl.select(pl.when(none).then(pl.lit(OnlinePayment.NONE.value, pl.Int16)).otherwise(code)).to_series()


def _last_dates(item: dict[str, Any], contract: SourceContract) -> tuple[str | None, str | None]:
    """When the result was handed over and when the dossier was refused: the last step that says so (§6.4 has no field
    for either)."""
    paths = paths_of(contract, Entity.STEP)
    word_at, date_at = tuple(paths["status_raw"].split(".")), tuple(paths["occurred_at"].split("."))
    found: dict[int, str | None] = {}
    tasks = item.get(TASKS)
    for task in tasks if isinstance(tasks, list) else ():
        status = contract.dossier.codes.step.get(word(find(task, word_at)) or "")
        if status in (DossierStatus.RETURNED, DossierStatus.NOT_ACCEPTED):
            found[status] = word(find(task, date_at))
    return found.get(DossierStatus.RETURNED), found.get(DossierStatus.NOT_ACCEPTED)


def _step(columns: Columns, contract: SourceContract) -> None:
    chunk = columns.chunk
    columns.take("content")
    chunk.put("step_no", chunk.column("place"))
    chunk.put("status", columns.coded("status_raw", contract.dossier.codes.step.get, pl.Int16))
    said, name = columns.text("content"), columns.at(_TASK_NAME, ValueType.TEXT)
    chunk.put("content", pl.select(pl.when((said != "").fill_null(False)).then(said).otherwise(name)).to_series())


def _document(columns: Columns, contract: SourceContract) -> None:
    chunk = columns.chunk
    columns.take()
    chunk.put(
        "role", looked_up(columns.at("role", ValueType.TEXT), contract.dossier.codes.document_role.get, pl.String)
    )
    addressed = (columns.text("url") != "").fill_null(False)
    name, size = columns.at(_FILE_ID, ValueType.TEXT), columns.at(_FILE_SIZE, ValueType.BIGINT)
    kept = ((name != "") & (size > 0)).fill_null(False)
    chunk.put("has_file", addressed | kept)
    if "removed" not in columns.paths:
        chunk.put("removed", pl.repeat(False, chunk.rows, dtype=pl.Boolean, eager=True))
    chunk.edit("url", lambda urls: without_query(urls, contract.dossier.volatile_query))
    if (address := contract.http.file_url) is not None:
        made = looked_up(name, lambda file: address.replace("{id}", quote(file, safe="")), pl.String)
        chunk.edit("url", lambda urls: pl.select(pl.when(kept & ~addressed).then(made).otherwise(urls)).to_series())


def _fee(columns: Columns, contract: SourceContract) -> None:
    """The amount of one times how many; paid when as much was paid, and that is more than nothing."""
    chunk = columns.chunk
    columns.take("amount", "payment_channel", "paid_at")
    one = columns.typed("amount", ValueType.BIGINT)
    amount = one.values * columns.at("fee.quantity", ValueType.BIGINT).fill_null(1)
    chunk.put("amount", Typed(amount, one.bad))
    received = columns.at("fee.paid", ValueType.BIGINT).fill_null(0)
    paid = ((received > 0) & (received >= amount)).fill_null(False)
    chunk.put("paid", paid)
    chunk.put("paid_at", columns.instants("paid_at"), only=paid)
    method = columns.text("payment_channel")
    chunk.put("payment_channel", looked_up(method, contract.dossier.codes.payment_method.get, pl.Int16), only=paid)
