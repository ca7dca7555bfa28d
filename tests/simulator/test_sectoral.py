"""The ministries' systems of the simulator: what they show is the truth, copies differ where the ledger says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator import state as states
from simulator.bgtvt import BgtvtServer, BgtvtSwitches
from simulator.defects import NO_DEFECTS, Defect
from simulator.gplx import GplxServer, GplxSwitches
from simulator.ledger import Entry, read_disagreements, read_ledger, write_ledger
from simulator.snapshot import read_snapshot, write_snapshot
from simulator.state import Move, State
from simulator.world import World

HELD = ("bgtvt_h17", "gplx_h17")
Item = dict[str, Any]


@pytest.fixture(scope="module")
def sectoral_world() -> World:
    """A world that nobody moves, large enough for some defects."""
    return World.generate(766, 700, "2026-10", provinces=("H17",), held=HELD)


@pytest.fixture
def bgtvt(sectoral_world: World) -> Iterator[BgtvtServer]:
    with BgtvtServer(sectoral_world) as server:
        yield server


@pytest.fixture
def gplx(sectoral_world: World) -> Iterator[GplxServer]:
    with GplxServer(sectoral_world) as server:
        yield server


def listed(server: BgtvtServer, first: str, last: str, start: int = -1, end: int = -1, **changed: str) -> Any:
    account = server.account
    query = {
        "Start": str(start), "End": str(end), "GovAgencyCode": account.agency, "APIKey": account.api_key,
        "ReceiveFromDate": first, "ReceiveToDate": last,
    } | {name: value for name, value in changed.items() if name != "MaDonVi"}  # fmt: skip
    headers = {"MaDonVi": changed.get("MaDonVi", account.unit), "ApiKey": query["APIKey"]}
    return httpx.get(f"{server.url}/apiGTVT/danhsachhoso", params=query, headers=headers)


def everything(server: BgtvtServer) -> list[Item]:
    answer = listed(server, "01/01/2025", "31/12/2026").json()
    assert answer["total"] == len(answer["data"])
    return list(answer["data"])


def session_of(server: GplxServer, password: str | None = None) -> Any:
    body = {"username": server.account.username, "password": password or server.account.password}
    return httpx.post(f"{server.url}/apiDVC-GPLX/tcdbdvcdata/mapi/login", json=body).json()


def window(server: GplxServer, session: str, first: str, last: str, **changed: str) -> Item:
    body = {
        "session": session, "service": "DanhSachHoSo", "donViXuLy": server.account.unit, "ngayNhan1": first,
        "ngayNhan2": last,
    } | changed  # fmt: skip
    return dict(httpx.post(f"{server.url}/apiDVC-GPLX/tcdbdvcdata/mapi/g", json=body).json())


def instants(text: str, time: str = "000000") -> str:
    """dd/MM/yyyy[ HH:mm:ss] or yyyy-MM-dd in the portal's form."""
    if match := re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})(?: (\d\d):(\d\d):(\d\d))?", text):
        day, month, year, *clock = match.groups()
        return f"{year}{month}{day}" + ("".join(clock) if clock[0] else time)
    return text.replace("-", "") + time if text else ""


def clean(world: World, source_id: str) -> dict[str | None, Entry]:
    return {entry.code: entry for entry in world.ledger(source_id) if entry.clean}


# --- the world ------------------------------------------------------------------------------------------------------


def test_without_sectoral_systems_the_world_is_as_it_was(sectoral_world: World) -> None:
    bare = World.generate(766, 700, "2026-10", provinces=("H17",))
    assert sectoral_world.plans["H17"][: len(bare.plans["H17"])] == bare.plans["H17"]
    assert {plan.held_by for plan in sectoral_world.plans["H17"][len(bare.plans["H17"]) :]} == set(HELD)


def test_codes_stay_unique_and_copies_share_theirs(sectoral_world: World) -> None:
    held = {e.code for name in HELD for e in sectoral_world.ledger(name) if not e.duplicate_of}
    assert len(held) == sum(1 for name in HELD for e in sectoral_world.ledger(name) if not e.duplicate_of)
    copies = {plan.code for plan in sectoral_world.plans["H17"] if plan.held_by}
    others = {plan.code for plan in sectoral_world.plans["H17"] if not plan.held_by}
    assert copies
    assert copies < held
    assert not others & held


def test_some_copies_differ_and_most_do_not(sectoral_world: World) -> None:
    for name in HELD:
        differing = {found.code for found in sectoral_world.disagreements(name)}
        copies = [plan for plan in sectoral_world.plans["H17"] if plan.held_by == name]
        assert 0 < len(differing) < len(copies) / 2
        assert differing <= {plan.code for plan in copies}


def test_the_ledger_file_knows_holders_and_disagreements(sectoral_world: World, tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    write_ledger(sectoral_world.ledger(), path, sectoral_world.disagreements())
    assert read_disagreements(path) == sorted(sectoral_world.disagreements())
    assert list(read_ledger(path, "gplx_h17")) == list(sectoral_world.ledger("gplx_h17"))


def test_a_moved_world_is_replayed_and_kept_whole_with_its_holders(tmp_path: Path) -> None:
    moves = (Move("bgtvt_h17", 1, 10), Move("H17", 1, 10), Move("gplx_h17", 2, 6))
    state = State(3, 60, "2026-10", ("H17",), moves, held=HELD)
    world = state.world(tmp_path)
    before = len(list(World.generate(3, 60, "2026-10", provinces=("H17",), held=HELD).disagreements()))
    assert len(list(world.disagreements())) > before
    write_snapshot(world, tmp_path / "world-3.json")
    again = World.generate(3, 60, "2026-10", provinces=("H17",), held=HELD)
    read_snapshot(again, tmp_path / "world-3.json")
    assert (again.held, again.plans, again.moves, again.clocks) == (world.held, world.plans, world.moves, world.clocks)
    states.save(tmp_path, state)
    assert states.load(tmp_path) == state


# --- BGTVT ----------------------------------------------------------------------------------------------------------


def test_the_list_shows_the_truth_in_the_ministrys_words(bgtvt: BgtvtServer, sectoral_world: World) -> None:
    known = clean(sectoral_world, "bgtvt_h17")
    shown = {item["MaHoSo"]: item for item in everything(bgtvt)}
    for code, entry in known.items():
        item, truth = shown[code], entry.truth
        assert item["MaTTHC"] == f"{truth['MaTTHC']}.000.00.00.G17"
        assert item["SoDienThoai"].replace(".", "") == truth["SoDienThoai"]
        assert {0: "1", 1: "2"}[item["KenhThucHien"]] == truth["KenhThucHien"]
        for name in ("NgayTiepNhan", "NgayKetThucXuLy", "NgayTra"):
            assert instants(item[name]) == truth[name]
        assert instants(item["NgayHenTra"], "235959") == truth["NgayHenTra"]
    assert any(len(item["NgayHenTra"]) == 10 for item in shown.values())
    assert any("." in item["SoDienThoai"] for item in shown.values())


def test_the_window_is_the_day_of_reception_and_pages_join(bgtvt: BgtvtServer) -> None:
    whole = everything(bgtvt)
    october = listed(bgtvt, "01/10/2026", "31/10/2026").json()
    assert october["data"] == [item for item in whole if instants(item["NgayTiepNhan"])[:6] == "202610"]
    pages = [listed(bgtvt, "01/01/2025", "31/12/2026", n, n + 7).json()["data"] for n in range(0, len(whole), 7)]
    assert [item for page in pages for item in page] == whole


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"APIKey": "wrong"}, -300),
        ({"MaDonVi": "000.00.00.H26"}, -300),
        ({"GovAgencyCode": "H17.11"}, -301),
        ({"ReceiveFromDate": "2026-10-01"}, -302),
        ({"Start": "5", "End": "5"}, -302),
    ],
)
def test_errors_come_as_bodies(bgtvt: BgtvtServer, changed: dict[str, str], code: int) -> None:
    answer = listed(bgtvt, "01/10/2026", "31/10/2026", **changed)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["error_code"]) == (200, code)


def test_limits_are_switches(bgtvt: BgtvtServer) -> None:
    bgtvt.desk.switches = BgtvtSwitches(max_rows=5, max_days=31)
    october = listed(bgtvt, "01/10/2026", "31/10/2026").json()
    assert len(october["data"]) == 5 < october["total"]
    assert listed(bgtvt, "01/09/2026", "31/10/2026").json()["error_code"] == -303


def test_defects_are_where_the_ledger_says(bgtvt: BgtvtServer, sectoral_world: World) -> None:
    entries = list(sectoral_world.ledger("bgtvt_h17"))
    found = {defect for entry in entries for defect in entry.defects}
    assert found
    shown = everything(bgtvt)
    assert len(shown) == len(entries)
    codes = [item["MaHoSo"] for item in shown]
    assert len(codes) - len(set(codes)) == sum(Defect.DUPLICATE_ROW in entry.defects for entry in entries)


# --- GPLX -----------------------------------------------------------------------------------------------------------


def test_the_register_wants_a_session_and_a_short_window(gplx: GplxServer) -> None:
    assert session_of(gplx, "wrong")["error_code"] == -1
    session = session_of(gplx)["session"]
    assert window(gplx, "other", "2026-10-01", "2026-10-03")["error_code"] == -2
    assert window(gplx, session, "2026-10-01", "2026-10-04")["error_code"] == -1
    assert window(gplx, session, "2026-10-01", "2026-10-03", donViXuLy="H17.11")["error_code"] == -1
    assert window(gplx, session, "2026-10-01", "2026-10-03")["error_code"] == 0


def test_a_licence_means_finished_and_there_is_no_status(gplx: GplxServer, sectoral_world: World) -> None:
    session, known = session_of(gplx)["session"], clean(sectoral_world, "gplx_h17")
    shown: list[Item] = []
    for day in range(1, 31, 3):
        shown += window(gplx, session, f"2026-10-{day:02d}", f"2026-10-{day + 2:02d}")["data"]
    assert shown
    for item in shown:
        assert not [name for name in item if "trangThai" in name]
        if entry := known.get(item["maHoSo"]):
            assert ("9" if item["gplxDaCap"] else "4") == entry.truth["TrangThaiHoSo"]
            assert instants(item["ngayNhanHoSo"]) == entry.truth["NgayTiepNhan"]
            ends = [instants(licence["ngayCap"]) for licence in item["gplxDaCap"]] or [""]
            assert ends == [entry.truth["NgayKetThucXuLy"]]


def test_too_many_rows_are_cut_without_a_word(gplx: GplxServer) -> None:
    session = session_of(gplx)["session"]
    whole = window(gplx, session, "2026-10-12", "2026-10-14")["data"]
    assert len(whole) > 1
    gplx.desk.switches = GplxSwitches(max_rows=1)
    assert window(gplx, session, "2026-10-12", "2026-10-14") == {"error_code": 0, "data": whole[:1]}


def test_a_session_expires_with_time_and_in_the_middle(gplx: GplxServer) -> None:
    session = session_of(gplx)["session"]
    gplx.desk.pass_time(601)
    assert window(gplx, session, "2026-10-01", "2026-10-03")["error_code"] == -2
    gplx.desk.switches = GplxSwitches(expire_after_calls=2)
    codes = [window(gplx, session_of(gplx)["session"], "2026-10-01", "2026-10-03")["error_code"] for _ in range(4)]
    assert sorted(codes) == [-2, -2, 0, 0]


# --- both -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["html_page", "http_500", "http_503", "truncated_json", "garbled", "refuse", "busy"])
def test_a_fault_strikes_once_and_is_counted(bgtvt: BgtvtServer, kind: str) -> None:
    good = listed(bgtvt, "01/10/2026", "31/10/2026").content
    bgtvt.fail_next("list", kind)
    assert listed(bgtvt, "01/10/2026", "31/10/2026").content != good
    assert listed(bgtvt, "01/10/2026", "31/10/2026").content == good
    calls = httpx.get(f"{bgtvt.url}/_sim/calls").json()
    assert calls["counts"] == {"list": 3}
    assert {call["first"] for call in calls["calls"]} == {"01/10/2026"}


def test_time_moves_on_over_http_and_the_copies_stay_behind() -> None:
    world = World.generate(5, 200, "2026-10", provinces=("H17",), held=HELD, rates=NO_DEFECTS)
    before = len(list(world.disagreements("bgtvt_h17")))
    with BgtvtServer(world) as server:
        size = len(everything(server))
        made = httpx.post(f"{server.url}/_sim/advance", json={"seed": 1, "changes": 20}).json()
        assert len(made["changes"]) == 20
        assert len(everything(server)) > size
    assert len(list(world.disagreements("bgtvt_h17"))) > before
