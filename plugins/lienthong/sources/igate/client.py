"""iGate over HTTP: a token that is renewed in time, requests that are tried again as their outcome allows."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential
from tenacity.wait import wait_base

from lienthong.connections import Connection
from lienthong.model.errors import ContractError, SourceAccessError, SourceAnswerError, SourceUnreachableError
from lienthong.sources.contract import SourceContract
from lienthong.sources.igate.dating import Dating, Item
from lienthong.sources.igate.listings import WHOLE, Listing
from lienthong.sources.igate.outcomes import Exchange, Outcome, PassingFaultError, judge, judge_fault, server_time
from lienthong.sources.igate.pages import GarbledError, Page, page_of
from lienthong.sources.igate.token import Token, address, host_of

T = TypeVar("T")

SEARCH = "/pa/dossier/search"
DETAIL = "/pa/dossier/{id}/--online"
#: Next step after a passing fault; true for Airflow and on the command line.
AGAIN = "run the load again (Airflow does so by itself): it goes on where it stopped"


class SlowPageError(Exception):
    """A page timed out twice though it could be asked for in smaller pieces."""


class IgateClient:
    """Reads one iGate. Use as a context manager; not for several threads.

    SourceUnreachableError, SourceAnswerError (both worth another load), SourceAccessError or ContractError; messages
    name source, load and key and never quote an answer.
    """

    def __init__(
        self,
        contract: SourceContract,
        connection: Connection,
        load: int | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.contract = contract
        self.connection = connection
        self.load = load
        self.sleep = sleep
        #: The server's clock and how far it is ahead of ours, from its last answer; None when it doesn't tell.
        self.clock: datetime | None = None
        self.clock_ahead: timedelta | None = None
        self.dating = Dating(contract)
        self._limits = contract.http
        self._paged = False
        missing = [name for name in ("token_url", "client_id") if not connection.extra.get(name)]
        if missing or not connection.login or not connection.host:
            what = ", ".join(missing) or "host or login"
            raise ContractError(
                f"Connection {connection.conn_id!r} lacks {what}.",
                next_step="complete the connection (docs/sources.md, iGate).",
                **self._where(connection.conn_id),
            )
        try:
            self._token = Token(connection, monotonic)
            self._http = httpx.Client(
                base_url=address(connection.http_url()),
                headers={"Accept": "application/json"},
                timeout=httpx.Timeout(self._limits.read_timeout_s, connect=self._limits.connect_timeout_s),
                verify=_trusted(connection),
            )
        except httpx.InvalidURL:  # its words quote the address
            raise ContractError(
                f"An address of connection {connection.conn_id!r} is none: host or token_url.",
                next_step="write token_url as https://<host>/<path>, host as a name (docs/sources.md, iGate).",
                **self._where(connection.conn_id),
            ) from None
        self._host = host_of(self._http.base_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def search(self, number: int, size: int, listing: Listing = WHOLE) -> Page:
        """Page `number` of `size` dossiers. SlowPageError after two timeouts when a smaller page may do."""
        key = page_name(number, size, listing)
        shrinkable = size > self._limits.smallest_page
        if self._paged:
            self.pause()
        self._paged = True
        return self._page(number, size, dict(listing.filters), key, shrinkable)

    def pause(self) -> None:
        """Be gentle, as the contract says: between any two pages, and after papers."""
        if self.contract.read.pause_ms:
            self.sleep(self.contract.read.pause_ms / 1000)

    def by_code(self, code: str, dossier_id: str) -> Item | None:
        """One dossier as the list shows it, by its number; None when it is not there any more."""
        page = self._page(0, 20, {"code": code}, f"dossier {dossier_id}")
        return next((item for item in page.items if item.key.dossier_id == dossier_id), None)

    def detail(self, dossier_id: str) -> dict[str, Any] | None:
        """One dossier with its papers; None on a 404: it was deleted, or the service is out (`papers.most_gone`)."""
        path = DETAIL.format(id=dossier_id)
        return self._ask(path, {}, f"dossier {dossier_id}", _object, missing=None)

    def fees(self, dossier_ids: Sequence[str]) -> list[dict[str, Any]]:
        """All fees of some dossiers."""
        parameters = {"dossier-ids": ",".join(dossier_ids), "required": ""}
        key = f"fees from dossier {dossier_ids[0]} on"
        return self._ask("/pa/dossier-fee/--by-dossiers", parameters, key, _objects)

    def answer_error(self, what: str, key: str, next_step: str | None = None) -> SourceAnswerError:
        """What to raise when answers are well-formed but don't hang together."""
        usual = f"{AGAIN}; if it lasts, show this to the system's operator."
        return SourceAnswerError(what, next_step=next_step or usual, **self._where(key))

    def _page(self, number: int, size: int, filters: Mapping[str, str], key: str, shrinkable: bool = False) -> Page:
        """Newest first; ties by whatever the server does."""
        order = {"spec": "page", "sort": f"{self._limits.sort},desc", "page": str(number), "size": str(size)}
        parameters = {**self._limits.query, **filters, **order}
        return self._ask(SEARCH, parameters, key, lambda body: page_of(body, number, size, self.dating), shrinkable)

    def _ask(
        self,
        path: str,
        parameters: Mapping[str, str],
        key: str,
        read: Callable[[Any], T],
        shrinkable: bool = False,
        **absent: Any,
    ) -> T:
        """One request, tried again while that may help. `missing` in `absent` is what a 404 means."""

        def once() -> Any:
            exchange = self._exchange(path, parameters)
            if exchange.outcome is Outcome.MISSING and "missing" in absent:
                return absent["missing"]
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

        try:
            return self._retrying(enough)(once)  # type: ignore[no-any-return]
        except PassingFaultError as fault:
            if shrinkable and fault.exchange.outcome is Outcome.SLOW:
                raise SlowPageError from None
            raise self._gave_up(fault.exchange, key) from None

    def _retrying(self, enough: Callable[[RetryCallState], bool]) -> Retrying:
        return Retrying(
            retry=retry_if_exception_type(PassingFaultError),
            stop=enough,
            wait=_Wait(self._limits.backoff_ms / 1000, self._limits.longest_wait_s),
            sleep=self.sleep,
            reraise=True,
        )

    def _exchange(self, path: str, parameters: Mapping[str, str]) -> Exchange:
        """A GET with a token; a refused token is replaced once."""
        exchange = self._get(path, parameters)
        if exchange.outcome is Outcome.RENEW_TOKEN:
            self._token.drop()
            exchange = self._get(path, parameters)
            if exchange.outcome is Outcome.RENEW_TOKEN:
                raise SourceAccessError(
                    f"The source refuses a new token as well as the old one ({exchange.words}).",
                    next_step="have the rights of the account checked by the system's operator; then run the load "
                    "again, it goes on where it stopped.",
                    **self._where(self.connection.conn_id),
                )
        return exchange

    def _get(self, path: str, parameters: Mapping[str, str]) -> Exchange:
        try:
            header = {"Authorization": f"Bearer {self._valid_token()}"}
            response = self._http.get(path, params=dict(parameters), headers=header)
        except httpx.RequestError as error:
            return judge_fault(error)
        now = datetime.now(UTC)
        self.clock = server_time(response)
        self.clock_ahead = self.clock - now if self.clock else None
        return judge(response, now)

    def _valid_token(self) -> str:
        if self._token.valid:
            return self._token.text
        exchange = self._token.request(self._http)
        if exchange.outcome is Outcome.OK:
            return self._token.text
        if exchange.outcome in (Outcome.RENEW_TOKEN, Outcome.WRONG, Outcome.MISSING):
            raise SourceAccessError(
                f"The log-in at {self._token.host} was refused ({exchange.words}).",
                next_step="check login, password, client_id and token_url of the connection.",
                **self._where(self.connection.conn_id),
            )
        raise PassingFaultError(
            Exchange(exchange.outcome, f"log-in at {self._token.host}: {exchange.words}", wait_s=exchange.wait_s)
        )

    def _refuse_or_pass(self, exchange: Exchange, key: str) -> NoReturn:
        if exchange.outcome in (Outcome.WRONG, Outcome.MISSING):
            raise SourceAccessError(
                f"The source at {self._host} refuses the request ({exchange.words}).",
                next_step="check the address in the connection, and whether this iGate has the service "
                "(docs/sources.md, iGate).",
                **self._where(key),
            )
        raise PassingFaultError(exchange)

    def _gave_up(self, exchange: Exchange, key: str) -> SourceUnreachableError | SourceAnswerError:
        tries = f"after {self._limits.attempts} tries"
        if exchange.outcome is Outcome.GARBLED:
            return self.answer_error(
                f"The source at {self._host} gives no usable answer ({exchange.words}), {tries}.", key
            )
        return SourceUnreachableError(
            f"The source at {self._host} does not answer ({exchange.words}), {tries}.",
            next_step=f"{AGAIN}; if it lasts, check the network and the source system.",
            **self._where(key),
        )

    def _where(self, key: str) -> dict[str, Any]:
        return {"source": self.contract.source_id, "load": self.load, "key": key}


def page_name(number: int, size: int, listing: Listing) -> str:
    """What errors call a page."""
    page = f"page {number} of {size}"
    return page if listing is WHOLE else f"{page}, {listing.name}"


class _Wait(wait_base):
    """Doubling with jitter, or what the server asked for; never above the contract's limit."""

    def __init__(self, first_s: float, longest_s: float) -> None:
        self._longest_s = longest_s
        self._backoff = wait_random_exponential(multiplier=first_s, max=longest_s)

    def __call__(self, retry_state: RetryCallState) -> float:
        fault = retry_state.outcome.exception() if retry_state.outcome else None
        asked = fault.exchange.wait_s if isinstance(fault, PassingFaultError) else None
        return min(asked, self._longest_s) if asked is not None else self._backoff(retry_state)


def _trusted(connection: Connection) -> ssl.SSLContext:
    """Certificates are always checked; `extra.ca_file` adds the authority of an inner network."""
    return ssl.create_default_context(cafile=connection.extra.get("ca_file") or None)


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict) or not isinstance(body.get("id"), str):
        raise GarbledError("not a dossier")
    return body


def _objects(body: Any) -> list[dict[str, Any]]:
    if not isinstance(body, list) or not all(isinstance(item, dict) for item in body):
        raise GarbledError("not a list")
    return body
