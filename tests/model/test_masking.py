"""What is kept of a word that stands where a code belongs: the code, and nobody's name or number."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lienthong.model.kinds import KINDS
from lienthong.model.masking import HIDDEN, WORD_LENGTH, mask_word
from tests.conftest import REPO

READABLE = (
    "000.00.12.H17", "H17.05", "H17.05.101", "1.004194", "1.004194.000.00.00.H17", "G03-GD10", "dang_xu_ly", "le_phi",
    "vo_hieu", "ho_so_moi", "60e409823dfc9609723e493c", "000.00.12.H17-240105-0001", "Đang xử lý", "ĐANG XỬ LÝ",
    "Đang Xử Lý", "Trả kết quả", "Trả Kết Quả", "Đã tiếp nhận", "Chờ bổ sung", "Hồ sơ mới", "Hồ Sơ Chờ Bổ Sung",
    "HỒ SƠ ĐÃ TRẢ", "Lý Do Khác", "Từ chối tiếp nhận", "Cổng Dịch vụ công quốc gia", "Thu phí, lệ phí", "VNPTPAY",
    "Chuyển khoản Ngân hàng", "Thành phố Hồ Chí Minh", "UBND Hà Nội", "Lưu Kho", "done/1", "1/2", "2026-10", "99",
    "Phạm vi toàn quốc", "Lâm Đồng", "opencps_dossier.maSoMoi", "Vi phạm hành chính", "[/red]", "",
)  # fmt: skip
PERSONAL = (
    "Nguyễn Thị Hoa", "NGUYỄN THỊ HOA", "NGUYEN VAN AN", "Nguyen Van An", "nguyễn thị hoa", "nguyen thi hoa",
    "nguyen_thi_hoa", "Lê Lợi", "Đặng Văn Hùng", "Giàng A Páo",
    "Phạm Văn Bình", "Trần Nam", "Trần B", "048190001234", "201234567", "0905123456",
    "0905 123 456", "0905.123.456", "0236-3822-555", "+84905123456", "048 190 001 234", "hoa@example.vn",
    "https://example.vn/?ten=hoa",
)  # fmt: skip


@pytest.mark.parametrize("word", READABLE)
def test_a_code_or_a_status_stays_readable(word: str) -> None:
    assert mask_word(word) == word


@pytest.mark.parametrize("personal", PERSONAL)
@pytest.mark.parametrize("around", ["{}", "Chủ hồ sơ: {}", "{}, 12 đường số 5", "đã giao {}/1"])
def test_what_belongs_to_a_person_goes(personal: str, around: str) -> None:
    kept = mask_word(around.format(personal))
    assert personal not in kept
    assert HIDDEN in kept
    assert not re.search(r"\d{4,}", kept)
    assert kept.startswith(around.partition("{}")[0])


def test_every_word_that_the_shipped_contracts_map_is_readable() -> None:
    found = [
        str(word)
        for path in sorted((REPO / "include" / "sources").glob("*.yaml"))
        for contract in [yaml.safe_load(path.read_text(encoding="utf-8"))]
        for words in next(contract[kind] for kind in KINDS if kind in contract).get("codes", {}).values()
        for word in words
    ]
    assert len(found) > 50
    assert [word for word in found if mask_word(word) != word] == []


SURNAME = st.sampled_from(["Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Võ", "Đặng", "Bùi", "Đỗ"])
MIDDLE = st.sampled_from(["Thị", "Văn", "Hữu", "Thị Bích", "Đình"])
GIVEN = st.sampled_from(["Hoa", "An", "Ngân", "Hùng", "Yến", "Phúc"])


@given(SURNAME, MIDDLE, GIVEN, st.sampled_from([str, str.upper]), st.sampled_from(READABLE), st.booleans())
def test_a_name_goes_wherever_it_stands_and_the_code_beside_it_stays(
    surname: str, middle: str, given_name: str, case: type[str], code: str, first: bool
) -> None:
    name = case(f"{surname} {middle} {given_name}")
    text = f"{name}; {code}" if first else f"{code}; {name}"
    kept = mask_word(text)
    assert name not in kept
    assert given_name.casefold() not in kept.replace(code, "").casefold().split()
    assert code in kept


@given(st.from_regex(r"\A(?:[0-9]\.[0-9]{6}|[A-Z][0-9]{2}(?:\.[0-9]{2,3}){1,3}|[a-z]{2,12}(?:_[0-9a-z]{1,8})?)\Z"))
def test_whatever_is_formed_like_a_code_stays(code: str) -> None:
    assert mask_word(code) == code


@given(st.text(max_size=200))
def test_whatever_is_typed_it_ends_and_stays_short(text: str) -> None:
    assert len(mask_word(text)) <= WORD_LENGTH + len(HIDDEN)
