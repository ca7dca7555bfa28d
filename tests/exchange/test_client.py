"""The client against the simulated portal, both ways of what nobody could verify (portal-exchange §1, §9)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import Engine

from lienthong.connections import Connection
from lienthong.exchange.client import PortalClient
from lienthong.exchange.limiter import RESERVED_S, SharedBucket
from lienthong.exchange.replies import CallOutcome
from lienthong.exchange.settings import Endpoint, PortalSettings
from lienthong.model.errors import ContractError, PortalAccessError, PortalUnreachableError
from simulator.portal import FaultKind, PortalServer, PortalSwitches
from tests.exchange.world import TENANT, Province, connection_to, settings_with


def client_of(portal: PortalServer, settings: PortalSettings | None = None, **changes: Any) -> PortalClient:
    return PortalClient(connection_to(portal, **changes), settings or settings_with(), tenant=TENANT)


def services(portal: PortalServer) -> list[str]:
    return [call.service for call in portal.portal.calls]


def test_one_session_serves_many_calls(portal: PortalServer) -> None:
    with client_of(portal) as client:
        for _ in range(3):
            assert client.find_dossier("H17.05-261012-0001").outcome is CallOutcome.OK
    assert services(portal) == ["login", "TraCuuHoSo", "TraCuuHoSo", "TraCuuHoSo"]


@pytest.mark.parametrize("code", ["-2", 401, 0])
def test_an_expired_session_is_renewed_once_and_the_call_repeated(portal: PortalServer, code: int | str) -> None:
    portal.switches = PortalSwitches(expired_code=code)
    with client_of(portal) as client:
        client.find_dossier("H17.05-261012-0001")
        portal.portal.expire_sessions()
        assert client.find_dossier("H17.05-261012-0001").outcome is CallOutcome.OK
    assert services(portal).count("login") == 2


def test_a_session_is_not_used_beyond_its_life(portal: PortalServer) -> None:
    clock = [0.0]
    settings = settings_with(session_life_s=500)
    with PortalClient(connection_to(portal), settings, tenant=TENANT, clock=lambda: clock[0]) as client:
        client.find_dossier("a")
        clock[0] = 499
        client.find_dossier("a")
        assert services(portal).count("login") == 1
        clock[0] = 501
        client.find_dossier("a")
    assert services(portal).count("login") == 2


def test_an_account_whose_every_session_is_refused_is_one_clear_error(portal: PortalServer) -> None:
    portal.switches = PortalSwitches(session_ttl_s=0.0)
    with client_of(portal) as client, pytest.raises(PortalAccessError, match="every session"):
        client.send_dossiers([{}], updating=False)


def test_a_refusal_that_reads_like_an_expired_session_is_a_refusal(portal: PortalServer) -> None:
    words = {"session_words": ["không xác định"]}
    with client_of(portal, settings_with(**words)) as client:
        answer = client.send_dossiers([{"PhienToa": "x"}], updating=False)
    assert answer.outcome is CallOutcome.REJECTED
    assert services(portal).count("DongBoHoSoMC") == 2


@pytest.mark.parametrize(("sent", "wanted", "works"), [
    ("header", "header", True), ("query", "query", True), ("header", "query", False), ("query", "header", False),
])  # fmt: skip
def test_the_provider_code_travels_where_the_settings_say(
    portal: PortalServer, sent: str, wanted: str, works: bool
) -> None:
    portal.switches = PortalSwitches(dstcode_in=wanted)
    with client_of(portal, settings_with(dstcode_in=sent)) as client:
        if works:
            assert client.find_dossier("a").outcome is CallOutcome.OK
        else:
            with pytest.raises(PortalAccessError):
                client.find_dossier("a")


def test_a_reading_that_got_no_answer_is_repeated(portal: PortalServer) -> None:
    portal.fail_next("TraCuuHoSo", FaultKind.DROP_BEFORE)
    portal.fail_next("TraCuuHoSo", FaultKind.HTML_PAGE)
    with client_of(portal) as client:
        assert client.find_dossier("a").outcome is CallOutcome.OK


def test_a_log_in_that_got_no_answer_is_repeated_and_then_given_up(portal: PortalServer) -> None:
    portal.fail_next("login", FaultKind.HTTP_500, 2)
    with client_of(portal) as client:
        assert client.find_dossier("a").outcome is CallOutcome.OK
    portal.fail_next("login", FaultKind.HTML_PAGE, 3)
    with client_of(portal) as client, pytest.raises(PortalUnreachableError):
        client.find_dossier("a")


def test_a_wrong_password_is_not_tried_again(portal: PortalServer) -> None:
    with client_of(portal, password="wrong") as client, pytest.raises(PortalAccessError) as caught:
        client.find_dossier("a")
    assert services(portal) == ["login"]
    assert "wrong" not in str(caught.value)


def test_a_catalogue_that_is_refused_is_unreachable(portal: PortalServer) -> None:
    with client_of(portal) as client, pytest.raises(PortalUnreachableError, match="LayDanhMucKhong"):
        client.catalogue("LayDanhMucKhong")


def test_an_incomplete_connection_is_told_at_once(portal: PortalServer) -> None:
    with pytest.raises(ContractError, match="share_endpoint"):
        client_of(portal, extra={"auth_endpoint": "/a", "integration_endpoint": "/b"})


def test_every_call_leaves_evidence_and_no_content(portal: PortalServer) -> None:
    with client_of(portal) as client:
        client.send_dossiers([{"ChuHoSo": "Nguyễn Thị Ngân"}], updating=False)
        calls = client.take_calls()
        assert client.take_calls() == []
    assert [(call.service, call.outcome, call.http_status) for call in calls] == [
        ("login", CallOutcome.OK, 200),
        ("DongBoHoSoMC", CallOutcome.REJECTED, 200),
    ]
    assert "Ngân" not in repr(calls)


def test_evidence_does_not_hold_what_the_portal_served(portal: PortalServer) -> None:
    with client_of(portal) as client:
        assert client.catalogue("LayDanhMucCoQuan")
        assert [call.result for call in client.take_calls()] == [[], []]


class _Wrapper(BaseHTTPRequestHandler):
    """An LGSP in front of the portal: the service in the path, answers as JSON text inside `message`."""

    seen: list[tuple[str, dict[str, Any]]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).seen.append((self.path, body))
        if self.path == "/login":
            answer: dict[str, Any] = {"error_code": 0, "message": "", "session": "s"}
        elif self.path.endswith("/TraCuuHoSo"):
            answer = {"error_code": "0", "message": json.dumps({"result": [{}]})}
        else:
            answer = {"error_code": "0", "message": json.dumps({"error_code": "-3", "message": "Hồ sơ đã tồn tại"})}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def wrapper() -> Iterator[ThreadingHTTPServer]:
    _Wrapper.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Wrapper)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_lgsp_wrapper_is_a_matter_of_configuration(wrapper: ThreadingHTTPServer) -> None:
    extra = {"auth_endpoint": "/login", "integration_endpoint": "/KetNoi", "share_endpoint": "/KetNoi"}
    connection = Connection("lgsp", "http", "127.0.0.1", wrapper.server_address[1], "u", "p", "http", extra)
    with PortalClient(connection, settings_with(envelope="lgsp"), tenant=TENANT) as client:
        assert client.find_dossier("H17.05-261012-0001").result == [{}]
        assert client.send_dossiers([{}], updating=False).outcome is CallOutcome.EXISTS
    assert [path for path, _ in _Wrapper.seen] == ["/login", "/KetNoi/TraCuuHoSo", "/KetNoi/DongBoHoSoMC"]


def test_two_callers_draw_from_one_bucket(warehouse: Engine, province: Province) -> None:
    start = datetime(2026, 10, 31, tzinfo=UTC)
    waits: list[float] = []
    settings = settings_with(limits={"integration": {"rate": 2, "burst": 3}, "share": {"rate": 100, "burst": 100}})
    assert settings.limits.integration.rate * RESERVED_S < 1, "each call fetches its own token here"
    first = SharedBucket(warehouse, TENANT, settings, clock=lambda: start, sleep=waits.append)
    second = SharedBucket(warehouse, TENANT, settings, clock=lambda: start, sleep=waits.append)
    for bucket in (first, second, first):
        bucket.wait(Endpoint.INTEGRATION)
    assert waits == []
    second.wait(Endpoint.INTEGRATION)
    first.wait(Endpoint.INTEGRATION)
    assert waits == [0.5, 1.0]
    second.wait(Endpoint.SHARE)
    assert len(waits) == 2
    later = SharedBucket(warehouse, TENANT, settings, clock=lambda: start + timedelta(hours=1), sleep=waits.append)
    for _ in range(3):
        later.wait(Endpoint.INTEGRATION)
    assert len(waits) == 2


def test_what_one_thread_reserved_no_other_takes(warehouse: Engine, province: Province) -> None:
    waited: list[int] = []
    settings = settings_with(limits={"integration": {"rate": 40, "burst": 2}, "share": {"rate": 1, "burst": 1}})
    start = datetime(2026, 10, 31, tzinfo=UTC)
    sleep: Callable[[float], None] = lambda seconds: waited.append(threading.get_ident())  # noqa: E731
    bucket = SharedBucket(warehouse, TENANT, settings, clock=lambda: start, sleep=sleep)
    bucket.wait(Endpoint.INTEGRATION)  # fetches two tokens and takes one
    other = threading.Thread(target=bucket.wait, args=(Endpoint.INTEGRATION,))
    other.start()
    other.join()
    bucket.wait(Endpoint.INTEGRATION)
    assert waited == [other.ident], "who reserved calls at once, who did not waits"


def test_a_fast_bucket_fetches_several_tokens_at_once_and_never_more_than_its_rate(
    warehouse: Engine, province: Province
) -> None:
    start = datetime(2026, 10, 31, tzinfo=UTC)
    waits: list[float] = []
    settings = settings_with(limits={"integration": {"rate": 200, "burst": 20}, "share": {"rate": 1, "burst": 1}})
    bucket = SharedBucket(warehouse, TENANT, settings, clock=lambda: start, sleep=waits.append)
    for _ in range(20):
        bucket.wait(Endpoint.INTEGRATION)
    assert waits == []
    for _ in range(10):
        bucket.wait(Endpoint.INTEGRATION)
    assert waits == [0.05]
