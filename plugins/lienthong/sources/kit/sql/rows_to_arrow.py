"""Rows of any SQLAlchemy database as Arrow, value for value; what a type can't hold is kept as text beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from lienthong.landing import UNREADABLE

#: Of text, for one batch: wide rows fill a batch before there are many of them.
BATCH_BYTES = 8 << 20

_CANT_HOLD = (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, OverflowError, UnicodeEncodeError)


def arrow_type(kind: sa.types.TypeEngine[Any]) -> pa.DataType:
    """The Arrow type that a column is landed as. Decimals and unknown types are landed as text."""
    if isinstance(kind, sa.Boolean):
        return pa.bool_()
    if isinstance(kind, sa.Integer) or kind.__visit_name__ == "BIT":
        return pa.int64()
    if isinstance(kind, sa.Float):
        return pa.float64()
    if isinstance(kind, sa.DateTime):
        return pa.timestamp("us", "UTC") if kind.timezone else pa.timestamp("us")
    if isinstance(kind, sa.Date):
        return pa.date32()
    if isinstance(kind, sa.LargeBinary):
        return pa.binary()
    return pa.string()


def landing_schema(columns: Mapping[str, sa.types.TypeEngine[Any]]) -> pa.Schema:
    """Columns in order, and last the column for unreadable values."""
    fields = [(name, arrow_type(kind)) for name, kind in columns.items()]
    return pa.schema([*fields, (UNREADABLE, pa.string())])


def to_batch(rows: Sequence[sa.Row[Any]], schema: pa.Schema) -> pa.RecordBatch:
    """One batch from rows whose values stand in the order of `schema` (without its last column)."""
    unreadable: dict[int, dict[str, str]] = {}
    arrays = []
    for field, values in zip(schema, zip(*rows, strict=True), strict=False):
        arrays.append(_array(field, values, unreadable))
    return typed_or_remarked(arrays, unreadable, schema)


def typed_or_remarked(
    arrays: Sequence[pa.Array[Any]], unreadable: Mapping[int, dict[str, str]], schema: pa.Schema
) -> pa.RecordBatch:
    """The batch of `arrays` with, last, what their types could not hold: row → column → text."""
    rows = len(arrays[0])
    remarks = pa.nulls(rows, pa.string())
    if unreadable:
        remarks = pa.array([_dump(unreadable.get(row)) for row in range(rows)], pa.string())
    return pa.record_batch([*arrays, remarks], schema=schema)


def _array(field: pa.Field[Any], values: Sequence[Any], unreadable: dict[int, dict[str, str]]) -> pa.Array[Any]:
    text = pa.types.is_string(field.type)
    if pa.types.is_integer(field.type):  # MySQL's BIT comes as bytes
        values = [int.from_bytes(value) if isinstance(value, bytes) else value for value in values]
    try:
        array: pa.Array[Any] = pa.array(values, field.type)
        return array
    except _CANT_HOLD:
        pass
    kept: list[Any] = []
    for row, value in enumerate(values):
        value = _as_text(value) if text and value is not None else value
        try:
            pa.scalar(value, field.type)
        except _CANT_HOLD:
            unreadable.setdefault(row, {})[field.name] = _as_text(value)
            value = None
        kept.append(value)
    array = pa.array(kept, field.type)
    return array


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Decimal | int | float | datetime | date):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def _dump(remarks: dict[str, str] | None) -> str | None:
    return json.dumps(remarks) if remarks else None
