"""Answers that are no good: Spring's and Keycloak's errors, proxies' pages, and answers that never end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from simulator.igate.state import Igate
from simulator.igate.switches import FaultKind
from simulator.portal.app import NoAnswer

_PAGE = "<html><head><title>Bảo trì</title></head><body><h1>Hệ thống đang bảo trì</h1></body></html>"
_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


def problem(request: Request, status: int, error: str, message: str, *, answered: int | None = None) -> Response:
    """Spring's error body. `answered`: the status of the answer itself, when a gateway makes it a 200."""
    body = {
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "status": status,
        "error": error,
        "message": message,
        "path": request.url.path,
    }
    return JSONResponse(body, status_code=answered or status)


def refusal() -> Response:
    """The answer to a missing, unknown or expired token."""
    text = "Access token expired or not valid"
    headers = {"WWW-Authenticate": f'Bearer error="invalid_token", error_description="{text}"'}
    return JSONResponse({"error": "invalid_token", "error_description": text}, status_code=401, headers=headers)


def early(igate: Igate, request: Request, fault: FaultKind | None) -> Response | None:
    """The answer of a fault that strikes before anything is looked at."""
    match fault:
        case FaultKind.HTML_PAGE:
            return HTMLResponse(_PAGE)
        case FaultKind.ERROR_BODY:
            return problem(request, 500, "Internal Server Error", "Lỗi hệ thống", answered=200)
        case FaultKind.HTTP_500:
            return problem(request, 500, "Internal Server Error", "Lỗi hệ thống")
        case FaultKind.HTTP_502:
            return HTMLResponse(_GATEWAY, status_code=502)
        case FaultKind.HTTP_503:
            answer = problem(request, 503, "Service Unavailable", "Hệ thống đang bận")
        case FaultKind.HTTP_429:
            answer = problem(request, 429, "Too Many Requests", "Vượt quá số lượt truy cập")
        case _:
            return None
    answer.headers["Retry-After"] = str(igate.switches.retry_after_s)
    return answer


async def late(igate: Igate, fault: FaultKind | None, answer: Response) -> Response:
    """The right answer, unless a fault delays, cuts or drops it."""
    if fault is FaultKind.SLOW:
        await asyncio.sleep(igate.switches.slow_s)
    elif fault is FaultKind.TRUNCATED_JSON:
        body = bytes(answer.body)
        return Response(body[: len(body) // 2], status_code=answer.status_code, media_type="application/json")
    elif fault is FaultKind.DROP:
        return NoAnswer(0.0)
    return answer
