"""A token that a log-in in JSON gives, and that every later request carries in a header."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from lienthong.sources.kit.http.credentials import SPARE_S, SPARE_SHARE, Send
from lienthong.sources.kit.http.exchange import Exchange, Outcome, Request, Verdict

_DEFAULT_LIFE_S = 60.0


@dataclass
class JsonToken:
    """See `credentials.Credential`. `login`: the request that logs in; `token` and `life`: keys of its answer (seconds
    of life; a minute where it doesn't say). `header`: the header that a token makes. `verdict`: what an answer to the
    log-in says by the vendor's codes.
    """

    place: str
    login: Request = field(repr=False)
    token: str
    life: str
    header: Callable[[str], dict[str, str]]
    verdict: Verdict = lambda body: None
    monotonic: Callable[[], float] = time.monotonic
    _text: str = field(default="", init=False, repr=False)
    _until: float = field(default=0.0, init=False)

    @property
    def valid(self) -> bool:
        return bool(self._text) and self.monotonic() < self._until

    def drop(self) -> None:
        self._text = ""

    def sign(self, request: Request) -> Request:
        return replace(request, headers={**request.headers, **self.header(self._text)})

    def log_in(self, send: Send) -> Exchange:
        asked = self.monotonic()
        exchange = send(self.login)
        if exchange.outcome is not Outcome.OK:
            return exchange
        said = self.verdict(exchange.body)
        if said is not None and said.outcome is not Outcome.OK:
            return said
        body: dict[str, Any] = exchange.body if isinstance(exchange.body, dict) else {}
        token, life = body.get(self.token), body.get(self.life)
        if not isinstance(token, str) or not token:
            return Exchange(Outcome.GARBLED, f"{exchange.words}, without a token")
        seconds = float(life) if isinstance(life, int | float) and life > 0 else _DEFAULT_LIFE_S
        self._text = token
        self._until = asked + seconds - min(max(seconds * SPARE_SHARE, 1.0), SPARE_S)
        return Exchange(Outcome.OK, exchange.words)
