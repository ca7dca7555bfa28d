"""Whatever a portal answers, what is kept of it is something that PostgreSQL takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from lienthong.exchange.client import Answer, PortalClient
from lienthong.exchange.evidence import record_calls
from lienthong.model.errors import PortalAccessError
from tests.exchange.raw import RawServer
from tests.exchange.world import TENANT, settings_with

WORDS = st.sampled_from(
    ["thành công", "đã tồn tại", "Phiên làm việc", "\x00", "\ud800", "\udfff\ud800", "\x1b[31m", "x"]
)
TEXTS = st.lists(WORDS | st.text(max_size=5), max_size=5).map(" ".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["error_code", "message", "result", "session"])
OBJECTS = st.dictionaries(KEYS | TEXTS, VALUES, max_size=5).map(lambda value: json.dumps(value).encode())
LONG_CODE = b'{"error_code": ' + b"9" * 4300 + b', "message": "' + "thành công".encode() + b'"}'
DEEP = b'{"error_code": 0, "message": ' + b"[" * 100_000
NEARLY_DEEP = b'{"error_code": ' + b"[" * 900 + b"]" * 900 + b', "message": ' + b"[" * 900 + b"]" * 900 + b"}"
LONG_TEXT = b'{"error_code": "7", "message": "' + "Nguyễn Văn An x@y ".encode() * 50_000 + b'"}'
COUNTS = b'"' + b"1" * 5000 + b"/" + b"2" * 5000 + ' thành công"'.encode()


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    """Logs everybody in; other calls get `always`."""
    with RawServer([], log_in=RawServer.json({"error_code": 0, "session": "s"})) as made:
        yield made


@pytest.fixture(scope="module")
def client(server: RawServer) -> Iterator[PortalClient]:
    with PortalClient(server.connection(), settings_with(max_attempts=1), tenant=TENANT) as made:
        made.find_dossier("000.00.00.H17-261012-0001")
        made.take_calls()
        yield made


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=st.binary(max_size=60) | OBJECTS, status=st.integers(200, 999))
@example(body=LONG_CODE, status=200)
@example(body=DEEP, status=200)
@example(body=NEARLY_DEEP, status=200)
@example(body=LONG_TEXT, status=200)
@example(body=COUNTS, status=200)
@example(body=b'{"error_code": "\\u0000", "message": "\\ud800 \\u0000", "result": null}', status=200)
@example(body=b'{"error_code": 0, "result": [{"a\\u0000": ["\\ud800"]}]}', status=200)
@example(body=b'{"error_code": 1e999, "message": {"a": NaN}, "result": {}, "session": [1]}', status=400)
def test_any_answer_can_be_stored(
    warehouse: Engine, server: RawServer, client: PortalClient, body: bytes, status: int
) -> None:
    kept: list[Answer] = []
    sends: tuple[Callable[[], Answer], ...] = (
        lambda: client.send_dossiers([{"ChuHoSo": "Nguyễn Văn An"}], updating=False),
        lambda: client.send_steps([{}]),
        lambda: client.find_dossier("a"),
    )
    server.always = RawServer.answer(body, status=status)
    for send in sends:
        try:
            kept.append(send())
        except PortalAccessError:
            continue
    calls = client.take_calls()
    assert all(call.code is None or len(call.code) <= 20 for call in calls)
    with warehouse.begin() as connection:
        connection.execute(text("SELECT ops.ensure_tenant(:t)"), {"t": TENANT})
        record_calls(connection, TENANT, "any", calls)
        for answer in kept:
            said = connection.execute(text("SELECT CAST(:m AS text)"), {"m": answer.message}).scalar_one()
            assert said == answer.message
            result = json.dumps(answer.result, ensure_ascii=False)
            assert connection.execute(text("SELECT CAST(:r AS text)"), {"r": result}).scalar_one() == result
