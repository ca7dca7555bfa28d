"""Whatever a service answers becomes a value, another try, or one error that says what to do and quotes nothing."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lienthong.model.errors import ContractError, LienThongError, SourceAccessError, SourceAnswerError
from lienthong.model.errors import SourceUnreachableError as Unreachable
from lienthong.sources.contract import SourceContract
from lienthong.sources.kit.http import (
    BearerToken,
    Exchange,
    GarbledError,
    HttpSession,
    NoCredential,
    Outcome,
    Piece,
    RepeatedPageError,
    Request,
    SlowAnswerError,
    read_windows,
    walk_pages,
)
from lienthong.sources.kit.rpc import BodySession
from tests.sources.igate import contract_of
from tests.sources.kit.service import Answer, Asked, Service, said, serving

SECRET = "Nguyễn Thị Hoa"


@pytest.fixture
def contract() -> SourceContract:
    return contract_of(http={"read_timeout_s": 0.3})


def listed(body: Any) -> list[Any]:
    if not isinstance(body, list):
        raise GarbledError("not a list")
    return body


def asking(service: Service, contract: SourceContract, **options: Any) -> list[Any]:
    with HttpSession(contract, service.connection(), 7, sleep=lambda seconds: None, **options) as http:
        return http.ask(Request("GET", "/list", {"page": "0"}), "page 0", listed)


def refused(
    contract: SourceContract, answer: Callable[[Asked], Answer], kind: type[LienThongError], **options: Any
) -> tuple[str, int]:
    """The words of the error that comes of always being answered so, and how often the service was asked."""
    with serving(answer) as service, pytest.raises(kind) as caught:
        asking(service, contract, **options)
    told = str(caught.value)
    assert "source igate_h21" in told
    assert "load 7" in told
    assert SECRET not in told
    assert "s3cret-word" not in told
    assert "Next:" in told
    return told, len(service.asked)


PAGE = f"<!DOCTYPE html><title>{SECRET}</title>".encode()


@pytest.mark.parametrize(
    ("answer", "kind", "words", "asked"),
    [
        (Answer(200, PAGE, {"Content-Type": "text/html"}), SourceAnswerError, "an HTML page", 3),
        (Answer(200, PAGE), SourceAnswerError, "an HTML page", 3),
        (Answer(200, f'[{{"hoTen": "{SECRET}"'.encode()), SourceAnswerError, "broken JSON", 3),
        (Answer(200, b"[1, 2, 3]", cut=4), Unreachable, "no answer", 3),
        (said({"hoTen": SECRET}), SourceAnswerError, "not a list", 3),
        (Answer(200, b"[1]", {"Content-Type": "application/json; charset=martian"}), SourceAnswerError, "nobody", 3),
        (Answer(200, b'["\xf0"]'), SourceAnswerError, "broken JSON", 3),
        (Answer(302, b"", {"Location": "http://127.0.0.1:1/elsewhere"}), SourceAnswerError, "a redirection", 3),
        (Answer(503, PAGE), Unreachable, "HTTP 503", 3),
        (Answer(429, b"", {"Retry-After": "3600"}), Unreachable, "HTTP 429", 3),
        (Answer(404), SourceAccessError, "refuses the request", 1),
        (Answer(400, SECRET.encode()), SourceAccessError, "HTTP 400", 1),
        (Answer(401), SourceAccessError, "was refused", 1),
    ],
    ids=[
        "html", "html as json", "torn", "cut", "another shape", "unknown charset", "wrong charset", "redirection",
        "503", "429", "404", "400", "401",
    ],
)  # fmt: skip
def test_a_bad_answer_is_tried_again_where_that_helps_and_then_told(
    contract: SourceContract, answer: Answer, kind: type[LienThongError], words: str, asked: int
) -> None:
    told, times = refused(contract, lambda request: answer, kind)
    assert words in told
    assert times == asked


def test_a_service_that_comes_back_is_read_on(contract: SourceContract) -> None:
    answers = iter([Answer(503), Answer(200, PAGE), said([1])])
    with serving(lambda request: next(answers)) as service:
        assert asking(service, contract) == [1]
    assert service.asked[0].params == {"page": "0"}


def test_an_answer_larger_than_any_is_not_read_to_its_end_even_if_it_arrives_small(contract: SourceContract) -> None:
    bomb = gzip.compress(b"[" + b" " * (8 << 20) + b"]")
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert len(bomb) < 10_000
    told, _ = refused(contract, lambda request: Answer(200, bomb, headers), SourceAnswerError, most_bytes=1 << 20)
    assert "more than 1 MiB" in told


def test_declared_charsets_and_marks_are_understood(contract: SourceContract) -> None:
    text = f'["{SECRET}"]'
    for body, charset in (
        (text.encode("utf-16"), "utf-16"),
        (b"\xef\xbb\xbf" + text.encode(), "utf-8"),
        (text.encode(), ""),
    ):
        kind = "application/json" + (f"; charset={charset}" if charset else "")
        answer = Answer(200, body, {"Content-Type": kind})
        with serving(lambda request, answer=answer: answer) as service:
            assert asking(service, contract) == [SECRET]


def test_an_answer_that_does_not_come_is_asked_for_in_smaller_pieces_where_that_may_do(
    contract: SourceContract,
) -> None:
    never = threading.Event()
    with serving(lambda request: Answer(wait=never)) as service:
        with HttpSession(contract, service.connection(), sleep=lambda seconds: None) as http:
            with pytest.raises(SlowAnswerError):
                http.ask(Request("GET", "/list"), "page 0", listed, shrinkable=True)
            with pytest.raises(Unreachable, match="ReadTimeout"):
                http.ask(Request("GET", "/list"), "page 0", listed)
        never.set()
    assert len(service.asked) == 2 + 3


def test_what_is_missing_may_be_an_answer(contract: SourceContract) -> None:
    with serving(lambda request: Answer(404)) as service, HttpSession(contract, service.connection()) as http:
        assert http.ask(Request("GET", "/dossier/1"), "dossier 1", listed, missing=None) is None


def test_the_service_s_clock_is_read_from_its_answers(contract: SourceContract) -> None:
    ahead = {"Content-Type": "application/json", "Date": "Wed, 25 Nov 2099 00:00:00 GMT"}
    with (
        serving(lambda request: Answer(200, b"[]", ahead)) as service,
        HttpSession(contract, service.connection()) as http,
    ):
        http.ask(Request("GET", "/list"), "page 0", listed)
        assert http.clock == datetime(2099, 11, 25, tzinfo=UTC)
        assert http.clock_ahead is not None
        assert http.clock_ahead > timedelta(days=365)


@pytest.mark.parametrize("host", ["", "x y", "///", "user@"])
def test_an_address_that_is_none_is_told_without_quoting_it(contract: SourceContract, host: str) -> None:
    with serving(lambda request: said([])) as service:
        connection = service.connection()
    broken = type(connection)("src_service", "http", host, None, "reader", "s3cret-word", "http")
    with pytest.raises(ContractError) as caught:
        HttpSession(contract, broken)
    assert "src_service" in str(caught.value)
    assert "s3cret-word" not in str(caught.value)


def keycloak(tokens: list[str], answer: Callable[[Asked, str], Answer]) -> Callable[[Asked], Answer]:
    """A log-in at /token that hands out `tokens` in turn, and a service behind it."""
    left = iter(tokens)

    def answering(request: Asked) -> Answer:
        if request.path == "/token":
            token = next(left, None)
            return said({"access_token": token, "expires_in": 300}) if token else Answer(401)
        return answer(request, request.headers.get("Authorization", ""))

    return answering


def with_token(service: Service, contract: SourceContract) -> HttpSession:
    connection = service.connection(token_url=f"http://127.0.0.1:{service.port}/token", client_id="reader")
    return HttpSession(
        contract, connection, 7, credential=BearerToken(connection, "the log-in"), sleep=lambda seconds: None
    )


def test_a_token_that_expires_in_the_middle_is_replaced_once(contract: SourceContract) -> None:
    good = keycloak(["old", "new"], lambda request, sent: said([1]) if sent == "Bearer new" else Answer(401))
    with serving(good) as service, with_token(service, contract) as http:
        assert http.ask(Request("GET", "/list"), "page 0", listed) == [1]
    assert [request.path for request in service.asked] == ["/token", "/list", "/token", "/list"]


@pytest.mark.parametrize(
    ("tokens", "words"), [([], "log-in at the log-in was refused"), (["old", "new"], "right after a log-in")]
)
def test_wrong_credentials_and_missing_rights_are_told_apart(
    contract: SourceContract, tokens: list[str], words: str
) -> None:
    forbidding = keycloak(tokens, lambda request, sent: Answer(403))
    with (
        serving(forbidding) as service,
        with_token(service, contract) as http,
        pytest.raises(SourceAccessError, match=words) as caught,
    ):
        http.ask(Request("GET", "/list"), "page 0", listed)
    assert "s3cret-word" not in str(caught.value)


def test_a_token_is_renewed_before_it_expires(contract: SourceContract) -> None:
    now = [0.0]

    def good(request: Asked, sent: str) -> Answer:
        return said([sent])

    with serving(keycloak(["first", "second"], good)) as service:
        connection = service.connection(token_url=f"http://127.0.0.1:{service.port}/token", client_id="reader")
        token = BearerToken(connection, "the log-in", monotonic=lambda: now[0])
        with HttpSession(contract, connection, credential=token) as http:
            assert http.ask(Request("GET", "/list"), "page 0", listed) == ["Bearer first"]
            now[0] = 269.0
            assert http.ask(Request("GET", "/list"), "page 0", listed) == ["Bearer first"]
            now[0] = 271.0
            assert http.ask(Request("GET", "/list"), "page 0", listed) == ["Bearer second"]


def test_fixed_headers_and_parameters_are_sent_with_each_request(contract: SourceContract) -> None:
    key = NoCredential({"MaDonVi": "H17"}, {"APIKey": "k"})
    with serving(lambda request: said([])) as service:
        asking(service, contract, credential=key)
    assert service.asked[0].params == {"page": "0", "APIKey": "k"}
    assert service.asked[0].headers["MaDonVi"] == "H17"


# Sessions in the body of a call, and errors in the body of an answer.


def verdict(body: Any) -> Exchange | None:
    code = str(body.get("error_code", "0")) if isinstance(body, dict) else "0"
    if code == "0":
        return None
    return Exchange(Outcome.RENEW if code == "-5" else Outcome.WRONG, f"error_code {code}")


def ministry(sessions: list[str], good: str) -> Callable[[Asked], Answer]:
    left = iter(sessions)

    def answering(request: Asked) -> Answer:
        if request.path == "/login":
            session = next(left, None)
            return said({"error_code": "0", "session": session} if session else {"error_code": "-1"})
        if request.json["session"] != good:
            return said({"error_code": "-5"})
        return said({"error_code": "0", "data": [request.json["service"]]})

    return answering


def called(service: Service, contract: SourceContract) -> list[Any]:
    login = Request("POST", "/login", json={"user": "reader", "password": "s3cret-word"})
    session = BodySession("the ministry", login, lambda body: body.get("session"), verdict=verdict)
    with HttpSession(contract, service.connection(), 7, credential=session, verdict=verdict) as http:
        request = Request("POST", "/g", json={"service": "DanhSachHoSo"})
        return http.ask(request, "DanhSachHoSo", lambda body: listed(body.get("data")))


def test_a_session_that_expires_in_the_middle_is_replaced_and_the_call_repeated(contract: SourceContract) -> None:
    with serving(ministry(["old", "new"], "new")) as service:
        assert called(service, contract) == ["DanhSachHoSo"]
    assert [request.path for request in service.asked] == ["/login", "/g", "/login", "/g"]


@pytest.mark.parametrize(
    ("sessions", "words"), [([], "log-in at the ministry was refused"), (["a", "b", "c"], "right after a log-in")]
)
def test_a_session_that_is_never_good_is_a_matter_of_access(
    contract: SourceContract, sessions: list[str], words: str
) -> None:
    with serving(ministry(sessions, "x")) as service, pytest.raises(SourceAccessError, match=words) as caught:
        called(service, contract)
    assert "s3cret-word" not in str(caught.value)


# Pages and windows, without a socket: what is asked for is a function.


def rows(keys: list[str]) -> tuple[dict[str, Any], ...]:
    return tuple({"id": key} for key in keys)


def piece(keys: list[str], **told: Any) -> Piece:
    return Piece(tuple(keys), rows(keys), **told)


def pages_of(keys: list[str], **told: Any) -> Callable[[int, int], Piece]:
    return lambda offset, size: piece(keys[offset : offset + size], **told)


def read(fetch: Callable[[int, int], Piece], size: int, **options: Any) -> list[str]:
    return [key for page in walk_pages(fetch, size, **options) for key in page.keys]


@pytest.mark.parametrize("told", [{}, {"total": 7}])
@pytest.mark.parametrize("size", [1, 3, 7, 10])
def test_pages_are_read_to_the_end_whether_or_not_the_service_counts(size: int, told: dict[str, Any]) -> None:
    keys = [str(number) for number in range(7)]
    assert read(pages_of(keys, **told), size) == keys


def test_a_page_that_repeats_is_not_taken_for_more_rows() -> None:
    with pytest.raises(RepeatedPageError, match="rows from 2 on"):
        read(lambda offset, size: piece(["a", "b"]), 2)


def test_a_list_that_ends_before_its_own_count_is_not_whole() -> None:
    with pytest.raises(GarbledError, match="4 rows, though the list has 9"):
        read(lambda offset, size: piece(["a", "b", "c", "d"][offset : offset + 2], total=9, last=offset >= 2), 2)
    with pytest.raises(GarbledError, match="2 rows, though"):
        read(lambda offset, size: piece(["a", "b"] if not offset else [], total=9), 2)


def test_a_page_that_is_too_slow_is_read_in_halves() -> None:
    keys, sizes = [str(number) for number in range(20)], []

    def fetch(offset: int, size: int) -> Piece:
        sizes.append(size)
        if size > 4:
            raise SlowAnswerError
        return piece(keys[offset : offset + size])

    assert read(fetch, 16, smallest=3) == keys
    assert sizes[:3] == [16, 8, 4]
    with pytest.raises(SlowAnswerError):
        read(fetch, 16, smallest=5)


START = datetime(2026, 10, 1, tzinfo=UTC)
DAY = timedelta(days=1)


class Days:
    """A service that is asked for days: so many rows on each, and never more than `most` rows in an answer."""

    def __init__(self, amounts: list[int], most: int | None, counts: bool) -> None:
        self.amounts, self.most, self.counts = amounts, most, counts
        self.asked: list[tuple[datetime, datetime]] = []

    def __call__(self, start: datetime, end: datetime) -> Piece:
        self.asked.append((start, end))
        days = range((start - START) // DAY, min((end - START) // DAY, len(self.amounts)))
        keys = [f"{day}-{number}" for day in days for number in range(self.amounts[day])]
        return piece(keys[: self.most], total=len(keys) if self.counts else None)


@pytest.mark.parametrize("counts", [True, False])
def test_a_window_with_more_rows_than_the_service_returns_is_read_in_parts(counts: bool) -> None:
    days = Days([3, 0, 4, 4, 1, 0, 2], 5, counts)
    found = [key for part in read_windows(days, START, START + 7 * DAY, 3 * DAY, most_rows=5) for key in part.keys]
    assert found == [f"{day}-{number}" for day in range(7) for number in range(days.amounts[day])]
    assert all((end - start) % DAY == timedelta(0) for start, end in days.asked), "services of days take no half of one"


def test_a_day_with_more_rows_than_the_service_returns_is_an_error_and_not_a_loss() -> None:
    with pytest.raises(GarbledError, match="holds more than the 5 rows"):
        list(read_windows(Days([9], 5, True), START, START + DAY, 3 * DAY))
