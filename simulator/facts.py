"""Everything about one dossier, derived again from its plan whenever it is needed: people, files, fees, texts."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from random import Random

from simulator.catalogue import Agency, Catalogue, Procedure, Province
from simulator.people import Applicant, applicant, ascii_of, person_name
from simulator.plans import Plan, Trait
from simulator.steps import SPECS, Step
from simulator.workdays import DAY, HOUR


@dataclass(frozen=True, slots=True)
class Happening:
    """One progress step. `due` is the instant by which it should end, 0 = none."""

    step: Step
    at: int
    actor: str
    note: str
    due: int


@dataclass(frozen=True, slots=True)
class File:
    """One attachment. `file_id` 0 means that no file is there; `ordinal` numbers the rows of a dossier."""

    ordinal: int
    result: bool
    code: str
    name: str
    file_id: int
    uploaded: int
    rewritten: int
    removed: bool
    digitised: bool
    reuse: int
    from_store: bool
    host: str

    @property
    def url(self) -> str:
        """Without the volatile query."""
        return f"https://{self.host}/documents/{self.file_id}" if self.file_id else ""


@dataclass(frozen=True, slots=True)
class Fee:
    """One charged fee. `channel`: 0 unpaid, 1 portal, 2 own gateway, 3 cash or bank transfer."""

    name: str
    amount: int
    channel: int
    paid: int


@dataclass(frozen=True, slots=True)
class Facts:
    """A dossier in full. `abstract` is the text that travels as TrichYeuHoSo."""

    plan: Plan
    province: Province
    procedure: Procedure
    agency: Agency
    who: Applicant
    abstract: str
    steps: tuple[Happening, ...]
    files: tuple[File, ...]
    fees: tuple[Fee, ...]

    @property
    def due(self) -> int:
        """The appointment that counts: the newer one, if it was moved."""
        return self.plan.extended or self.plan.due

    @property
    def online_payment(self) -> int:
        """1 when any fee was paid on the portal, else 2 when any on the province's own gateway, else 0."""
        return min((fee.channel for fee in self.fees if fee.channel in (1, 2)), default=0)


def derive(plan: Plan, province: Province, catalogue: Catalogue) -> Facts:
    """The facts of a plan. Pure: the same plan always gives the same facts; a moved plan keeps its people and files."""
    procedure = catalogue.procedures[plan.procedure]
    agency = catalogue.agencies[plan.agency]
    who = applicant(Random(plan.key * 4), business=plan.business, place=agency.place or province.full_name)
    # The catalogue really holds names in decomposed Unicode; a province's system composes what its clerks see.
    abstract = unicodedata.normalize("NFC", f"{procedure.name} - {who.name}")
    return Facts(
        plan, province, procedure, agency, who, abstract, _steps(plan, agency), _files(plan, province, procedure, who),
        _fees(plan, procedure),
    )  # fmt: skip


def _officer(agency: Agency, role: str, number: int) -> str:
    return person_name(Random((agency.index * 10 + len(role)) * 5 + number % 4))


def _steps(plan: Plan, agency: Agency) -> tuple[Happening, ...]:
    found = []
    for index in range(0, len(plan.events), 2):
        step, at = Step(plan.events[index]), plan.events[index + 1]
        spec = SPECS[step]
        actor = "Công dân" if spec.role == "citizen" else _officer(agency, spec.role, plan.key + index)
        due = (plan.due or 0) if step in (Step.RECEIVED, Step.PROCESSING) else 0
        if step is Step.SUPPLEMENT_ASKED:
            due = at // DAY * DAY + 10 * DAY + 17 * HOUR
        found.append(Happening(step, at, actor, spec.notes[(plan.key >> index) % len(spec.notes)], due))
    return tuple(found)


def _files(plan: Plan, province: Province, procedure: Procedure, who: Applicant) -> tuple[File, ...]:
    base = (plan.original or plan.dossier_id) * 32
    handed_in = plan.received or plan.submitted
    digital = plan.channel == 2 or plan.has(Trait.DIGITISED)
    owner = ascii_of(who.name)
    host = province.host

    def file(ordinal: int, code: str, name: str, at: int, *, removed: bool = False, first: bool = False) -> File:
        reuse = 1 if plan.has(Trait.REUSE_COMPONENT) else 2 if plan.has(Trait.REUSE_RESULT) else 0
        return File(
            ordinal, False, code, name, base + ordinal, at, max(at, plan.touched), removed,
            plan.has(Trait.DIGITISED) and (first or (plan.key >> ordinal) % 5 < 3), reuse if first else 0,
            first and plan.has(Trait.CITIZEN_STORE), host,
        )  # fmt: skip

    files = []
    if digital or plan.key % 5 < 2:
        for number, (code, title) in enumerate(procedure.components, start=1):
            files.append(file(number, code, f"{title} {owner}.pdf", handed_in, first=number == 1))
        if plan.has(Trait.REPLACED_FILE):
            code, title = procedure.components[-1]
            files.append(file(10, code, f"{title} (bản cũ) {owner}.pdf", handed_in, removed=True))
    supplemented = plan.moment_of(Step.SUPPLEMENT_DONE)
    if supplemented:
        files.append(file(11, procedure.components[-1][0], f"Giấy tờ bổ sung {owner}.pdf", supplemented))
    for number, at in enumerate(plan.added, start=12):
        files.append(file(number, procedure.components[-1][0], f"Tài liệu nộp thêm {number - 11} {owner}.pdf", at))
    finished = plan.moment_of(Step.FINISHED)
    if finished and procedure.result and plan.has(Trait.ELECTRONIC_RESULT):
        rewritten = max(finished, plan.touched)
        name = f"{procedure.result} {owner}.pdf"
        files.append(
            File(31, True, procedure.result_code, name, base + 31, finished, rewritten, False, False, 0, False, host)
        )
    return tuple(files)


def _fees(plan: Plan, procedure: Procedure) -> tuple[Fee, ...]:
    if not procedure.fee or not plan.received:
        return ()
    name = "Lệ phí" if procedure.fee < 100_000 else "Phí thẩm định"
    amount = 0 if plan.has(Trait.EXEMPT) else procedure.fee
    return (Fee(name, amount, plan.pay, plan.paid),)
