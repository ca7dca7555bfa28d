"""One judged answer, and what may be kept of it: never its content, nothing personal."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lienthong.exchange.payload import texts_of
from lienthong.exchange.replies import CallOutcome, Fault, Form, Reply
from lienthong.model.masking import mask


@dataclass(frozen=True)
class Answer:
    """One judged answer. `message` is masked and empty for a success; `result` may hold what the portal serves.
    `retry_after_s`: how long the portal asked to be left alone (429, 503).
    """

    service: str
    items: int
    outcome: CallOutcome
    http_status: int | None
    code: str | None
    message: str
    result: list[dict[str, Any]] = field(repr=False)
    duration_ms: int
    called_at: datetime
    retry_after_s: float | None = None


def kept_code(reply: Reply) -> str | None:
    """At most 20 characters of the code."""
    return None if reply.code is None else mask(reply.code)[:20]


def kept_message(reply: Reply, fault: Fault | None, body: dict[str, Any]) -> str:
    """Why the call to which `body` went did not succeed."""
    if fault is not None:
        return fault.value
    return mask(reply.message, texts_of([body])) if reply.form is not Form.BROKEN else "unreadable answer"
