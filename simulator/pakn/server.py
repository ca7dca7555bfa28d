"""The national PAKN service over HTTP: log in for a bearer token, then pages of petitions by when they changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulator.feedback import Desk, Feedback
from simulator.pakn.items import item, updated
from simulator.service import FaultKind, Service, ServiceAccount, ServiceServer, ServiceSwitches
from simulator.service.endpoints import endpoint, page_of

TOKEN_PATH, PETITIONS_PATH = "/api/v1/auth/token", "/api/v1/petitions"
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+07:00")


class PaknServer(ServiceServer):
    """All provinces' petitions; an account sees its own: `with PaknServer({"H17": feedback}) as pakn: pakn.url`."""

    def __init__(
        self, feedbacks: Mapping[str, Feedback], *, switches: ServiceSwitches | None = None, host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:  # fmt: skip
        names = {f"pakn_{code.lower()}": code for code in feedbacks}
        accounts = {name: ServiceAccount(name, name.replace("_", "-"), code) for name, code in names.items()}
        service = Service(accounts, switches=switches)

        async def token(request: Request, _: FaultKind | None) -> Response:
            body = await request.json()
            given = service.log_in(body.get("username"), body.get("password"))
            if given is None:
                return _problem(401, "AUTH_FAILED", "Sai tên đăng nhập hoặc mật khẩu")
            return JSONResponse(
                {"accessToken": given, "tokenType": "Bearer", "expiresIn": int(service.switches.token_ttl_s)}
            )

        async def petitions(request: Request, fault: FaultKind | None) -> Response:
            if fault is FaultKind.REFUSE_TOKEN:
                service.refuse_tokens()
            holder = service.holder(request.headers.get("authorization", "").removeprefix("Bearer "))
            if holder is None or not service.begin_page():
                return _problem(401, "TOKEN_EXPIRED", "Phiên làm việc đã hết hạn")
            asked = request.query_params
            try:
                first, last = _moment(asked.get("updatedFrom")), _moment(asked.get("updatedTo"))
                page, size = int(asked.get("page", "1")), int(asked.get("pageSize", "50"))
            except ValueError:
                return _problem(400, "BAD_REQUEST", "Tham số không hợp lệ")
            size = min(size, service.switches.max_page_size)
            feedback = feedbacks[holder.province]
            with feedback.lock:
                found = [
                    plan
                    for plan in feedback.petitions[Desk.PAKN]
                    if not plan.gone
                    and (first is None or updated(plan) >= first)
                    and (last is None or updated(plan) < last)
                ]
                found.sort(key=lambda plan: (updated(plan), plan.number))
                rows = [item(feedback.facts(p), service.switches) for p in page_of(found, page, size, fault)]
            return JSONResponse(
                {"success": True, "data": {"items": rows, "page": page, "pageSize": size, "total": len(found)}}
            )

        super().__init__(
            "pakn", service,
            [
                endpoint(service, TOKEN_PATH, "token", ["POST"], token, _complaint),
                endpoint(service, PETITIONS_PATH, "petitions", ["GET"], petitions, _complaint),
            ], host=host, port=port,
        )  # fmt: skip


def _moment(text: str | None) -> int | None:
    """An instant of the query as a local one (`workdays`). It needs its zone; ValueError without."""
    if not text:
        return None
    if not re.search(r"(Z|[+-]\d{2}:\d{2})$", text):
        raise ValueError("no zone")
    return int((datetime.fromisoformat(text) - _EPOCH) / timedelta(seconds=1))


def _problem(status: int, code: str, message: str) -> Response:
    return JSONResponse({"success": False, "error": {"code": code, "message": message}}, status_code=status)


def _complaint() -> Response:
    return _problem(200, "INTERNAL", "Lỗi hệ thống")
