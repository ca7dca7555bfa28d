"""Answers of the portal: how they are read and what they mean (portal-exchange §1, §2.2).

`judge` is the one place where an outcome is decided. A code alone never decides: a 0 may carry a refusal, codes come as
numbers and as text, progress answers are plain text, and a portal in trouble answers with a page of HTML.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lienthong.exchange.settings import PortalSettings

_COUNTS = re.compile(r"([0-9]+)\s*/\s*([0-9]+)")


class Outcome(StrEnum):
    """What one call came to. UNKNOWN: it may have taken effect. RETRY: it certainly has not."""

    OK = "ok"
    EXISTS = "exists"
    REJECTED = "rejected"
    RETRY = "retry"
    RATE_LIMITED = "rate_limited"
    RELOGIN = "relogin"
    UNKNOWN = "unknown"


class Fault(StrEnum):
    """How a call failed below HTTP. NOT_SENT: no connection was made. LOST: it was, and no whole answer came back."""

    NOT_SENT = "not_sent"
    LOST = "lost"


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
    """A body, read. `code` is as the portal wrote it; `number` its integer value, None when it is not a number."""

    form: Form
    code: str | None = None
    message: str = ""
    result: list[dict[str, Any]] | None = field(default=None, repr=False)
    session: str | None = field(default=None, repr=False)

    @property
    def number(self) -> int | None:
        return int(self.code) if self.code is not None and re.fullmatch(r"[+-]?[0-9]+", self.code) else None


def read_reply(body: str | None, *, nested: bool = False) -> Reply:
    """Read a body. `nested`: an LGSP wrapper put the real answer, as JSON text, into `message`."""
    text = (body or "").strip().lstrip("\ufeff")
    if not text or text.startswith("<"):
        return Reply(Form.BROKEN)
    try:
        raw = json.loads(text)
    except ValueError:
        return Reply(Form.BROKEN) if text[0] in '{["' else Reply(Form.TEXT, message=_plain(text))
    if isinstance(raw, str):
        return Reply(Form.TEXT, message=_plain(raw))
    if not isinstance(raw, dict):
        return Reply(Form.BROKEN)
    if nested:
        raw = _unwrapped(raw)
    code = raw.get("error_code")
    result = raw.get("result")
    return Reply(
        Form.JSON,
        None if code is None or isinstance(code, bool) else str(code).strip(),
        _plain(str(raw.get("message") or "")),
        [item for item in result if isinstance(item, dict)] if isinstance(result, list) else
        ([] if "result" in raw and result is None else None),
        str(raw["session"]) if raw.get("session") else None,
    )  # fmt: skip


def judge(call: Call, status: int | None, reply: Reply, fault: Fault | None, settings: PortalSettings) -> Outcome:
    """Decide one outcome. `status` is None exactly when there was a `fault`."""
    lost = Outcome.UNKNOWN if call.writes else Outcome.RETRY
    if fault is not None or status is None:
        return Outcome.RETRY if fault is Fault.NOT_SENT else lost
    if status == 429:
        return Outcome.RATE_LIMITED
    if status in (401, 403):
        return Outcome.RELOGIN
    if status in (404, 405):  # no such path: nothing can have taken it
        return Outcome.RETRY
    if status == 413:  # too large as a whole, halves may pass
        return Outcome.REJECTED
    if status >= 500 or status == 408 or 300 <= status < 400 or reply.form is Form.BROKEN:
        return lost
    return _judge_words(call, reply, settings, refused=status >= 400)


def _judge_words(call: Call, reply: Reply, settings: PortalSettings, *, refused: bool) -> Outcome:
    message = reply.message.casefold()

    def says(words: tuple[str, ...]) -> bool:
        return any(word.casefold() in message for word in words)

    succeeded = (
        says(settings.success_words) and not says(settings.refusal_words) and not _is_partial(message) and not refused
    )
    number = reply.number
    if call is Call.LOGIN:
        return Outcome.OK if number == 0 and reply.session and not refused else Outcome.REJECTED
    if not call.writes and number == 0 and reply.result is not None and not refused:
        return Outcome.OK
    if not succeeded and says(settings.session_words):
        return Outcome.RELOGIN
    if call is Call.LOOKUP and says(settings.absent_words):
        return Outcome.OK
    if not call.writes:
        return Outcome.RETRY if number == 0 and not message else Outcome.REJECTED
    if says(settings.exists_words) and call is not Call.UPDATE and number in settings.exists_codes:
        return Outcome.EXISTS
    if call is Call.PROGRESS:
        return Outcome.OK if succeeded else Outcome.REJECTED if message else Outcome.UNKNOWN
    if number == 0:
        return Outcome.OK if succeeded else Outcome.REJECTED if message else Outcome.UNKNOWN
    if succeeded or number is None:  # words and code disagree, or there is no code at all
        return Outcome.REJECTED if message and not succeeded else Outcome.UNKNOWN
    return Outcome.REJECTED


def _is_partial(message: str) -> bool:
    """Whether "49/50" is in the message: a success that is none for somebody."""
    return any(int(done) < int(all_) for done, all_ in _COUNTS.findall(message))


def _unwrapped(raw: dict[str, Any]) -> dict[str, Any]:
    """The answer inside `message` of a wrapper; its own code wins over the wrapper's."""
    message = raw.get("message")
    if not isinstance(message, str) or not message.lstrip().startswith(("{", "[")):
        return raw
    try:
        inner = json.loads(message)
    except ValueError:
        return raw
    if isinstance(inner, list):
        inner = {"result": inner}
    return {"error_code": raw.get("error_code"), **inner} if isinstance(inner, dict) else raw


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split()))
