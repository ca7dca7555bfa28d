"""Requests to one service: bounded in time and size, signed, and tried again as their outcome allows."""

from __future__ import annotations

import logging
import re
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Final, NoReturn, Self, TypeVar

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential
from tenacity.wait import wait_base

from lienthong.connections import Connection
from lienthong.model.errors import ContractError, SourceAccessError, SourceAnswerError, SourceUnreachableError
from lienthong.sources.contract import SourceContract
from lienthong.sources.kit.formats.garbled import GarbledError
from lienthong.sources.kit.formats.json_paths import decode_json
from lienthong.sources.kit.http.credentials import Credential, NoCredential
from lienthong.sources.kit.http.exchange import (
    Decode,
    Exchange,
    Outcome,
    PassingFaultError,
    Request,
    Verdict,
    judge,
    judge_fault,
    server_time,
)

T = TypeVar("T")

#: httpx tells every address it asks; some services want their key in it.
logging.getLogger("httpx").setLevel(logging.WARNING)

#: Of one answer, unpacked. The largest page of a province has a hundredth.
MOST_BYTES = 64 << 20
#: Next step after a passing fault; true for Airflow and on the command line.
AGAIN = "run the load again (Airflow does so by itself)"
#: A name or an IPv4 address, or an IPv6 address as httpx gives it, without brackets.
_HOST = re.compile(r"[\w.-]+|[0-9a-fA-F:.]+")
_REQUIRED: Final[Any] = object()


class SlowAnswerError(Exception):
    """An answer timed out twice though it could be asked for in smaller pieces."""


class HttpSession:
    """Reads one service. Use as a context manager; not for several threads.

    `verdict`: what a vendor's decoded body says of the exchange. SourceUnreachableError, SourceAnswerError (both worth
    another load), SourceAccessError or ContractError; messages name source, load and key and never quote an answer.
    """

    def __init__(
        self,
        contract: SourceContract,
        connection: Connection,
        load: int | None = None,
        *,
        credential: Credential | None = None,
        verdict: Verdict = lambda body: None,
        decode: Decode = decode_json,
        most_bytes: int = MOST_BYTES,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.contract, self.connection, self.load = contract, connection, load
        self.sleep = sleep
        #: The server's clock and how far it is ahead of ours, from its last answer; None when it doesn't tell.
        self.clock: datetime | None = None
        self.clock_ahead: timedelta | None = None
        self._credential: Credential = credential or NoCredential()
        self._verdict, self._decode, self._most_bytes = verdict, decode, most_bytes
        self._limits = contract.http
        try:
            self._base = address(connection.http_url())
        except httpx.InvalidURL:  # its words quote the address
            raise ContractError(
                f"The address of connection {connection.conn_id!r} is none.",
                next_step="write the host as a name, and http or https as the schema (docs/sources.md).",
                **self.where(connection.conn_id),
            ) from None
        self._http = httpx.Client(
            base_url=self._base,
            timeout=httpx.Timeout(self._limits.read_timeout_s, connect=self._limits.connect_timeout_s),
            verify=_trusted(connection),
        )
        self.host = host_of(self._base)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def ask(
        self,
        request: Request,
        key: str,
        read: Callable[[Any], T],
        *,
        missing: Any = _REQUIRED,
        shrinkable: bool = False,
    ) -> T:
        """What `read` makes of the answer; tried again while that may help.

        `key` names the request in errors. `missing`: what a 404 means, where it is an answer. `shrinkable`: two
        timeouts raise SlowAnswerError, for a smaller piece may do.
        """

        def once() -> Any:
            exchange = self._exchange(request)
            if exchange.outcome is Outcome.MISSING and missing is not _REQUIRED:
                return missing
            if exchange.outcome is not Outcome.OK:
                self._refuse_or_pass(exchange, key)
            try:
                return read(exchange.body)
            except GarbledError as garbled:
                raise PassingFaultError(Exchange(Outcome.GARBLED, f"{exchange.words}, {garbled}")) from None

        def enough(state: RetryCallState) -> bool:
            fault = state.outcome.exception() if state.outcome else None
            slow = isinstance(fault, PassingFaultError) and fault.exchange.outcome is Outcome.SLOW
            return state.attempt_number >= (2 if slow and shrinkable else self._limits.attempts)

        retrying = Retrying(
            retry=retry_if_exception_type(PassingFaultError),
            stop=enough,
            wait=_Wait(self._limits.backoff_ms / 1000, self._limits.longest_wait_s),
            sleep=self.sleep,
            reraise=True,
        )
        try:
            return retrying(once)  # type: ignore[no-any-return]
        except PassingFaultError as fault:
            if shrinkable and fault.exchange.outcome is Outcome.SLOW:
                raise SlowAnswerError from None
            raise self._gave_up(fault.exchange, key) from None

    def answer_error(self, what: str, key: str, next_step: str | None = None) -> SourceAnswerError:
        """What to raise when answers are well-formed but don't hang together."""
        usual = f"{AGAIN}; if it lasts, show this to the system's operator."
        return SourceAnswerError(what, next_step=next_step or usual, **self.where(key))

    def where(self, key: str) -> dict[str, Any]:
        """Source, load and key, for errors."""
        return {"source": self.contract.source_id, "load": self.load, "key": key}

    def _exchange(self, request: Request) -> Exchange:
        """One signed exchange; a refused token or session is replaced once."""
        exchange = self._signed(request)
        if exchange.outcome is Outcome.RENEW:
            self._credential.drop()
            exchange = self._signed(request)
            if exchange.outcome is Outcome.RENEW:
                raise SourceAccessError(
                    f"The source at {self.host} refuses us right after a log-in ({exchange.words}).",
                    next_step="have the rights of the account checked by the system's operator; then run the load "
                    "again.",
                    **self.where(self.connection.conn_id),
                )
        return exchange

    def _signed(self, request: Request) -> Exchange:
        if not self._credential.valid:
            self._log_in()
        exchange = self._send(self._credential.sign(request))
        if exchange.outcome is Outcome.OK:
            return self._verdict(exchange.body) or exchange
        return exchange

    def _log_in(self) -> None:
        exchange = self._credential.log_in(self._send)
        if exchange.outcome is Outcome.OK:
            return
        place = self._credential.place
        if exchange.outcome in (Outcome.RENEW, Outcome.WRONG, Outcome.MISSING):
            raise SourceAccessError(
                f"The log-in at {place} was refused ({exchange.words}).",
                next_step="check login, password and addresses of the connection.",
                **self.where(self.connection.conn_id),
            )
        raise PassingFaultError(
            Exchange(exchange.outcome, f"log-in at {place}: {exchange.words}", wait_s=exchange.wait_s)
        )

    def _send(self, request: Request) -> Exchange:
        body: dict[str, Any] = {}
        if request.json is not None:
            body["json"] = request.json
        if request.form is not None:
            body["data"] = dict(request.form)
        headers = {"Accept": "application/json", **request.headers}
        try:
            with self._http.stream(
                request.method, request.path, params=dict(request.params), headers=headers, **body
            ) as response:
                content = bytearray()
                for piece in response.iter_bytes(1 << 16):
                    content += piece
                    if len(content) > self._most_bytes:
                        return Exchange(Outcome.GARBLED, f"an answer of more than {self._most_bytes >> 20} MiB")
        except httpx.InvalidURL:
            return Exchange(Outcome.WRONG, "no address")
        except httpx.RequestError as error:
            return judge_fault(error)
        now = datetime.now(UTC)
        self.clock = server_time(response)
        self.clock_ahead = self.clock - now if self.clock else None
        return judge(response, bytes(content), self._decode, now)

    def _refuse_or_pass(self, exchange: Exchange, key: str) -> NoReturn:
        if exchange.outcome in (Outcome.WRONG, Outcome.MISSING):
            raise SourceAccessError(
                f"The source at {self.host} refuses the request ({exchange.words}).",
                next_step="check the address in the connection, and whether this system has the service "
                "(docs/sources.md).",
                **self.where(key),
            )
        raise PassingFaultError(exchange)

    def _gave_up(self, exchange: Exchange, key: str) -> SourceUnreachableError | SourceAnswerError:
        tries = f"after {self._limits.attempts} tries"
        if exchange.outcome is Outcome.GARBLED:
            return self.answer_error(
                f"The source at {self.host} gives no usable answer ({exchange.words}), {tries}.", key
            )
        return SourceUnreachableError(
            f"The source at {self.host} does not answer ({exchange.words}), {tries}.",
            next_step=f"{AGAIN}; if it lasts, check the network and the source system.",
            **self.where(key),
        )


class _Wait(wait_base):
    """Doubling with jitter, or what the server asked for; never above the contract's limit."""

    def __init__(self, first_s: float, longest_s: float) -> None:
        self._longest_s = longest_s
        self._backoff = wait_random_exponential(multiplier=first_s, max=longest_s)

    def __call__(self, retry_state: RetryCallState) -> float:
        fault = retry_state.outcome.exception() if retry_state.outcome else None
        asked = fault.exchange.wait_s if isinstance(fault, PassingFaultError) else None
        return min(asked, self._longest_s) if asked is not None else self._backoff(retry_state)


def address(text: str) -> httpx.URL:
    """An address that can be asked; httpx.InvalidURL otherwise. httpx alone takes almost any text for one."""
    url = httpx.URL(text)
    if url.scheme not in ("http", "https") or not _HOST.fullmatch(url.host):
        raise httpx.InvalidURL("no address")
    return url


def host_of(url: httpx.URL) -> str:
    """Host and port of an address, without anything else: there may be an account in it."""
    return f"{url.host}:{url.port}" if url.port else url.host


def _trusted(connection: Connection) -> ssl.SSLContext:
    """Certificates are always checked; `extra.ca_file` adds the authority of an inner network."""
    return ssl.create_default_context(cafile=connection.extra.get("ca_file") or None)
