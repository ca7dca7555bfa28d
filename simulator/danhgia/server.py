"""Ratings over HTTP: one list with a key in the header, pages of `trang` and `soDong`, by when a rating was given."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulator.feedback import Feedback, RatingDefect
from simulator.feedback.ratings import LEVELS, RatingFacts
from simulator.feedback.spoiled import rated_at, rated_dossier
from simulator.service import FaultKind, Service, ServiceAccount, ServiceServer, ServiceSwitches
from simulator.service.endpoints import endpoint, page_of

RATINGS_PATH = "/api/DanhGiaHaiLong"
KEY_HEADER = "X-API-Key"
BAD_TIME = "2026-13-01T08:00:00"
_ORIGIN = datetime(1970, 1, 1)


class RatingServer(ServiceServer):
    """One province's ratings: `with RatingServer(feedback) as ratings: ratings.url`. The password is the key."""

    def __init__(
        self, feedback: Feedback, *, switches: ServiceSwitches | None = None, host: str = "127.0.0.1", port: int = 0
    ) -> None:  # fmt: skip
        code = feedback.province
        account = ServiceAccount("lienthong", f"danhgia-{code.lower()}", code)
        service = Service({account.username: account}, switches=switches)

        async def ratings(request: Request, fault: FaultKind | None) -> Response:
            refused = fault is FaultKind.REFUSE_TOKEN or not service.begin_page()
            if refused or request.headers.get(KEY_HEADER) != account.password:
                return JSONResponse({"error_code": "-1", "message": "Khóa truy cập không đúng"}, status_code=401)
            asked = request.query_params
            try:
                first, last = _moment(asked.get("tuNgay")), _moment(asked.get("denNgay"))
                page, size = int(asked.get("trang", "1")), int(asked.get("soDong", "50"))
            except ValueError:
                return JSONResponse({"error_code": "-2", "message": "Tham số không hợp lệ"}, status_code=400)
            size = min(size, service.switches.max_page_size)
            with feedback.lock:
                rows = _rows(feedback, first, last, service.switches)
            found = {"tong": len(rows), "danhSach": page_of(rows, page, size, fault)}
            return JSONResponse({"error_code": "0", "message": "thành công", "result": found})

        super().__init__(
            f"danhgia-{code}", service,
            [endpoint(service, RATINGS_PATH, "ratings", ["GET"], ratings, _complaint)], host=host, port=port,
        )  # fmt: skip


def _rows(feedback: Feedback, first: int | None, last: int | None, switches: ServiceSwitches) -> list[dict[str, Any]]:
    """Ratings given in [first, last), oldest first; those without a readable time only when no time is asked for."""
    made = []
    for plan in feedback.ratings:
        facts = feedback.rating_facts(plan)
        at = rated_at(facts)
        inside = (first is None or (at or 0) >= first) and (last is None or 0 < (at or 0) < last)
        if not plan.gone and inside:
            made += [(at or 0, plan.number, _row(facts, at, switches))] * (
                2 if plan.defect == RatingDefect.DUPLICATE_ROW else 1
            )
    return [row for _, _, row in sorted(made, key=lambda entry: entry[:2])]


def _row(facts: RatingFacts, at: int | None, switches: ServiceSwitches) -> dict[str, Any]:
    plan, comment = facts.plan, facts.comment
    if plan.defect == RatingDefect.NFD_TEXT:
        comment = unicodedata.normalize("NFD", comment or "Cán bộ nhiệt tình")
    marks = plan.marks if plan.defect != RatingDefect.UNKNOWN_MARK else f"5{plan.marks[1:]}"
    made: dict[str, Any] = {
        "Id": plan.number,
        "MaHoSo": rated_dossier(facts),
        "MaDonVi": facts.agency.code,
        "DonVi": facts.agency.name,
        "LoaiDanhGia": plan.kind,
        "NguoiDanhGia": facts.rater,
        "NoiDungDanhGia": comment,
        "ThoiGianDanhGia": BAD_TIME if at is None else _local(at),
        "DanhGia": "9" if plan.defect == RatingDefect.UNKNOWN_LEVEL else str(LEVELS.index(plan.level)),
        "TieuChi": [{"MaTieuChi": str(place), "Diem": mark} for place, mark in enumerate(marks, start=1)],
    }
    if switches.extra_field:
        made["ThietBi"] = "web"
    if switches.lacks_status:
        del made["DanhGia"]
    return made


def _local(moment: int) -> str | None:
    return (_ORIGIN + timedelta(seconds=moment)).isoformat() if moment else None


def _moment(text: str | None) -> int | None:
    """`2026-10-03T08:12:44` as a local instant; ValueError for another form."""
    return int((datetime.fromisoformat(text) - _ORIGIN) / timedelta(seconds=1)) if text else None


def _complaint() -> Response:
    return JSONResponse({"error_code": "-99", "message": "Lỗi hệ thống"})
