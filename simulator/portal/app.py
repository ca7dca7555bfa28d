"""The portal over HTTP: /mapi/login and /mapi/g for clients, /_sim/… for tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from simulator.portal import dossiers, reference
from simulator.portal.inspection import routes as inspection_routes
from simulator.portal.state import Account, Call, Portal
from simulator.portal.switches import FaultKind

Answer = dict[str, Any]
_PAGE = "<html><head><title>Bảo trì</title></head><body><h1>Hệ thống đang bảo trì</h1></body></html>"
_BEFORE = (FaultKind.TIMEOUT_BEFORE, FaultKind.DROP_BEFORE)
_AFTER = (FaultKind.TIMEOUT_AFTER, FaultKind.DROP_AFTER)


class NoAnswer(Response):
    """Holds the call until the client gives up or `seconds` are over, then breaks the connection mid-answer."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self.seconds):
                while (await receive())["type"] != "http.disconnect":
                    pass
            return
        except TimeoutError:
            headers = [(b"content-type", b"application/json"), (b"content-length", b"4096")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})


def create_app(portal: Portal, more_routes: Sequence[Route] = ()) -> Starlette:
    """The ASGI application of one portal, with routes of whoever runs it."""

    async def login(request: Request) -> Response:
        body = await _body(request)
        number = portal.next_call("login")
        fault = portal.take_fault("login")
        if early := _early(portal, fault):
            return early
        session = portal.log_in(str(body.get("username", "")), str(body.get("password", "")))
        problem = None if session else "Tên đăng nhập hoặc mật khẩu không đúng"
        problem = _dstcode_problem(portal, request) or problem
        answer: Answer = {"error_code": 1, "message": problem} if problem else {"error_code": 0, "message": ""}
        _note(portal, number, "login", body, answer)
        await asyncio.sleep(portal.switches.latency_s)
        return _late(portal, fault) or JSONResponse(answer if problem else answer | {"session": session})

    async def service(request: Request) -> Response:
        body = await _body(request)
        name = str(body.get("service", ""))
        number = portal.next_call(name)
        fault = portal.take_fault(name)
        if early := _early(portal, fault):
            return early
        answer = _answer(portal, request, name, body, number, fault)
        _note(portal, number, name, body, answer)
        await asyncio.sleep(portal.switches.latency_s)
        return _late(portal, fault) or JSONResponse(answer)

    return Starlette(
        routes=[
            Route("/mapi/login", login, methods=["POST"]),
            Route("/mapi/g", service, methods=["POST"]),
            *inspection_routes(portal),
            *more_routes,
        ]
    )


def _answer(
    portal: Portal, request: Request, name: str, body: dict[str, Any], number: int, fault: FaultKind | None
) -> Answer:
    problem = _dstcode_problem(portal, request)
    if problem:
        return dossiers.failure(portal, problem)
    if fault is FaultKind.EXPIRE_SESSION:
        portal.expire_sessions()
    account = portal.account_of(str(body.get("session", "")))
    if account is None:
        return {"error_code": portal.switches.expired_code, "message": portal.switches.expired_message}
    if body.get("madonvi") != account.sender:
        return dossiers.failure(portal, "Mã đơn vị không khớp với tài khoản đăng nhập")
    if fault is FaultKind.REFUSE:
        return {"error_code": "0", "message": "Từ chối: dữ liệu không được chấp nhận"}
    return _serve(portal, account, name, body, number)


def _serve(portal: Portal, account: Account, name: str, body: dict[str, Any], number: int) -> Answer:
    if name == "DongBoHoSoMC":
        return dossiers.sync(portal, account, body, number)
    if name == "CapNhatTienDoHoSoMC":
        return dossiers.progress(portal, account, body, number)
    if name == "TraCuuHoSo":
        return dossiers.lookup(portal, account, body)
    if name in reference.SERVICES:
        return {"error_code": 0, "message": "", "result": reference.SERVICES[name](portal.catalogue, body)}
    return dossiers.failure(portal, f"Dịch vụ {name!r} không tồn tại")


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object of a call; anything else counts as an empty one, which no service takes."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _dstcode_problem(portal: Portal, request: Request) -> str | None:
    header, query = bool(request.headers.get("dstcode")), bool(request.query_params.get("dstcode"))
    there = {"header": header, "query": query, "either": header or query, "optional": True}
    return None if there[portal.switches.dstcode_in] else "Thiếu dstcode"


def _early(portal: Portal, fault: FaultKind | None) -> Response | None:
    """The answer of a fault that strikes before anything is done."""
    if fault is FaultKind.HTTP_500:
        return HTMLResponse("<h1>500 Internal Server Error</h1>", status_code=500)
    if fault is FaultKind.HTML_PAGE:
        return HTMLResponse(_PAGE)
    if fault in _BEFORE:
        return NoAnswer(portal.switches.hang_s if fault is FaultKind.TIMEOUT_BEFORE else 0.0)
    return None


def _late(portal: Portal, fault: FaultKind | None) -> Response | None:
    """The (missing) answer of a fault that strikes when the work is done."""
    if fault in _AFTER:
        return NoAnswer(portal.switches.hang_s if fault is FaultKind.TIMEOUT_AFTER else 0.0)
    return None


def _note(portal: Portal, number: int, name: str, body: dict[str, Any], answer: Answer) -> None:
    data = body.get("data")
    records = data if isinstance(data, list) else []
    codes = tuple(str(record.get("MaHoSo", "")) for record in records if isinstance(record, dict))
    text = f"{answer['error_code']} {answer.get('message', '')}".strip()
    portal.calls.append(Call(number, name, str(body.get("madonvi", "")), str(body.get("isUpdating", "")), codes, text))
