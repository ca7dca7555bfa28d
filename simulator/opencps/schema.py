"""The OpenCPS v2 tables of portal-exchange §6.1, as a release of 2020 has them: every column but the key may be null.

In PostgreSQL, where the simulated provinces live: quoted camelCase columns, naive local timestamps. And in MySQL or
MariaDB, where the real ones live: tinyint for booleans, datetime(6), longtext.
"""

from __future__ import annotations

import re

POSTGRESQL, MYSQL = "postgresql", "mysql"

#: Type letter → PostgreSQL's type, MySQL's.
_TYPES = {
    "L": ("bigint", "bigint"), "I": ("integer", "int"), "D": ("double precision", "double"),
    "B": ("boolean", "tinyint"), "T": ("timestamp(6) without time zone", "datetime(6)"), "X": ("text", "longtext"),
    **{letter: (f"varchar({length})",) * 2 for letter, length in (
        ("U", 75), ("C", 100), ("S", 128), ("K", 200), ("V", 255), ("N", 500), ("W", 512), ("M", 1000), ("G", 1024),
    )},
}  # fmt: skip

#: Columns that every table has.
AUDIT = "uuid_:U groupId:L companyId:L userId:L userName:V createDate:T modifiedDate:T"


def _expanded(own: str) -> str:
    """Column texts with `@`, `delegate@`, `postal@` written out: code and name of city, district and ward."""

    def places(found: re.Match[str]) -> str:
        prefix = found.group(1)
        kinds = ("City", "District", "Ward") if prefix else ("city", "district", "ward")
        code = "V" if prefix == "postal" else "S"
        return " ".join(
            f"{prefix}{kind}Code:{code} {prefix}{kind}Name:{'V' if kind == 'city' else 'W'}" for kind in kinds
        )

    return re.sub(r"(\w*)@", places, own)


#: table → (primary key, columns as name:type letter). Order is the order of the columns in the database.
_TABLES: dict[str, tuple[str, str]] = {
    "opencps_dossier": (
        "dossierId",
        "referenceUid:V counter:L registerBookCode:C registerBookName:G dossierRegister:V processNo:S serviceCode:S "
        "serviceName:X govAgencyCode:S govAgencyName:W applicantName:N applicantIdType:S applicantIdNo:S "
        "applicantIdDate:T address:X @ contactName:X contactTelNo:S contactEmail:V delegateType:I delegateName:W "
        "delegateIdNo:S delegateTelNo:S delegateEmail:V delegateAddress:X delegate@ documentNo:V documentDate:T "
        "dossierTemplateNo:S dossierTemplateName:X dossierNote:X submissionNote:X applicantNote:X briefNote:X "
        "dossierNo:V submitting:B processDate:T submitDate:T receiveDate:T dueDate:T extendDate:T releaseDate:T "
        "finishDate:T cancellingDate:T correcttingDate:T dossierStatus:V dossierStatusText:X dossierSubStatus:S "
        "dossierSubStatusText:X folderId:L dossierActionId:L viaPostal:I postalServiceCode:V postalServiceName:G "
        "postalAddress:X postal@ postalTelNo:S password_:U notification:B online_:B original:B serverNo:V "
        "endorsementDate:T lockState:K originality:I originDossierId:L sampleCount:L durationUnit:I "
        "durationCount:D dossierName:M originDossierNo:V groupDossierId:U metaData:X systemId:I dossierCounter:S "
        "vnpostalStatus:I vnpostalProfile:X fromViaPostal:I multipleCheck:U",
    ),
    "opencps_dossieraction": (
        "dossierActionId",
        "dossierId:L serviceProcessId:L previousActionId:L fromStepCode:V fromStepName:W fromSequenceNo:V actionCode:C "
        "actionUser:V actionName:W actionNote:X actionOverdue:I syncActionCode:C pending:B rollbackable:B stepCode:V "
        "stepName:W sequenceNo:V dueDate:T nextActionId:L payload:X stepInstruction:N state_:I eventStatus:I",
    ),
    "opencps_paymentfile": (
        "paymentFileId",
        "dossierId:L referenceUid:U govAgencyCode:S govAgencyName:N paymentFee:N advanceAmount:L feeAmount:L "
        "serviceAmount:L shipAmount:L paymentAmount:L paymentNote:N epaymentProfile:X bankInfo:X paymentStatus:I "
        "paymentMethod:V confirmDatetime:T confirmPayload:X confirmFileEntryId:L confirmNote:U approveDatetime:T "
        "accountUserName:N govAgencyTaxNo:N invoiceTemplateNo:N invoiceIssueNo:N invoiceNo:N invoicePayload:X "
        "einvoice:X invoiceFileEntryId:L",
    ),
    "opencps_dossierfile": (
        "dossierFileId",
        "dossierId:L referenceUid:U dossierTemplateNo:V dossierPartNo:V dossierPartType:I fileTemplateNo:V "
        "displayName:N formData:X fileEntryId:L original:B eForm:B isNew:B removed:B signCheck:I signInfo:X "
        "formScript:X formReport:X formSchema:X deliverableCode:V",
    ),
    "opencps_serviceinfo": (
        "serviceInfoId",
        "serviceCode:S serviceName:X processText:X methodText:X dossierText:X conditionText:X durationText:X "
        "applicantText:X resultText:X regularText:X feeText:X administrationCode:S administrationName:N "
        "administrationIndex:S domainCode:S domainName:X domainIndex:S maxLevel:I public_:B govAgencyText:X "
        "isNotarization:B serviceNameTitle:N",
    ),
    "opencps_serviceconfig": (
        "serviceConfigId",
        "serviceInfoId:L govAgencyCode:S govAgencyName:X serviceInstruction:X serviceLevel:I serviceUrl:N forCitizen:B "
        "forBusiness:B postService:B registration:B",
    ),
    "opencps_serviceinfomapping": (
        "serviceInfoMappingId", "serviceCode:S serviceCodeDVCQG:S serviceNameDVCQG:X synced:I",
    ),
    "opencps_dictitemmapping": ("mappingId", "itemCode:V itemCodeDVCQG:V collectionId:L"),
    "opencps_dossierstatusmapping": (
        "dossierStatusMappingId", "statusCode:V subStatusCode:S statusCodeDVCQG:S",
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


def columns(table: str, dialect: str = POSTGRESQL) -> dict[str, str]:
    """Column → type, in order: the key, the audit columns, then the table's own."""
    key, own = _TABLES[table]
    pairs = [f"{key}:L", *AUDIT.split(), *_expanded(own).split()]
    kind = (POSTGRESQL, MYSQL).index(dialect)
    return {name: _TYPES[letter][kind] for name, letter in (pair.split(":") for pair in pairs)}


def ddl() -> list[str]:
    """Statements that create the empty tables (indexes and keys apart: see INDEXES and `key_ddl`)."""
    return [
        "CREATE TABLE {} ({})".format(table, ", ".join(f'"{name}" {kind}' for name, kind in columns(table).items()))
        for table in TABLES
    ]


def mysql_ddl() -> list[str]:
    """Statements that create the empty tables in MySQL or MariaDB, with keys and indexes, as Liferay does."""
    statements = []
    for table in TABLES:
        lines = [f"{name} {kind} NULL" for name, kind in columns(table, MYSQL).items() if name != primary_key(table)]
        key = f"{primary_key(table)} bigint NOT NULL PRIMARY KEY"
        name = table.replace("dictitem", "dictItem")  # as OpenCPS writes it, and case counts there
        statements.append(f"CREATE TABLE {name} ({', '.join([key, *lines])}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4")
    return [*statements, *(index.replace('"', "") for index in INDEXES)]


def key_ddl() -> list[str]:
    """Statements that add the primary keys, after loading."""
    return [f'ALTER TABLE {table} ADD PRIMARY KEY ("{primary_key(table)}")' for table in TABLES]
