"""iGate over HTTP: its services, behind a token that is renewed in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx

from lienthong.connections import Connection
from lienthong.model.errors import ContractError
from lienthong.sources.contract import SourceContract
from lienthong.sources.kit.http import BearerToken, GarbledError, HttpSession, Request
from lienthong.sources.kit.http.session import address, host_of
from lienthong.sources.kit.moving.items import Item
from lienthong.sources.kit.moving.listing import WHOLE, Listing, page_name
from lienthong.sources.kit.moving.pages import Page, page_of
from lienthong.sources.systems.igate.dating import Dating

SEARCH = "/pa/dossier/search"
DETAIL = "/pa/dossier/{id}/--online"
FEES = "/pa/dossier-fee/--by-dossiers"


class IgateClient(HttpSession):
    """Reads one iGate. See `HttpSession`."""

    def __init__(
        self,
        contract: SourceContract,
        connection: Connection,
        load: int | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        where: dict[str, Any] = {"source": contract.source_id, "load": load, "key": connection.conn_id}
        missing = [name for name in ("token_url", "client_id") if not connection.extra.get(name)]
        if missing or not connection.login or not connection.host:
            raise ContractError(
                f"Connection {connection.conn_id!r} lacks {', '.join(missing) or 'host or login'}.",
                next_step="complete the connection (docs/sources.md, iGate).",
                **where,
            )
        try:
            place = host_of(address(str(connection.extra["token_url"])))
            address(connection.http_url())
        except httpx.InvalidURL:  # its words quote the address
            raise ContractError(
                f"An address of connection {connection.conn_id!r} is none: host or token_url.",
                next_step="write token_url as https://<host>/<path>, host as a name (docs/sources.md, iGate).",
                **where,
            ) from None
        token = BearerToken(connection, place, monotonic)
        super().__init__(contract, connection, load, credential=token, sleep=sleep)
        self.dating = Dating(contract)
        self._paged = False

    def search(self, number: int, size: int, listing: Listing = WHOLE) -> Page:
        """Page `number` of `size` dossiers. SlowAnswerError after two timeouts when a smaller page may do."""
        shrinkable = size > self.contract.http.smallest_page
        if self._paged:
            self.pause()
        self._paged = True
        return self._page(number, size, dict(listing.filters), page_name(number, size, listing), shrinkable)

    def pause(self) -> None:
        """Be gentle, as the contract says: between any two pages, and after papers."""
        if self.contract.read.pause_ms:
            self.sleep(self.contract.read.pause_ms / 1000)

    def by_code(self, code: str, dossier_id: str) -> Item | None:
        """One dossier as the list shows it, by its number; None when it is not there any more."""
        page = self._page(0, 20, {"code": code}, f"dossier {dossier_id}")
        return next((item for item in page.items if item.key.record == dossier_id), None)

    def detail(self, dossier_id: str) -> dict[str, Any] | None:
        """One dossier with its papers; None on a 404: it was deleted, or the service is out (`papers.most_gone`)."""
        request = Request("GET", DETAIL.format(id=dossier_id))
        return self.ask(request, f"dossier {dossier_id}", _object, missing=None)

    def fees(self, dossier_ids: Sequence[str]) -> list[dict[str, Any]]:
        """All fees of some dossiers."""
        request = Request("GET", FEES, {"dossier-ids": ",".join(dossier_ids), "required": ""})
        return self.ask(request, f"fees from dossier {dossier_ids[0]} on", _objects)

    def _page(self, number: int, size: int, filters: Mapping[str, str], key: str, shrinkable: bool = False) -> Page:
        """Newest first; ties by whatever the server does."""
        http = self.contract.http
        order = {"spec": "page", "sort": f"{http.sort},desc", "page": str(number), "size": str(size)}
        request = Request("GET", SEARCH, {**http.query, **filters, **order})
        return self.ask(request, key, lambda body: page_of(body, number, size, self.dating), shrinkable=shrinkable)


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict) or not isinstance(body.get("id"), str):
        raise GarbledError("not a dossier")
    return body


def _objects(body: Any) -> list[dict[str, Any]]:
    if not isinstance(body, list) or not all(isinstance(item, dict) for item in body):
        raise GarbledError("not a list")
    return body
