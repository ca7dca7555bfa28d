"""JSON objects in text columns: the values of a few keys, as text columns.

Each text is read by itself and all in the same way: what a row says must not depend on the rows beside it.
"""

from __future__ import annotations

import json
from typing import Any

import polars as pl
from pydantic_core import from_json

#: Whole floats below are written as the integer they are; from here on they don't tell which one was meant.
_EXACT = 2.0**53


def json_values(texts: pl.Series, keys: tuple[str, ...]) -> tuple[dict[str, pl.Series], pl.Series | None]:
    """Value of each key as text, and which texts are no JSON objects (None: all are).

    A list or object is given as JSON, `1.0` as `1`. Of a repeated key the last value counts. Blank text and `null` are
    objects without keys.
    """
    filled = pl.select(pl.when(texts.str.strip_chars() != "").then(texts)).to_series()
    objects = [_object(text) for text in filled.to_list()]
    broken = [row for row, value in enumerate(objects) if value is None]
    found = {key: [_as_text(value.get(key)) if value else None for value in objects] for key in keys}
    marks = pl.repeat(False, len(texts), dtype=pl.Boolean, eager=True).scatter(broken, True) if broken else None
    return {key: pl.Series(key, values, dtype=pl.String) for key, values in found.items()}, marks


def _object(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return {}
    try:
        value = from_json(text)  # unlike `json`, it takes no half of a surrogate pair: no column can hold one
    except ValueError:
        return None
    return value if isinstance(value, dict) else {} if value is None else None


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)
