"""What a batch says beside its dossiers: services and their online level, and words nobody has a code for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa

from lienthong.landing import LandedBatch
from lienthong.model.capabilities import Capability
from lienthong.model.identifiers import normalise_agency_code
from lienthong.model.kinds.dossier import Entity
from lienthong.sources.capabilities import capabilities_of
from lienthong.sources.contract import SourceContract
from lienthong.sources.kit.sql import look_statements as ask
from lienthong.sources.kit.sql.database import SourceDatabase
from lienthong.sources.kit.sql.schema import ABSENT, FoundSchema
from lienthong.sources.profile import UnmappedCode, unmapped
from lienthong.sources.sections import DossierCodes
from lienthong.sources.systems.opencps.canonical import channel_words
from lienthong.sources.systems.opencps.lookups import PAIR, lookups_of, procedure_keys, status_keys, told
from lienthong.sources.systems.opencps.tables import (
    ENTITY_TABLES,
    FILE,
    GROUP,
    PAYMENT_STATES,
    SERVICE_CONFIG,
    SERVICE_INFO,
)
from lienthong.sources.words import WordList, column_words, count_unknown, rows_of, text_of

_PART_TYPE, _GROUP_OUTPUT = "dossierPartType", 7
_ROLES = {"component": "thành phần hồ sơ", "result": "kết quả"}
_SERVICE_COLUMNS: list[tuple[str, pa.DataType]] = [
    ("agency_code", pa.string()),
    ("procedure_code", pa.string()),
    ("online_level", pa.int16()),
]


def capabilities(contract: SourceContract) -> frozenset[Capability]:
    """See `system.capabilities`. Payments tell what was paid online; the rest stands in extension columns.

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
    """See `system.services`. serviceLevel of the agency, else maxLevel of the service; the highest wins.

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
    """See `system.unmapped_codes`.

    A sub-status is reported where the status alone decided. Beside the words: (removed, originality) and (left_out,
    originality) count dossiers that are stored without a status, (zero_date, column) MySQL's dates of nothing.
    """
    lookups, codes = lookups_of(contract, batch), contract.dossier.codes
    status = (GROUP, "dossierStatus", "dossierSubStatus")
    lists: dict[str, list[WordList]] = {
        Entity.DOSSIER: [
            WordList("status", status_keys, status, lambda key: lookups.status(key) is not None, told),
            WordList("substatus", status_keys, status, lambda key: not lookups.passes_over(key), told),
            WordList(
                "procedure",
                procedure_keys,
                (GROUP, "serviceCode"),
                lambda key: lookups.procedure(key) is not None,
                told,
            ),
            *_originality(codes),
            WordList("channel", channel_words, ("online_", "originality", "fromViaPostal"), codes.channel.__contains__),
            *column_words("subject", "applicantIdType", codes.subject),
            *column_words("return_method", "viaPostal", codes.return_method),
        ],
        Entity.STEP: column_words("step", "stepCode", codes.step),
        Entity.DOCUMENT: column_words("document_role", "dossierPartType", codes.document_role),
        Entity.FEE: [
            *column_words("payment_method", "paymentMethod", codes.payment_method),
            *column_words("payment_status", "paymentStatus", PAYMENT_STATES.union(codes.paid)),
        ],
    }
    counts = count_unknown(contract, batch, {ENTITY_TABLES[entity].name: found for entity, found in lists.items()})
    for group, local in rows_of(batch, SERVICE_INFO.name, GROUP, "serviceCode"):
        if local.strip() and lookups.procedure(f"{group}{PAIR}{local.strip()}") is None:
            counts[("service", local.strip())] += 1
    return unmapped(counts)


def _originality(codes: DossierCodes) -> list[WordList]:
    """Words that nobody knows, and dossiers that are stored without a status: none is set aside in silence."""
    rule, column = codes.originality, "originality"
    if not rule:
        return []
    known = WordList(column, text_of(column), (column,), rule.__contains__)
    return [known, *(WordList(kind, known.words, (column,), _others(rule, kind)) for kind in ("removed", "left_out"))]


def _others(rule: Mapping[str, str], kind: str) -> Callable[[str], bool]:
    return lambda word: rule.get(word) != kind


def remarks(source: SourceDatabase, contract: SourceContract, found: FoundSchema) -> tuple[str, ...]:
    """That outputs of groups are there, and what the contract makes of them: OpenCPS itself is of two minds."""
    files = found.bound.get(FILE.name)
    if files is None or _PART_TYPE not in files.table.c:
        return ()
    rows = int(source.row(ask.count_among_newest(files, _PART_TYPE, _GROUP_OUTPUT)).rows)
    roles = contract.dossier.codes.document_role
    role = roles.get(str(_GROUP_OUTPUT), roles.get("other"))
    if not rows or role is None:
        return ()
    return (
        f"{rows} trong {ask.NEWEST_ROWS} giấy tờ mới nhất có dossierPartType 7 (kết quả của nhóm hồ sơ); hợp đồng coi "
        f"là {_ROLES[role]}. OpenCPS xử lý loại này như kết quả nhưng chỉ gửi loại 2 lên Cổng; đổi ở "
        "codes.document_role.",
    )
