"""JSON objects in text columns: the values of a few keys, as text columns."""

from __future__ import annotations

import json
from typing import Any

import polars as pl


def json_values(texts: pl.Series, keys: tuple[str, ...]) -> tuple[dict[str, pl.Series], pl.Series | None]:
    """Value of each key as text (a list or object as JSON), and which texts are no JSON objects (None: all are)."""
    filled = pl.select(pl.when(texts.str.strip_chars() != "").then(texts)).to_series()
    return _flat_values(filled, keys) or _any_values(filled, keys)


def _flat_values(texts: pl.Series, keys: tuple[str, ...]) -> tuple[dict[str, pl.Series], None] | None:
    """All at once, as long as every text is an object whose wanted values are neither lists nor objects."""
    try:
        decoded = texts.str.json_decode(pl.Struct(dict.fromkeys(keys, pl.String)))
    except pl.exceptions.PolarsError:
        return None
    return ({key: decoded.struct.field(key) for key in keys}, None) if len(decoded) == len(texts) else None


def _any_values(texts: pl.Series, keys: tuple[str, ...]) -> tuple[dict[str, pl.Series], pl.Series | None]:
    """One by one, each distinct text once."""
    parsed: dict[str | None, dict[str, Any] | None] = {None: {}}
    found: dict[str, list[str | None]] = {key: [] for key in keys}
    broken: list[int] = []
    for row, text in enumerate(texts.to_list()):
        if text not in parsed:
            parsed[text] = _object(text)
        value = parsed[text]
        if value is None:
            broken.append(row)
            value = {}
        for key in keys:
            found[key].append(_as_text(value.get(key)))
    marks = pl.repeat(False, len(texts), dtype=pl.Boolean, eager=True).scatter(broken, True) if broken else None
    return {key: pl.Series(key, values, dtype=pl.String) for key, values in found.items()}, marks


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else {} if value is None else None


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
