"""Invented people and companies. Names are common ones; numbers, e-mails and addresses belong to nobody we know."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from random import Random

from simulator.streams import Weighted, between, pick

_SURNAMES = {
    "Nguyễn": 38, "Trần": 12, "Lê": 10, "Phạm": 7, "Huỳnh": 4, "Phan": 5, "Vũ": 4, "Võ": 3, "Đặng": 3, "Bùi": 2,
    "Đỗ": 2, "Hồ": 2, "Ngô": 2, "Dương": 1, "Lý": 1, "Trương": 2, "Đinh": 1, "Mai": 1, "Tạ": 1, "Lương": 1, 
    "Alăng": 0.4, "Bríu": 0.3,
}  # fmt: skip
_MEN = ("Văn", "Hữu", "Đức", "Quang", "Minh", "Xuân", "Công", "Thanh", "Ngọc", "Quốc")
_WOMEN = ("Thị", "Thị Thu", "Thị Ngọc", "Thanh", "Thị Kim", "Bích", "Thị Mỹ", "Khánh", "Thị Hồng", "Phương")
_MAN = ("Hùng", "Dũng", "Tuấn", "Sơn", "Long", "Phúc", "Khoa", "Bình", "Hải", "Thắng", "Đạt", "Vinh", "Nghĩa", "Trung")
_WOMAN = (
    "Hoa",
    "Lan",
    "Hương",
    "Thảo",
    "Yến",
    "Trang",
    "Linh",
    "Hạnh",
    "Nga",
    "Thủy",
    "Oanh",
    "Quỳnh",
    "Diễm",
    "Tuyết",
)
_FORMS = ("Công ty TNHH", "Công ty Cổ phần", "Công ty TNHH MTV", "Doanh nghiệp tư nhân", "Hợp tác xã")
_TRADES = ("Xây dựng", "Thương mại và Dịch vụ", "Vận tải", "Du lịch", "Nông sản", "Dược phẩm", "Thực phẩm", "Cơ khí")
_WORDS = (
    "Minh Phát",
    "An Phú",
    "Hoàng Gia",
    "Thành Đạt",
    "Sông Hàn",
    "Trường Sơn",
    "Việt Hưng",
    "Đại Thành",
    "Phúc Lộc",
)
_STREETS = ("Nguyễn Văn Linh", "Lê Duẩn", "Trần Hưng Đạo", "Quang Trung", "Hùng Vương", "Điện Biên Phủ", 
            "Phan Châu Trinh", "Hoàng Diệu", "Lý Thường Kiệt", "Nguyễn Trãi", "Bạch Đằng", "Ông Ích Khiêm")  # fmt: skip
_NAMES = tuple(_SURNAMES)
_SURNAME = Weighted(tuple(_SURNAMES.values()))
#: First three digits of personal numbers: the province codes before the mergers, here a handful of real ones.
_ID_PROVINCES = ("048", "049", "001", "046", "051", "045", "040", "037", "036", "033", "031", "079")


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who a dossier belongs to. `contact` may be somebody else: not to be mistaken for the owner."""

    name: str
    id_number: str
    contact: str
    phone: str
    email: str
    address: str


def person_name(rng: Random) -> str:
    """A full name: surname, middle name, given name."""
    surname = _NAMES[_SURNAME.draw(rng)]
    if rng.random() < 0.5:
        return f"{surname} {pick(rng, _MEN)} {pick(rng, _MAN)}"
    return f"{surname} {pick(rng, _WOMEN)} {pick(rng, _WOMAN)}"


def ascii_of(text: str) -> str:
    """Lower-case letters without marks, for file names and e-mails."""
    flat = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return "".join(char for char in flat if char.isascii() and char.isalnum())


def applicant(rng: Random, *, business: bool, place: str) -> Applicant:
    """A person with a 12-digit number (a few elderly with 9 digits), or a company with a 10-digit tax code."""
    person = person_name(rng)
    if business:
        name = f"{pick(rng, _FORMS)} {pick(rng, _TRADES)} {pick(rng, _WORDS)}"
        number = f"0{between(rng, 100_000_000, 999_999_999)}"
    else:
        name = person
        year = between(rng, 1948, 2006)
        century = (0 if year < 2000 else 2) + int(rng.random() * 2)
        number = f"{pick(rng, _ID_PROVINCES)}{century}{year % 100:02d}{between(rng, 1, 999_999):06d}"
        if year < 1960 and rng.random() < 0.15:
            number = f"20{between(rng, 1_000_000, 9_999_999)}"
    contact = person if rng.random() < 0.93 else person_name(rng)
    phone = f"0900{between(rng, 0, 999_999):06d}" if rng.random() < 0.97 else ""
    email = f"{ascii_of(person)}{between(rng, 1, 999)}@thu.example" if rng.random() < 0.6 else ""
    return Applicant(name, number, contact, phone, email, f"{between(rng, 1, 480)} {pick(rng, _STREETS)}, {place}")
