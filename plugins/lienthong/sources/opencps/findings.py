"""What a batch says beside its dossiers: services and their online level, and words nobody has a code for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

import polars as pl
import pyarrow as pa

from lienthong.landing import UNREADABLE, LandedBatch
from lienthong.model.capabilities import Capability
from lienthong.model.identifiers import normalise_agency_code
from lienthong.model.kinds.dossier import Entity
from lienthong.sources.capabilities import capabilities_of
from lienthong.sources.chunk import Chunk
from lienthong.sources.contract import SourceContract
from lienthong.sources.opencps.canonical import channel_words
from lienthong.sources.opencps.lookups import PAIR, lookups_of, procedure_keys, rows_of, status_keys, told
from lienthong.sources.opencps.schema import ABSENT
from lienthong.sources.opencps.tables import ENTITY_TABLES, GROUP, PAYMENT_STATES, SERVICE_CONFIG, SERVICE_INFO
from lienthong.sources.profile import UnmappedCode, unmapped
from lienthong.sources.sections import DossierCodes

_SERVICE_COLUMNS: list[tuple[str, pa.DataType]] = [
    ("agency_code", pa.string()),
    ("procedure_code", pa.string()),
    ("online_level", pa.int16()),
]

#: The text column of a chunk that holds the words of a kind.
_Words = Callable[[Chunk], pl.Series]
#: kind of code, its words, whether a word is mapped, and the columns that this takes.
_Kind = tuple[str, _Words, Callable[[str], bool], tuple[str, ...]]


def capabilities(contract: SourceContract) -> frozenset[Capability]:
    """See `profile.Profile.capabilities`. Payments tell what was paid online; the rest stands in extension columns.

    Without the tables of services, that this system doesn't have, there are none.
    """
    filled = [
        (entity, field)
        for entity, columns in contract.dossier.extensions.items()
        for keys in columns.values()
        for field in keys.values()
    ]
    if Entity.FEE in contract.dossier.entities:
        filled.append((Entity.DOSSIER, "online_payment"))
    tables = (SERVICE_INFO, SERVICE_CONFIG)
    tells_services = not any(ABSENT in contract.dossier.ignore.get(table.name, ()) for table in tables)
    return capabilities_of(contract.dossier.entities, filled, tells_services=tells_services)


def services(contract: SourceContract, batch: LandedBatch) -> pa.Table:
    """See `profile.Profile.services`. serviceLevel of the agency, else maxLevel of the service; the highest wins.

    Services without a national code are left out; `unmapped_codes` reports them.
    """
    lookups = lookups_of(contract, batch)
    codes: dict[str, tuple[str | None, str]] = {}
    for key, group, local, highest in rows_of(
        batch, SERVICE_INFO.name, "serviceInfoId", GROUP, "serviceCode", "maxLevel"
    ):
        codes[key] = (lookups.procedure(f"{group}{PAIR}{local.strip()}"), highest)
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
    """See `profile.Profile.unmapped_codes`. Empty words are the gate's business, not the contract's.

    A sub-status is reported where the status alone decided. Beside the words: (removed, originality) and (left_out,
    originality) count dossiers that are stored without a status, (zero_date, column) MySQL's dates of nothing.
    """
    lookups, codes = lookups_of(contract, batch), contract.dossier.codes
    status_columns = (GROUP, "dossierStatus", "dossierSubStatus")
    kinds: dict[Entity, list[_Kind]] = {
        Entity.DOSSIER: [
            ("status", status_keys, lambda key: lookups.status(key) is not None, status_columns),
            ("substatus", status_keys, lambda key: not lookups.passes_over(key), status_columns),
            ("procedure", procedure_keys, lambda key: lookups.procedure(key) is not None, (GROUP, "serviceCode")),
            *_originality(codes),
            ("channel", channel_words, codes.channel.__contains__, ("online_", "originality", "fromViaPostal")),
            *_column("subject", "applicantIdType", codes.subject),
            *_column("return_method", "viaPostal", codes.return_method),
        ],
        Entity.STEP: _column("step", "stepCode", codes.step),
        Entity.DOCUMENT: _column("document_role", "dossierPartType", codes.document_role),
        Entity.FEE: [
            *_column("payment_method", "paymentMethod", codes.payment_method),
            *_column("payment_status", "paymentStatus", PAYMENT_STATES.union(codes.paid)),
        ],
    }
    counts: Counter[tuple[str, str]] = Counter()
    for entity, lists in kinds.items():
        table = batch.manifest.tables.get(ENTITY_TABLES[entity].name)
        if table is None:
            continue
        there = {name for name, _ in table.columns}
        columns = dict.fromkeys([UNREADABLE, *(name for *_, names in lists for name in names if name in there)])
        for _, _, raw in batch.batches(table.name, list(columns)):
            chunk = Chunk(raw, contract.time_zone)
            counts.update({("zero_date", f"{table.name}.{name}"): rows for name, rows in chunk.zero_dates().items()})
            for kind, words, known, _ in lists:
                for word, rows in words(chunk).drop_nulls().rename("word").value_counts().iter_rows():
                    shown = told(word) if PAIR in word else word
                    if shown and not known(word):
                        counts[(kind, shown)] += rows
    for group, local in rows_of(batch, SERVICE_INFO.name, GROUP, "serviceCode"):
        if local.strip() and lookups.procedure(f"{group}{PAIR}{local.strip()}") is None:
            counts[("service", local.strip())] += 1
    return unmapped(counts)


def _column(kind: str, column: str, words: Collection[str]) -> list[_Kind]:
    """The words of one column; nothing to look for where `other` maps every word."""
    return [] if "other" in words else [(kind, _text(column), words.__contains__, (column,))]


def _originality(codes: DossierCodes) -> list[_Kind]:
    """Words that nobody knows, and dossiers that are stored without a status: none is set aside in silence."""
    rule = codes.originality
    if not rule:
        return []
    words = _text("originality")
    kinds: list[_Kind] = [("originality", words, rule.__contains__, ("originality",))]
    for kind in ("removed", "left_out"):
        kinds.append((kind, words, lambda word, kind=kind: rule.get(word) != kind, ("originality",)))  # type: ignore[misc]
    return kinds


def _text(column: str) -> _Words:
    return lambda chunk: chunk.text(column)
