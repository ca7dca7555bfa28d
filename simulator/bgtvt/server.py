"""`GET /apiGTVT/danhsachhoso`: the account, the window, the paging, and errors that come as bodies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.bgtvt.items import item
from simulator.bgtvt.switches import BgtvtSwitches
from simulator.sectoral import Desk, FaultKind, ServiceServer
from simulator.sectoral.failing import early, late
from simulator.workdays import DAY, day_number
from simulator.world import World

PATH = "/apiGTVT/danhsachhoso"
#: The codes are known, their meanings are our assumption.
_ERRORS = {
    -300: "APIKey không hợp lệ",
    -301: "Không có đơn vị này",
    -302: "Tham số không hợp lệ",
    -303: "Khoảng thời gian quá dài",
    -304: "Hệ thống đang bận, đề nghị thử lại sau",
}


@dataclass(frozen=True)
class BgtvtAccount:
    """What a province reads with: its sender code, its key, the agency that it may ask for."""

    unit: str
    api_key: str
    agency: str


class BgtvtServer(ServiceServer):
    """The ministry's list in a thread: `with BgtvtServer(world) as bgtvt: bgtvt.url, bgtvt.account`."""

    def __init__(
        self, world: World, source_id: str = "bgtvt_h17", *, switches: BgtvtSwitches | None = None,
        host: str = "127.0.0.1", port: int = 0,
    ) -> None:  # fmt: skip
        self.desk: Desk[BgtvtSwitches] = Desk(world, source_id, switches or BgtvtSwitches())
        sector = self.desk.sector
        self.account = BgtvtAccount(f"000.00.00.{sector.province}", f"gtvt-{sector.province.lower()}", sector.agency)

        async def answer(request: Request) -> Response:
            return await _answered(self.desk, self.account, request)

        super().__init__(self.desk, [Route(PATH, answer)], host=host, port=port)

    def service(self) -> dict[str, Any]:
        """Where and how to reach it: the unit is the user, its key the password."""
        account = self.account
        return {
            "url": self.url,
            "username": account.unit,
            "password": account.api_key,
            "extra": {"agency": account.agency},
        }


async def _answered(desk: Desk[BgtvtSwitches], account: BgtvtAccount, request: Request) -> Response:
    fault, given = desk.take_fault("list"), request.query_params
    answer = early(fault)
    if answer is None:
        body = _error(-304) if fault is FaultKind.BUSY else _error(-300) if fault is FaultKind.REFUSE else None
        answer = await late(fault, body or _listed(desk, account, request.headers, given), desk.switches.slow_s)
    desk.note("list", answer.status_code, given.get("ReceiveFromDate", ""), given.get("ReceiveToDate", ""))
    return answer


def _error(code: int) -> dict[str, Any]:
    return {"error_code": code, "message": _ERRORS[code]}


def _listed(
    desk: Desk[BgtvtSwitches], account: BgtvtAccount, headers: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, Any]:  # fmt: skip
    switches = desk.switches
    if account.api_key not in (headers.get("ApiKey"), given.get("APIKey")) or headers.get("MaDonVi") != account.unit:
        return _error(-300)
    if given.get("GovAgencyCode") != account.agency:
        return _error(-301)
    try:
        first, last = _day(given["ReceiveFromDate"]), _day(given["ReceiveToDate"])
        start, end = int(given["Start"]), int(given["End"])
    except (KeyError, ValueError):
        return _error(-302)
    if first > last or ((start, end) != (-1, -1) and not 0 <= start < end):
        return _error(-302)
    if switches.max_days and (last - first).days >= switches.max_days:
        return _error(-303)
    with desk.lock:
        found = desk.between(day_number(first) * DAY, (day_number(last) + 1) * DAY)
        shown = found if start == -1 else found[start + (switches.shift_rows if start else 0) : end]
        rows = [item(facts, desk.world.catalogue) for facts in (shown[: switches.max_rows or None])]
    return {"total": len(found), "data": rows}


def _day(text: str) -> date:
    return datetime.strptime(text, "%d/%m/%Y").date()
