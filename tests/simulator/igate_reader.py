"""The least a reader of iGate can be: one token, plain calls, and its own understanding of an item."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx

from simulator.igate import IgateServer

Item = dict[str, Any]
NEWEST_FIRST = "updatedDate,desc"
VIETNAM = timezone(timedelta(hours=7))
STATUS = {0: "1", 17: "2", 2: "4", 3: "5", 16: "6", 4: "9", 5: "10", 9: "3", 8: "7", 10: "8"}
STEP = {
    "60e409823dfc9609723e493c": "1", "60e409823dfc9609723e0002": "2", "60e409823dfc9609723e0003": "4",
    "60e409823dfc9609723e0004": "5", "60e409823dfc9609723e0005": "4", "60e409823dfc9609723e0006": "6",
    "60e409823dfc9609723e0007": "4", "60e409823dfc9609723e0008": "9", "60ebf17309cbf91d41f87f8e": "10",
    "60e409823dfc9609723e000a": "3", "60e409823dfc9609723e000b": "7", "60e409823dfc9609723e000c": "8",
}  # fmt: skip
POST_RETURN = "5f8969018fffa53e4c073dee"


class Reader:
    """One account's calls. `get` never raises for a status."""

    def __init__(self, server: IgateServer, *, log_in: bool = True) -> None:
        self.server = server
        self.http = httpx.Client(base_url=server.url, timeout=20)
        self.token = self.log_in().json()["access_token"] if log_in else ""

    def log_in(self, **changed: str) -> httpx.Response:
        account = self.server.account
        form = {
            "grant_type": "password", "client_id": account.client_id, "username": account.username,
            "password": account.password, **changed,
        }  # fmt: skip
        return self.http.post(self.server.token_url, data=form)

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        query = {name.replace("_", "-"): value for name, value in parameters.items()}
        return self.http.get(path, params=query, headers={"Authorization": f"Bearer {self.token}"})

    def search(self, **parameters: Any) -> httpx.Response:
        return self.get("/pa/dossier/search", **parameters)

    def page(self, number: int, size: int = 50, **parameters: Any) -> dict[str, Any]:
        return dict(self.search(page=number, size=size, sort=NEWEST_FIRST, **parameters).raise_for_status().json())

    def ids(self, number: int, size: int = 50, **parameters: Any) -> list[str]:
        return [str(item["id"]) for item in self.page(number, size, **parameters)["content"]]

    def everything(self, size: int = 200, **parameters: Any) -> list[Item]:
        items: list[Item] = []
        for number in range(10_000):
            page = self.page(number, size, **parameters)
            items += page["content"]
            if page["last"]:
                break
        return items

    def detail(self, item_id: str) -> Item:
        return dict(self.get(f"/pa/dossier/{item_id}/--online").raise_for_status().json())

    def fees(self, item_ids: list[str]) -> list[Item]:
        found = self.get("/pa/dossier-fee/--by-dossiers", dossier_ids=",".join(item_ids), required="")
        return list(found.raise_for_status().json())


def number_of(item: Item) -> int:
    return int(item["id"][-8:], 16)


def local(date: str | None) -> str:
    """yyyyMMddHHmmss in Vietnam."""
    if not date:
        return ""
    return datetime.strptime(date, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(VIETNAM).strftime("%Y%m%d%H%M%S")


def moment(date: str) -> datetime:
    return datetime.strptime(date, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC)


def steps_of(item: Item) -> list[dict[str, str]]:
    """In the words of CapNhatTienDoHoSoMC."""
    return [
        {
            "MaHoSo": item["code"] or "",
            "NguoiXuLy": task["assignee"]["fullname"],
            "ChucDanh": "",
            "ThoiDiemXuLy": local(task["createdDate"]),
            "PhongBanXuLy": "",
            "NoiDungXuLy": task["comment"],
            "TrangThai": STEP[task["bpmProcessDefinitionTask"]["name"]["id"]],
            "NgayBatDau": "",
            "NgayKetThucTheoQuyDinh": local(task["dueDate"]),
        }
        for task in item["task"]
    ]


def dossier_of(item: Item, fees: list[Item]) -> dict[str, Any]:
    """In the words of DongBoHoSoMC: what this reader can tell from a detail and its fees."""
    person, flags = item["applicant"]["data"], item["eForm"]["data"]
    last = {step["TrangThai"]: step["ThoiDiemXuLy"] for step in steps_of(item)}
    phone = person["phoneNumber"]
    method = (item["paymentMethod"] or {}).get("code")
    forms = [(form, file) for form in item["dossierFormFile"] for file in form["file"]]
    return {
        "MaHoSo": item["code"] or "",
        "MaTTHC": ".".join(item["procedure"]["code"].split(".")[:2]),
        "ChuHoSo": person["ownerFullname"],
        "SoGiayToChuHoSo": person["identityNumber"],
        "LoaiDoiTuong": str(person["chonDoiTuong"]),
        "Email": person["email"],
        "SoDienThoai": f"0{phone[3:]}" if phone else "",
        "TrichYeuHoSo": person["noidungyeucaugiaiquyet"],
        "NgayNopHoSo": local(item["appliedDate"]),
        "NgayTiepNhan": local(item["acceptedDate"]),
        "NgayHenTra": local(item["appointmentDate"]),
        "TrangThaiHoSo": STATUS[item["dossierStatus"]["id"]],
        "NgayTuChoi": last.get("3", ""),
        "NgayKetThucXuLy": local(item["completedDate"]),
        "NgayTra": last.get("10", ""),
        "HinhThuc": "1" if item["dossierReceivingKind"]["id"] == POST_RETURN else "0",
        "DonViXuLy": item["agency"]["name"],
        "KenhThucHien": {0: "2", 1: "1", 2: "3"}[item["applyMethod"]["id"]],
        "HoSoCoThanhPhanSoHoa": flags.get("HoSoCoThanhPhanSoHoa", ""),
        "TaiKhoanDuocXacThucVoiVNeID": flags.get("TaiKhoanDuocXacThucVoiVNeID", ""),
        "DuocThanhToanTrucTuyen": {"DVCQG": "1", "VNPTPAY": "2"}.get(str(method), "0"),
        "DSKetNoiCSDL": [{"MaCSDL": code} for code in flags.get("DSKetNoiCSDL", [])],
        "TaiLieuNop": [
            {
                "TepDinhKemId": "",
                "TenTepDinhKem": file["filename"],
                "IsDeleted": "True" if file["isDeleted"] else "False",
                "MaThanhPhanHoSo": form["procedureForm"]["code"],
                "DuongDanTaiTepTin": file["downloadURL"],
                "DuocSoHoa": file["DuocSoHoa"],
                "DuocTaiSuDung": file["DuocTaiSuDung"],
                "DuocLayTuKhoDMQG": file["DuocLayTuKhoDMQG"],
                "MaKetQuaThayThe": "",
            }
            for form, file in forms
        ],
        "DanhSachLePhi": [
            {
                "TenPhiLePhi": fee["procost"]["type"]["name"][0]["name"],
                "MaPhiLePhi": "1",
                "HinhThucThu": "1",
                "Gia": str(int(fee["amount"] * fee["quantity"])),
                "LoaiPhiLePhi": "1",
            }
            for fee in fees
        ],
        "DanhSachGiayToKetQua": [
            {
                "TenGiayTo": file["filename"],
                "MaThanhPhanHoSo": "",
                "GiayToId": "",
                "DuongDanTepTinKetQua": file["downloadURL"],
                "MaGiayToKetQua": file["code"],
            }
            for file in item["attachment"]
        ],
    }
