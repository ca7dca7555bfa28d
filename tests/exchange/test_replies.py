"""What an answer means, whatever shape it comes in (portal-exchange §1, §2.2)."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.exchange.replies import Call, CallOutcome, Fault, judge, read_reply, retry_after
from lienthong.model.masking import mask
from tests.exchange.world import PERSONAL, settings_with

SETTINGS = settings_with()


def verdict(call: Call, body: object, status: int = 200) -> CallOutcome:
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return judge(call, status, read_reply(text), None, SETTINGS)


@pytest.mark.parametrize("code", [0, "0", "00", " 0 "])
def test_a_zero_with_the_words_of_success_is_a_success(code: object) -> None:
    assert verdict(Call.CREATE, {"error_code": code, "message": "Đồng bộ thành công"}) is CallOutcome.OK


@pytest.mark.parametrize(
    "message",
    [
        "Từ chối: dữ liệu không được chấp nhận",
        "Đồng bộ không thành công",
        "Cập nhật thất bại",
        "Đồng bộ thành công 49/50 hồ sơ",
        "Đồng bộ thành công 0 / 1 hồ sơ",
    ],
)
def test_a_zero_may_carry_a_refusal(message: str) -> None:
    assert verdict(Call.CREATE, {"error_code": 0, "message": message}) is CallOutcome.REJECTED


def test_a_whole_count_is_a_success() -> None:
    assert verdict(Call.UPDATE, {"error_code": "0", "message": "Đồng bộ thành công 50/50 hồ sơ"}) is CallOutcome.OK


@pytest.mark.parametrize("code", [0, "3", -3, "-3"])
def test_existing_is_told_by_code_and_words_together(code: object) -> None:
    assert verdict(Call.CREATE, {"error_code": code, "message": "Hồ sơ ĐÃ TỒN TẠI"}) is CallOutcome.EXISTS
    assert verdict(Call.CREATE, {"error_code": 5, "message": "Hồ sơ đã tồn tại"}) is CallOutcome.REJECTED
    assert verdict(Call.UPDATE, {"error_code": code, "message": "Hồ sơ đã tồn tại"}) is CallOutcome.REJECTED


@pytest.mark.parametrize("call", [Call.CREATE, Call.UPDATE])
@pytest.mark.parametrize(
    "body",
    ["", "<html>Bảo trì</html>", '{"error_code": 0, "mess', "[]", {"error_code": 0, "message": ""}, {},
     {"error_code": 7, "message": "Đồng bộ thành công"}, "Đồng bộ thành công"],
)  # fmt: skip
def test_an_answer_that_says_nothing_sure_leaves_a_write_unknown(call: Call, body: object) -> None:
    assert verdict(call, body) is CallOutcome.UNKNOWN


@pytest.mark.parametrize("body", ["Cập nhật tiến độ thành công", '"Cập nhật thành công"', {"message": "thành công"}])
def test_progress_answers_in_plain_text(body: object) -> None:
    assert verdict(Call.PROGRESS, body) is CallOutcome.OK


def test_progress_is_refused_in_plain_text_too() -> None:
    assert verdict(Call.PROGRESS, "Không tìm thấy hồ sơ") is CallOutcome.REJECTED


@pytest.mark.parametrize(("status", "write", "read"), [
    (500, CallOutcome.UNKNOWN, CallOutcome.RETRY), (502, CallOutcome.UNKNOWN, CallOutcome.RETRY),
    (302, CallOutcome.UNKNOWN, CallOutcome.RETRY),
    (404, CallOutcome.RETRY, CallOutcome.RETRY), (429, CallOutcome.RATE_LIMITED, CallOutcome.RATE_LIMITED),
    (401, CallOutcome.RELOGIN, CallOutcome.RELOGIN), (403, CallOutcome.RELOGIN, CallOutcome.RELOGIN),
    (413, CallOutcome.REJECTED, CallOutcome.REJECTED),
])  # fmt: skip
def test_http_status_decides_before_the_body(status: int, write: CallOutcome, read: CallOutcome) -> None:
    body = {"error_code": 0, "message": "Đồng bộ thành công", "result": []}
    assert verdict(Call.CREATE, body, status) is write
    assert verdict(Call.LOOKUP, body, status) is read


@pytest.mark.parametrize(
    "body",
    ["", "<html>Bảo trì</html>", '{"session": "s', {}, {"error_code": 0}, "x\ufffd\x00",
     {"error_code": 0, "session": "a\x00b"}, {"error_code": "\ufffd", "session": "s"}],
)  # fmt: skip
def test_a_log_in_is_refused_by_words_or_a_code_and_never_by_noise(body: object) -> None:
    assert verdict(Call.LOGIN, body) is CallOutcome.RETRY
    assert verdict(Call.LOGIN, {"error_code": 1}) is CallOutcome.REJECTED
    assert verdict(Call.LOGIN, {"error_code": 0, "message": "Sai mật khẩu"}) is CallOutcome.REJECTED


@pytest.mark.parametrize(
    "body",
    ["Cập nhật \ufffd thành công", "Kh\x00ng thành công", {"error_code": 0, "message": "kh\ud800ng thành công"}],
)
def test_words_of_success_that_were_changed_on_their_way_are_none(body: object) -> None:
    for call in (Call.CREATE, Call.PROGRESS):
        assert verdict(call, body) is CallOutcome.UNKNOWN
    assert verdict(Call.CREATE, {"error_code": 7, "message": "Sai tên \ufffd"}) is CallOutcome.REJECTED


def test_a_code_of_thousands_of_digits_is_no_number() -> None:
    for code in ("9" * 4300, '"' + "9" * 4300 + '"', "-" + "0" * 4301):
        reply = read_reply(f'{{"error_code": {code}, "message": "thành công"}}')
        assert reply.number is None
        assert judge(Call.CREATE, 200, reply, None, SETTINGS) is CallOutcome.UNKNOWN
    assert read_reply('{"error_code": "00", "message": ""}').number == 0


NOW = datetime(2026, 10, 31, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120), (" 0 ", 0), ("Sat, 31 Oct 2026 17:01:30 GMT", 90), ("Sat, 31 Oct 2026 16:00:00 GMT", 0),
        (None, None), ("", None), ("soon", None), ("-5", None), ("1e3", None), ("9" * 400, None), ("NaN", None),
        ("Sat, 31 Oct 99999 17:01:30 GMT", None), ("١٢", None), ("Sat, 99 Oct 2026 17:01:30 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date_and_nothing_else(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, None, NOW) == seconds


def test_a_date_to_come_back_is_read_against_the_portals_own_clock() -> None:
    assert retry_after("Sat, 31 Oct 2026 20:00:30 GMT", "Sat, 31 Oct 2026 20:00:00 GMT", NOW) == 30


@given(st.none() | st.text(max_size=40), st.none() | st.text(max_size=40))
def test_no_retry_after_is_ever_an_error(value: str | None, date: str | None) -> None:
    found = retry_after(value, date, NOW)
    assert found is None or found >= 0


def test_a_success_in_a_refused_request_is_none() -> None:
    assert verdict(Call.CREATE, {"error_code": 0, "message": "thành công"}, 400) is CallOutcome.REJECTED


def test_a_fault_before_sending_can_be_retried_and_one_after_cannot() -> None:
    nothing = read_reply(None)
    assert judge(Call.CREATE, None, nothing, Fault.NOT_SENT, SETTINGS) is CallOutcome.RETRY
    assert judge(Call.CREATE, None, nothing, Fault.LOST, SETTINGS) is CallOutcome.UNKNOWN
    assert judge(Call.LOOKUP, None, nothing, Fault.LOST, SETTINGS) is CallOutcome.RETRY


@pytest.mark.parametrize("code", ["-2", 0, "401"])
def test_an_expired_session_is_told_by_its_words(code: object) -> None:
    body = {"error_code": code, "message": "Phiên làm việc không hợp lệ hoặc đã hết hạn"}
    for call in (Call.CREATE, Call.PROGRESS, Call.LOOKUP, Call.CATALOGUE):
        assert verdict(call, body) is CallOutcome.RELOGIN


def test_a_lookup_finds_or_does_not_find() -> None:
    assert verdict(Call.LOOKUP, {"error_code": "0", "message": "", "result": []}) is CallOutcome.OK
    assert verdict(Call.LOOKUP, {"error_code": 0, "result": [{}]}) is CallOutcome.OK
    assert verdict(Call.LOOKUP, {"error_code": "5", "message": "Không tìm thấy hồ sơ"}) is CallOutcome.OK
    assert verdict(Call.LOOKUP, {"error_code": "5", "message": "Sai tham số"}) is CallOutcome.REJECTED
    assert verdict(Call.LOOKUP, {"error_code": 0}) is CallOutcome.RETRY


def test_a_wrapper_hides_the_answer_in_its_message() -> None:
    inner = json.dumps({"result": [{"MALINHVUC": "G15-HT02"}]})
    reply = read_reply(json.dumps({"error_code": "0", "message": inner}), nested=True)
    assert reply.result == [{"MALINHVUC": "G15-HT02"}]
    assert judge(Call.CATALOGUE, 200, reply, None, SETTINGS) is CallOutcome.OK
    inner = json.dumps({"error_code": "-3", "message": "Hồ sơ đã tồn tại"})
    reply = read_reply(json.dumps({"error_code": 0, "message": inner}), nested=True)
    assert judge(Call.CREATE, 200, reply, None, SETTINGS) is CallOutcome.EXISTS


@given(st.sampled_from(list(Call)), st.integers(100, 599), st.one_of(st.text(), st.from_type(dict).map(repr)))
def test_nothing_but_clear_words_is_ever_taken_for_a_success_of_a_write(call: Call, status: int, body: str) -> None:
    outcome = judge(call, status, read_reply(body), None, SETTINGS)
    if call.writes and "thành công" not in body:
        assert outcome not in (CallOutcome.OK, CallOutcome.EXISTS)


@pytest.mark.parametrize("text", PERSONAL)
def test_a_kept_message_has_lost_what_was_in_the_request(text: str) -> None:
    kept = mask(f"Dữ liệu {text.lower()} không hợp lệ, {text}.", PERSONAL)
    assert text.casefold() not in kept.casefold()
    assert "không hợp lệ" in kept


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("Số 048190001234 sai", "Số … sai"),
        ("Điện thoại 0905 123 456 sai", "Điện thoại … sai"),
        ("Chủ hồ sơ Nguyễn Thị Bích Ngân không hợp lệ", "Chủ hồ sơ … không hợp lệ"),
        ('Tên "lê văn tám" không hợp lệ', "Tên … không hợp lệ"),
        ("Thư a.b@c.vn sai", "Thư … sai"),
        ("Thiếu trường bắt buộc MaLinhVuc", "Thiếu trường bắt buộc MaLinhVuc"),
    ],
)
def test_a_kept_message_has_no_numbers_names_or_quotes(message: str, kept: str) -> None:
    assert mask(message) == kept


def test_a_long_message_is_masked_in_a_moment_and_shows_nothing_of_the_request() -> None:
    name = "Công ty " + "Đại Phát " * 400
    assert len(name) < 4000
    for filler in ("x" * 16_500 + " ", "0905123456 " * 1_600):
        kept = mask(filler + name + "a@b " * 100_000, [name])
        assert len(kept) <= 200
        assert "Đại" not in kept
    assert mask("0905123456 " * 1_700 + name, [name]) == "…"
