"""A province's ratings after the known table DanhGiaHaiLong (portal-exchange §5.3); its endpoint is an assumption."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from lienthong.model.identifiers import normalise_agency_code
from lienthong.model.kinds.rating import RATING, RATING_MARK
from lienthong.sources.kit.http import Credential, Exchange, NoCredential
from lienthong.sources.kit.lists import Ask, Codes, Inside, ListSystem, Page, RecordList, complaint, page_of

if TYPE_CHECKING:
    from lienthong.connections import Connection
    from lienthong.sources.contract import SourceContract
    from lienthong.sources.kit.lists.columns import Columns


class DanhGia(ListSystem):
    """A key in a header, the connection's password; pages by when a rating was given; marks of the criteria inside."""

    server: ClassVar[str] = "Đánh giá hài lòng (HTTP)"
    needs: ClassVar = ("password",)
    lists: ClassVar = (
        RecordList(
            "rating", "/api/DanhGiaHaiLong", key="Id", dated="ThoiGianDanhGia",
            inside={"rating_mark": Inside("TieuChi", "MaTieuChi")},
        ),
    )  # fmt: skip
    structural: ClassVar = ("MaHoSo", "DanhGia")
    fields: ClassVar = {
        "rating": {
            "dossier_code": "MaHoSo",
            "agency_code_raw": "MaDonVi",
            "agency_name": "DonVi",
            "satisfaction_raw": "DanhGia",
            "rating_type": "LoaiDanhGia",
            "rated_at": "ThoiGianDanhGia",
            "rater_name": "NguoiDanhGia",
            "comment": "NoiDungDanhGia",
        },
        "rating_mark": {"criterion": "MaTieuChi", "mark_raw": "Diem"},
    }

    def credential(self, connection: Connection) -> Credential:
        return NoCredential({"X-API-Key": connection.password or ""})

    def parameters(self, ask: Ask, contract: SourceContract) -> dict[str, str]:
        window = {"tuNgay": ask.since, "denNgay": ask.until}
        form = "%Y-%m-%dT%H:%M:%S"
        asked = {name: moment.astimezone(contract.zone).strftime(form) for name, moment in window.items() if moment}
        return {"trang": str(ask.number), "soDong": str(ask.size), **asked}

    def verdict(self, body: Any) -> Exchange | None:
        code = body.get("error_code") if isinstance(body, dict) else "0"
        return None if str(code) == "0" else complaint(code)

    def page(self, body: Any) -> Page:
        result = body.get("result") if isinstance(body, dict) else None
        result = result if isinstance(result, dict) else {}
        return page_of(result.get("danhSach"), result.get("tong"))

    def fill(self, entity: str, columns: Columns, contract: SourceContract) -> None:
        codes = contract.rating.codes
        if entity == RATING_MARK.entity:
            columns.coded("mark", "mark_raw", codes.mark)
            return
        columns.made("agency_code", "agency_code_raw", normalise_agency_code)
        columns.coded("satisfaction", "satisfaction_raw", codes.satisfaction)

    def codes(self, contract: SourceContract) -> Mapping[str, tuple[Codes, ...]]:
        codes = contract.rating.codes
        return {
            RATING.entity: (("satisfaction", "satisfaction_raw", codes.satisfaction),),
            RATING_MARK.entity: (("mark", "mark_raw", codes.mark),),
        }
