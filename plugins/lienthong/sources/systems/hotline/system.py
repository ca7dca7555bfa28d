"""A 1022. Its words are an assumption; that no row says when it was modified is known of a provincial table.

So a contract's `overlap` is as long as petitions live (weeks): each load reads all that were sent in it, and what is
known by its landed rows is set aside. A full load finds what changes later, and petitions without a day of sending.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from lienthong.sources.kit.http import Credential, Exchange, Outcome, Request
from lienthong.sources.kit.http.json_token import JsonToken
from lienthong.sources.kit.lists import Ask, Codes, ListSystem, Page, RecordList, complaint, page_of
from lienthong.sources.systems import petitions

if TYPE_CHECKING:
    from lienthong.connections import Connection
    from lienthong.sources.contract import SourceContract
    from lienthong.sources.kit.lists.columns import Columns

_FORM = "%d/%m/%Y %H:%M"
#: `ma` of answers besides 0: wrong name or password, wrong parameters, session over. Others may pass.
_OUTCOMES: dict[object, Outcome] = {1: Outcome.WRONG, 400: Outcome.WRONG, 401: Outcome.RENEW}


class Hotline(ListSystem):
    """A token in a header; status 200 whatever happens; petitions and their steps in two lists, newest first."""

    server: ClassVar[str] = "Tổng đài 1022 (HTTP)"
    lists: ClassVar = (
        RecordList("petition_step", "/api/phananh/xuly", key="id", owner="phanAnhId", dated="thoiGian"),
        RecordList("petition", "/api/phananh/danhsach", key="id", dated="ngayGui"),
    )
    structural: ClassVar = ("trangThai", "ngayGui")
    known: ClassVar = {"petition": ("maPAKN",)}
    fields: ClassVar = {
        "petition": {
            "petition_code": "maPhanAnh",
            "classification_raw": "linhVuc",
            "agency_code_raw": "maDonVi",
            "agency_name": "donViXuLy",
            "status_raw": "trangThai",
            "sent_at": "ngayGui",
            "transferred_at": "ngayChuyen",
            "supplement_asked_at": "ngayYeuCauBoSung",
            "answered_at": "ngayTraLoi",
            "published_at": "ngayCongKhai",
            "refused_at": "ngayTuChoi",
            "due_at": "hanXuLy",
            "likes": "luotThich",
            "dislikes": "luotKhongThich",
            "complained_again": "phanAnhLai",
            "dossier_code": "maHoSo",
            "sender_name": "hoTen",
            "sender_phone": "dienThoai",
            "sender_email": "email",
            "sender_address": "diaChi",
            "title": "tieuDe",
            "content": "noiDung",
            "answer": "traLoi",
        },
        "petition_step": {
            "step_no": "thuTu",
            "status_raw": "trangThai",
            "occurred_at": "thoiGian",
            "agency_code_raw": "maDonVi",
            "agency_name": "donVi",
            "actor_name": "nguoiXuLy",
            "content": "noiDung",
        },
    }

    def credential(self, connection: Connection) -> Credential:
        path = str(connection.extra.get("login_endpoint") or "/api/dangnhap")
        login = Request("POST", path, json={"taiKhoan": connection.login, "matKhau": connection.password})
        return JsonToken("the 1022", login, "token", "hetHanSau", lambda text: {"token": text}, self.verdict)

    def parameters(self, ask: Ask, contract: SourceContract) -> dict[str, str]:
        def local(moment: datetime) -> str:
            return moment.astimezone(contract.zone).strftime(_FORM)

        asked = {"tuNgay": local(ask.since)} if ask.since else {}
        if ask.until:  # both ends belong to the window here, and minutes are the finest
            asked["denNgay"] = local(ask.until - timedelta(minutes=1))
        return {"page": str(ask.number), "size": str(ask.size), **asked}

    def verdict(self, body: Any) -> Exchange | None:
        code = body.get("ma") if isinstance(body, dict) else None
        return complaint(code, _OUTCOMES.get) if code else None

    def page(self, body: Any) -> Page:
        body = body if isinstance(body, dict) else {}
        return page_of(body.get("duLieu"), body.get("tongSo"))

    def fill(self, entity: str, columns: Columns, contract: SourceContract) -> None:
        petitions.fill(entity, columns, contract)

    def codes(self, contract: SourceContract) -> Mapping[str, tuple[Codes, ...]]:
        return petitions.codes_of(contract)
