"""What the portal shows of a dossier against what we would send."""

from __future__ import annotations

from typing import Any

import pytest

from lienthong.exchange.compare import Difference, Verdict, compare
from tests.exchange.world import settings_with

SETTINGS = settings_with()
OURS: dict[str, Any] = {
    "MaHoSo": "H17.05-261012-0001",
    "MaTTHC": "1.001193",
    "ChuHoSo": "Nguyễn Thị Bích Ngân",
    "TrangThaiHoSo": "9",
    "NgayTiepNhan": "20261012080000",
    "NgayKetThucXuLy": "20261015093000",
    "NgayTra": "",
    "KenhThucHien": "2",
    "TaiLieuNop": [{"TenTepDinhKem": "a.pdf", "DuongDanTaiTepTin": "https://kho.example/a"}],
}


def shown(**changes: Any) -> list[dict[str, Any]]:
    return [OURS | changes]


def test_the_same_record_is_the_same() -> None:
    found = compare(OURS, shown(), SETTINGS)
    assert (found.verdict, found.kinds, found.fields, dict(found.seen)) == (Verdict.SAME, (), (), {})


def test_no_record_is_missing() -> None:
    assert compare(OURS, [], SETTINGS).kinds == (Difference.MISSING,)


@pytest.mark.parametrize(
    ("changes", "kind", "field"),
    [
        ({"TrangThaiHoSo": "4"}, Difference.STATUS, "TrangThaiHoSo"),
        ({"MaTTHC": "2.000635"}, Difference.PROCEDURE, "MaTTHC"),
        ({"NgayKetThucXuLy": ""}, Difference.DATES, "NgayKetThucXuLy"),
        ({"NgayTra": "20261016080000"}, Difference.DATES, "NgayTra"),
    ],
)
def test_a_field_that_decides_makes_it_different_and_keeps_both_values(
    changes: dict[str, str], kind: Difference, field: str
) -> None:
    found = compare(OURS, shown(**changes), SETTINGS)
    assert (found.verdict, found.kinds, found.fields) == (Verdict.DIFFERENT, (kind,), (field,))
    assert dict(found.seen) == {field: {"portal": changes[field], "ours": OURS[field]}}


def test_other_fields_are_listed_by_name_only_and_decide_nothing() -> None:
    found = compare(OURS, shown(ChuHoSo="Trần Văn Khoa", KenhThucHien="1"), SETTINGS)
    assert (found.verdict, found.kinds, found.fields) == (
        Verdict.SAME,
        (Difference.OTHER,),
        ("ChuHoSo", "KenhThucHien"),
    )
    assert dict(found.seen) == {}


def test_which_fields_decide_can_be_configured() -> None:
    settings = settings_with(decisive_fields=["KenhThucHien"])
    assert compare(OURS, shown(KenhThucHien="1"), settings).verdict is Verdict.DIFFERENT
    assert compare(OURS, shown(TrangThaiHoSo="4"), settings).verdict is Verdict.SAME


@pytest.mark.parametrize("hit", [{}, {"MAHOSO": OURS["MaHoSo"]}, {"MaHoSo": "another", "TrangThaiHoSo": "4"}])
def test_a_record_that_shows_no_state_is_unknown(hit: dict[str, str]) -> None:
    found = compare(OURS, [hit], SETTINGS)
    assert (found.verdict, found.kinds) == (Verdict.UNKNOWN, (Difference.PRESENT,))


def test_the_record_of_this_code_is_chosen_among_several() -> None:
    assert compare(OURS, [OURS | {"MaHoSo": "x", "TrangThaiHoSo": "1"}, OURS], SETTINGS).verdict is Verdict.SAME


def test_names_are_read_in_any_case_and_under_configured_aliases() -> None:
    hit = {"MAHOSO": OURS["MaHoSo"], "TRANGTHAI": "4", "MATTHC": "1.001193"}
    settings = settings_with(lookup_names={"TrangThaiHoSo": ["TrangThai"]})
    assert compare(OURS, [hit], SETTINGS).verdict is Verdict.UNKNOWN
    assert compare(OURS, [hit], settings).fields == ("TrangThaiHoSo",)


def test_ways_of_writing_are_no_differences() -> None:
    found = compare(
        OURS,
        shown(
            NgayTiepNhan="2026-10-12 08:00:00",
            NgayTra=None,
            MaTTHC="1.001193.000.00.00.H17",
            TaiLieuNop=[{"TenTepDinhKem": "a.pdf", "DuongDanTaiTepTin": "https://kho.example/a?t=17", "Id": 4}],
        ),
        SETTINGS,
    )
    assert (found.verdict, found.fields) == (Verdict.SAME, ())


def test_a_value_that_cannot_be_read_says_nothing() -> None:
    found = compare(OURS, shown(NgayTiepNhan="12/10/2026 08:00", TaiLieuNop="1 tệp"), SETTINGS)
    assert (found.verdict, found.fields) == (Verdict.SAME, ())


def test_a_list_with_more_or_other_entries_differs() -> None:
    for items in ([], OURS["TaiLieuNop"] * 2, [{"TenTepDinhKem": "b.pdf"}]):
        assert compare(OURS, shown(TaiLieuNop=items), SETTINGS).fields == ("TaiLieuNop",)


def test_an_answer_that_puts_a_name_where_a_status_belongs_is_not_kept() -> None:
    found = compare(OURS, shown(TrangThaiHoSo="Nguyễn Thị Bích Ngân"), SETTINGS)
    assert found.seen["TrangThaiHoSo"]["portal"] == "…"
