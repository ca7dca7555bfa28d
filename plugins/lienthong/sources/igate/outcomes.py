"""What one HTTP exchange came to. One enum for every way an answer can go; nothing here keeps a body."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

import httpx
from pydantic_core import from_json

from lienthong.model.network import fault_of


class Outcome(StrEnum):
    """OK and MISSING are answers; RETRY, SLOW and GARBLED are worth another try; the rest is not."""

    OK = "ok"
    MISSING = "missing"  # 404
    RETRY = "retry"  # no connection, 5xx, 429
    SLOW = "slow"  # no answer in time
    GARBLED = "garbled"  # a page that isn't JSON, torn JSON, or JSON without what was asked for
    RENEW_TOKEN = "renew_token"  # 401, 403
    WRONG = "wrong"  # any other refusal of the request itself


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


def judge(response: httpx.Response, now: datetime) -> Exchange:
    """Outcome of a response; of a 2xx the decoded JSON."""
    status = response.status_code
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    words = f"HTTP {status}"
    if status in (401, 403):
        return Exchange(Outcome.RENEW_TOKEN, words)
    if status == 404:
        return Exchange(Outcome.MISSING, words)
    if status == 429 or status >= 500:
        return Exchange(Outcome.RETRY, words, wait_s=_retry_after(response, now))
    if 300 <= status < 400:
        return Exchange(Outcome.GARBLED, f"{words}, a redirection")
    if status >= 400:
        return Exchange(Outcome.WRONG, words)
    if kind == "text/html":
        return Exchange(Outcome.GARBLED, f"{words}, an HTML page instead of JSON")
    try:
        return Exchange(Outcome.OK, words, from_json(response.content))
    except ValueError:
        return Exchange(Outcome.GARBLED, f"{words}, broken JSON of {len(response.content)} bytes")


def judge_fault(error: httpx.RequestError) -> Exchange:
    """Outcome of an exchange without a whole response."""
    fault = fault_of(error)  # never its words: they may quote the address
    words = f"no answer ({type(error).__name__}{', ' + fault if fault else ''})"
    return Exchange(Outcome.SLOW if isinstance(error, httpx.ReadTimeout) else Outcome.RETRY, words)


def server_time(response: httpx.Response) -> datetime | None:
    """The server's clock, from its Date header."""
    return _http_date(response.headers.get("date"))


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
