"""The register of driving licences: a session in the body, one service, spans of three days, no word for a status.

Known: paths, envelope, fields (portal-exchange §7). The names inside `gplxDaCap` are an assumption.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl

from lienthong.model.kinds.spec import ValueType
from lienthong.sources.kit.http import Credential, Exchange, HttpSession, Outcome, Request
from lienthong.sources.kit.lists import Codes, Page, RecordList, Span, SpanSystem, complaint, page_of
from lienthong.sources.kit.rpc import BodySession
from lienthong.sources.systems import dossiers
from lienthong.sources.typing_columns import looked_up, typed

if TYPE_CHECKING:
    from lienthong.connections import Connection
    from lienthong.model.capabilities import Capability
    from lienthong.sources.contract import SourceContract
    from lienthong.sources.kit.lists.columns import Columns

BASE, SERVICE = "/apiDVC-GPLX/tcdbdvcdata/mapi", "DanhSachHoSo"
#: Our words for what the register shows: a licence was issued, or not.
ISSUED, OPEN = "issued", "open"


class Gplx(SpanSystem):
    """Asked by the day of reception. It neither counts its rows nor says that it cut them: `read.page_rows` is the most
    that it returns, and as many mean that there may be more.
    """

    server: ClassVar[str] = "Sổ đăng ký giấy phép lái xe (HTTP)"
    span_days: ClassVar[int] = 3
    lists: ClassVar = (RecordList("dossier", f"{BASE}/g", key="maHoSo", dated="ngayNhanHoSo"),)
    structural: ClassVar = ("maHoSo", "ngayNhanHoSo", "gplxDaCap")
    known: ClassVar = {"dossier": ("gplxDaCap", "hoSoDinhKem")}
    fields: ClassVar = {
        "dossier": {
            "dossier_code": "maHoSo",
            "reference_code": "maDangKyDvc",
            "received_at": "ngayNhanHoSo",
            "applicant_name": "hoTen",
            "applicant_id_number": "soCmnd",
        }
    }

    def credential(self, connection: Connection) -> Credential:
        path = str(connection.extra.get("login_endpoint") or f"{BASE}/login")
        login = Request("POST", path, json={"username": connection.login, "password": connection.password})
        return BodySession("the register", login, _session_of, verdict=lambda body: _judged(body, Outcome.WRONG))

    def request(self, span: Span, http: HttpSession) -> Request:
        extra = http.connection.extra
        days = {"ngayNhan1": span.first.isoformat(), "ngayNhan2": span.last.isoformat()}
        body = {"service": SERVICE, "donViXuLy": str(extra.get("agency", "")), **days}
        return Request("POST", str(extra.get("dossier_endpoint") or f"{BASE}/g"), json=body)

    def most_rows(self, contract: SourceContract) -> int | None:
        return contract.read.page_rows

    def judge(self, body: Any, credential: Credential) -> Exchange | None:
        """Nobody knows the code of a session that has expired: after any complaint the next try logs in anew."""
        found = _judged(body, Outcome.RETRY)
        if found:
            credential.drop()
        return found

    def page(self, body: Any) -> Page:
        return page_of(body.get("data") if isinstance(body, dict) else None, None)

    def fill(self, entity: str, columns: Columns, contract: SourceContract) -> None:
        chunk = columns.chunk
        dossiers.fill(columns, contract)
        licences = [_licences(item) for item in columns.items]
        words = pl.Series([ISSUED if found else OPEN for found in licences], dtype=pl.String)
        chunk.put("status_raw", words)
        chunk.put("status", looked_up(words, contract.dossier.codes.status.get, pl.Int16))
        days = pl.Series("ngayCap", [found[-1] if found else None for found in licences], dtype=pl.String)
        chunk.put("finished_at", typed(days, ValueType.INSTANT, contract.time_zone))

    def codes(self, contract: SourceContract) -> Mapping[str, tuple[Codes, ...]]:
        return {}

    def capabilities(self, contract: SourceContract) -> frozenset[Capability]:
        return dossiers.capabilities(contract, self.fields)


def _session_of(body: Any) -> str | None:
    session = body.get("session") if isinstance(body, dict) else None
    return session if isinstance(session, str) and session else None


def _judged(body: Any, outcome: Outcome) -> Exchange | None:
    code = body.get("error_code") if isinstance(body, dict) else None
    return complaint(code, lambda said: outcome) if code not in (None, 0, "0") else None


def _licences(item: Any) -> list[str]:
    """When each licence of a dossier was issued, '' where it doesn't say; the last one ends the dossier."""
    found = item.get("gplxDaCap") if isinstance(item, dict) else None
    listed = found if isinstance(found, list) else []
    return sorted(str(licence.get("ngayCap") or "") if isinstance(licence, dict) else "" for licence in listed)
