"""What reaches a terminal can't do anything to it, and is otherwise what it was."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.model.printable import escaped, printable

ANY_TEXT = st.text(st.characters(), max_size=40)


@pytest.mark.parametrize(
    "hostile",
    ["\x1b[2J", "\x9b31m", "\x1b]0;title\x07", "\r\x08\x7f", "\u202eabc", "\u2066\u200f\ufeff\u200b", "\u2028"],
)
def test_nothing_that_moves_colours_or_turns_is_left(hostile: str) -> None:
    cleaned = printable(f"Đang xử lý {hostile} [red]")
    assert cleaned.startswith("Đang xử lý ")
    assert cleaned.endswith(" [red]")
    assert cleaned.isprintable()
    cleaned.encode()


@given(ANY_TEXT)
def test_only_new_lines_are_left_of_what_does_not_print(text: str) -> None:
    assert printable(text).replace("\n", "").isprintable()
    assert printable(text).count("\n") == text.count("\n")


@given(st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=3))
def test_a_document_keeps_its_meaning(document: dict[str, str]) -> None:
    told = escaped(json.dumps(document, ensure_ascii=False, indent=1))
    assert json.loads(told) == document
    assert told.replace("\n", "").isprintable()
