"""Text as the canonical records want it: no NUL, no outer space, NFC. '' stays '' and null stays null."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

#: Every string without these characters is in NFC already (all of Vietnamese, precomposed, is). Looking is ten times
#: cheaper than normalising.
_PERHAPS_NOT_NFC = r"[^\x00-\x{02ff}\x{1ea0}-\x{1ef9}\x{2010}-\x{2027}\x{2030}-\x{205e}\x{20ab}]"


class Cleaned(NamedTuple):
    """`changed` marks the values that were not in NFC; None when all were."""

    text: pl.Series
    changed: pl.Series | None


def clean(values: pl.Series) -> Cleaned:
    """Clean a column of any type that has a text form."""
    text = values if values.dtype == pl.String else values.cast(pl.String)
    if text.null_count() == len(text):
        return Cleaned(text, None)
    text = text.str.replace_all("\x00", "", literal=True).str.strip_chars()
    suspects = text.str.contains(_PERHAPS_NOT_NFC).fill_null(False)
    if not suspects.any():
        return Cleaned(text, None)
    places = suspects.arg_true()
    before = text.gather(places)
    after = before.str.normalize("NFC")
    differs = before != after
    if not differs.any():
        return Cleaned(text, None)
    changed = pl.repeat(False, len(text), dtype=pl.Boolean, eager=True).scatter(places.filter(differs), True)
    return Cleaned(text.scatter(places, after), changed)


def cleaned_word(text: str) -> str:
    """One text cleaned: a fraction of the cost where there is no column of them."""
    return unicodedata.normalize("NFC", text.replace("\x00", "").strip())


def without_query(urls: pl.Series, names: Sequence[str]) -> pl.Series:
    """URLs without the query parameters `names`, otherwise untouched."""
    if not names:
        return urls
    name = "|".join(escape(word) for word in names)
    inner, last = rf"([?&])(?:(?:{name})=[^&#]*&)+", rf"[?&](?:{name})=[^&#]*(#|$)"
    return urls.str.replace_all(inner, "${1}").str.replace_all(last, "${1}")


def escape(word: str) -> str:
    """`word` as a pattern for polars' regular expressions."""
    return "".join(char if char.isalnum() or char == "_" else f"\\x{{{ord(char):x}}}" for char in word)
