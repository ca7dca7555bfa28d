"""How a session proves who it is: nothing, a bearer token that is renewed in time; `kit.rpc` has one in the body."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from lienthong.connections import Connection
from lienthong.sources.kit.http.exchange import Exchange, Outcome, Request

#: Sends a request as it is, without a credential, and judges the answer.
Send = Callable[[Request], Exchange]

#: A token is renewed when less than this share of its life is left, or this many seconds.
SPARE_SHARE, SPARE_S = 0.1, 30.0
_DEFAULT_LIFE_S = 60.0


class Credential(Protocol):
    """Holds what proves who we are, and never shows it. `place`: where one logs in, for messages."""

    place: str

    @property
    def valid(self) -> bool:
        """Whether the next request can be signed without logging in first."""

    def log_in(self, send: Send) -> Exchange:
        """Ask for a new token or session, and keep it when the outcome is OK."""

    def drop(self) -> None:
        """Forget it: the server refused it."""

    def sign(self, request: Request) -> Request:
        """The request with the proof in it."""


class NoCredential:
    """For services that ask for nothing, or for the same header or parameter each time."""

    place = "the service"

    def __init__(self, headers: dict[str, str] | None = None, params: dict[str, str] | None = None) -> None:
        self._headers, self._params = headers or {}, params or {}
        self._refused = False

    @property
    def valid(self) -> bool:
        return not self._refused

    def log_in(self, send: Send) -> Exchange:
        """There is nothing to renew: a refusal is final."""
        return Exchange(Outcome.RENEW, "it takes no log-in, and refuses what the connection holds")

    def drop(self) -> None:
        self._refused = True

    def sign(self, request: Request) -> Request:
        headers, params = {**request.headers, **self._headers}, {**request.params, **self._params}
        return replace(request, headers=headers, params=params)


class BearerToken:
    """OAuth 2's password grant, as Keycloak has it: `token_url`, `client_id` (and `client_secret`) in the extra."""

    def __init__(self, connection: Connection, place: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.place = place
        self._connection = connection
        self._monotonic = monotonic
        self._text = ""
        self._until = 0.0

    @property
    def valid(self) -> bool:
        return bool(self._text) and self._monotonic() < self._until

    def drop(self) -> None:
        self._text = ""

    def sign(self, request: Request) -> Request:
        return replace(request, headers={**request.headers, "Authorization": f"Bearer {self._text}"})

    def log_in(self, send: Send) -> Exchange:
        extra = self._connection.extra
        form = {
            "grant_type": "password",
            "client_id": str(extra.get("client_id", "")),
            "username": self._connection.login or "",
            "password": self._connection.password or "",
        }
        if extra.get("client_secret"):
            form["client_secret"] = str(extra["client_secret"])
        asked = self._monotonic()
        exchange = send(Request("POST", str(extra.get("token_url", "")), form=form))
        if exchange.outcome is not Outcome.OK:
            return exchange
        body = exchange.body if isinstance(exchange.body, dict) else {}
        token, life = body.get("access_token"), body.get("expires_in")
        if not isinstance(token, str) or not token:
            return Exchange(Outcome.GARBLED, f"{exchange.words}, without a token")
        seconds = float(life) if isinstance(life, int | float) and life > 0 else _DEFAULT_LIFE_S
        self._text = token
        self._until = asked + seconds - min(max(seconds * SPARE_SHARE, 1.0), SPARE_S)
        return Exchange(Outcome.OK, exchange.words)
