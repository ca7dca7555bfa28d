"""The OpenCPS v2 tables of portal-exchange §6.1, in PostgreSQL: quoted camelCase columns, naive local timestamps.

MySQL's types become their nearest kin: LONG bigint, DATETIME timestamp(0) without time zone, TEXT text.
"""

from __future__ import annotations

import re

_TYPES = {
    "L": "bigint", "I": "integer", "D": "double precision", "B": "boolean", "T": "timestamp(0) without time zone",
    "X": "text", "V": "varchar(255)", "S": "varchar(128)", "W": "varchar(512)", "N": "varchar(500)",
    "M": "varchar(1000)",
}  # fmt: skip

#: Columns that every table has.
AUDIT = "uuid_:S groupId:L companyId:L userId:L userName:V createDate:T modifiedDate:T"


def _expanded(own: str) -> str:
    """Column texts with `@`, `delegate@`, `postal@` written out: code and name of city, district and ward."""

    def places(found: re.Match[str]) -> str:
        prefix = found.group(1)
        kinds = ("City", "District", "Ward") if prefix else ("city", "district", "ward")
        return " ".join(f"{prefix}{kind}Code:S {prefix}{kind}Name:V" for kind in kinds)

    return re.sub(r"(\w*)@", places, own)


#: table → (primary key, columns as name:type letter). Order is the order of the columns in the database.
_TABLES: dict[str, tuple[str, str]] = {
    "opencps_dossier": (
        "dossierId",
        "referenceUid:V counter:I registerBookCode:S registerBookName:V processNo:S serviceCode:S serviceName:X "
        "govAgencyCode:S govAgencyName:W applicantName:N applicantIdType:S applicantIdNo:S applicantIdDate:T "
        "address:N @ contactName:V contactTelNo:S contactEmail:V delegateType:I delegateName:V delegateIdNo:S "
        "delegateTelNo:S delegateEmail:V delegateAddress:N delegate@ documentNo:S documentDate:T "
        "dossierTemplateNo:S dossierTemplateName:V dossierNote:X submissionNote:X applicantNote:X briefNote:X "
        "dossierNo:V submitting:B processDate:T submitDate:T receiveDate:T dueDate:T extendDate:T releaseDate:T "
        "finishDate:T cancellingDate:T correcttingDate:T dossierStatus:V dossierStatusText:V dossierSubStatus:S "
        "dossierSubStatusText:V folderId:L dossierActionId:L viaPostal:I postalServiceCode:S postalServiceName:V "
        "postalAddress:N postal@ postalTelNo:S password_:S notification:B online_:B original:B serverNo:S "
        "endorsementDate:T lockState:S originality:I originDossierId:L sampleCount:L durationUnit:I "
        "durationCount:D dossierName:M originDossierNo:S groupDossierId:S metaData:X systemId:I dossierCounter:S "
        "vnpostalStatus:I vnpostalProfile:X fromViaPostal:I multipleCheck:S",
    ),
    "opencps_dossieraction": (
        "dossierActionId",
        "dossierId:L serviceProcessId:L previousActionId:L fromStepCode:S fromStepName:V fromSequenceNo:S actionCode:S "
        "actionUser:V actionName:V actionNote:X actionOverdue:I syncActionCode:S pending:B rollbackable:B stepCode:S "
        "stepName:V sequenceNo:S dueDate:T nextActionId:L payload:X stepInstruction:X state_:I eventStatus:I",
    ),
    "opencps_paymentfile": (
        "paymentFileId",
        "dossierId:L referenceUid:V govAgencyCode:S govAgencyName:W paymentFee:V advanceAmount:L feeAmount:L "
        "serviceAmount:L shipAmount:L paymentAmount:L paymentNote:X epaymentProfile:X bankInfo:X paymentStatus:I "
        "paymentMethod:V confirmDatetime:T confirmPayload:X confirmFileEntryId:L confirmNote:X approveDatetime:T "
        "accountUserName:V govAgencyTaxNo:S invoiceTemplateNo:S invoiceIssueNo:S invoiceNo:S invoicePayload:X "
        "einvoice:X invoiceFileEntryId:L",
    ),
    "opencps_dossierfile": (
        "dossierFileId",
        "dossierId:L referenceUid:V dossierTemplateNo:S dossierPartNo:S dossierPartType:I fileTemplateNo:S "
        "displayName:N formData:X fileEntryId:L original:B eForm:B isNew:B removed:B signCheck:I signInfo:X "
        "formScript:X formReport:X formSchema:X deliverableCode:S",
    ),
    "opencps_serviceinfo": (
        "serviceInfoId",
        "serviceCode:S serviceName:X processText:X methodText:X dossierText:X conditionText:X durationText:X "
        "applicantText:X resultText:X regularText:X feeText:X administrationCode:S administrationName:V "
        "administrationIndex:S domainCode:S domainName:V domainIndex:S maxLevel:I public_:B govAgencyText:X "
        "isNotarization:B",
    ),
    "opencps_serviceconfig": (
        "serviceConfigId",
        "serviceInfoId:L govAgencyCode:S serviceLevel:I serviceUrl:X forCitizen:B forBusiness:B postService:B "
        "registration:B",
    ),
    "opencps_serviceinfomapping": (
        "serviceInfoMappingId", "serviceCode:S serviceCodeDVCQG:S serviceNameDVCQG:X synced:I",
    ),
    "opencps_dictitemmapping": ("mappingId", "itemCode:S itemCodeDVCQG:S collectionId:L"),
    "opencps_dossierstatusmapping": (
        "dossierStatusMappingId", "statusCode:S subStatusCode:S statusCodeDVCQG:S",
    ),
    "opencps_dossiersync": (
        "dossierSyncId",
        "dossierId:L dossierRefUid:V syncRefUid:V actionCode:S syncType:I infoType:I payload:X serverNo:S state_:I "
        "retry:I messageText:X acknowlegement:X",
    ),
    "opencps_publish_queue": (
        "publishQueueId",
        "dossierId:L serverNo:S status:I retry:I publishType:I publishData:X messageText:X acknowlegement:X",
    ),
    "opencps_sync_scheduler": ("syncSchedulerId", "className:V typeCode:S syncDate:T retry:I"),
    "opencps_serverconfig": ("serverConfigId", "protocol:S configs:X lastSync:T"),
}  # fmt: skip

#: Indexes like the real ones: only (dossierStatus, modifiedDate) knows modifiedDate.
INDEXES = (
    'CREATE INDEX ix_dossier_status ON opencps_dossier ("dossierStatus", "modifiedDate")',
    'CREATE INDEX ix_dossieraction_dossier ON opencps_dossieraction ("dossierId")',
    'CREATE INDEX ix_paymentfile_dossier ON opencps_paymentfile ("dossierId")',
    'CREATE INDEX ix_dossierfile_dossier ON opencps_dossierfile ("dossierId")',
)

TABLES = tuple(_TABLES)


def primary_key(table: str) -> str:
    """Name of the key column."""
    return _TABLES[table][0]


def columns(table: str) -> dict[str, str]:
    """Column → PostgreSQL type, in order: the key, the audit columns, then the table's own."""
    key, own = _TABLES[table]
    pairs = [f"{key}:L", *AUDIT.split(), *_expanded(own).split()]
    return {name: _TYPES[letter] for name, letter in (pair.split(":") for pair in pairs)}


def ddl() -> list[str]:
    """Statements that create the empty tables (indexes and keys apart: see INDEXES and `key_ddl`)."""
    return [
        "CREATE TABLE {} ({})".format(table, ", ".join(f'"{name}" {kind}' for name, kind in columns(table).items()))
        for table in TABLES
    ]


def key_ddl() -> list[str]:
    """Statements that add the primary keys, after loading."""
    return [f'ALTER TABLE {table} ADD PRIMARY KEY ("{primary_key(table)}")' for table in TABLES]
