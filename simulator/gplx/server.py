"""`…/mapi/login` and `…/mapi/g`: sessions in the body, one service, windows of three days."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.gplx.items import item
from simulator.gplx.switches import GplxSwitches
from simulator.sectoral import Desk, FaultKind, ServiceServer
from simulator.sectoral.failing import early, late
from simulator.workdays import DAY, day_number
from simulator.world import World

BASE = "/apiDVC-GPLX/tcdbdvcdata"
SERVICE = "DanhSachHoSo"
Answer = dict[str, Any]


@dataclass(frozen=True)
class GplxAccount:
    """What a province reads with, and the unit that it may ask for."""

    username: str
    password: str
    unit: str


class GplxServer(ServiceServer):
    """The register in a thread: `with GplxServer(world) as gplx: gplx.url, gplx.account`."""

    def __init__(
        self, world: World, source_id: str = "gplx_h17", *, switches: GplxSwitches | None = None,
        host: str = "127.0.0.1", port: int = 0,
    ) -> None:  # fmt: skip
        self.desk: Desk[GplxSwitches] = Desk(world, source_id, switches or GplxSwitches())
        sector = self.desk.sector
        code = sector.province.lower()
        self.account = GplxAccount(f"gplx_{code}", f"licence-{code}", sector.agency)
        self._register = _Register(self.desk, self.account)
        routes = [
            Route(f"{BASE}/mapi/login", self._register.login, methods=["POST"]),
            Route(f"{BASE}/mapi/g", self._register.service, methods=["POST"]),
        ]
        super().__init__(self.desk, routes, host=host, port=port)

    def service(self) -> dict[str, Any]:
        """Where and how to reach it."""
        account = self.account
        return {
            "url": self.url,
            "username": account.username,
            "password": account.password,
            "extra": {"agency": account.unit},
        }


class _Register:
    """The two endpoints; sessions live here."""

    def __init__(self, desk: Desk[GplxSwitches], account: GplxAccount) -> None:
        self._desk, self._account = desk, account
        self._sessions: dict[str, float] = {}
        self._asked = 0

    async def login(self, request: Request) -> Response:
        desk, fault = self._desk, self._desk.take_fault("login")
        answer = early(fault)
        if answer is None:
            answer = await late(fault, self._session(await _body(request), fault), desk.switches.slow_s)
        desk.note("login", answer.status_code)
        return answer

    async def service(self, request: Request) -> Response:
        desk, fault = self._desk, self._desk.take_fault("service")
        answer, body = early(fault), await _body(request)
        if answer is None:
            answer = await late(fault, self._listed(body, fault), desk.switches.slow_s)
        desk.note("service", answer.status_code, str(body.get("ngayNhan1", "")), str(body.get("ngayNhan2", "")))
        return answer

    def _session(self, body: Answer, fault: FaultKind | None) -> Answer:
        account = self._account
        if fault is FaultKind.REFUSE or (body.get("username"), body.get("password")) != (
            account.username, account.password,
        ):  # fmt: skip
            return {"error_code": -1, "result": "Sai tên đăng nhập hoặc mật khẩu", "session": ""}
        session = secrets.token_hex(16)
        self._sessions[session] = self._desk.now() + self._desk.switches.session_ttl_s
        return {"error_code": 0, "result": "", "session": session}

    def _listed(self, body: Answer, fault: FaultKind | None) -> Answer:
        desk, switches = self._desk, self._desk.switches
        self._asked += 1
        every = switches.expire_after_calls
        if fault is FaultKind.REFUSE or (every and self._asked % every == 0):
            self._sessions.clear()
        if self._sessions.get(str(body.get("session")), 0.0) <= desk.now():
            return {"error_code": switches.expired_code, "message": "Phiên làm việc đã hết hạn", "data": []}
        if fault is FaultKind.BUSY:
            return _refused("Hệ thống đang bận, đề nghị thử lại sau")
        if body.get("service") != SERVICE or body.get("donViXuLy") != self._account.unit:
            return _refused("Tham số không hợp lệ")
        try:
            first, last = (date.fromisoformat(body[name]) for name in ("ngayNhan1", "ngayNhan2"))
        except (KeyError, TypeError, ValueError):
            return _refused("Ngày không hợp lệ")
        if not 0 <= (last - first).days < switches.window_days:
            return _refused(f"Khoảng thời gian không quá {switches.window_days} ngày")
        with desk.lock:
            found = desk.between(day_number(first) * DAY, (day_number(last) + 1) * DAY)
            return {"error_code": 0, "data": [item(facts) for facts in found[: switches.max_rows or None]]}


def _refused(message: str) -> Answer:
    return {"error_code": -1, "message": message, "data": []}


async def _body(request: Request) -> Answer:
    try:
        found = await request.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
