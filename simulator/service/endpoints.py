"""Endpoints with the faults ordered for them, and what tests may see and turn (/_sim/…, on no real system)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from simulator.portal.app import NoAnswer
from simulator.service.state import FaultKind, Service

#: Answers a request; gets the fault that only it can act out (a page repeated or skipped, a token refused).
Work = Callable[[Request, FaultKind | None], Awaitable[Response]]
#: How this service says that something went wrong, with status 200.
Complaint = Callable[[], Response]

_PAGE = "<html><head><title>Bảo trì</title></head><body><h1>Hệ thống đang bảo trì</h1></body></html>"
_BUSY = {FaultKind.HTTP_503: 503, FaultKind.HTTP_429: 429}


def endpoint(service: Service, path: str, name: str, methods: list[str], work: Work, complain: Complaint) -> Route:
    """A route of the service under the name by which faults are ordered."""

    async def handler(request: Request) -> Response:
        fault = service.take_fault(name)
        answer = _early(service, fault, complain) or _late(fault, await work(request, fault))
        service.note(name, answer.status_code)
        return answer

    return Route(path, handler, methods=methods)


def _early(service: Service, fault: FaultKind | None, complain: Complaint) -> Response | None:
    if fault is FaultKind.HTML_PAGE:
        return HTMLResponse(_PAGE)
    if fault is FaultKind.ERROR_BODY:
        return complain()
    if fault is FaultKind.HTTP_500:
        return JSONResponse({"message": "Lỗi hệ thống"}, status_code=500)
    if fault in _BUSY:
        headers = {"Retry-After": str(service.switches.retry_after_s)}
        return JSONResponse({"message": "Hệ thống đang bận"}, status_code=_BUSY[fault], headers=headers)
    return None


def _late(fault: FaultKind | None, answer: Response) -> Response:
    if fault is FaultKind.TRUNCATED_JSON:
        body = bytes(answer.body)
        return Response(body[: len(body) // 2], status_code=answer.status_code, media_type="application/json")
    return NoAnswer(0.0) if fault is FaultKind.DROP else answer


def page_of(rows: list[Any], page: int, size: int, fault: FaultKind | None) -> list[Any]:
    """The rows of a page counted from 1, unless a fault repeats the page before or skips a row."""
    first = (page - 1) * size
    if fault is FaultKind.PAGE_REPEAT:
        first = max(0, first - size)
    elif fault is FaultKind.PAGE_SKIP:
        first += 1
    return rows[first : first + size]


def inspection_routes(service: Service) -> list[Route]:
    """Health, calls, switches and faults, JSON in and out."""

    async def health(_: Request) -> Response:
        return JSONResponse({"ready": True})

    async def calls(_: Request) -> Response:
        return JSONResponse({"counts": dict(service.counts), "calls": list(service.calls)})

    async def switches(request: Request) -> Response:
        if request.method == "PUT":
            try:
                service.switches = service.switches.changed(await request.json())
            except ValueError as error:
                return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse(service.switches.as_dict())

    async def fail_next(request: Request) -> Response:
        order: dict[str, Any] = await request.json()
        try:
            service.fail_next(str(order["endpoint"]), str(order["kind"]), int(order.get("times", 1)))
        except (KeyError, ValueError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse({"ordered": True})

    async def pass_time(request: Request) -> Response:
        service.pass_time(float((await request.json())["seconds"]))
        return JSONResponse({"now": service.now()})

    async def reset(_: Request) -> Response:
        service.reset()
        return JSONResponse({"reset": True})

    return [
        Route("/_sim/health", health, methods=["GET"]),
        Route("/_sim/calls", calls, methods=["GET"]),
        Route("/_sim/switches", switches, methods=["GET", "PUT"]),
        Route("/_sim/fail_next", fail_next, methods=["POST"]),
        Route("/_sim/pass_time", pass_time, methods=["POST"]),
        Route("/_sim/reset", reset, methods=["POST"]),
    ]
