"""The faulty network does what was ordered, and nothing else, between a client and the portal."""

from __future__ import annotations

import gzip
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from simulator.ledger import Entry
from simulator.network import Fault, FaultyNetwork, Passage
from simulator.network.messages import BOMB_BYTES
from simulator.portal import PortalServer
from simulator.world import World

CREATE, STEPS, LOOKUP = "DongBoHoSoMC", "CapNhatTienDoHoSoMC", "TraCuuHoSo"


@pytest.fixture(scope="module")
def served(world: World) -> Iterator[PortalServer]:
    with PortalServer(world) as portal:
        yield portal


@pytest.fixture
def behind(served: PortalServer) -> PortalServer:
    """An empty portal behind the network."""
    served.portal.reset()
    return served


@pytest.fixture
def network(behind: PortalServer) -> Iterator[FaultyNetwork]:
    with FaultyNetwork(behind.url, hold_s=0.05, drip_s=0.0, retry_after_s=7) as made:
        yield made


@pytest.fixture(scope="module")
def entry(world: World) -> Entry:
    return next(entry for entry in world.ledger("H17") if entry.clean and entry.code and len(entry.steps) > 1)


class Caller:
    """Calls through the network, without any care."""

    def __init__(self, portal: PortalServer, network: FaultyNetwork) -> None:
        self.account = portal.account("H17")
        self.http = httpx.Client(base_url=network.url, headers={"dstcode": "x"}, timeout=5)
        login = {"username": self.account.username, "password": self.account.password}
        self.session = self.http.post("/mapi/login", json=login).json()["session"]

    def __call__(self, service: str, **parameters: Any) -> httpx.Response:
        body = {"session": self.session, "madonvi": self.account.sender, "service": service, **parameters}
        return self.http.post("/mapi/g", json=body)

    def create(self, truth: dict[str, Any]) -> httpx.Response:
        return self(CREATE, isUpdating="False", data=[truth])


@pytest.fixture
def call(behind: PortalServer, network: FaultyNetwork) -> Iterator[Caller]:
    made = Caller(behind, network)
    yield made
    made.http.close()


def test_without_faults_every_call_passes_unchanged(behind: PortalServer, call: Caller, entry: Entry) -> None:
    assert "thành công" in call.create(entry.truth).json()["message"]
    assert call(LOOKUP, mahoso=entry.code).json()["result"] == [{}]
    held = behind.store.dossier(entry.code or "")
    assert held is not None
    assert held.body == entry.truth
    assert call.http.get("/_sim/health").json()["dossiers"] == 1


@pytest.mark.parametrize(
    ("fault", "arrived"),
    [(Fault.CUT_BEFORE, 0), (Fault.CUT_AFTER, 1), (Fault.CUT_MIDDLE, 1), (Fault.LATE_REQUEST, 0)],
)
def test_a_cut_leaves_the_client_without_an_answer(
    behind: PortalServer, network: FaultyNetwork, call: Caller, entry: Entry, fault: Fault, arrived: int
) -> None:
    network.fail_next(CREATE, fault)
    with pytest.raises(httpx.RemoteProtocolError):
        call.create(entry.truth)
    assert behind.store.count()[0] == arrived
    assert network.log[-1] == Passage(CREATE, fault)
    assert call(LOOKUP, mahoso=entry.code).status_code == 200, "it was ordered once"


@pytest.mark.parametrize("fault", [Fault.SLOW, Fault.DRIP, Fault.DOUBLED_ANSWER])
def test_a_slow_dripping_or_doubled_answer_is_the_whole_answer(
    network: FaultyNetwork, call: Caller, entry: Entry, fault: Fault
) -> None:
    network.fail_next(CREATE, fault)
    assert "thành công" in call.create(entry.truth).json()["message"]


def test_the_second_copy_of_an_answer_is_on_the_same_connection(network: FaultyNetwork) -> None:
    network.fail_next("login", Fault.DOUBLED_ANSWER)
    with socket.create_connection(("127.0.0.1", network.port)) as raw:
        raw.sendall(b"POST /mapi/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
        came = b"".join(iter(lambda: raw.recv(65536), b""))
    assert came[: len(came) // 2] == came[len(came) // 2 :]


@pytest.mark.parametrize("fault", [Fault.GARBLED_BYTES, Fault.GARBLED_NUL, Fault.GARBLED_TRUNCATED])
def test_a_garbled_answer_has_a_whole_head_and_another_body(network: FaultyNetwork, call: Caller, fault: Fault) -> None:
    right = call(LOOKUP, mahoso="H17.05-261012-0001").content
    network.fail_next(LOOKUP, fault)
    answer = call(LOOKUP, mahoso="H17.05-261012-0001")
    assert answer.status_code == 200
    assert answer.content != right


def test_an_endless_body_goes_on_until_the_client_hangs_up(network: FaultyNetwork, call: Caller) -> None:
    network.fail_next(LOOKUP, Fault.ENDLESS)
    body = {"session": call.session, "madonvi": call.account.sender, "service": LOOKUP, "mahoso": "x"}
    with call.http.stream("POST", "/mapi/g", json=body) as answer:
        read = 0
        for part in answer.iter_raw():
            read += len(part)
            if read > 3_000_000:
                break
    assert read > 3_000_000


def test_a_bomb_is_small_on_the_wire(network: FaultyNetwork, call: Caller) -> None:
    network.fail_next(LOOKUP, Fault.GZIP_BOMB)
    body = {"session": call.session, "madonvi": call.account.sender, "service": LOOKUP, "mahoso": "x"}
    with call.http.stream("POST", "/mapi/g", json=body) as answer:
        packed = b"".join(answer.iter_raw())
    assert len(packed) < BOMB_BYTES // 500
    assert len(gzip.decompress(packed)) == BOMB_BYTES


@pytest.mark.parametrize(("fault", "status"), [(Fault.BUSY_429, 429), (Fault.BUSY_503, 503)])
def test_a_busy_portal_gets_nothing_and_says_when(
    behind: PortalServer, network: FaultyNetwork, call: Caller, entry: Entry, fault: Fault, status: int
) -> None:
    network.fail_next(CREATE, fault)
    answer = call.create(entry.truth)
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, "7")
    assert behind.store.count()[0] == 0


def test_a_late_request_overwrites_what_overtook_it(
    behind: PortalServer, network: FaultyNetwork, call: Caller, entry: Entry
) -> None:
    network.late_after = 2
    call.create(entry.truth)
    network.fail_next(CREATE, Fault.LATE_REQUEST)
    old, new = entry.truth | {"TrangThaiHoSo": "4"}, entry.truth | {"TrangThaiHoSo": "9"}
    with pytest.raises(httpx.RemoteProtocolError):
        call(CREATE, isUpdating="True", data=[old])
    call(LOOKUP, mahoso="H17.05-261012-9999")
    call(LOOKUP, mahoso=entry.code)
    call(CREATE, isUpdating="True", data=[new])
    held = behind.store.dossier(entry.code or "")
    assert held is not None
    assert (held.body["TrangThaiHoSo"], held.writes) == ("4", 3)
    assert network.log[-1] == Passage(CREATE, Fault.LATE_REQUEST, late=True)


def test_what_is_still_held_can_be_flushed_or_forgotten(
    behind: PortalServer, network: FaultyNetwork, call: Caller, entry: Entry
) -> None:
    for settle, arrived in ((network.forget, 0), (network.flush, 1)):
        network.fail_next(CREATE, Fault.LATE_REQUEST)
        with pytest.raises(httpx.RemoteProtocolError):
            call.create(entry.truth)
        settle()
        assert network.flush() == 0
        assert behind.store.count()[0] == arrived


def test_a_doubled_request_arrives_twice_and_is_answered_once(
    behind: PortalServer, network: FaultyNetwork, call: Caller, entry: Entry
) -> None:
    call.create(entry.truth)
    network.fail_next(STEPS, Fault.DOUBLED_REQUEST)
    assert "thành công" in call(STEPS, data=[entry.steps[0]]).json()["message"]
    assert behind.store.count()[1] == 2


def test_faults_are_drawn_by_the_seed_in_their_shares_and_can_be_turned_off(behind: PortalServer) -> None:
    drawn: list[list[Fault | None]] = []
    for seed in (1, 1, 2):
        shares = {Fault.BUSY_429: 0.3, Fault.BUSY_503: 0.2}
        with FaultyNetwork(behind.url, seed=seed, shares=shares) as network, httpx.Client() as http:
            for _ in range(60):
                http.post(f"{network.url}/mapi/login", json={})
            network.off()
            assert http.post(f"{network.url}/mapi/login", json={}).status_code == 200
            drawn.append([passage.fault for passage in network.log])
    assert drawn[0] == drawn[1] != drawn[2]
    for faults in drawn:
        assert 8 <= faults.count(Fault.BUSY_429) <= 28
        assert 4 <= faults.count(Fault.BUSY_503) <= 22


def test_people_switch_it_over_http(network: FaultyNetwork, call: Caller) -> None:
    order = {"shares": {"busy_503": 1.0}, "order": {"service": LOOKUP, "fault": "busy_429"}}
    assert call.http.post("/_network", json=order).json()["shares"] == {"busy_503": 1.0}
    assert [call(LOOKUP, mahoso="x").status_code for _ in range(2)] == [429, 503]
    assert call.http.post("/_network", json={"on": False, "flush": True}).json()["flushed"] == 0
    assert call(LOOKUP, mahoso="x").status_code == 200
    assert call.http.get("/_network").json()["log"][-2:] == [
        {"service": LOOKUP, "fault": "busy_503", "late": False}, {"service": LOOKUP, "fault": None, "late": False},
    ]  # fmt: skip
    assert call.http.post("/_network", json={"shares": {"rain": 1}}).status_code == 400
    assert call.http.post("/_network", json={"shares": {"slow": 2}}).status_code == 400


def test_it_runs_as_a_program(behind: PortalServer) -> None:
    command = [sys.executable, "-m", "simulator.network", "--upstream", behind.url, "--share", "busy_503=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        url = program.stdout.readline().split()[0]
        try:
            assert httpx.post(f"{url}/mapi/login", json={}).status_code == 503
        finally:
            program.terminate()
    assert program.returncode == 0
