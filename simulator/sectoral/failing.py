"""Answers that are no good, before and after the right one was made."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

from simulator.portal.app import NoAnswer
from simulator.sectoral.desk import FaultKind

_PAGE = "<html><head><title>Bảo trì</title></head><body><h1>Hệ thống đang bảo trì</h1></body></html>"


def early(fault: FaultKind | None) -> Response | None:
    """The answer of a fault that strikes before anything is looked at."""
    match fault:
        case FaultKind.HTML_PAGE:
            return HTMLResponse(_PAGE)
        case FaultKind.HTTP_500:
            return JSONResponse({"message": "Lỗi hệ thống"}, status_code=500)
        case FaultKind.HTTP_503:
            return JSONResponse({"message": "Hệ thống đang bận"}, status_code=503, headers={"Retry-After": "1"})
    return None


async def late(fault: FaultKind | None, answer: dict[str, Any], slow_s: float) -> Response:
    """The right answer, unless a fault delays, spoils or drops it."""
    body = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    match fault:
        case FaultKind.SLOW:
            await asyncio.sleep(slow_s)
        case FaultKind.TRUNCATED_JSON:
            return Response(body.encode()[: len(body) // 2], media_type="application/json")
        case FaultKind.GARBLED:  # Vietnamese of the nineties, without a word about it
            return Response(body.encode("cp1258", "replace"), media_type="application/json")
        case FaultKind.DROP:
            return NoAnswer(0.0)
    return Response(body.encode(), media_type="application/json")
