"""What a batch says beside its dossiers: services and their online level, and words nobody has a code for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import polars as pl
import pyarrow as pa

from lienthong.landing import LandedBatch
from lienthong.model.canonical import Entity
from lienthong.model.identifiers import normalise_agency_code
from lienthong.sources.chunk import Chunk
from lienthong.sources.contract import SourceContract
from lienthong.sources.opencps.canonical import channel_words
from lienthong.sources.opencps.lookups import PAIR, lookups_of, rows_of
from lienthong.sources.opencps.tables import ENTITY_TABLES, SERVICE_CONFIG, SERVICE_INFO
from lienthong.sources.profile import UnmappedCode

_SERVICE_COLUMNS: list[tuple[str, pa.DataType]] = [
    ("agency_code", pa.string()),
    ("procedure_code", pa.string()),
    ("online_level", pa.int16()),
]

#: kind of code → the text column of a chunk that holds its words.
_Words = Callable[[Chunk], pl.Series]


def services(contract: SourceContract, batch: LandedBatch) -> pa.Table:
    """See `profile.Profile.services`. serviceLevel of the agency, else maxLevel of the service; the highest wins.

    Services without a national code are left out; `unmapped_codes` reports them.
    """
    lookups = lookups_of(contract, batch)
    codes: dict[str, tuple[str | None, str]] = {}
    for key, local, highest in rows_of(batch, SERVICE_INFO.name, "serviceInfoId", "serviceCode", "maxLevel"):
        codes[key] = (lookups.procedure(local.strip()), highest)
    found: dict[tuple[str, str], int] = {}
    for key, agency, level in rows_of(batch, SERVICE_CONFIG.name, "serviceInfoId", "govAgencyCode", "serviceLevel"):
        procedure, highest = codes.get(key, (None, ""))
        agency_code, online_level = normalise_agency_code(agency), level or highest
        if procedure and agency_code and online_level.isdecimal():
            pair = (agency_code, procedure)
            found[pair] = max(found.get(pair, 0), int(online_level))
    rows = [
        {"agency_code": agency, "procedure_code": procedure, "online_level": level}
        for (agency, procedure), level in sorted(found.items())
    ]
    return pa.Table.from_pylist(rows, pa.schema(_SERVICE_COLUMNS))


def unmapped_codes(contract: SourceContract, batch: LandedBatch) -> list[UnmappedCode]:
    """See `profile.Profile.unmapped_codes`. Empty words are the gate's business, not the contract's."""
    lookups, codes = lookups_of(contract, batch), contract.codes
    kinds: dict[Entity, list[tuple[str, _Words, Callable[[str], object], tuple[str, ...]]]] = {
        Entity.DOSSIER: [
            ("status", _status_pairs, lookups.status, ("dossierStatus", "dossierSubStatus")),
            ("procedure", _text("serviceCode"), lookups.procedure, ("serviceCode",)),
            ("subject", _text("applicantIdType"), codes.subject.get, ("applicantIdType",)),
            ("channel", channel_words, codes.channel.get, ("online_", "originality", "fromViaPostal")),
        ],
        Entity.STEP: [("step", _text("stepCode"), codes.step.get, ("stepCode",))],
        Entity.FEE: [("payment_method", _text("paymentMethod"), codes.payment_method.get, ("paymentMethod",))],
    }
    counts: Counter[tuple[str, str]] = Counter()
    for entity, lists in kinds.items():
        table = batch.manifest.tables.get(ENTITY_TABLES[entity].name)
        if table is None:
            continue
        there = {name for name, _ in table.columns}
        columns = [name for *_, names in lists for name in names if name in there]
        for _, _, raw in batch.batches(table.name, columns):
            chunk = Chunk(raw, contract.time_zone)
            for kind, words, known, _ in lists:
                for word, rows in words(chunk).drop_nulls().rename("word").value_counts().iter_rows():
                    if word.strip(PAIR) and known(word) is None:
                        counts[(kind, word.rstrip(PAIR).replace(PAIR, "/"))] += rows
    for (local,) in rows_of(batch, SERVICE_INFO.name, "serviceCode"):
        if local.strip() and lookups.procedure(local.strip()) is None:
            counts[("service", local.strip())] += 1
    order = sorted(counts.items(), key=lambda item: (item[0][0], -item[1], item[0][1]))
    return [UnmappedCode(kind, word, rows) for (kind, word), rows in order]


def _text(column: str) -> _Words:
    return lambda chunk: chunk.text(column)


def _status_pairs(chunk: Chunk) -> pl.Series:
    return chunk.text("dossierStatus") + PAIR + chunk.text("dossierSubStatus").fill_null("")
