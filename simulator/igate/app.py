"""An iGate over HTTP: Keycloak's token endpoint, /pa/… for readers, /_sim/… for tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.igate import ids
from simulator.igate.children import fees
from simulator.igate.failures import early, late, problem, refusal
from simulator.igate.inspection import routes as inspection_routes
from simulator.igate.instants import http_date
from simulator.igate.items import listed
from simulator.igate.search import BadParameter, Query
from simulator.igate.state import REFRESH_TTL_S, Igate
from simulator.igate.switches import FaultKind

TOKEN_PATH = "/auth/realms/digo/protocol/openid-connect/token"
Handler = Callable[[Request], Awaitable[Response]]
Work = Callable[[Request, FaultKind | None], Response]


class DateHeader:
    """Every answer carries the server's own idea of the time."""

    def __init__(self, app: ASGIApp, igate: Igate) -> None:
        self._app, self._igate = app, igate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                value = http_date(self._igate.switches.clock_offset_s).encode()
                message = {**message, "headers": [*message.get("headers", []), (b"date", value)]}
            await send(message)

        await self._app(scope, receive, stamped)


def create_app(igate: Igate) -> ASGIApp:
    """The ASGI application of one iGate."""

    async def token(request: Request) -> Response:
        fault = igate.take_fault("token")
        answer = early(igate, request, fault)
        if answer is None:
            form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
            answer = await late(igate, fault, _token(igate, form))
        igate.note("token", answer.status_code)
        return answer

    def search(request: Request, fault: FaultKind | None) -> Response:
        if not igate.begin_page():
            return refusal()
        query = Query.of(request.query_params, igate.switches)
        if igate.shifts_now:
            _shift(igate, query)
        amount = 0
        if fault is FaultKind.PAGE_REPEAT:
            amount = -query.size
        elif fault is FaultKind.PAGE_SKIP:
            amount = igate.switches.page_skip_rows
        return JSONResponse(igate.searcher.page(query, igate.switches, shifted=amount))

    def detail(request: Request, _: FaultKind | None) -> Response:
        try:
            number = ids.dossier_number(request.path_params["identifier"])
            with igate.store.lock:
                world = igate.store.world
                facts = world.facts(igate.store.plan(number))
                made = listed(facts, world.catalogue, igate.store.updated(number), igate.switches, whole=True)
        except (ValueError, KeyError):
            return problem(request, 404, "Not Found", "Không tìm thấy hồ sơ")
        return JSONResponse(made)

    def dossier_fees(request: Request, _: FaultKind | None) -> Response:
        found: list[dict[str, Any]] = []
        with igate.store.lock:
            for identifier in request.query_params.get("dossier-ids", "").split(","):
                try:
                    plan = igate.store.plan(ids.dossier_number(identifier))
                except (ValueError, KeyError):
                    continue
                found += fees(igate.store.world.facts(plan))
        return JSONResponse(found)

    app = Starlette(
        routes=[
            Route(TOKEN_PATH, token, methods=["POST"]),
            Route("/pa/dossier/search", _guarded(igate, "search", search)),
            Route("/pa/dossier/{identifier}/--online", _guarded(igate, "detail", detail)),
            Route("/pa/dossier-fee/--by-dossiers", _guarded(igate, "fees", dossier_fees)),
            *inspection_routes(igate),
        ]
    )
    return DateHeader(app, igate)


def _guarded(igate: Igate, endpoint: str, work: Work) -> Handler:
    """An endpoint that needs a token, with the faults ordered for it."""

    async def handler(request: Request) -> Response:
        fault = igate.take_fault(endpoint)
        answer = early(igate, request, fault)
        if answer is None:
            answer = await late(igate, fault, _worked(igate, request, work, fault))
        page = request.query_params.get("page") or "0"
        number = int(page) if endpoint == "search" and page.isdigit() else -1
        igate.note(endpoint, answer.status_code, number)
        return answer

    return handler


def _worked(igate: Igate, request: Request, work: Work, fault: FaultKind | None) -> Response:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if fault is FaultKind.REFUSE_TOKEN:
        igate.refuse_tokens()
    if scheme.lower() != "bearer" or not igate.knows(token):
        return refusal()
    try:
        return work(request, fault)
    except BadParameter as error:
        return problem(request, 400, "Bad Request", str(error))


def _shift(igate: Igate, query: Query) -> None:
    """Before this page is read, a dossier from behind it moves to the top: all rows in between slide down by one."""
    with igate.store.lock:
        found = igate.searcher.found(query)
        behind = (query.page + 1) * query.size
        if behind < len(found):
            igate.store.touch(found[min(behind + query.size // 2, len(found) - 1)])


def _token(igate: Igate, form: dict[str, str]) -> Response:
    account, grant = igate.account, form.get("grant_type")
    if form.get("client_id") != account.client_id:
        return _denied(401, "invalid_client", "Invalid client or Invalid client credentials")
    if grant == "password":
        if (form.get("username"), form.get("password")) != (account.username, account.password):
            return _denied(401, "invalid_grant", "Invalid user credentials")
    elif grant == "refresh_token":
        if not igate.may_refresh(form.get("refresh_token", "")):
            return _denied(400, "invalid_grant", "Token is not active")
    else:
        return _denied(400, "unsupported_grant_type", "Unsupported grant_type")
    access, refresh = igate.give_token()
    lasts = igate.switches.token_ttl_s
    return JSONResponse(
        {
            "access_token": access,
            "expires_in": int(lasts) if lasts >= 1 else lasts,
            "refresh_expires_in": int(REFRESH_TTL_S),
            "refresh_token": refresh,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "session_state": access[:36],
            "scope": "profile email",
        }
    )


def _denied(status: int, error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status_code=status)
