"""A 1022 over HTTP: log in, then pages of petitions and of steps, both by the day on which the petition was sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulator.feedback import Desk, Feedback, Petition, PetitionDefect
from simulator.hotline.rows import FORM, row, step_row
from simulator.service import FaultKind, Service, ServiceAccount, ServiceServer, ServiceSwitches
from simulator.service.endpoints import endpoint, page_of

LOGIN_PATH, PETITIONS_PATH, STEPS_PATH = "/api/dangnhap", "/api/phananh/danhsach", "/api/phananh/xuly"
EXPIRED, WRONG_LOGIN, BAD_PARAMETER, BROKEN = 401, 1, 400, 99
_ORIGIN = datetime(1970, 1, 1)
Make = Callable[[Feedback], list[dict[str, Any]]]


class HotlineServer(ServiceServer):
    """One city's 1022: `with HotlineServer(feedback) as hotline: hotline.url`.

    What went wrong is in `ma` and `thongBao`, always with status 200. A petition without a day of sending is
    listed only when no day is asked for.
    """

    def __init__(
        self, feedback: Feedback, *, switches: ServiceSwitches | None = None, host: str = "127.0.0.1", port: int = 0
    ) -> None:  # fmt: skip
        code = feedback.province
        account = ServiceAccount(f"lienthong.{code.lower()}", f"1022-{code.lower()}", code)
        service = Service({account.username: account}, switches=switches)

        async def login(request: Request, _: FaultKind | None) -> Response:
            body = await request.json()
            token = service.log_in(body.get("taiKhoan"), body.get("matKhau"))
            if token is None:
                return _said(WRONG_LOGIN, "Tài khoản hoặc mật khẩu không đúng")
            return _said(0, "Thành công", token=token, hetHanSau=int(service.switches.token_ttl_s))

        def listing(make: Callable[[list[Petition]], list[dict[str, Any]]]) -> Callable[..., Awaitable[Response]]:
            async def answer(request: Request, fault: FaultKind | None) -> Response:
                if fault is FaultKind.REFUSE_TOKEN:
                    service.refuse_tokens()
                if service.holder(request.headers.get("token", "")) is None or not service.begin_page():
                    return _said(EXPIRED, "Phiên đăng nhập đã hết hạn")
                asked = request.query_params
                try:
                    first, last = _moment(asked.get("tuNgay")), _moment(asked.get("denNgay"))
                    page, size = int(asked.get("page", "1")), int(asked.get("size", "20"))
                except ValueError:
                    return _said(BAD_PARAMETER, "Tham số không hợp lệ")
                size = min(size, service.switches.max_page_size)
                with feedback.lock:
                    rows = make(_between(feedback, first, last))
                shown = page_of(rows, page, size, fault)
                return _said(
                    0, "Thành công", tongSo=len(rows), tongTrang=-(-len(rows) // size), trang=page, duLieu=shown
                )  # fmt: skip

            return answer

        def petitions(plans: list[Petition]) -> list[dict[str, Any]]:
            made = []
            for plan in plans:
                if plan.defect == PetitionDefect.ORPHAN_CHILD:
                    continue
                twin = feedback.petition(Desk.PAKN, plan.twin).code if plan.twin else ""
                made += [row(feedback.facts(plan), twin, service.switches)] * (
                    2 if plan.defect == PetitionDefect.DUPLICATE_ROW else 1
                )
            return made

        def steps(plans: list[Petition]) -> list[dict[str, Any]]:
            return [step_row(plan, step) for plan in plans for step in feedback.facts(plan).steps]

        super().__init__(
            f"hotline-{code}", service,
            [
                endpoint(service, LOGIN_PATH, "login", ["POST"], login, _complaint),
                endpoint(service, PETITIONS_PATH, "petitions", ["GET"], listing(petitions), _complaint),
                endpoint(service, STEPS_PATH, "steps", ["GET"], listing(steps), _complaint),
            ], host=host, port=port,
        )  # fmt: skip


def _between(feedback: Feedback, first: int | None, last: int | None) -> list[Petition]:
    """The petitions sent in [first, last], newest first; all of them when neither is given."""
    found = [plan for plan in feedback.petitions[Desk.HOTLINE] if not plan.gone]
    if first is not None or last is not None:
        found = [
            plan
            for plan in found
            if plan.defect != PetitionDefect.NO_DATE
            and (first is None or plan.sent >= first)
            and (last is None or plan.sent <= last)
        ]
    return sorted(found, key=lambda plan: (plan.sent, plan.number), reverse=True)


def _moment(text: str | None) -> int | None:
    """`dd/MM/yyyy HH:mm` as a local instant; ValueError for another form."""
    return int((datetime.strptime(text, FORM) - _ORIGIN) / timedelta(seconds=1)) if text else None


def _said(code: int, message: str, **more: Any) -> Response:
    return JSONResponse({"ma": code, "thongBao": message, **more})


def _complaint() -> Response:
    return _said(BROKEN, "Lỗi hệ thống, vui lòng thử lại sau")
