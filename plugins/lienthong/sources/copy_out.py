"""A bounded result of a PostgreSQL source as Arrow, by COPY: the values never become Python objects on the way.

For other databases, and for anything Arrow can't read as a whole, `rows_to_arrow` does the same row by row.
"""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.csv as csv
import sqlalchemy as sa
from psycopg2 import Error
from sqlalchemy import exc

from lienthong.sources.rows_to_arrow import typed_or_remarked


def copied(connection: sa.Connection, statement: sa.Select[Any], schema: pa.Schema) -> pa.RecordBatch | None:
    """Rows of `statement`, whose columns stand in the order of `schema` (without its last column), as one batch.

    All of it is in memory: for results of known size. None when this way can't read them (another database, binary
    columns, text that is not UTF-8). Values that a column's type can't hold go into the last column, as everywhere.
    """
    if connection.dialect.name != "postgresql" or any(pa.types.is_binary(field.type) for field in schema):
        return None
    names = schema.names[:-1]
    text = _copy(connection, statement)
    if not text:
        return pa.RecordBatch.from_pylist([], schema=schema)
    options = csv.ConvertOptions(
        null_values=[""],  # unquoted; '' comes quoted
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        column_types=dict.fromkeys(names, pa.string()),
    )
    try:
        table = csv.read_csv(
            io.BytesIO(text),
            csv.ReadOptions(column_names=names, use_threads=False),
            csv.ParseOptions(newlines_in_values=True),
            options,
        )
    except pa.ArrowInvalid:
        return None
    unreadable: dict[int, dict[str, str]] = {}
    arrays = [
        _typed(schema.field(name), table.column(name).combine_chunks(), unreadable) for name in names
    ]  # fmt: skip
    return typed_or_remarked(arrays, unreadable, schema)


#: Its stubs know no mixed arguments.
compute: Any = pyarrow.compute


def _copy(connection: sa.Connection, statement: sa.Select[Any]) -> bytes:
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    cursor: Any = connection.connection.cursor()
    buffer = io.BytesIO()
    try:
        query = cursor.mogrify(str(compiled), compiled.params).decode()
        cursor.copy_expert(f"COPY ({query}) TO STDOUT WITH (FORMAT csv)", buffer)
    except Error as error:
        raise exc.DBAPIError.instance("COPY", None, error, Error, hide_parameters=True) from error
    finally:
        cursor.close()
    return buffer.getvalue()


def _typed(field: pa.Field[Any], text: Any, unreadable: dict[int, dict[str, str]]) -> pa.Array[Any]:
    """`text` as the field's type; what can't be is null, and remarked."""
    if pa.types.is_string(field.type):
        as_it_is: pa.Array[Any] = text
        return as_it_is
    if pa.types.is_boolean(field.type):
        truth: pa.Array[Any] = compute.equal(text, "t")
        return truth
    try:
        typed: pa.Array[Any] = text.cast(field.type)
        return typed
    except pa.ArrowInvalid:
        pass
    kept: list[Any] = []
    for row, value in enumerate(text.to_pylist()):
        try:
            kept.append(pa.scalar(value, pa.string()).cast(field.type).as_py())
        except pa.ArrowInvalid:
            unreadable.setdefault(row, {})[field.name] = value
            kept.append(None)
    array: pa.Array[Any] = pa.array(kept, field.type)
    return array
