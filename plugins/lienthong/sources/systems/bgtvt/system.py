"""The ministry's list of dossiers, built on OpenCPS: one GET, a key in header and address, errors as bodies.

Known: path, parameters, fields, words and the codes −300 to −304 (portal-exchange §7); what the codes mean is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl

from lienthong.model.codes import DossierStatus
from lienthong.sources.kit.http import Credential, Exchange, HttpSession, NoCredential, Outcome, Request
from lienthong.sources.kit.lists import Codes, Page, RecordList, Span, SpanSystem, complaint, page_of
from lienthong.sources.systems import dossiers

if TYPE_CHECKING:
    from lienthong.connections import Connection
    from lienthong.model.capabilities import Capability
    from lienthong.sources.contract import SourceContract
    from lienthong.sources.kit.lists.columns import Columns

PATH = "/apiGTVT/danhsachhoso"
_OUTCOMES: Mapping[int | None, Outcome] = {
    -300: Outcome.RENEW,  # the key, by our reading
    -301: Outcome.WRONG,  # the unit
    -302: Outcome.WRONG,  # a parameter
    -303: Outcome.SLOW,  # a span that is too long: asked for in halves
    -304: Outcome.RETRY,  # busy
}


class Bgtvt(SpanSystem):
    """Asked by the day of reception, all rows at once (−1), which `total` counts. Login: MaDonVi; password: the key."""

    server: ClassVar[str] = "Bộ GTVT, danh sách hồ sơ (HTTP)"
    lists: ClassVar = (RecordList("dossier", PATH, key="MaHoSo", dated="NgayTiepNhan"),)
    structural: ClassVar = ("MaHoSo", "MaTTHC", "NgayTiepNhan", "TrangThaiHoSo")
    fields: ClassVar = {
        "dossier": {
            "dossier_code": "MaHoSo",
            "procedure_code_raw": "MaTTHC",
            "agency_code_raw": "MaDonViXuLy",
            "agency_name": "DonViXuLy",
            "status_raw": "TrangThaiHoSo",
            "channel": "KenhThucHien",
            "submitted_at": "NgayGuiHoSo",
            "received_at": "NgayTiepNhan",
            "due_at": "NgayHenTra",
            "finished_at": "NgayKetThucXuLy",
            "returned_at": "NgayTra",
            "refused_at": "NgayHuyHoSo",
            "applicant_name": "ChuHoSo",
            "applicant_phone": "SoDienThoai",
        }
    }

    def credential(self, connection: Connection) -> Credential:
        unit, key = connection.login or "", connection.password or ""
        agency = str(connection.extra.get("agency", ""))
        return NoCredential({"MaDonVi": unit, "ApiKey": key}, {"APIKey": key, "GovAgencyCode": agency})

    def request(self, span: Span, http: HttpSession) -> Request:
        days = {"ReceiveFromDate": f"{span.first:%d/%m/%Y}", "ReceiveToDate": f"{span.last:%d/%m/%Y}"}
        path = str(http.connection.extra.get("dossier_endpoint") or PATH)
        return Request("GET", path, {"Start": "-1", "End": "-1", **days})

    def verdict(self, body: Any) -> Exchange | None:
        code = body.get("error_code") if isinstance(body, dict) else None
        return complaint(code, lambda said: _OUTCOMES.get(_number(said))) if code not in (None, 0, "0") else None

    def page(self, body: Any) -> Page:
        body = body if isinstance(body, dict) else {}
        return page_of(body.get("data"), body.get("total"))

    def fill(self, entity: str, columns: Columns, contract: SourceContract) -> None:
        dossiers.fill(columns, contract)
        dossiers.only_from_reception(columns)
        dossiers.until_the_days_end(columns, "due_at")
        dossiers.only_when(columns, "refused_at", DossierStatus.NOT_ACCEPTED)  # a withdrawal has the same date
        columns.chunk.edit("applicant_phone", _without_dots)

    def codes(self, contract: SourceContract) -> Mapping[str, tuple[Codes, ...]]:
        return dossiers.codes_of(contract)

    def capabilities(self, contract: SourceContract) -> frozenset[Capability]:
        return dossiers.capabilities(contract, self.fields)


def _number(said: object) -> int | None:
    return int(said) if isinstance(said, int) or (isinstance(said, str) and said.lstrip("-").isdecimal()) else None


def _without_dots(phones: pl.Series) -> pl.Series:
    return phones.str.replace_all(r"[.\s]", "")
