"""The portal answers as clients saw it answer, and its unverified sides can be switched."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.catalogue import PROVINCES
from simulator.ledger import Entry
from simulator.portal import PortalServer, PortalSwitches, Store
from simulator.world import World
from tests.simulator.conftest import Client

Changer = Callable[[PortalServer], None]


@pytest.fixture(scope="module")
def entries(world: World) -> list[Entry]:
    """Clean, received dossiers of Đà Nẵng."""
    return [entry for entry in world.ledger("H17") if entry.clean and entry.code][:40]


def switch(portal: PortalServer, **values: Any) -> None:
    portal.switches = portal.switches.changed(values)


def test_log_in_gives_a_session_and_wrong_passwords_none(portal: PortalServer, client: Client) -> None:
    assert client.log_in()["error_code"] == 0
    answer = client.http.post("/mapi/login", json={"username": client.account.username, "password": "sai"}).json()
    assert answer["error_code"] != 0
    assert "session" not in answer


def test_every_truth_of_a_clean_dossier_is_accepted(world: World, portal: PortalServer, client: Client) -> None:
    received = [entry for entry in world.ledger("H17") if entry.clean and entry.code]
    for start in range(0, len(received), 50):
        chunk = received[start : start + 50]
        assert "thành công" in client.create(*(entry.truth for entry in chunk))["message"]
        for entry in chunk[:5]:
            assert "thành công" in client.progress(*entry.steps)["message"]
    assert portal.store.count("H17")[0] == len(received)
    some = received[7]
    held = portal.store.dossier(some.code or "")
    assert held is not None
    assert (held.body, held.sender, held.writes) == (some.truth, "H17", 1)


def test_success_codes_come_as_numbers_and_as_texts(client: Client, entries: list[Entry]) -> None:
    assert {json.dumps(client.create(entry.truth)["error_code"]) for entry in entries[:3]} == {'"0"', "0", '"00"'}


def test_creating_twice_says_already_exists_under_changing_codes(client: Client, entries: list[Entry]) -> None:
    client.create(entries[0].truth)
    answers = [client.create(entries[0].truth) for _ in range(3)]
    assert all("đã tồn tại" in answer["message"] for answer in answers)
    assert {answer["error_code"] for answer in answers} == {"-3", "3", "0"}


def test_updating_needs_the_dossier_and_replaces_it(portal: PortalServer, client: Client, entries: list[Entry]) -> None:
    truth = entries[0].truth
    assert "thành công" not in client.update(truth)["message"]
    client.create(truth)
    changed = truth | {"TrangThaiHoSo": "8", "TaiLieuNop": []}
    assert "thành công" in client.update(changed)["message"]
    held = portal.store.dossier(truth["MaHoSo"])
    assert held is not None
    assert (held.body, held.writes) == (changed, 2)


def test_updates_may_merge_child_lists_instead(portal: PortalServer, client: Client, entries: list[Entry]) -> None:
    switch(portal, update_merges_children=True)
    truth = next(entry.truth for entry in entries if entry.truth["TaiLieuNop"])
    extra = truth["TaiLieuNop"][0] | {"TenTepDinhKem": "khac.pdf"}
    client.create(truth)
    client.update(truth | {"TaiLieuNop": [extra]})
    held = portal.store.dossier(truth["MaHoSo"])
    assert held is not None
    assert held.body["TaiLieuNop"] == [*truth["TaiLieuNop"], extra]


@pytest.mark.parametrize("flag", [True, "true", None, "1"])
def test_is_updating_is_a_capitalised_text(client: Client, entries: list[Entry], flag: object) -> None:
    answer = client.call("DongBoHoSoMC", isUpdating=flag, data=[entries[0].truth])
    assert "thành công" not in answer["message"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"NgayTiepNhan": "2026-10-01 08:00:00"}, "NgayTiepNhan"),
        ({"NgayHenTra": "20261341000000"}, "NgayHenTra"),
        ({"TrangThaiHoSo": "11"}, "TrangThaiHoSo"),
        ({"TrangThaiHoSo": 4}, "TrangThaiHoSo"),
        ({"MaHoSo": "H17.05/261012/0012"}, "MaHoSo"),
        ({"DonViXuLy": ""}, "DonViXuLy"),
        ({"MauSac": "đỏ"}, "MauSac"),
        ({"TaiLieuNop": [{"Url": "x"}]}, "Url"),
        ({"DanhSachLePhi": "0"}, "DanhSachLePhi"),
    ],
)
def test_a_wrong_field_is_named(client: Client, entries: list[Entry], change: dict[str, Any], named: str) -> None:
    answer = client.create(entries[0].truth | change)
    assert named in answer["message"]
    assert "thành công" not in answer["message"]


def test_a_refusal_hides_behind_code_zero(world: World, portal: PortalServer, client: Client) -> None:
    truth = next(entry.truth for entry in world.ledger("H17") if entry.defects == ("portal_refuses",))
    answer = client.create(truth | {"SoGiayToChuHoSo": "997012345678"})
    assert answer["error_code"] == "0"
    assert "Từ chối" in answer["message"]
    assert portal.store.dossier(truth["MaHoSo"]) is None
    assert "thành công" in client.create(truth)["message"]


def test_one_bad_dossier_fails_its_batch_or_not(portal: PortalServer, client: Client, entries: list[Entry]) -> None:
    batch = [entry.truth for entry in entries[:4]]
    batch[2] = batch[2] | {"TrangThaiHoSo": ""}
    assert "thành công" not in client.create(*batch)["message"]
    assert portal.store.count() == (0, 0)
    switch(portal, names_bad_record=True)
    assert batch[2]["MaHoSo"] in client.create(*batch)["message"]
    switch(portal, bad_record_fails_batch=False)
    assert "3/4" in client.create(*batch)["message"]
    assert portal.store.count()[0] == 3


def test_a_batch_has_a_limit(portal: PortalServer, client: Client, entries: list[Entry]) -> None:
    switch(portal, max_batch=2)
    assert "(2)" in client.create(*(entry.truth for entry in entries[:3]))["message"]
    switch(portal, max_batch=0)
    assert "thành công" in client.create(*(entry.truth for entry in entries[:3]))["message"]


def test_the_same_dossier_twice_in_a_batch_exists_already(client: Client, entries: list[Entry]) -> None:
    assert "đã tồn tại" in client.create(entries[0].truth, entries[0].truth)["message"]


def test_steps_need_their_dossier_and_are_held_as_often_as_sent(
    portal: PortalServer, client: Client, entries: list[Entry]
) -> None:
    entry = entries[0]
    assert "không tồn tại" in client.progress(*entry.steps)["message"]
    client.create(entry.truth)
    client.progress(*entry.steps)
    client.progress(*entry.steps)
    assert [step.body for step in portal.store.steps(entry.code)] == [*entry.steps, *entry.steps]


def test_steps_may_be_deduplicated_instead(portal: PortalServer, client: Client, entries: list[Entry]) -> None:
    switch(portal, progress_dedup=True)
    client.create(entries[0].truth)
    client.progress(*entries[0].steps)
    client.progress(*entries[0].steps)
    assert [step.body for step in portal.store.steps(entries[0].code)] == list(entries[0].steps)


def test_a_call_with_steps_of_several_dossiers_may_be_refused_as_a_whole(
    portal: PortalServer, client: Client, entries: list[Entry]
) -> None:
    mixed = [entries[0].steps[0], entries[1].steps[0]]
    client.create(entries[0].truth, entries[1].truth)
    switch(portal, progress_mixes_dossiers=False)
    assert "một hồ sơ" in client.progress(*mixed)["message"]
    assert portal.store.count()[1] == 0
    assert "thành công" in client.progress(*entries[0].steps)["message"]
    switch(portal, progress_mixes_dossiers=True)
    assert "thành công" in client.progress(*mixed)["message"]
    assert portal.store.count()[1] == len(entries[0].steps) + 2


def test_lookup_may_list_the_steps(portal: PortalServer, client: Client, entries: list[Entry]) -> None:
    code, truth, steps = entries[0].code, entries[0].truth, list(entries[0].steps)
    client.create(truth)
    client.progress(*steps)
    switch(portal, lookup_shows_steps=True)
    assert client.call("TraCuuHoSo", mahoso=code)["result"] == [{"DanhSachTienTrinh": steps}]
    switch(portal, lookup_fields="full")
    assert client.call("TraCuuHoSo", mahoso=code)["result"] == [truth | {"DanhSachTienTrinh": steps}]


def test_slow_answers_are_given_side_by_side(portal: PortalServer, client: Client, entries: list[Entry]) -> None:
    switch(portal, latency_s=60)
    body = {"session": client.session, "madonvi": client.account.sender, "service": "DongBoHoSoMC"}
    request = client.http.build_request(
        "POST", "/mapi/g", json=body | {"isUpdating": "False", "data": [entries[0].truth]}
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    with socket.create_connection(("127.0.0.1", portal.port)) as slow:
        slow.sendall(f"POST /mapi/g HTTP/1.1\r\n{head}\r\n".encode() + request.content)
        while portal.store.count()[0] == 0:
            pass
        switch(portal, latency_s=0)
        assert client.call("TraCuuHoSo", mahoso=entries[0].code)["result"] == [{}]
        assert select.select([slow], [], [], 0)[0] == [], "its answer is still on the way"


def test_lookup_tells_presence_and_as_much_as_the_switch_allows(
    portal: PortalServer, client: Client, entries: list[Entry]
) -> None:
    code, truth = entries[0].code, entries[0].truth
    assert client.call("TraCuuHoSo", mahoso=code)["result"] == []
    client.create(truth)
    hits = {}
    for fields in ("empty", "code", "full"):
        switch(portal, lookup_fields=fields)
        hits[fields] = client.call("TraCuuHoSo", mahoso=code)["result"]
    assert hits == {"empty": [{}], "code": [{"MAHOSO": code}], "full": [truth]}


def test_a_sender_writes_its_own_dossiers_and_those_of_merged_provinces_only(
    world: World, connect: Callable[[str], Client], client: Client, entries: list[Entry]
) -> None:
    closed = next(entry for entry in world.ledger("H17") if ".H47-" in (entry.code or "") and entry.clean)
    hanoi = connect("H26")
    assert "không có quyền" in hanoi.create(entries[0].truth)["message"]
    assert "thành công" in client.create(closed.truth)["message"]
    assert "không có quyền" in hanoi.create(closed.truth)["message"]
    client.create(entries[0].truth)
    assert "không có quyền" in hanoi.progress(*entries[0].steps)["message"]
    assert hanoi.call("TraCuuHoSo", mahoso=entries[0].code)["result"] == []
    hanoi.account = client.account
    assert "không khớp" in hanoi.call("LayDanhMucLinhVuc")["message"]
    hanoi.http.close()


def test_sessions_expire_with_the_configured_code(portal: PortalServer, client: Client) -> None:
    switch(portal, expired_code=401, expired_message="hết phiên")
    portal.portal.pass_time(599)
    assert client.call("LayDanhMucTinhThanh")["error_code"] == 0
    portal.portal.pass_time(2)
    assert client.call("LayDanhMucTinhThanh") == {"error_code": 401, "message": "hết phiên"}
    client.session = client.log_in()["session"]
    assert client.call("LayDanhMucTinhThanh")["error_code"] == 0


@pytest.mark.parametrize(
    ("where", "header", "query", "accepted"),
    [
        ("either", "x", "", True), ("either", "", "x", True), ("either", "", "", False), ("header", "", "x", False),
        ("query", "x", "", False), ("query", "", "x", True), ("optional", "", "", True),
    ],
)  # fmt: skip
def test_dstcode_is_looked_for_where_the_switch_says(
    portal: PortalServer, where: str, header: str, query: str, accepted: bool
) -> None:
    switch(portal, dstcode_in=where)
    account = portal.account("H17")
    answer = httpx.post(
        f"{portal.url}/mapi/login", params={"dstcode": query} if query else {},
        headers={"dstcode": header} if header else {},
        json={"username": account.username, "password": account.password},
    ).json()  # fmt: skip
    assert (answer["error_code"] == 0) == accepted


def test_unknown_procedures_are_taken_unless_switched(
    portal: PortalServer, client: Client, entries: list[Entry]
) -> None:
    switch(portal, reject_unknown_procedure=True)
    strange = entries[0].truth | {"MaTTHC": "1.999001"}
    assert "thành công" not in client.create(strange)["message"]
    assert (
        "thành công"
        in client.create(entries[1].truth | {"MaTTHC": entries[1].truth["MaTTHC"] + ".000.00.00.H17"})["message"]
    )
    switch(portal, reject_unknown_procedure=False)
    assert "thành công" in client.create(strange)["message"]


def test_newer_fields_are_optional_unless_switched(portal: PortalServer, client: Client, entries: list[Entry]) -> None:
    old = {k: v for k, v in entries[0].truth.items() if k not in ("KenhThucHien", "NoiNopHoSo", "NgayNopHoSo")}
    switch(portal, require_v2_fields=True)
    assert "NgayNopHoSo" in client.create(old)["message"]
    switch(portal, require_v2_fields=False)
    assert "thành công" in client.create(old)["message"]


@pytest.mark.parametrize(
    ("kind", "kept"),
    [("drop_before", 0), ("drop_after", 1), ("timeout_before", 0), ("timeout_after", 1), ("http_500", 0),
     ("html_page", 0), ("refuse", 0), ("expire_session", 0)],
)  # fmt: skip
def test_an_ordered_fault_strikes_once(
    portal: PortalServer, client: Client, entries: list[Entry], kind: str, kept: int
) -> None:
    switch(portal, hang_s=0.05)
    portal.fail_next("DongBoHoSoMC", kind)
    try:
        body = client.create(entries[0].truth)
        assert "thành công" not in body["message"]
    except (httpx.TransportError, ValueError):
        assert kind not in ("refuse", "expire_session")
    assert portal.store.count()[0] == kept
    client.session = client.log_in()["session"]
    assert "thành công" in client.create(entries[1].truth)["message"]


def test_a_call_that_times_out_is_let_go_when_the_client_leaves(portal: PortalServer, client: Client) -> None:
    portal.fail_next("LayDanhMucLinhVuc", "timeout_before")
    with pytest.raises(httpx.ReadTimeout):
        client.http.post("/mapi/g", json={"service": "LayDanhMucLinhVuc"}, timeout=0.2)
    assert client.call("LayDanhMucLinhVuc")["error_code"] == 0


def test_catalogues_are_texts_under_upper_case_keys(client: Client) -> None:
    for service in (
        "LayDanhMucLinhVuc",
        "LayDanhMucCoQuan",
        "LayDanhMucTinhThanh",
        "LayDanhMucPhuongXa",
        "LayDanhSachTTHC",
    ):
        rows = client.call(service)["result"]
        assert len(rows) > 30
        assert all(key.isupper() and isinstance(value, str) for row in rows for key, value in row.items())


def test_the_procedure_catalogue_lists_retired_ones_and_forgets_vanished_ones(world: World, client: Client) -> None:
    listed = {row["MATTHC"] for row in client.call("LayDanhSachTTHC")["result"]}
    for item in world.catalogue.procedures:
        found = client.call("LayThuTuc", maTTHC=item.code)["result"]
        assert (item.code in listed) == (item.state != "vanished") == bool(found)
        if found:
            assert (found[0]["TRANGTHAI"] == "1") == (item.state == "active")
            assert found[0]["LINHVUCTHUCHIEN"] == [{"MALINHVUC": item.field.code, "TENLINHVUC": item.field.name}]
            assert bool(found[0]["KETQUATHUCHIEN"]) == bool(item.result)
            (decision,) = client.call("LayQDCB", idQDCB=found[0]["IDQUYETDINHCONGBO"])["result"]
            assert decision["SOQUYETDINH"].endswith("/QĐ-UBND")


def test_provinces_are_called_tinh_and_the_six_cities_thanh_pho(client: Client) -> None:
    kinds = ("Ủy ban nhân dân tỉnh ", "Ủy ban nhân dân thành phố ")
    rows = [row for row in client.call("LayDanhMucCoQuan")["result"] if row["TENDONVI"].startswith(kinds)]
    heads = {row["MADONVI"].removeprefix("000.00.00."): row["TENDONVI"] for row in rows}
    assert heads["H26"] == "Ủy ban nhân dân thành phố Hà Nội"
    assert heads["H21"] == "Ủy ban nhân dân tỉnh Gia Lai"
    assert sorted(code for code, name in heads.items() if " thành phố " in name) == [
        "H13", "H17", "H24", "H26", "H29", "H57",
    ]  # fmt: skip
    assert len(heads) == 34
    assert {code: heads[code] for code in PROVINCES} == {
        code: f"Ủy ban nhân dân {province.full_name}" for code, province in PROVINCES.items()
    }


def test_agencies_come_in_both_spellings(client: Client) -> None:
    codes = {row["MADONVI"] for row in client.call("LayDanhMucCoQuan")["result"]}
    assert {"H17", "000.00.00.H37", "H17.05", "H26.100", "000.00.00.G15"} <= codes


def test_tests_may_look_and_turn_over_http(portal: PortalServer, client: Client, entries: list[Entry]) -> None:
    client.create(entries[0].truth)
    client.progress(*entries[0].steps)
    listed = client.http.get("/_sim/dossiers", params={"province": "H17", "limit": 1}).json()
    assert listed["total"] == 1
    assert listed["items"][0]["body"] == entries[0].truth
    assert client.http.get("/_sim/dossiers", params={"province": "H26"}).json()["items"] == []
    one = client.http.get(f"/_sim/dossiers/{entries[0].code}").json()
    assert [step["body"] for step in one["steps"]] == list(entries[0].steps)
    assert client.http.get("/_sim/dossiers/H17.99-261001-0001").status_code == 404
    assert client.http.get("/_sim/calls").json()["counts"] == {"login": 1, "DongBoHoSoMC": 1, "CapNhatTienDoHoSoMC": 1}
    turned = client.http.put("/_sim/switches", json={"max_batch": 7}).json()
    assert turned == client.http.get("/_sim/switches").json()
    assert portal.switches.max_batch == 7
    assert client.http.put("/_sim/switches", json={"colour": "red"}).status_code == 400
    assert client.http.post("/_sim/fail_next", json={"service": "login", "kind": "nonsense"}).status_code == 400
    client.http.post("/_sim/fail_next", json={"service": "login", "kind": "http_500"})
    assert client.http.post("/mapi/login", json={}).status_code == 500
    client.http.post("/_sim/reset")
    assert portal.store.count() == (0, 0)
    assert portal.switches == PortalSwitches()


def test_calls_are_remembered_in_order_without_their_content(
    portal: PortalServer, client: Client, entries: list[Entry]
) -> None:
    client.create(entries[0].truth)
    client.progress(*entries[0].steps[:1])
    services = [(call.service, call.codes) for call in portal.portal.calls][1:]
    assert services == [("DongBoHoSoMC", (entries[0].code,)), ("CapNhatTienDoHoSoMC", (entries[0].code,))]
    assert entries[0].truth["ChuHoSo"] not in repr(list(portal.portal.calls))


def test_what_is_held_survives_a_restart_and_a_snapshot(world: World, entries: list[Entry], tmp_path: Path) -> None:
    with PortalServer(world, store_path=tmp_path / "portal.sqlite") as first:
        client = Client(first)
        client.create(entries[0].truth)
        client.progress(*entries[0].steps)
        client.http.close()
        first.store.snapshot(tmp_path / "copy.sqlite")
    with PortalServer(world, store_path=tmp_path / "portal.sqlite") as second:
        again = Client(second)
        assert "đã tồn tại" in again.create(entries[0].truth)["message"]
        again.http.close()
    copy = Store(tmp_path / "copy.sqlite")
    assert copy.count() == (1, len(entries[0].steps))
    copy.close()


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b'"x"'])
def test_nonsense_gets_an_error_in_json(client: Client, body: bytes) -> None:
    answer = client.http.post("/mapi/g", content=body).json()
    assert answer["error_code"] not in (0, "0", "00")
