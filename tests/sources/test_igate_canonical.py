"""iGate's JSON as canonical records: instants, words, persons, what is missing and what nobody knows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lienthong.landing import LandingStore
from lienthong.model.codes import LoadMode
from lienthong.model.kinds.dossier import Entity
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.sources.igate.audit import ENOUGH_ROWS, Audit
from lienthong.sources.igate.mapping import DOSSIER, PAPER, SET_ASIDE, TASK
from lienthong.sources.igate.papers import papers_of
from lienthong.sources.profiles import profile_of
from simulator.igate import IgateSwitches
from tests.sources.igate import Gateway, batch_of, canonical, contract_of, landed, versions

ID = "64c000150000000000002711"


def item(**changes: Any) -> dict[str, Any]:
    """A plain dossier of the list."""
    return {
        "id": ID,
        "code": "H21.05-261005-0012",
        "updatedDate": "2026-10-05T09:12:31.000+0000",
        "dossierStatus": {"id": 2, "name": "Đang xử lý"},
        "procedure": {
            "code": "1.001193.000.00.00.H21",
            "translate": [{"languageId": 228, "name": "Đăng ký khai sinh"}],
        },
        "agency": {"name": "Sở Tư pháp", "code": "000.00.05.H21"},
        "acceptedDate": "2026-10-05T01:00:00.000+0000",
        "applicant": {"data": {"ownerFullname": "Trần Thị Hoa", "phoneNumber": "+84900123456", "chonDoiTuong": 1}},
        "applyMethod": {"id": 0},
        **changes,
    }


def task(status: str, created: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"{abs(hash(created)):024x}"[:24],
        "createdDate": created,
        "bpmProcessDefinitionTask": {"name": {"id": status, "name": "Bước"}},
        **changes,
    }


def dossier(tmp_path: Path, **changes: Any) -> dict[str, Any]:
    [row] = canonical(batch_of(tmp_path, item(**changes)))[Entity.DOSSIER]
    return row


def test_a_plain_dossier_is_understood(tmp_path: Path) -> None:
    row = dossier(tmp_path)
    assert (row["source_key"], row["dossier_code"], row["type_errors"]) == (ID, "H21.05-261005-0012", None)
    assert (row["procedure_code"], row["procedure_name"]) == ("1.001193", "Đăng ký khai sinh")
    assert (row["agency_code"], row["agency_code_raw"]) == ("H21.05", "000.00.05.H21")
    assert (row["status"], row["status_raw"], row["channel"], row["subject_type"]) == (4, "2", 2, 1)
    assert (row["applicant_name"], row["applicant_phone"]) == ("Trần Thị Hoa", "0900123456")
    assert row["online_payment"] == 0
    assert (row["submitted_at"], row["finished_at"], row["returned_at"]) == (None, None, None)


@pytest.mark.parametrize(
    ("wire", "local"),
    [
        ("2026-10-04T17:00:00.000+0000", "2026-10-05 00:00:00"),
        ("2026-10-04T16:59:59.000+0000", "2026-10-04 23:59:59"),
        ("2026-12-31T17:00:00.000+0000", "2027-01-01 00:00:00"),
        ("2026-10-05T00:00:00.000+0700", "2026-10-05 00:00:00"),
        ("2026-10-04T17:00:00.000Z", "2026-10-05 00:00:00"),
        ("2026-10-04T17:00:00.123+00:00", "2026-10-05 00:00:00.123000"),
        ("2026-10-05 08:00:00", "2026-10-05 08:00:00"),
        ("2026-10-05", "2026-10-05 00:00:00"),
    ],
)
def test_dates_are_instants_and_midnight_in_vietnam_is_seventeen_hours_of_the_day_before(
    tmp_path: Path, wire: str, local: str
) -> None:
    row = dossier(tmp_path, acceptedDate=wire)
    assert row["type_errors"] is None
    assert row["received_at"].astimezone(BUSINESS_ZONE).strftime("%Y-%m-%d %H:%M:%S.%f").startswith(local)


@pytest.mark.parametrize("wire", ["hôm qua", "2026-13-40T00:00:00.000+0000", {"year": 2026}, [2026, 10, 5]])
def test_a_date_that_is_none_is_a_type_error_of_its_row(tmp_path: Path, wire: Any) -> None:
    row = dossier(tmp_path, acceptedDate=wire)
    assert row["received_at"] is None
    assert row["type_errors"] == ["received_at"]


def test_an_object_where_a_text_should_be_is_a_type_error_and_not_a_text(tmp_path: Path) -> None:
    row = dossier(tmp_path, code={"value": "H21.05-261005-0012"}, agency={"name": ["a"], "code": "H21.05"})
    assert (row["dossier_code"], row["agency_name"]) == (None, None)
    assert row["type_errors"] == ["dossier_code", "agency_name"]


@pytest.mark.parametrize(
    "translate",
    [
        {"languageId": 228, "name": "Tên"},
        [{"languageId": 46, "name": "Name"}, {"languageId": 228, "name": "Tên"}],
    ],
)
def test_a_translation_is_a_list_or_one_object_and_vietnamese_is_taken(tmp_path: Path, translate: Any) -> None:
    row = dossier(tmp_path, procedure={"code": "1.001193", "translate": translate})
    assert row["procedure_name"] == "Tên"


def test_the_dates_of_return_and_refusal_are_those_of_the_last_steps_that_say_so(tmp_path: Path) -> None:
    returned, refused, working = "60ebf17309cbf91d41f87f8e", "60e409823dfc9609723e000a", "60e409823dfc9609723e0003"
    tasks = [
        task(refused, "2026-10-01T02:00:00.000+0000"),
        task(returned, "2026-10-02T02:00:00.000+0000"),
        task(working, "2026-10-03T02:00:00.000+0000"),
        task(returned, "2026-10-04T17:00:00.000+0000"),
    ]
    rows = canonical(batch_of(tmp_path, item(task=tasks)))
    [row] = rows[Entity.DOSSIER]
    assert row["returned_at"] == datetime(2026, 10, 4, 17, tzinfo=UTC)
    assert row["refused_at"] == datetime(2026, 10, 1, 2, tzinfo=UTC)
    assert [(step["step_no"], step["status"]) for step in rows[Entity.STEP]] == [(1, 3), (2, 10), (3, 4), (4, 10)]
    assert {step["source_key"] for step in rows[Entity.STEP]} == {ID}


def test_a_step_without_a_comment_says_its_name_and_one_without_an_id_is_told_by_its_place(tmp_path: Path) -> None:
    tasks = [task("60e409823dfc9609723e0003", "2026-10-01T02:00:00.000+0000", id="", comment="")]
    [step] = canonical(batch_of(tmp_path, item(task=tasks)))[Entity.STEP]
    assert (step["content"], step["child_key"]) == ("Bước", "task-1")


@pytest.mark.parametrize(
    ("status", "accepted", "code"),
    [
        (0, None, None),
        (9, None, None),
        (8, None, None),
        (9, "2026-10-05T01:00:00.000+0000", "H21.05-261005-0012"),
        (2, None, "H21.05-261005-0012"),
    ],
)
def test_a_number_given_at_registration_becomes_the_dossier_code_with_the_reception(
    tmp_path: Path, status: int, accepted: str | None, code: str | None
) -> None:
    assert dossier(tmp_path, dossierStatus={"id": status}, acceptedDate=accepted)["dossier_code"] == code


def test_words_without_a_code_stay_empty_and_are_findings(tmp_path: Path) -> None:
    odd = item(
        dossierStatus={"id": 27},
        applyMethod={"id": 9},
        dossierReceivingKind={"id": "x1"},
        paymentMethod={"code": "MOMO"},
        procedure={"code": "GLA-XX-12"},
        task=[task("strange", "2026-10-01T02:00:00.000+0000")],
    )
    batch = batch_of(tmp_path, odd, item(id=ID[:-1] + "2", dossierStatus={"id": 18}))
    [row, deleted] = canonical(batch)[Entity.DOSSIER]
    names = ("status", "channel", "return_method", "online_payment", "procedure_code")
    assert [row[name] for name in names] == [None] * 5
    assert (deleted["status"], deleted["status_raw"]) == (None, "18")
    contract = contract_of()
    found = {(code.kind, code.word) for code in profile_of(contract).unmapped_codes(contract, batch)}
    assert found == {
        ("status", "27"),
        ("channel", "9"),
        ("return_method", "x1"),
        ("payment_method", "MOMO"),
        ("procedure", "GLA-XX-12"),
        ("step", "strange"),
    }


def test_papers_are_the_files_of_forms_and_the_results_and_a_result_without_a_file_keeps_a_key() -> None:
    forms = [{"id": "f", "procedureForm": {"code": "TP01"}, "file": [{"id": "a"}, {"id": "b"}]}]
    papers = papers_of({"dossierFormFile": forms, "attachment": [{"id": "", "filename": "kq.pdf"}]})
    assert [key for key, _ in papers] == ["a", "b", "attachment-0"]
    assert [paper["role"] for _, paper in papers] == ["form", "form", "attachment"]
    assert papers[1][1]["form"] == {"id": "f", "procedureForm": {"code": "TP01"}}


def test_unknown_keys_are_found_wherever_they_are_and_forms_contents_are_not() -> None:
    audit = Audit(contract_of())
    audit.look(
        DOSSIER, item(maSoMoi=1, applicant={"data": {"ownerFullname": "", "soThe": 1}}, eForm={"data": {"x": 1}})
    )
    audit.look(PAPER, {"role": "form", "form": None, "file": {"id": "a", "kySo": True}})
    assert audit.findings() == {DOSSIER: ("applicant.data.soThe", "maSoMoi"), PAPER: ("file.kySo",)}


def test_unknown_keys_that_the_contract_ignores_are_none() -> None:
    audit = Audit(contract_of(ignore={DOSSIER: ("maSoMoi",)}))
    audit.look(DOSSIER, item(maSoMoi={"a": 1}))
    assert audit.findings() == {}


def test_a_mapped_key_that_never_comes_is_a_finding_once_enough_was_seen() -> None:
    contract = contract_of(fields={Entity.DOSSIER: {"due_at": "henTra"}})
    audit = Audit(contract)
    for _ in range(ENOUGH_ROWS):
        audit.look(DOSSIER, item(henTra2=None))
    found = audit.findings()[DOSSIER]
    assert "henTra (expected, never seen)" in found
    assert "henTra2" in found
    assert "acceptedDate (expected, never seen)" not in found
    assert Audit(contract, audit.state).findings() == audit.findings()


def test_the_real_servers_items_have_no_unknown_keys_unless_a_mapping_points_elsewhere(gateway: Gateway) -> None:
    assert gateway.load().manifest.facts.unmapped_columns == {}
    other = {Entity.DOSSIER: {"abstract": "applicant.data.trichYeu"}}
    assert gateway.load(mode=LoadMode.FULL, fields=other).manifest.facts.unmapped_columns == {
        DOSSIER: ("applicant.data.noidungyeucaugiaiquyet", "applicant.data.trichYeu (expected, never seen)")
    }


@pytest.mark.parametrize("listed", [False, True])
def test_papers_come_from_each_dossier_or_from_the_list_and_are_the_same(gateway: Gateway, listed: bool) -> None:
    gateway.contract = contract_of(entities=tuple(Entity), http={"details": not listed})
    gateway.server.switches = IgateSwitches(form_files_in_search=listed, translate_as_object=listed)
    batch = gateway.load()
    assert gateway.server.igate.counts["detail"] == (0 if listed else len(versions(batch)))
    rows = canonical(batch, gateway.contract)
    papers = rows[Entity.DOCUMENT]
    assert {row["role"] for row in papers} == {"component", "result"}
    assert all(row["type_errors"] is None for row in papers)
    assert any(row["removed"] for row in papers)
    assert any(row["digitised"] for row in papers)
    assert all(row["has_file"] for row in papers if row["url"])
    fees = rows[Entity.FEE]
    assert any(fee["paid"] and fee["payment_channel"] == 1 and fee["paid_at"] for fee in fees)
    assert any(not fee["paid"] and fee["paid_at"] is None for fee in fees)
    assert all(row["procedure_name"] for row in rows[Entity.DOSSIER])
    assert batch.manifest.facts.unmapped_columns == {}


def test_a_sample_is_the_newest_dossiers_whole(gateway: Gateway) -> None:
    contract = contract_of(entities=tuple(Entity))
    store = LandingStore(str(gateway.landing))
    url = profile_of(contract).sample(contract, gateway.connection, store.writer("H21", "igate_h21", 7, 1), 30)
    batch = store.open(url)
    assert list(versions(batch)) == list(gateway.there())[:30]
    assert {row["dossierId"] for row in landed(batch, PAPER)} <= set(versions(batch))
    assert batch.manifest.facts.watermarks == {}
    canonical(batch, contract)


def test_a_proposal_gives_facts_a_code_and_shows_the_other_words(gateway: Gateway) -> None:
    contract = contract_of()
    bare = contract.dossier.codes.model_copy(update={"status": {}, "step": {}, "channel": {}})
    proposal = profile_of(contract).propose(contract.with_section(codes=bare), gateway.connection)
    status = {word.word: word for word in proposal.codes["status"]}
    assert status["0"].code == 1
    assert status["5"].code is None
    assert status["5"].rows > 10
    assert {word.word for word in proposal.codes["channel"]} == {"0", "1", "2"}
    assert proposal.unmapped == {}


def test_a_dossier_that_is_gone_before_its_papers_were_asked_for_is_set_aside_and_not_loaded_without_them(
    gateway: Gateway,
) -> None:
    contract = contract_of(entities=(Entity.DOSSIER, Entity.STEP, Entity.DOCUMENT))
    store = gateway.server.store
    lost, original = store.newest_first()[-1], store.plan

    def plan(number: int) -> object:
        if number == lost:
            raise KeyError(number)
        return original(number)

    def listed(table: str, rows: int) -> None:
        if table == DOSSIER and rows >= len(store):
            store.plan = plan  # type: ignore[assignment, method-assign]

    gateway.contract = contract
    batch = gateway.load(progress=listed)
    [row] = landed(batch, SET_ASIDE)
    assert (int(row["id"][-8:], 16), row["why"]) == (lost, "gone")
    assert set(versions(batch)) == set(gateway.there()) - {row["id"]}
    assert row["id"] not in {task["dossierId"] for task in landed(batch, TASK)}
