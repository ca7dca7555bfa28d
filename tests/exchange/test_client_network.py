"""The real client behind a faulty network: what it says of a spoiled call; the next one gets its own answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from lienthong.exchange.client import PortalClient
from lienthong.exchange.replies import CallOutcome
from lienthong.exchange.settings import PortalSettings
from lienthong.model.errors import PortalAccessError, PortalUnreachableError
from simulator.network import Fault, FaultyNetwork
from simulator.portal import FaultKind, PortalServer, PortalSwitches
from tests.exchange.raw import RawServer
from tests.exchange.world import TENANT, connection_to, settings_with

CREATE, STEPS, LOOKUP = "DongBoHoSoMC", "CapNhatTienDoHoSoMC", "TraCuuHoSo"
TIGHT: dict[str, Any] = {"total_timeout_s": 0.4, "read_timeout_s": 0.4, "max_attempts": 2}
CODE = "H17.05-261012-0001"
DOSSIER = {
    "MaHoSo": CODE, "MaTTHC": "1.001193", "TenTTHC": "Đăng ký khai sinh", "MaLinhVuc": "G15-HT02",
    "TenLinhVuc": "Hộ tịch", "LoaiDoiTuong": "1", "NgayTiepNhan": "20261012080000", "TrangThaiHoSo": "4",
    "HinhThuc": "0", "DonViXuLy": "Sở Tài chính",
}  # fmt: skip
STEP = {
    "MaHoSo": CODE, "NguoiXuLy": "Trần Văn Khoa", "ThoiDiemXuLy": "20261012080000", "NoiDungXuLy": "Tiếp nhận",
    "TrangThai": "2",
}  # fmt: skip
LATE = (Fault.SLOW, Fault.DRIP)
UNREADABLE = (
    Fault.CUT_AFTER, Fault.CUT_MIDDLE, Fault.GARBLED_BYTES, Fault.GARBLED_NUL, Fault.GARBLED_TRUNCATED, Fault.ENDLESS,
    Fault.GZIP_BOMB, *LATE,
)  # fmt: skip


@pytest.fixture(scope="module")
def running_network(running_portal: PortalServer) -> Iterator[FaultyNetwork]:
    with FaultyNetwork(running_portal.url, hold_s=1.0, drip_s=0.02, retry_after_s=1) as network:
        yield network


@pytest.fixture
def network(running_network: FaultyNetwork, portal: PortalServer) -> FaultyNetwork:
    running_network.forget()
    return running_network


@pytest.fixture
def reach(network: FaultyNetwork, portal: PortalServer) -> Iterator[Callable[..., PortalClient]]:
    """Clients that go through the network; logged in, so that faults meet the call that is looked at."""
    made: list[PortalClient] = []

    def client(settings: PortalSettings | None = None, **options: Any) -> PortalClient:
        connection = replace(connection_to(portal), port=network.port)
        made.append(PortalClient(connection, settings or settings_with(**TIGHT), tenant=TENANT, **options))
        made[-1].find_dossier(CODE)
        made[-1].take_calls()
        return made[-1]

    yield client
    for one in made:
        one.close()


@pytest.mark.parametrize("keep_alive", [False, True])
@pytest.mark.parametrize("fault", [*UNREADABLE, Fault.CUT_BEFORE, Fault.LATE_REQUEST])
def test_a_write_whose_answer_is_lost_late_or_unreadable_is_unknown_and_sent_once(
    network: FaultyNetwork, reach: Callable[..., PortalClient], fault: Fault, keep_alive: bool
) -> None:
    client = reach(settings_with(**TIGHT, keep_alive=keep_alive))
    network.fail_next(CREATE, fault)
    assert client.send_dossiers([DOSSIER], updating=False).outcome is CallOutcome.UNKNOWN
    assert [call.service for call in client.take_calls()] == [CREATE]
    arrived = [{}] if fault.reaches else []
    assert client.find_dossier(CODE).result == arrived, "the next call gets its own answer"


@pytest.mark.parametrize("fault", [*UNREADABLE, Fault.CUT_BEFORE, Fault.BUSY_429, Fault.BUSY_503])
def test_a_reading_is_repeated_and_then_right(
    network: FaultyNetwork, reach: Callable[..., PortalClient], fault: Fault
) -> None:
    client = reach(sleep=lambda seconds: None)
    client.send_dossiers([DOSSIER], updating=False)
    network.fail_next(LOOKUP, fault)
    answer = client.find_dossier(CODE)
    assert (answer.outcome, answer.result) == (CallOutcome.OK, [{}])
    assert [call.outcome is CallOutcome.OK for call in client.take_calls()] == [True, False, True]


@pytest.mark.parametrize("fault", [*UNREADABLE, Fault.CUT_BEFORE, Fault.BUSY_503])
def test_a_spoiled_log_in_is_no_refusal_of_the_account(
    network: FaultyNetwork, portal: PortalServer, reach: Callable[..., PortalClient], fault: Fault
) -> None:
    client = reach(sleep=lambda seconds: None)
    portal.portal.expire_sessions()
    network.fail_next("login", fault)
    assert client.find_dossier(CODE).outcome is CallOutcome.OK


@pytest.mark.parametrize("keep_alive", [False, True])
def test_the_second_copy_of_an_answer_is_never_the_answer_to_the_next_call(
    network: FaultyNetwork, portal: PortalServer, reach: Callable[..., PortalClient], keep_alive: bool
) -> None:
    client = reach(settings_with(**TIGHT, keep_alive=keep_alive))
    network.fail_next(CREATE, Fault.DOUBLED_ANSWER)
    assert client.send_dossiers([DOSSIER], updating=False).outcome is CallOutcome.OK
    other = DOSSIER | {"MaHoSo": "H17.05-261012-0002", "TrangThaiHoSo": "none"}
    assert client.send_dossiers([other], updating=False).outcome is CallOutcome.REJECTED
    assert client.find_dossier(CODE).result == [{}]
    assert portal.store.count("H17")[0] == 1


def test_a_doubled_request_is_told_by_what_the_portal_says(
    network: FaultyNetwork, portal: PortalServer, reach: Callable[..., PortalClient]
) -> None:
    client = reach()
    network.fail_next(CREATE, Fault.DOUBLED_REQUEST)
    assert client.send_dossiers([DOSSIER], updating=False).outcome is CallOutcome.EXISTS
    network.fail_next(STEPS, Fault.DOUBLED_REQUEST)
    assert client.send_steps([STEP]).outcome is CallOutcome.OK
    assert len(portal.store.steps(CODE)) == 2


def test_a_kept_connection_serves_many_calls_and_a_fresh_one_each_by_default(
    reach: Callable[..., PortalClient], network: FaultyNetwork
) -> None:
    with RawServer([RawServer.json({"error_code": 0, "message": "", "session": "s", "result": []})] * 8) as server:
        for keep_alive, connections in ((False, 4), (True, 1)):
            before = server.connections
            with PortalClient(server.connection(), settings_with(keep_alive=keep_alive), tenant=TENANT) as client:
                for _ in range(3):
                    assert client.find_dossier(CODE).outcome is CallOutcome.OK
            assert server.connections - before == connections


@pytest.mark.parametrize("together", [True, False])
def test_bytes_behind_an_answer_end_a_kept_connection(together: bool) -> None:
    """In one piece with the answer they are in the parser; afterwards, in the socket."""
    found = RawServer.json({"error_code": 0, "session": "s", "result": []})
    forged = RawServer.json({"error_code": 0, "message": "thành công"})
    behind = [found, found + forged if together else [found, forged], found]
    with RawServer(behind) as server:
        with PortalClient(server.connection(), settings_with(keep_alive=True), tenant=TENANT) as client:
            for _ in range(2):
                answer = client.find_dossier(CODE)
                assert (answer.outcome, answer.result) == (CallOutcome.OK, [])
                server.settled()
        assert server.connections == 2


@pytest.mark.parametrize("part", ["head", "body", "nothing more"])
def test_a_call_has_a_deadline_however_the_bytes_drip(part: str) -> None:
    whole = RawServer.json({"error_code": 0, "session": "s" * 4000, "result": []})
    head, _, body = whole.partition(b"\r\n\r\n")
    parts: list[bytes] = [head[i : i + 1] for i in range(len(head))] if part == "head" else [head + b"\r\n\r\n"]
    parts += [body[i : i + 1] for i in range(len(body))] if part == "body" else [b"\r\n\r\n" + body]
    parts = parts[:1] if part == "nothing more" else parts
    settings = settings_with(total_timeout_s=0.3, max_attempts=1)
    with (
        RawServer([parts], pause_s=0.02) as server,
        PortalClient(server.connection(), settings, tenant=TENANT) as client,
        pytest.raises(PortalUnreachableError),
    ):
        client.find_dossier(CODE)
    (call,) = client.take_calls()
    assert (call.outcome, call.message) == (CallOutcome.RETRY, "late")
    assert call.duration_ms < 5000, "the whole answer would have taken longer than ten times this"


def test_a_long_list_is_read_and_one_beyond_the_limit_names_the_setting() -> None:
    rows = [{"MADONVI": f"H17.{number}", "TENDONVI": "x" * 200} for number in range(20_000)]
    many = RawServer.json({"error_code": 0, "session": "s", "result": rows})
    for most, works in ((10_000_000, True), (1_000_000, False)):
        settings = settings_with(answer_max_bytes=most, max_attempts=1)
        session = RawServer.json({"error_code": 0, "session": "s"})
        with (
            RawServer([session, many]) as server,
            PortalClient(server.connection(), settings, tenant=TENANT) as client,
        ):
            if works:
                assert len(client.catalogue("LayDanhMucCoQuan")) == len(rows)
            else:
                with pytest.raises(PortalUnreachableError, match="answer_max_bytes"):
                    client.catalogue("LayDanhMucCoQuan")


def test_a_compressed_answer_that_nobody_asked_for_is_read(network: FaultyNetwork) -> None:
    session = RawServer.json({"error_code": 0, "session": "s", "result": [{}]}, encoding="gzip")
    with (
        RawServer([session] * 2) as server,
        PortalClient(server.connection(), settings_with(), tenant=TENANT) as client,
    ):
        assert client.find_dossier(CODE).result == [{}]
    assert b"accept-encoding: identity" in server.requests[0].lower()


def test_retry_after_replaces_the_backoff(network: FaultyNetwork, reach: Callable[..., PortalClient]) -> None:
    waits: list[float] = []
    client = reach(settings_with(**TIGHT | {"backoff_s": 9}), sleep=waits.append)
    network.fail_next(CREATE, Fault.BUSY_429)
    assert client.send_dossiers([DOSSIER], updating=False).outcome is CallOutcome.OK
    assert [0.9 < wait <= 1 for wait in waits] == [True]


def test_a_write_that_a_busy_portal_may_have_taken_is_unknown_and_the_next_call_waits(
    network: FaultyNetwork, reach: Callable[..., PortalClient]
) -> None:
    waits: list[float] = []
    client = reach(sleep=waits.append)
    network.fail_next(CREATE, Fault.BUSY_503)
    answer = client.send_dossiers([DOSSIER], updating=False)
    assert (answer.outcome, answer.retry_after_s, waits) == (CallOutcome.UNKNOWN, 1.0, [])
    client.sibling().find_dossier(CODE)
    assert [0.5 < wait <= 1 for wait in waits] == [True], "another worker waits too"
    client.find_dossier(CODE)
    assert len(waits) == 1


def test_a_portal_that_wants_more_time_than_allowed_is_left_alone(
    network: FaultyNetwork, portal: PortalServer, reach: Callable[..., PortalClient]
) -> None:
    waits: list[float] = []
    client = reach(settings_with(**TIGHT, retry_after_max_s=0.5), sleep=waits.append)
    network.fail_next(LOOKUP, Fault.BUSY_429)
    with pytest.raises(PortalUnreachableError, match=r"before \d\d:\d\d:\d\d \d\d/\d\d/\d{4} \(Retry-After\)"):
        client.find_dossier(CODE)
    with pytest.raises(PortalUnreachableError, match="Retry-After"):
        client.send_dossiers([DOSSIER], updating=False)
    assert [call.outcome for call in client.take_calls()] == [CallOutcome.RATE_LIMITED]
    assert (waits, portal.store.count()) == ([], (0, 0))


def test_repetitions_end_before_the_lease_does() -> None:
    clock = [0.0]
    settings = settings_with(total_timeout_s=10, max_attempts=3, backoff_s=10, retry_after_max_s=0, lease_s=120)
    slow: dict[str, Any] = {"clock": lambda: clock[0], "sleep": lambda seconds: clock.__setitem__(0, clock[0] + 35)}
    session = RawServer.json({"error_code": 0, "session": "s"})
    with RawServer([session, *[RawServer.answer(b"", status=429)] * 3]) as server:
        with PortalClient(server.connection(), settings, tenant=TENANT, **slow) as client:
            assert client.send_dossiers([DOSSIER], updating=False).outcome is CallOutcome.RATE_LIMITED
        assert len(server.requests) == 3, "a third attempt might have ended after the lease"


class CountsLogIns(PortalClient):
    """Holds each log-in until all threads want a session."""

    barrier = threading.Barrier(1)
    log_ins = 0

    def _log_in(self, until: float) -> str:
        type(self).log_ins += 1
        return super()._log_in(until)

    def take_off(self) -> None:
        """All threads at once."""
        self.barrier.wait(10)
        self.find_dossier(CODE)


def in_threads(clients: list[CountsLogIns], work: Callable[[CountsLogIns], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(clients)) as pool:
        return [done.result(30) for done in [pool.submit(work, client) for client in clients]]


def test_several_threads_share_one_log_in_and_keep_their_own_evidence(portal: PortalServer) -> None:
    CountsLogIns.barrier, CountsLogIns.log_ins = threading.Barrier(4), 0
    portal.switches = PortalSwitches(latency_s=0.05)
    first = CountsLogIns(connection_to(portal), settings_with(), tenant=TENANT)
    clients: list[CountsLogIns] = [first, *(first.sibling() for _ in range(3))]

    def work(client: CountsLogIns) -> list[Any]:
        client.take_off()
        for _ in range(2):
            assert client.find_dossier(CODE).outcome is CallOutcome.OK
        return [call.service for call in client.take_calls() if call.service != "login"]

    assert in_threads(clients, work) == [[LOOKUP] * 3] * 4
    assert CountsLogIns.log_ins == portal.portal.counts["login"] == 1
    clients[1].close()
    assert first.find_dossier(CODE).outcome is CallOutcome.OK, "a closed sibling closes nothing of another"
    portal.portal.expire_sessions()
    CountsLogIns.barrier = threading.Barrier(4)
    in_threads(clients, work)
    assert CountsLogIns.log_ins == 2, "one new session for all that were refused"


def test_a_refused_session_does_not_end_a_newer_one(portal: PortalServer) -> None:
    first = PortalClient(connection_to(portal), settings_with(), tenant=TENANT)
    second = first.sibling()
    assert first.find_dossier(CODE).outcome is CallOutcome.OK
    portal.fail_next(LOOKUP, FaultKind.EXPIRE_SESSION)
    assert second.find_dossier(CODE).outcome is CallOutcome.OK
    first._access.refuse("the old one")
    assert first.find_dossier(CODE).outcome is CallOutcome.OK
    assert portal.portal.counts["login"] == 2


def test_who_waited_for_a_log_in_shares_its_failure(portal: PortalServer) -> None:
    CountsLogIns.barrier, CountsLogIns.log_ins = threading.Barrier(3), 0
    portal.switches = PortalSwitches(latency_s=0.2)
    first = CountsLogIns(connection_to(portal, password="wrong"), settings_with(), tenant=TENANT)

    def work(client: CountsLogIns) -> str:
        with pytest.raises(PortalAccessError) as caught:
            client.take_off()
        return caught.value.what

    said = in_threads([first, first.sibling(), first.sibling()], work)
    assert len(set(said)) == 1
    assert portal.portal.counts["login"] == 1
