"""What the province itself keeps about procedures and codes: service infos, their configuration and the mappings."""

from __future__ import annotations

from simulator.catalogue import Catalogue, Procedure, Province
from simulator.opencps.rows import COMPANY_ID, GROUP_IDS, Row
from simulator.steps import SPECS
from simulator.workdays import instant, sql

#: dictitemmapping.collectionId
AGENCIES, DOMAINS = 1, 2
_SINCE = sql(instant(2025, 7, 1, 2))


def rows(province: Province, catalogue: Catalogue) -> dict[str, list[Row]]:
    """Rows of the catalogue tables of one province."""
    audit: Row = {
        "groupId": GROUP_IDS[province.code], "companyId": COMPANY_ID, "userId": 20_000, "userName": "Quản trị",
        "createDate": _SINCE, "modifiedDate": _SINCE,
    }  # fmt: skip
    agencies = catalogue.agencies_of(province.code)
    domains = sorted({procedure.field.code for procedure in catalogue.procedures})
    items = [(agency.code, agency.code, AGENCIES) for agency in agencies]
    items += [(agency.old_code, agency.code, AGENCIES) for agency in agencies if agency.changed_spelling]
    items += [(_domain(code), code, DOMAINS) for code in domains]
    return {
        "opencps_serviceinfo": [_info(procedure, province) | audit for procedure in catalogue.procedures],
        "opencps_serviceconfig": [_config(procedure, province) | audit for procedure in catalogue.procedures],
        "opencps_serviceinfomapping": [
            {
                "serviceInfoMappingId": 700 + procedure.index, "serviceCode": procedure.local_code(province),
                "serviceCodeDVCQG": procedure.code, "serviceNameDVCQG": procedure.name, "synced": 1,
            } | audit
            for procedure in catalogue.procedures if procedure.is_local_code()
        ],
        "opencps_dictitemmapping": [
            {"mappingId": 300 + number, "itemCode": item, "itemCodeDVCQG": code, "collectionId": collection} | audit
            for number, (item, code, collection) in enumerate(items)
        ],
        "opencps_dossierstatusmapping": [
            {"dossierStatusMappingId": 900 + number, "statusCode": word, "subStatusCode": sub, "statusCodeDVCQG": code}
            | audit
            for number, (word, sub, code) in enumerate(_statuses())
        ],
        "opencps_serverconfig": [
            {"serverConfigId": 1, "protocol": "DVCQG_INTEGRATION", "configs": "{}", "lastSync": _SINCE} | audit
        ],
    }  # fmt: skip


def _domain(code: str) -> str:
    return code.split("-")[1]


def _info(procedure: Procedure, province: Province) -> Row:
    return {
        "serviceInfoId": 500 + procedure.index,
        "serviceCode": procedure.local_code(province),
        "serviceName": procedure.name,
        "durationText": f"{procedure.term_days} ngày làm việc",
        "resultText": procedure.result,
        "feeText": f"{procedure.fee} đồng" if procedure.fee else "Không",
        "domainCode": _domain(procedure.field.code),
        "domainName": procedure.field.name,
        "maxLevel": procedure.online_level,
        "public_": procedure.state == "active",
        "isNotarization": procedure.field.code == "G15-CT01",
    }


def _config(procedure: Procedure, province: Province) -> Row:
    agency = f"{province.code}.{procedure.department}" if procedure.department else province.code
    return {
        "serviceConfigId": 1500 + procedure.index,
        "serviceInfoId": 500 + procedure.index,
        "govAgencyCode": agency,
        "serviceLevel": procedure.online_level,
        "forCitizen": "c" in procedure.subjects,
        "forBusiness": "b" in procedure.subjects,
        "postService": True,
        "registration": procedure.online_level > 2,
    }


def _statuses() -> list[tuple[str, str, str]]:
    """Rows of the province's own status mapping: sub-statuses only, the plain words are left to whoever reads."""
    by_word = {spec.word: spec.status for spec in SPECS.values()}
    pairs = (("processing", "interoperating"), ("waiting", "correcting"), ("releasing", "posting"))
    return [(word, sub, by_word[word]) for word, sub in pairs]
