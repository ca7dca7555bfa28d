"""Catalogue answers read into our own terms (portal-exchange §3.1)."""

from __future__ import annotations

from typing import Any

import pytest

from lienthong.exchange.catalogue import read_procedure

DETAIL: dict[str, Any] = {
    "MATTHC": "1.000894", "TENTTHC": "Đăng ký  kết hôn", "TRANGTHAI": "1",
    "CACHTHUCTHUCHIEN": [
        {"KENH": "1", "THOIGIAN": [{"THOIGIANGIAIQUYET": "3", "DONVITINH": "Ngày làm việc",
                                    "PHILEPHI": [{"SOTIEN": "0"}, {"SOTIEN": ""}]}]},
        {"KENH": "2", "THOIGIAN": [{"THOIGIANGIAIQUYET": "10", "DONVITINH": "Ngày", "PHILEPHI": []},
                                   {"THOIGIANGIAIQUYET": "ngay", "DONVITINH": "Ngày", "PHILEPHI": None}]},
    ],
    "KETQUATHUCHIEN": [{"MAKETQUA": "", "TENKETQUA": ""}],
}  # fmt: skip


def test_a_fee_of_nothing_is_no_fee_and_an_empty_result_no_paper() -> None:
    entry = read_procedure(DETAIL)
    assert entry is not None
    assert (entry.has_fee, entry.returns_paper, entry.max_term_value, entry.max_term_unit) == (False, False, 10, "Ngày")
    assert entry.name == "Đăng ký kết hôn"


@pytest.mark.parametrize(("amount", "fee"), [("15000", True), ("15.000 đồng", True), ("Không", False), ("000", False)])
def test_a_fee_is_read_from_its_digits(amount: str, fee: bool) -> None:
    term = {"THOIGIANGIAIQUYET": "1", "DONVITINH": "Ngày", "PHILEPHI": [{"SOTIEN": amount}]}
    entry = read_procedure(DETAIL | {"CACHTHUCTHUCHIEN": [{"THOIGIAN": [term]}]})
    assert entry is not None
    assert entry.has_fee is fee


def test_only_what_the_registry_keeps_makes_a_procedure_another() -> None:
    entry, reworded = read_procedure(DETAIL), read_procedure(DETAIL | {"TRINHTUTHUCHIEN": "viết lại"})
    retired = read_procedure(DETAIL | {"TRANGTHAI": "0"})
    assert entry is not None
    assert reworded is not None
    assert retired is not None
    assert entry.detail_hash == reworded.detail_hash
    assert entry.detail_hash != retired.detail_hash


def test_a_detail_without_a_national_code_is_not_a_procedure() -> None:
    assert read_procedure({"MATTHC": "DNG-01"}) is None
