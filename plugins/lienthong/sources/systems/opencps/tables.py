"""What we know of OpenCPS v2's tables (portal-exchange §6.1): columns we read, and columns we deliberately don't."""

from __future__ import annotations

from lienthong.model.kinds.dossier import Entity
from lienthong.sources.kit.sql.tables import SqlMap, TableMap

OWNER = "dossierId"
#: Whose row it is: one database may serve several sites, and their mapping tables hold for themselves only.
GROUP = "groupId"
MODIFIED = "modifiedDate"
_AUDIT = "uuid_ groupId companyId userId userName createDate modifiedDate"


def _table(name: str, key: str | None, required: str, optional: str = "", known: str = "") -> TableMap:
    """Columns as words; every table of entities has the dossier's key and a modification."""
    read = (*required.split(), *optional.split())
    others = frozenset(f"{_AUDIT} {known}".split()) - set(read)
    owner, modified = (OWNER, MODIFIED) if key else ("", "")
    return TableMap(name, key, tuple(required.split()), tuple(optional.split()), others, owner, modified)


def _places(prefix: str) -> str:
    kinds = ("City", "District", "Ward") if prefix else ("city", "district", "ward")
    return " ".join(f"{prefix}{kind}{part}" for kind in kinds for part in ("Code", "Name"))


DOSSIER = _table(
    "opencps_dossier",
    OWNER,
    f"{OWNER} {MODIFIED} dossierNo serviceCode govAgencyCode dossierStatus",
    "referenceUid serviceName govAgencyName dossierSubStatus applicantName applicantIdType applicantIdNo address "
    "contactTelNo contactEmail dossierName briefNote submitDate receiveDate dueDate extendDate releaseDate finishDate "
    f"cancellingDate viaPostal fromViaPostal online_ originality {GROUP}",
    f"counter registerBookCode registerBookName dossierRegister processNo applicantIdDate {_places('')} contactName "
    f"delegateType delegateName delegateIdNo delegateTelNo delegateEmail delegateAddress {_places('delegate')} "
    "documentNo documentDate dossierTemplateNo dossierTemplateName dossierNote submissionNote applicantNote submitting "
    "processDate correcttingDate dossierStatusText dossierSubStatusText folderId dossierActionId postalServiceCode "
    f"postalServiceName postalAddress {_places('postal')} postalTelNo password_ notification original serverNo "
    "endorsementDate lockState originDossierId sampleCount durationUnit durationCount originDossierNo "
    "groupDossierId metaData systemId dossierCounter vnpostalStatus vnpostalProfile multipleCheck "
    # Of release 3.0 only.
    "postalCodeSend postalCodeReceived lastReceiveDate lastSendDate serviceLevel",
)
ACTION = _table(
    "opencps_dossieraction",
    "dossierActionId",
    f"dossierActionId {OWNER} {MODIFIED} createDate stepCode",
    "stepName actionUser actionNote dueDate",
    "serviceProcessId previousActionId fromStepCode fromStepName fromSequenceNo actionCode actionName actionOverdue "
    "syncActionCode pending rollbackable sequenceNo nextActionId payload stepInstruction state_ eventStatus",
)
FILE = _table(
    "opencps_dossierfile",
    "dossierFileId",
    f"dossierFileId {OWNER} {MODIFIED} dossierPartType fileEntryId removed",
    "dossierPartNo deliverableCode displayName",
    "referenceUid dossierTemplateNo fileTemplateNo formData original eForm isNew signCheck signInfo formScript "
    "formReport formSchema",
)
PAYMENT = _table(
    "opencps_paymentfile",
    "paymentFileId",
    f"paymentFileId {OWNER} {MODIFIED} paymentAmount paymentStatus paymentMethod",
    "paymentFee confirmDatetime",
    "referenceUid govAgencyCode govAgencyName advanceAmount feeAmount serviceAmount shipAmount paymentNote "
    "epaymentProfile bankInfo confirmPayload confirmFileEntryId confirmNote approveDatetime accountUserName "
    "govAgencyTaxNo invoiceTemplateNo invoiceIssueNo invoiceNo invoicePayload einvoice invoiceFileEntryId",
)

ENTITY_TABLES: dict[str, TableMap] = {
    Entity.DOSSIER: DOSSIER,
    Entity.STEP: ACTION,
    Entity.DOCUMENT: FILE,
    Entity.FEE: PAYMENT,
}

SERVICE_INFO = _table(
    "opencps_serviceinfo",
    None,
    "serviceInfoId serviceCode maxLevel",
    f"serviceName public_ {GROUP}",
    "processText methodText dossierText conditionText durationText applicantText resultText regularText feeText "
    "administrationCode administrationName administrationIndex domainCode domainName domainIndex govAgencyText "
    "isNotarization serviceNameTitle tagCode tagName",
)
SERVICE_CONFIG = _table(
    "opencps_serviceconfig",
    None,
    "serviceInfoId govAgencyCode serviceLevel",
    "",
    "serviceConfigId govAgencyName serviceInstruction serviceUrl forCitizen forBusiness postService registration",
)
SERVICE_MAPPING = _table(
    "opencps_serviceinfomapping",
    None,
    "serviceCode serviceCodeDVCQG",
    f"{GROUP} serviceInfoMappingId",
    "serviceNameDVCQG synced",
)
ITEM_MAPPING = _table("opencps_dictitemmapping", None, "itemCode itemCodeDVCQG collectionId", "", "mappingId")
STATUS_MAPPING = _table(
    "opencps_dossierstatusmapping",
    None,
    "statusCode subStatusCode statusCodeDVCQG",
    f"{GROUP} dossierStatusMappingId",
)

#: Every paymentStatus that OpenCPS sets: unchanged, advance, settlement, said to be paid, to be paid again, confirmed.
#: Which of them mean "paid" says the contract.
PAYMENT_STATES = frozenset({"0", "1", "2", "3", "4", "5"})

REFERENCE_TABLES: tuple[TableMap, ...] = (SERVICE_INFO, SERVICE_CONFIG, SERVICE_MAPPING, ITEM_MAPPING, STATUS_MAPPING)

MAP = SqlMap(
    vendor="OpenCPS v2",
    entities=ENTITY_TABLES,
    references=REFERENCE_TABLES,
    deciding=frozenset({STATUS_MAPPING.name, SERVICE_MAPPING.name}),
    received="receiveDate",
    moves=Entity.STEP,
)
