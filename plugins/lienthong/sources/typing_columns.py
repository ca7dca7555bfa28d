"""Raw columns → canonical types, whole columns at a time. What can't be typed becomes null and is marked.

The same functions serve columns of the right type already and text (JSON values, systems that store all as text).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import polars as pl
from pydantic_core import from_json

from lienthong.model.kinds.spec import ValueType
from lienthong.sources.text_cleaning import cleaned_word

_WORDS = {"1": True, "true": True, "True": True, "t": True, "0": False, "false": False, "False": False, "f": False}
_DATE_FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%Y%m%d%H%M%S",
)
#: The day by which MySQL says that there is none.
ZERO_DATE = "0000-00-00"
_DAY_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%Y%m%d")


class Typed(NamedTuple):
    """`bad` marks values that were there but could not be typed; None when all could."""

    values: pl.Series
    bad: pl.Series | None = None


def is_zero_date(text: str) -> bool:
    """Whether it is MySQL's date of nothing."""
    return text.startswith(ZERO_DATE)


def looked_up(keys: pl.Series, translate: Callable[[Any], object], dtype: pl.DataType | type[pl.DataType]) -> pl.Series:
    """`translate` applied once to each distinct value; null stays null."""
    distinct = keys.drop_nulls().unique()
    if not len(distinct):
        return pl.Series(keys.name, [None] * len(keys), dtype=dtype)
    new = pl.Series([translate(value) for value in distinct.to_list()], dtype=dtype)
    table = pl.DataFrame({"key": distinct, "new": new})
    return pl.DataFrame({"key": keys}).join(table, on="key", how="left", maintain_order="left")["new"]


def typed(raw: pl.Series, kind: ValueType, zone: str) -> Typed:
    """`raw` (cleaned, if text) as `kind`. '' is null except as text."""
    if kind is ValueType.TEXT:
        return Typed(raw if raw.dtype == pl.String else raw.cast(pl.String))
    if kind is ValueType.INSTANT:
        return instants(raw, zone)
    if kind is ValueType.BOOLEAN:
        return _checked(raw, booleans(raw))
    if kind is ValueType.TEXTS:
        return _checked(raw, looked_up(raw, _texts, pl.List(pl.String)))
    return _checked(raw, integers(raw, pl.Int16() if kind is ValueType.SMALLINT else pl.Int64()))


def first_filled(first: pl.Series, second: pl.Series) -> pl.Series:
    """`first` unless it is null or ''."""
    return pl.select(pl.when((first != "").fill_null(False)).then(first).otherwise(second)).to_series()


def first_told(first: Typed, second: Typed) -> Typed:
    """`first` where it has a value, else `second`; bad where either is."""
    bad = second.bad if first.bad is None else first.bad if second.bad is None else first.bad | second.bad
    return Typed(pl.select(pl.coalesce(first.values, second.values)).to_series(), bad)


def integers(raw: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Integers from numbers or text (`50000`, `50000.00`); null where there is none or it doesn't fit."""
    if raw.dtype == pl.String:
        return raw.str.replace(r"\.0+$", "").cast(dtype, strict=False)
    if raw.dtype.is_float():
        whole = raw.cast(pl.Int64, strict=False)
        return whole.to_frame().select(pl.when(whole == raw).then(whole)).to_series().cast(dtype, strict=False)
    return raw.cast(dtype, strict=False)


def booleans(raw: pl.Series) -> pl.Series:
    """Booleans from true/false, numbers (anything but 0 is true, as databases have it), or text such as `0`, `true`."""
    if raw.dtype == pl.Boolean:
        return raw
    if raw.dtype.is_numeric():
        return raw != 0
    text = raw if raw.dtype == pl.String else raw.cast(pl.String)
    return looked_up(text, _WORDS.get, pl.Boolean)


def instants(raw: pl.Series, zone: str) -> Typed:
    """UTC instants from naive local times, aware times, days (midnight) or text."""
    if raw.dtype == pl.Date:
        raw = raw.cast(pl.Datetime("us"))
    if raw.dtype == pl.String:
        raw = (
            raw.to_frame()
            .select(pl.when(~pl.col(raw.name).str.starts_with(ZERO_DATE)).then(pl.col(raw.name)))
            .to_series()
        )
        local = _parse(raw)
    elif isinstance(raw.dtype, pl.Datetime):
        local = raw.dt.cast_time_unit("us")
    else:
        local = pl.Series(raw.name, [None] * len(raw), dtype=pl.Datetime("us"))
    if isinstance(local.dtype, pl.Datetime) and local.dtype.time_zone:
        utc = local.dt.convert_time_zone("UTC")
    else:
        utc = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
    return _checked(raw, utc)


def _parse(text: pl.Series) -> pl.Series:
    column = pl.col(text.name)
    moments = [column.str.to_datetime(pattern, time_unit="us", strict=False) for pattern in _DATE_FORMATS]
    days = [column.str.to_date(pattern, strict=False).cast(pl.Datetime("us")) for pattern in _DAY_FORMATS]
    return text.to_frame().select(pl.coalesce([*moments, *days])).to_series()


def _texts(text: str) -> list[str] | None:
    """Sorted distinct texts of a JSON list (of words, or of objects with one word each), or of one word.

    They are cleaned here: what the list wrote as an escape (`\\u0000`), cleaning its text could not see.
    """
    try:
        found = from_json(text) if text.startswith("[") else [text] if text else None
    except ValueError:
        return None
    if not isinstance(found, list):
        return None
    words = [next(iter(item.values()), None) if isinstance(item, dict) and len(item) == 1 else item for item in found]
    if any(not isinstance(word, str | int) or isinstance(word, bool) for word in words):
        return None
    return sorted({cleaned_word(str(word)) for word in words})


def _checked(raw: pl.Series, values: pl.Series) -> Typed:
    """Mark values that were there and are gone; blank text was not there."""
    lost = raw.is_not_null() & values.is_null()
    if raw.dtype == pl.String:
        lost = lost & (raw != "")
    return Typed(values, lost if lost.any() else None)
