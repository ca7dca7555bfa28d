"""A result of a PostgreSQL source as Arrow, by COPY: the values never become Python objects on the way.

For other databases, and for columns that CSV can't carry, `rows_to_arrow` does the same row by row.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.csv as csv
import sqlalchemy as sa
from psycopg2 import Error
from sqlalchemy import exc

from lienthong.sources.kit.sql.rows_to_arrow import BATCH_BYTES, typed_or_remarked


def copy_out(
    connection: sa.Connection,
    statement: sa.Select[Any],
    schema: pa.Schema,
    rows: int,
    take: Callable[[pa.RecordBatch], object],
) -> bool:
    """Rows of `statement`, whose columns stand in the order of `schema` (without its last column), to `take`.

    In batches of at most `rows` rows, while they arrive: memory does not grow with the result. `take` must leave the
    connection alone. Values that a column's type can't hold go into the last column, as everywhere.
    False, before anything is taken, when this way can't read them (another database, binary columns).
    """
    if connection.dialect.name != "postgresql" or any(pa.types.is_binary(column.type) for column in schema):
        return False
    batches = _Batches(schema, rows, take)
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    cursor: Any = connection.connection.cursor()
    try:
        query = cursor.mogrify(str(compiled), compiled.params).decode()
        # The server converts, or refuses: bytes of another encoding may look like UTF-8.
        cursor.copy_expert(f"COPY ({query}) TO STDOUT WITH (FORMAT csv, ENCODING 'UTF8')", batches)
    except Error as error:
        raise exc.DBAPIError.instance("COPY", None, error, Error, hide_parameters=True) from error
    finally:
        cursor.close()
    batches.hand_on()
    return True


@dataclass(slots=True)
class _Batches:
    """The file that COPY writes to. PostgreSQL sends row by row (Message Formats, CopyData: "messages sent from the
    backend will always correspond to single data rows"), so that no quoted newline can be taken for a row's end.
    """

    schema: pa.Schema
    most: int
    take: Callable[[pa.RecordBatch], object]
    waiting: list[bytes] = field(default_factory=list)
    size: int = 0

    def write(self, row: bytes) -> None:
        self.waiting.append(row)
        self.size += len(row)
        if len(self.waiting) >= self.most or self.size >= BATCH_BYTES:
            self.hand_on()

    def hand_on(self) -> None:
        if self.waiting:
            text = b"".join(self.waiting)
            self.waiting.clear()
            self.size = 0
            self.take(_batch(text, self.schema))


def _batch(text: bytes, schema: pa.Schema) -> pa.RecordBatch:
    names = schema.names[:-1]
    table = csv.read_csv(
        io.BytesIO(text),
        # One block: a row longer than Arrow's own blocks would be an error.
        csv.ReadOptions(column_names=names, use_threads=False, block_size=len(text)),
        csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        csv.ConvertOptions(
            null_values=[""],  # unquoted; '' comes quoted
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            column_types=dict.fromkeys(names, pa.string()),
        ),
    )
    unreadable: dict[int, dict[str, str]] = {}
    arrays = [_typed(schema.field(name), table.column(name).combine_chunks(), unreadable) for name in names]
    return typed_or_remarked(arrays, unreadable, schema)


#: Its stubs know no mixed arguments.
compute: Any = pyarrow.compute


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
