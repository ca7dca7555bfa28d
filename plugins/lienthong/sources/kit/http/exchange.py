"""What one HTTP exchange came to. One enum for every way an answer can go; words never quote an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

import httpx

from lienthong.model.network import fault_of
from lienthong.sources.kit.formats.garbled import GarbledError

#: Makes a decoded body of bytes and the charset that the answer declares ('' when it doesn't). GarbledError.
Decode = Callable[[bytes, str], Any]
#: What a vendor's decoded body says of the exchange (many answer 200 to everything); None: it is an answer.
Verdict = Callable[[Any], "Exchange | None"]


class Outcome(StrEnum):
    """OK and MISSING are answers; RETRY, SLOW and GARBLED are worth another try; the rest is not."""

    OK = "ok"
    MISSING = "missing"  # 404
    RETRY = "retry"  # no connection, 5xx, 429
    SLOW = "slow"  # no answer in time
    GARBLED = "garbled"  # a page that isn't what was asked for, or torn, or too large
    RENEW = "renew"  # 401, 403, or a session that has expired
    WRONG = "wrong"  # any other refusal of the request itself


@dataclass(frozen=True)
class Request:
    """One request. `path` is below the connection's address, or a whole address. `json` or `form` is its body."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Exchange:
    """One judged exchange. `words` describe it without quoting it; `wait_s` is what the server asked for."""

    outcome: Outcome
    words: str
    body: Any = None
    wait_s: float | None = None


class PassingFaultError(Exception):
    """An exchange that may go well the next time."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange.words)
        self.exchange = exchange


def judge(response: httpx.Response, content: bytes, decode: Decode, now: datetime) -> Exchange:
    """Outcome of a response; of a 2xx the decoded body."""
    status = response.status_code
    kind, _, rest = response.headers.get("content-type", "").partition(";")
    words = f"HTTP {status}"
    if status in (401, 403):
        return Exchange(Outcome.RENEW, words)
    if status == 404:
        return Exchange(Outcome.MISSING, words)
    if status == 429 or status >= 500:
        return Exchange(Outcome.RETRY, words, wait_s=_retry_after(response, now))
    if 300 <= status < 400:
        return Exchange(Outcome.GARBLED, f"{words}, a redirection")
    if status >= 400:
        return Exchange(Outcome.WRONG, words)
    if kind.strip().lower() == "text/html" or content[:256].lstrip()[:14].lower() in (b"<!doctype html",):
        return Exchange(Outcome.GARBLED, f"{words}, an HTML page")
    try:
        return Exchange(Outcome.OK, words, decode(content, _charset(rest)))
    except GarbledError as garbled:
        return Exchange(Outcome.GARBLED, f"{words}, {garbled}")


def judge_fault(error: httpx.RequestError) -> Exchange:
    """Outcome of an exchange without a whole response."""
    fault = fault_of(error)  # never its words: they may quote the address
    words = f"no answer ({type(error).__name__}{', ' + fault if fault else ''})"
    return Exchange(Outcome.SLOW if isinstance(error, httpx.ReadTimeout) else Outcome.RETRY, words)


def server_time(response: httpx.Response) -> datetime | None:
    """The server's clock, from its Date header."""
    return _http_date(response.headers.get("date"))


def _charset(parameters: str) -> str:
    for part in parameters.split(";"):
        name, _, value = part.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"')
    return ""


def _retry_after(response: httpx.Response, now: datetime) -> float | None:
    text = response.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    moment = _http_date(text)
    return max((moment - now).total_seconds(), 0.0) if moment else None


def _http_date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
