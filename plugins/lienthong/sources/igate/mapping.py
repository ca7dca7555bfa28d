"""Where our fields stand in an iGate's JSON, and which of its keys are known though nobody reads them.

Names are portal-exchange §6.4's and those of its sample 09; a contract's `fields` replaces any of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from lienthong.model.kinds.dossier import Entity
from lienthong.sources.contract import SourceContract

DOSSIER, TASK, PAPER, FEE, SET_ASIDE = "dossier", "task", "paper", "fee", "set_aside"
#: Which lists were read, where loads rest on the batch before.
LISTING = "listing"

#: The landed table that each entity's rows come from.
ENTITY_TABLES: Mapping[Entity, str] = {
    Entity.DOSSIER: DOSSIER,
    Entity.STEP: TASK,
    Entity.DOCUMENT: PAPER,
    Entity.FEE: FEE,
}

#: The column of each that names the dossier.
OWNERS: Mapping[str, str] = {DOSSIER: "id", TASK: "dossierId", PAPER: "dossierId", FEE: "dossierId"}

#: Paths start at the item of the list (dossier), at one of its `task` (step), at {role, form, file} (document), or at
#: {fee, dossier} (fee; `dossier` has the payment of the whole dossier).
EXPECTED: Mapping[Entity, Mapping[str, str]] = {
    Entity.DOSSIER: {
        "dossier_code": "code",
        "reference_code": "nationCode",
        "procedure_code_raw": "procedure.code",
        "procedure_name": "procedure.translate.name",
        "agency_code_raw": "agency.code",
        "agency_name": "agency.name",
        "status_raw": "dossierStatus.id",
        "channel": "applyMethod.id",
        "subject_type": "applicant.data.chonDoiTuong",
        "return_method": "dossierReceivingKind.id",
        "online_payment": "paymentMethod.code",
        "submitted_at": "appliedDate",
        "received_at": "acceptedDate",
        "due_at": "appointmentDate",
        "finished_at": "completedDate",
        "applicant_name": "applicant.data.ownerFullname",
        "applicant_id_number": "applicant.data.identityNumber",
        "applicant_phone": "applicant.data.phoneNumber",
        "applicant_email": "applicant.data.email",
        "applicant_address": "applicant.data.address",
        "abstract": "applicant.data.noidungyeucaugiaiquyet",
        "source_modified_at": "updatedDate",
    },
    Entity.STEP: {
        "status_raw": "bpmProcessDefinitionTask.name.id",
        "occurred_at": "createdDate",
        "due_at": "dueDate",
        "actor_name": "assignee.fullname",
        "content": "comment",
    },
    Entity.DOCUMENT: {
        "component_code": "form.procedureForm.code",
        "result_code": "file.code",
        "name": "file.filename",
        "url": "file.downloadURL",
    },
    Entity.FEE: {
        "name": "fee.procost.type.name.name",
        "amount": "fee.amount",
        "payment_channel": "dossier.paymentMethod.code",
        "paid_at": "dossier.paymentRequestData.paidDate",
    },
}

#: Entity → our field → where other iGates have it. No document says so: proposed for a new contract, never assumed.
LIKELY: Mapping[Entity, Mapping[str, str]] = {
    Entity.DOSSIER: {
        "vneid_verified": "eForm.data.TaiKhoanDuocXacThucVoiVNeID",
        "has_digitised_component": "eForm.data.HoSoCoThanhPhanSoHoa",
        "database_codes": "eForm.data.DSKetNoiCSDL",
    },
    Entity.DOCUMENT: {
        "removed": "file.isDeleted",
        "digitised": "file.DuocSoHoa",
        "reuse": "file.DuocTaiSuDung",
        "from_citizen_store": "file.DuocLayTuKhoDMQG",
    },
}

#: Words of `dossierStatus.id` that mean "deleted" at other iGates; as unverified as LIKELY.
LIKELY_REMOVED = ("18",)

#: Without these no item of the list can be understood.
STRUCTURAL = ("procedure", "agency", "dossierStatus")

#: Keys of an item that are known and not read, with everything below them: the list's own, and the forms' contents.
_KNOWN_DOSSIER = (
    "id", "currentTask", "dossierTaskStatus", "eForm", "procedureProcessDefinition", "dueDate", "processingTime",
    "processingTimeUnit", "isDVCLT", "undefindedCompleteTime", "dossierStatus.name", "applyMethod.name",
    "dossierReceivingKind.name", "paymentMethod.id", "paymentMethod.name", "paymentRequestData", "procedure.id",
    "procedure.sector", "procedure.translate", "agency.id", "agency.parent", "agency.ancestors", "agency.tag",
    "agencyLevel", "procedureLevel", "codePattern", "paymentData", "applicant.userId", "applicant.eformId",
    "updatedDate",
    *(
        f"applicant.data.{key}"
        for key in (
            "fullname", "birthday", "gender", "identityDate", "identityAgency", "note", "chonDoiTuong1", "nation",
            "province", "district", "village", "district2", "village2", "diaChiThuaDat", "organization",
        )
    ),
)  # fmt: skip
_KNOWN_TASK = (
    "id", "assignee.id", "candidateGroup", "processDefinition", "agency", "isCurrent", "updatedDate", "activitiTask",
    "bpmProcessDefinitionTask",
)  # fmt: skip
_KNOWN_PAPER = (
    "role", "form.id", "form.procedureFormId", "form.formName", "form.procedureForm", "form.requirement", "file.id",
    "file.size", "file.uuid", "file.additionalFlag", "file.updateCount", "file.group",
)  # fmt: skip
_KNOWN_FEE = (
    "dossier", "fee.id", "fee.procost", "fee.amount", "fee.quantity", "fee.paid", "fee.required", "fee.dossier",
)  # fmt: skip

#: Table → paths that are known besides those that are read.
KNOWN: Mapping[str, tuple[str, ...]] = {
    DOSSIER: _KNOWN_DOSSIER,
    TASK: _KNOWN_TASK,
    PAPER: _KNOWN_PAPER,
    FEE: _KNOWN_FEE,
}

#: Keys under which a dossier holds its steps and its papers: read as tables of their own.
TASKS, FORMS, ATTACHMENTS = "task", "dossierFormFile", "attachment"
PAPER_LISTS = (FORMS, ATTACHMENTS)


def paths_of(contract: SourceContract, entity: Entity) -> dict[str, str]:
    """Canonical field → path, the contract's word before the expected one."""
    return {**EXPECTED[entity], **contract.dossier.fields.get(entity, {})}


#: Where the owner's name is when `ownerFullname` is missing or empty: the person who came is the owner then.
OTHER_NAME = "applicant.data.fullname"
