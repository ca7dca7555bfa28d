"""Answers of the portal: how they are read and what they mean (portal-exchange §1, §2.2).

`judge` is the one place where an outcome is decided. A code alone never decides: a 0 may carry a refusal, codes come as
numbers and as text, progress answers are plain text, and a portal in trouble answers with a page of HTML.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

from lienthong.exchange.settings import PortalSettings

_COUNTS = re.compile(r"(?<![0-9])([0-9]{1,9})\s*/\s*([0-9]{1,9})(?![0-9])")
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_ESCAPED = re.compile(r"\\u(?:0000|d[89a-f])", re.IGNORECASE)
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]+")
_CODE_LENGTH = 64
_SESSION_LENGTH = 10_000


class CallOutcome(StrEnum):
    """What one call came to. UNKNOWN: it may have taken effect. RETRY: it certainly has not."""

    OK = "ok"
    EXISTS = "exists"
    REJECTED = "rejected"
    RETRY = "retry"
    RATE_LIMITED = "rate_limited"
    RELOGIN = "relogin"
    UNKNOWN = "unknown"


class Fault(StrEnum):
    """How a call failed below HTTP. NOT_SENT: no connection was made. It was, but: LOST, no whole answer came back;
    LATE, not in time; TOO_LARGE, it had no end within `answer_max_bytes`.
    """

    NOT_SENT = "not_sent"
    LOST = "lost"
    LATE = "late"
    TOO_LARGE = "too_large"


class Call(StrEnum):
    """Kinds of calls, as far as their answers are judged differently."""

    CREATE = "create"
    UPDATE = "update"
    PROGRESS = "progress"
    LOOKUP = "lookup"
    CATALOGUE = "catalogue"
    LOGIN = "login"

    @property
    def writes(self) -> bool:
        return self in (Call.CREATE, Call.UPDATE, Call.PROGRESS)


class Form(StrEnum):
    """What a body turned out to be."""

    JSON = "json"
    TEXT = "text"
    BROKEN = "broken"  # HTML, truncated JSON, nothing


@dataclass(frozen=True)
class Reply:
    """A body, read. `code` is as the portal wrote it (its beginning); `number` its integer value, None when it is not
    a number, or none that anybody would use as a code. Texts hold nothing that PostgreSQL or a terminal can't take.
    """

    form: Form
    code: str | None = None
    message: str = ""
    result: list[dict[str, Any]] | None = field(default=None, repr=False)
    session: str | None = field(default=None, repr=False)

    @property
    def number(self) -> int | None:
        return int(self.code) if self.code is not None and _NUMBER.fullmatch(self.code) else None


def read_reply(body: str | None, *, nested: bool = False) -> Reply:
    """Read a body, whatever is in it. `nested`: an LGSP wrapper put the real answer, as JSON text, into `message`."""
    text = (body or "").strip().lstrip("\ufeff")
    if not text or text.startswith("<"):
        return Reply(Form.BROKEN)
    try:
        raw = _json(text)
    except ValueError:
        return Reply(Form.BROKEN) if text[0] in '{["' else Reply(Form.TEXT, message=_plain(text))
    except RecursionError:
        return Reply(Form.BROKEN)
    if isinstance(raw, str):
        return Reply(Form.TEXT, message=_plain(raw))
    if not isinstance(raw, dict):
        return Reply(Form.BROKEN)
    try:
        return _read_object(_unwrapped(raw) if nested else raw)
    except RecursionError:  # nested almost too deeply to be read, and too deeply to be written
        return Reply(Form.BROKEN)


def _read_object(raw: dict[str, Any]) -> Reply:
    code = raw.get("error_code")
    result = raw.get("result")
    return Reply(
        Form.JSON,
        None if code is None or isinstance(code, bool) else _plain(str(code))[:_CODE_LENGTH],
        _plain(str(raw.get("message") or "")),
        [item for item in result if isinstance(item, dict)] if isinstance(result, list) else
        ([] if "result" in raw and result is None else None),
        _session(raw.get("session")),
    )  # fmt: skip


def retry_after(value: str | None, date: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After asks for: a number, or a date read against the answer's own Date (else `now`).
    Anything else is None.
    """
    if value is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", value.strip()):
        return float(value)
    until = _http_date(value)
    return None if until is None else max(0.0, (until - (_http_date(date) or now)).total_seconds())


def _http_date(value: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(value or "")
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def judge(call: Call, status: int | None, reply: Reply, fault: Fault | None, settings: PortalSettings) -> CallOutcome:
    """Decide one outcome. `status` is None exactly when there was a `fault`."""
    lost = CallOutcome.UNKNOWN if call.writes else CallOutcome.RETRY
    if fault is not None or status is None:
        return CallOutcome.RETRY if fault is Fault.NOT_SENT else lost
    if status == 429:
        return CallOutcome.RATE_LIMITED
    if status in (401, 403):
        return CallOutcome.RELOGIN
    if status in (404, 405):  # no such path: nothing can have taken it
        return CallOutcome.RETRY
    if status == 413:  # too large as a whole, halves may pass
        return CallOutcome.REJECTED
    if status >= 500 or status == 408 or 300 <= status < 400 or reply.form is Form.BROKEN:
        return lost
    return _judge_words(call, reply, settings, refused=status >= 400)


def _judge_words(call: Call, reply: Reply, settings: PortalSettings, *, refused: bool) -> CallOutcome:
    message = reply.message.casefold()

    def says(words: tuple[str, ...]) -> bool:
        return any(word.casefold() in message for word in words)

    succeeded = (
        says(settings.success_words) and not says(settings.refusal_words) and not _is_partial(message) and not refused
    )
    number = reply.number
    if "\ufffd" in f"{reply.code}{message}" and (
        number in (None, 0) or says(settings.success_words)
    ):  # something of it was changed
        return CallOutcome.UNKNOWN if call.writes else CallOutcome.RETRY
    if call is Call.LOGIN:
        if number == 0 and reply.session and not refused:
            return CallOutcome.OK
        says_no = reply.form is Form.JSON and (bool(message) or (reply.code is not None and number != 0))
        return CallOutcome.REJECTED if says_no or refused else CallOutcome.RETRY  # noise is no refusal of the account
    if not call.writes and number == 0 and reply.result is not None and not refused:
        return CallOutcome.OK
    if not succeeded and says(settings.session_words):
        return CallOutcome.RELOGIN
    if call is Call.LOOKUP and says(settings.absent_words):
        return CallOutcome.OK
    if not call.writes:
        return CallOutcome.RETRY if number == 0 and not message else CallOutcome.REJECTED
    if says(settings.exists_words) and call is not Call.UPDATE and number in settings.exists_codes:
        return CallOutcome.EXISTS
    if call is Call.PROGRESS:
        return CallOutcome.OK if succeeded else CallOutcome.REJECTED if message else CallOutcome.UNKNOWN
    if number == 0:
        return CallOutcome.OK if succeeded else CallOutcome.REJECTED if message else CallOutcome.UNKNOWN
    if succeeded or number is None:  # words and code disagree, or there is no code at all
        return CallOutcome.REJECTED if message and not succeeded else CallOutcome.UNKNOWN
    return CallOutcome.REJECTED


def _is_partial(message: str) -> bool:
    """Whether "49/50" is in the message: a success that is none for somebody."""
    return any(int(done) < int(all_) for done, all_ in _COUNTS.findall(message))


def _unwrapped(raw: dict[str, Any]) -> dict[str, Any]:
    """The answer inside `message` of a wrapper; its own code wins over the wrapper's."""
    message = raw.get("message")
    if not isinstance(message, str) or not message.lstrip().startswith(("{", "[")):
        return raw
    try:
        inner = _json(message)
    except ValueError:
        return raw
    if isinstance(inner, list):
        inner = {"result": inner}
    return {"error_code": raw.get("error_code"), **inner} if isinstance(inner, dict) else raw


def _json(text: str) -> Any:
    """ValueError or RecursionError when it can't be read. A number too long for a code or an id stays text."""
    raw = json.loads(text, parse_int=lambda digits: int(digits) if len(digits) <= 18 else digits)
    return _storable(raw) if _ESCAPED.search(text) or "\x00" in text else raw


def _storable(raw: Any) -> Any:
    """Without NUL and lone surrogates, which no database takes."""
    if isinstance(raw, str):
        return _UNSTORABLE.sub("\ufffd", raw)
    if isinstance(raw, list):
        return [_storable(item) for item in raw]
    if isinstance(raw, dict):
        return {_storable(key): _storable(value) for key, value in raw.items()}
    return raw


def _session(value: Any) -> str | None:
    """A session can be sent back only as it is: one that was changed on its way is none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value)
    return text if text and text.isprintable() and "\ufffd" not in text and len(text) <= _SESSION_LENGTH else None


def _plain(text: str) -> str:
    """One line, composed, without what steers a terminal."""
    clean = _CONTROLS.sub(" ", _UNSTORABLE.sub("\ufffd", text))
    return unicodedata.normalize("NFC", " ".join(clean.split()))
