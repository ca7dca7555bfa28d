"""The access token of one reader: Keycloak's password grant, renewed before it expires (portal-exchange §6.4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import httpx

from lienthong.connections import Connection
from lienthong.sources.igate.outcomes import Exchange, Outcome, judge, judge_fault

#: A token is renewed when less than this share of its life is left, or this many seconds.
_SPARE_SHARE, _SPARE_S = 0.1, 30.0
_DEFAULT_LIFE_S = 60.0
#: A name or an IPv4 address, or an IPv6 address as httpx gives it, without brackets.
_HOST = re.compile(r"[\w.-]+|[0-9a-fA-F:.]+")


class Token:
    """Holds the token and never shows it. httpx.InvalidURL when the connection's token_url is no address."""

    def __init__(self, connection: Connection, monotonic: Callable[[], float]) -> None:
        self._connection = connection
        self._monotonic = monotonic
        self._url = address(str(connection.extra["token_url"]))
        self._text = ""
        self._until = 0.0

    @property
    def valid(self) -> bool:
        return bool(self._text) and self._monotonic() < self._until

    @property
    def host(self) -> str:
        """Where one logs in."""
        return host_of(self._url)

    @property
    def text(self) -> str:
        return self._text

    def drop(self) -> None:
        """Forget the token: the server refused it."""
        self._text = ""

    def request(self, http: httpx.Client) -> Exchange:
        """Ask for a new token and keep it when the outcome is OK."""
        extra = self._connection.extra
        form = {
            "grant_type": "password",
            "client_id": str(extra["client_id"]),
            "username": self._connection.login or "",
            "password": self._connection.password or "",
        }
        if extra.get("client_secret"):
            form["client_secret"] = str(extra["client_secret"])
        asked = self._monotonic()
        try:
            response = http.post(self._url, data=form)
        except httpx.RequestError as error:
            return judge_fault(error)
        exchange = judge(response, datetime.now(UTC))
        if exchange.outcome is not Outcome.OK:
            return exchange
        body = exchange.body
        token = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(token, str) or not token:
            return Exchange(Outcome.GARBLED, f"{exchange.words}, without a token")
        life = body.get("expires_in")
        seconds = float(life) if isinstance(life, int | float) and life > 0 else _DEFAULT_LIFE_S
        self._text = token
        self._until = asked + seconds - min(max(seconds * _SPARE_SHARE, 1.0), _SPARE_S)
        return Exchange(Outcome.OK, exchange.words)


def address(text: str) -> httpx.URL:
    """An address that can be asked; httpx.InvalidURL otherwise. httpx alone takes almost any text for one."""
    url = httpx.URL(text)
    if url.scheme not in ("http", "https") or not _HOST.fullmatch(url.host):
        raise httpx.InvalidURL("no address")
    return url


def host_of(url: httpx.URL) -> str:
    """Host and port of an address, without anything else: there may be an account in it."""
    return f"{url.host}:{url.port}" if url.port else url.host
