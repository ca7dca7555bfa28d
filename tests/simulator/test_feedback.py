"""Petitions and ratings of the simulated world, and the three services that serve them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.danhgia import RatingServer
from simulator.feedback import (
    Act,
    Desk,
    Feedback,
    FeedbackEntry,
    PetitionDefect,
    RatingDefect,
    read_feedback_ledger,
    write_feedback_ledger,
)
from simulator.hotline import HotlineServer
from simulator.pakn import PaknServer
from simulator.service import ServiceSwitches
from simulator.world import World


@pytest.fixture
def said(world: World) -> Feedback:
    return Feedback.of(world, "H17")


@pytest.fixture
def pakn(said: Feedback) -> Iterator[PaknServer]:
    with PaknServer({"H17": said, "H26": Feedback.of(said.world, "H26")}) as server:
        yield server


@pytest.fixture
def hotline(said: Feedback) -> Iterator[HotlineServer]:
    with HotlineServer(said) as server:
        yield server


@pytest.fixture
def ratings(said: Feedback) -> Iterator[RatingServer]:
    with RatingServer(said) as server:
        yield server


def entries(said: Feedback, desk: str) -> list[FeedbackEntry]:
    return [entry for entry in said.ledger() if entry.desk == desk]


def pakn_token(server: PaknServer, province: str = "H17") -> str:
    account = server.service(province)
    body = {"username": account["username"], "password": account["password"]}
    return str(httpx.post(f"{server.url}/api/v1/auth/token", json=body).json()["accessToken"])


def pakn_items(server: PaknServer, token: str, **asked: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for page in range(1, 1000):
        answer = httpx.get(
            f"{server.url}/api/v1/petitions", params={"page": page, "pageSize": 50, **asked},
            headers={"Authorization": f"Bearer {token}"},
        ).json()["data"]  # fmt: skip
        found += answer["items"]
        if len(found) >= answer["total"] or not answer["items"]:
            break
    return found


def hotline_rows(server: HotlineServer, path: str, **asked: str) -> list[dict[str, Any]]:
    account = server.service("H17")
    login = {"taiKhoan": account["username"], "matKhau": account["password"]}
    token = httpx.post(f"{server.url}/api/dangnhap", json=login).json()["token"]
    found: list[dict[str, Any]] = []
    page, pages = 1, 1
    while page <= pages:
        answer = httpx.get(
            f"{server.url}/api/phananh/{path}", params={"page": page, "size": 100, **asked}, headers={"token": token}
        ).json()
        assert answer["ma"] == 0, answer["thongBao"]
        found, pages, page = found + answer["duLieu"], answer["tongTrang"], page + 1
    return found


def test_the_same_seed_says_the_same_things(world: World) -> None:
    first, second = Feedback.of(world, "H17"), Feedback.of(world, "H17")
    first.advance(1, 12)
    second.advance(1, 12)
    assert list(first.ledger()) == list(second.ledger())


def test_every_fault_occurs_and_no_record_has_two(said: Feedback) -> None:
    found = Counter((entry.desk, fault) for entry in said.ledger() for fault in entry.defects)
    hotline_only = {PetitionDefect.ORPHAN_CHILD, PetitionDefect.DUPLICATE_ROW}
    assert {fault for desk, fault in found if desk == "hotline"} == set(PetitionDefect)
    assert {fault for desk, fault in found if desk == "pakn"} == set(PetitionDefect) - hotline_only
    assert {fault for desk, fault in found if desk == "rating"} == set(RatingDefect)
    assert all(len(entry.defects) <= 1 for entry in said.ledger())


def test_what_the_1022_passed_on_is_at_the_national_desk_too(said: Feedback) -> None:
    passed = [plan for plan in said.petitions[Desk.PAKN] if plan.origin]
    assert passed
    for plan in passed:
        first = said.petition(Desk.HOTLINE, plan.twin)
        assert (first.code, first.twin, first.key) == (plan.origin, plan.number, plan.key)
        assert plan.sent >= first.sent
        assert plan.status == first.status


def test_both_copies_move_together(said: Feedback) -> None:
    for _ in range(60):
        said.advance(3, 6)
    pairs = [(plan, said.petition(Desk.HOTLINE, plan.twin)) for plan in said.petitions[Desk.PAKN] if plan.twin]
    assert all(
        plan.moment_of(act) == first.moment_of(act) for plan, first in pairs for act in (Act.ANSWERED, Act.REFUSED)
    )


def test_petitions_survive_a_restart(said: Feedback, tmp_path: Path) -> None:
    said.advance(5, 10)
    said.remove(Desk.HOTLINE, 1003)
    said.save(tmp_path / "H17.json")
    again = Feedback.load(said.world, "H17", tmp_path / "H17.json")
    assert list(again.ledger()) == list(said.ledger())
    assert again.advance(5, 10) == said.advance(5, 10)


def test_a_torn_file_of_petitions_is_refused_by_name(said: Feedback, tmp_path: Path) -> None:
    (tmp_path / "H17.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"H17\.json can't be read"):
        Feedback.load(said.world, "H17", tmp_path / "H17.json")


def test_the_ledger_is_kept_as_it_is(said: Feedback, tmp_path: Path) -> None:
    write_feedback_ledger(said.ledger(), tmp_path / "feedback.sqlite")
    kept = {(entry.desk, entry.number): entry for entry in read_feedback_ledger(tmp_path / "feedback.sqlite")}
    assert kept == {(entry.desk, entry.number): entry for entry in said.ledger()}


def test_an_account_of_the_national_desk_sees_its_own_province(said: Feedback, pakn: PaknServer) -> None:
    items = pakn_items(pakn, pakn_token(pakn))
    assert {item["code"] for item in items} == {entry.truth["petition_code"] for entry in entries(said, "pakn")}
    assert not {item["code"] for item in items} & {item["code"] for item in pakn_items(pakn, pakn_token(pakn, "H26"))}


def test_the_national_desk_lists_by_when_something_changed(said: Feedback, pakn: PaknServer) -> None:
    token = pakn_token(pakn)
    everything = pakn_items(pakn, token)
    middle = everything[len(everything) // 2]["updatedAt"]
    later = pakn_items(pakn, token, updatedFrom=middle)
    assert later == [item for item in everything if item["updatedAt"] >= middle]
    assert [item["updatedAt"] for item in everything] == sorted(item["updatedAt"] for item in everything)


def test_an_ended_token_of_the_national_desk_is_refused_with_401(pakn: PaknServer) -> None:
    token = pakn_token(pakn)
    pakn.state.pass_time(10_000)
    answer = httpx.get(f"{pakn.url}/api/v1/petitions", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "TOKEN_EXPIRED")


def test_the_1022_lists_petitions_and_steps_apart(said: Feedback, hotline: HotlineServer) -> None:
    rows, steps = hotline_rows(hotline, "danhsach"), hotline_rows(hotline, "xuly")
    known = {entry.number: entry for entry in entries(said, "hotline")}
    twice = [entry.number for entry in known.values() if "duplicate_row" in entry.defects]
    orphans = {entry.number for entry in known.values() if "orphan_child" in entry.defects}
    assert sorted(int(row["id"]) for row in rows) == sorted([*(set(known) - orphans), *twice])
    assert Counter(int(row["phanAnhId"]) for row in steps) == {
        number: len(entry.children) for number, entry in known.items()
    }


def test_the_1022_takes_days_and_leaves_out_what_has_none(said: Feedback, hotline: HotlineServer) -> None:
    undated = {str(entry.number) for entry in entries(said, "hotline") if "no_date" in entry.defects}
    everything = hotline_rows(hotline, "danhsach")
    assert undated & {row["id"] for row in everything}
    dated = hotline_rows(hotline, "danhsach", tuNgay="01/01/2020 00:00", denNgay="31/12/2030 23:59")
    assert {row["id"] for row in everything} - {row["id"] for row in dated} == undated


def test_the_1022_complains_with_status_200(hotline: HotlineServer) -> None:
    answer = httpx.get(f"{hotline.url}/api/phananh/danhsach", headers={"token": "nobody's"})
    assert (answer.status_code, answer.json()["ma"]) == (200, 401)


def test_a_large_page_of_the_1022_is_cut_without_a_word(said: Feedback) -> None:
    with HotlineServer(said, switches=ServiceSwitches(max_page_size=10)) as server:
        account = server.service("H17")
        login = {"taiKhoan": account["username"], "matKhau": account["password"]}
        token = httpx.post(f"{server.url}/api/dangnhap", json=login).json()["token"]
        answer = httpx.get(f"{server.url}/api/phananh/danhsach", params={"size": 100}, headers={"token": token})
        assert len(answer.json()["duLieu"]) == 10


def test_ratings_need_their_key_and_show_their_faults(said: Feedback, ratings: RatingServer) -> None:
    url = f"{ratings.url}/api/DanhGiaHaiLong"
    assert httpx.get(url).status_code == 401
    answer = httpx.get(url, params={"soDong": 200}, headers={"X-API-Key": ratings.service("H17")["password"]}).json()
    rows = answer["result"]["danhSach"]
    faults = {entry.number: entry.defects[0] for entry in entries(said, "rating") if entry.defects}
    assert answer["result"]["tong"] == len(entries(said, "rating")) + sum(
        fault == "duplicate_row" for fault in faults.values()
    )
    shown = {row["Id"]: row for row in rows}
    assert {number for number, row in shown.items() if row["DanhGia"] == "9"} == {
        number for number, fault in faults.items() if fault == "unknown_level" and number in shown
    }
    assert all(len(row["TieuChi"]) == 9 for row in rows)


def test_an_ordered_fault_strikes_once(pakn: PaknServer) -> None:
    token = pakn_token(pakn)
    pakn.fail_next("petitions", "html_page")
    headers = {"Authorization": f"Bearer {token}"}
    assert "<html>" in httpx.get(f"{pakn.url}/api/v1/petitions", headers=headers).text
    assert httpx.get(f"{pakn.url}/api/v1/petitions", headers=headers).json()["success"]
