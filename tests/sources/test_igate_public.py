"""What public clients of iGate show beside the dates: owners, files, words; what a check and a proposal say of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lienthong.landing import LandedBatch
from lienthong.model.kinds.dossier import Entity
from lienthong.onboarding.lines import Level, Line
from lienthong.onboarding.source import source_lines
from lienthong.sources.contract import SourceContract
from lienthong.sources.igate.mapping import DOSSIER
from lienthong.sources.profile import Proposal
from lienthong.sources.profiles import profile_of
from simulator.defects import Defect
from simulator.igate import IgateServer, IgateSwitches
from simulator.world import World
from tests.sources.igate import MONTH, SIZE, Gateway, batch_of, canonical, contract_of
from tests.sources.test_igate_canonical import item

EVERYTHING = tuple(Entity)
FILE = {"id": "64e10000000000000000a1b2", "filename": "don.pdf", "size": 20_411, "uuid": "u", "downloadURL": ""}


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """An iGate as public clients show it. Nobody changes it."""
    world = World.generate(11, SIZE, MONTH, provinces=("H21",))
    with IgateServer(world, "H21", public_client=True) as server:
        contract = contract_of(60, entities=EVERYTHING, http={"changes": "newest_task"})
        yield Gateway(server, tmp_path_factory.mktemp("public"), contract)


@pytest.fixture(scope="module")
def batch(public: Gateway) -> LandedBatch:
    return public.load()


def lines_of(gateway: Gateway, contract: SourceContract) -> list[Line]:
    """What a check says of the source."""
    now = datetime.now(UTC)
    sight = profile_of(contract).look(contract, gateway.connection, lambda: now)
    lines = source_lines(contract, sight, now)
    return [line for line in lines if line.topic not in ("clock", "zone", "quiet")]  # the world has a month of its own


def topic(lines: list[Line], name: str) -> Line:
    [line] = [line for line in lines if line.topic == name]
    return line


def test_every_owner_has_a_name_though_only_who_came_is_named(public: Gateway, batch: LandedBatch) -> None:
    rows = canonical(batch, public.contract)[Entity.DOSSIER]
    named = {row["source_key"]: row["applicant_name"] for row in rows}
    store = public.server.store
    for number in store.newest_first():
        facts = store.world.facts(store.plan(number))
        if facts.plan.defect is None:
            [name] = [name for key, name in named.items() if int(key[-8:], 16) == number]
            assert name == facts.who.name


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ({"ownerFullname": "Trần Thị Hoa", "fullname": "Lê Văn Nam"}, "Trần Thị Hoa"),
        ({"ownerFullname": "", "fullname": "Lê Văn Nam"}, "Lê Văn Nam"),
        ({"ownerFullname": None, "fullname": "Lê Văn Nam"}, "Lê Văn Nam"),
        ({"fullname": "Lê Văn Nam"}, "Lê Văn Nam"),
        ({"fullname": ""}, ""),
        ({}, None),
    ],
)
def test_who_came_speaks_only_where_the_owner_is_not_named(tmp_path: Path, owner: Any, name: str | None) -> None:
    [row] = canonical(batch_of(tmp_path, item(applicant={"data": owner})))[Entity.DOSSIER]
    assert row["applicant_name"] == name
    assert row["type_errors"] is None


def test_a_contract_that_names_the_place_of_the_owner_is_not_second_guessed(tmp_path: Path) -> None:
    contract = contract_of(fields={Entity.DOSSIER: {"applicant_name": "applicant.data.organization"}})
    made = batch_of(tmp_path, item(applicant={"data": {"fullname": "Lê Văn Nam"}}))
    [row] = canonical(made, contract)[Entity.DOSSIER]
    assert row["applicant_name"] is None


def test_a_name_that_is_not_taken_says_nothing_of_how_the_dossier_was_written(tmp_path: Path) -> None:
    owner = {"ownerFullname": "Trần Thị Hoa", "fullname": "Le\u0302 Va\u0306n Nam"}
    [row] = canonical(batch_of(tmp_path, item(applicant={"data": owner})))[Entity.DOSSIER]
    assert row["was_not_nfc"] is False


def test_every_file_is_a_file_though_none_has_an_address(public: Gateway, batch: LandedBatch) -> None:
    papers = canonical(batch, public.contract)[Entity.DOCUMENT]
    assert len(papers) > 50
    assert not any(paper["url"] for paper in papers if "file_url" not in public.contract.http.model_fields_set)
    without = [paper for paper in papers if not paper["has_file"]]
    assert all(paper["child_key"].startswith("attachment-") for paper in without), "results without a file stay so"
    assert sum(paper["has_file"] for paper in papers if paper["role"] == "result") > 10
    assert {paper["component_code"] for paper in papers if paper["role"] == "component"} == {None}


@pytest.mark.parametrize(
    ("change", "there"),
    [
        ({}, True),
        ({"size": 0}, False),
        ({"size": None}, False),
        ({"id": ""}, False),
        ({"id": "", "size": 0, "downloadURL": "https://a.example/1"}, True),
    ],
)
def test_a_file_is_there_by_its_address_or_by_id_and_size(
    public: Gateway, change: dict[str, Any], there: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    [paper] = documents(public, monkeypatch, tmp_path, {**FILE, **change})
    assert paper["has_file"] is there


def test_a_file_without_an_address_gets_the_one_that_the_contract_makes(
    public: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    address = "https://igate.example/fi/file/{id}"
    [paper] = documents(public, monkeypatch, tmp_path, FILE, file_url=address)
    assert paper["url"] == "https://igate.example/fi/file/64e10000000000000000a1b2"
    [own] = documents(public, monkeypatch, tmp_path / "own", {**FILE, "downloadURL": "https://a.b/1"}, file_url=address)
    assert own["url"] == "https://a.b/1"
    [none] = documents(public, monkeypatch, tmp_path / "none", {**FILE, "size": 0}, file_url=address)
    assert none["url"] == ""


def documents(
    public: Gateway, monkeypatch: pytest.MonkeyPatch, landing: Path, file: dict[str, Any], **http: Any
) -> list[dict[str, Any]]:
    """Canonical documents of a dossier whose only result is `file`."""
    from simulator.igate import items

    def files(facts: Any) -> dict[str, Any]:
        return {"dossierFormFile": [], "attachment": [file]}

    monkeypatch.setattr(items, "files", files)
    monkeypatch.setattr("simulator.igate.habits._file", lambda file, switches: None)
    contract = contract_of(entities=(Entity.DOSSIER, Entity.DOCUMENT), http={"changes": "newest_task", **http})
    one = Gateway(public.server, landing, contract)
    rows = canonical(one.load(), contract)[Entity.DOCUMENT]
    return rows[:1]


def test_dates_with_either_offset_are_the_same_instants(public: Gateway, batch: LandedBatch) -> None:
    rows = {row["source_key"]: row for row in canonical(batch, public.contract)[Entity.DOSSIER]}
    texts = [row["item"] for _, _, piece in batch.batches(DOSSIER) for row in piece.to_pylist()]
    assert {"+0700" in text for text in texts} == {True, False}
    store = public.server.store
    for number in store.newest_first():
        plan = store.plan(number)
        if plan.defect is None and plan.received:
            [row] = [row for key, row in rows.items() if int(key[-8:], 16) == number]
            assert int(row["received_at"].timestamp()) + 7 * 3_600 == plan.received


def test_procedures_have_a_name_whether_translated_in_a_list_or_an_object(public: Gateway, batch: LandedBatch) -> None:
    shapes = {
        type(json.loads(row["item"])["procedure"]["translate"])
        for _, _, piece in batch.batches(DOSSIER)
        for row in piece.to_pylist()
    }
    assert shapes == {list, dict}
    assert all(row["procedure_name"] for row in canonical(batch, public.contract)[Entity.DOSSIER])


def test_a_dossier_is_dated_by_its_newest_step(public: Gateway, batch: LandedBatch) -> None:
    rows = {int(row["source_key"][-8:], 16): row for row in canonical(batch, public.contract)[Entity.DOSSIER]}
    plans = [plan for plan in public.server.store.world.plans["H21"] if plan.defect is None and not plan.paid]
    assert plans
    for plan in plans:
        assert int(rows[plan.dossier_id]["source_modified_at"].timestamp()) + 7 * 3_600 == plan.last_at


def test_status_eleven_is_told_as_a_word_without_a_code_and_nothing_is_invented_for_it(
    public: Gateway, tmp_path: Path
) -> None:
    made = batch_of(tmp_path, item(dossierStatus={"id": 11, "name": ""}))
    [row] = canonical(made)[Entity.DOSSIER]
    assert (row["status_raw"], row["status"]) == ("11", None)
    codes = profile_of(contract_of()).unmapped_codes(contract_of(), made)
    assert [(code.kind, code.word) for code in codes] == [("status", "11")]
    words = {word.word: word.code for word in proposal(public).codes["status"]}
    assert words["11"] is None
    assert "11" not in contract_of().dossier.codes.status


def proposal(gateway: Gateway) -> Proposal:
    bare = contract_of()
    bare = contract_of(codes=bare.dossier.codes.model_copy(update={"status": {}, "removed": ()}))
    return profile_of(bare).propose(bare, gateway.connection)


def test_a_proposal_says_how_changes_are_to_be_found(public: Gateway, gateway: Gateway) -> None:
    assert any("changes: newest_task" in line for line in proposal(public).more_lines)
    assert not any("changes:" in line for line in proposal(gateway).more_lines)
    gateway.server.switches = IgateSwitches.of_public_clients(tasks_in_search=False)
    assert any("changes: windows" in line for line in proposal(gateway).more_lines)


def test_a_check_of_a_list_without_a_date_says_what_to_write_and_nothing_else_is_wrong(public: Gateway) -> None:
    lines = lines_of(public, contract_of(entities=EVERYTHING))
    line = topic(lines, "changes")
    assert line.level is Level.PROBLEM
    assert "http.changes: newest_task" in str(line.next_step)
    assert [one for one in lines if one.level is Level.PROBLEM] == [line]


def test_a_check_names_a_date_that_the_list_may_mean(gateway: Gateway) -> None:
    original = gateway.server.igate.searcher.page

    def renamed(*arguments: Any, **options: Any) -> dict[str, Any]:
        answer = original(*arguments, **options)
        for made in answer["content"]:
            made["audit"] = {"changedAt": made.pop("updatedDate")}
        return answer

    gateway.server.igate.searcher.page = renamed  # type: ignore[method-assign]
    line = topic(lines_of(gateway, contract_of()), "changes")
    assert "source_modified_at: audit.changedAt" in str(line.next_step)


@pytest.mark.parametrize(
    ("changes", "cost", "unseen"),
    [
        ("newest_task", "bước xử lý mới nhất", "giấy tờ thay đổi"),
        ("windows", "2 tháng gần nhất", "đã kết thúc ngoài 2 tháng"),
    ],
)
def test_a_check_says_in_one_line_each_what_a_way_of_reading_costs_and_cannot_see(
    public: Gateway, changes: str, cost: str, unseen: str
) -> None:
    lines = lines_of(public, contract_of(60, entities=EVERYTHING, http={"changes": changes}))
    assert cost in topic(lines, "changes").text
    assert "lượt đọc danh sách" in topic(lines, "changes").text
    assert unseen in topic(lines, "unseen").text
    assert not [line for line in lines if line.level is Level.PROBLEM]


def test_what_is_optional_is_one_line_and_no_problem(public: Gateway) -> None:
    fields = {
        Entity.DOSSIER: {
            "vneid_verified": "eForm.data.a", "has_digitised_component": "eForm.data.b", "database_codes": "x.c",
            "abstract": "x.d", "due_at": "x.e", "finished_at": "x.f", "applicant_email": "x.g",
        }
    }  # fmt: skip
    contract = contract_of(60, fields=fields, http={"changes": "newest_task"})
    line = topic(lines_of(public, contract), "optional")
    assert line.level is Level.OK
    assert "trường khác" in line.text
    assert line.text.count(",") == 4


def test_a_list_of_unknown_keys_is_one_line_with_a_few_names(gateway: Gateway) -> None:
    original = gateway.server.igate.searcher.page

    def chatty(*arguments: Any, **options: Any) -> dict[str, Any]:
        answer = original(*arguments, **options)
        for made in answer["content"]:
            made |= {f"truong{number:02}": number for number in range(20)}
        return answer

    gateway.server.igate.searcher.page = chatty  # type: ignore[method-assign]
    line = topic(lines_of(gateway, contract_of()), "unmapped_columns")
    assert line.level is Level.WARNING
    assert "truong04 và 15 cột khác" in line.text
    assert "truong05" not in f"{line.text} {line.next_step}"
    assert len(line.data["columns"]) == 20


def test_a_check_says_that_files_have_no_address(public: Gateway) -> None:
    for file_url, told in ((None, True), ("https://igate.example/fi/file/{id}", False)):
        contract = contract_of(60, entities=EVERYTHING, http={"changes": "newest_task", "file_url": file_url})
        assert any(line.topic == "files" for line in lines_of(public, contract)) is told


def test_a_list_sorted_by_something_else_is_told(gateway: Gateway) -> None:
    gateway.server.switches = IgateSwitches.of_public_clients(honours_sort=False)
    plans = gateway.server.store.world.plans["H21"]
    plans.sort(key=lambda plan: plan.last_at)
    lines = lines_of(gateway, contract_of(60, http={"changes": "newest_task"}))
    assert any("không xếp theo lần sửa" in line.text for line in lines if line.level is Level.WARNING)


def test_windows_that_a_server_ignores_are_a_problem(gateway: Gateway) -> None:
    gateway.server.switches = IgateSwitches.of_public_clients(honours_windows=False)
    line = topic(lines_of(gateway, contract_of(60, http={"changes": "windows"})), "changes")
    assert line.level is not Level.PROBLEM, "the statuses are filtered"


@pytest.mark.parametrize("remove_status", [None, "0"])
def test_parameters_of_the_contract_go_with_every_question(gateway: Gateway, remove_status: str | None) -> None:
    """`remove-status=0` is what clients send: then the list is without what was deleted."""
    gateway.server.switches = IgateSwitches.of_public_clients()
    query = {"remove-status": remove_status} if remove_status else {}
    gateway.contract = contract_of(60, http={"changes": "newest_task", "query": query})
    deleted = gateway.server.store.world.plans["H21"][3]
    deleted.defect = Defect.ORPHAN_CHILD
    statuses = {row["status_raw"] for row in canonical(gateway.load(), gateway.contract)[Entity.DOSSIER]}
    assert ("18" in statuses) is (remove_status is None)
    assert "0" in statuses, "nothing else is left out"
