"""A session that travels in the body of every call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lienthong.sources.kit.http.credentials import Send
from lienthong.sources.kit.http.exchange import Exchange, Outcome, Request, Verdict


class BodySession:
    """See `kit.http.Credential`. A session holds until the service says otherwise.

    `login`: the request that logs in; `session_of`: the session in its decoded answer, None when there is none.
    `verdict`: what such an answer says by the vendor's codes. `name`: the key of the session in a call's body.
    """

    def __init__(
        self,
        place: str,
        login: Request,
        session_of: Callable[[Any], str | None],
        *,
        verdict: Verdict = lambda body: None,
        name: str = "session",
    ) -> None:
        self.place = place
        self._login, self._session_of, self._verdict, self._name = login, session_of, verdict, name
        self._session = ""

    @property
    def valid(self) -> bool:
        return bool(self._session)

    def drop(self) -> None:
        self._session = ""

    def sign(self, request: Request) -> Request:
        return replace(request, json={self._name: self._session, **(request.json or {})})

    def log_in(self, send: Send) -> Exchange:
        exchange = send(self._login)
        if exchange.outcome is not Outcome.OK:
            return exchange
        said = self._verdict(exchange.body)
        if said is not None and said.outcome is not Outcome.OK:
            return said
        session = self._session_of(exchange.body)
        if not session:
            return Exchange(Outcome.GARBLED, f"{exchange.words}, without a session")
        self._session = session
        return Exchange(Outcome.OK, exchange.words)
