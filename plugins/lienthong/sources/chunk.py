"""One chunk of landed rows on its way to canonical rows: columns are taken, typed, filled in, and handed out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
import pyarrow as pa

from lienthong.landing import UNREADABLE
from lienthong.model.kinds import kind_of_entity
from lienthong.model.kinds.spec import EntitySpec, Field, ValueType
from lienthong.sources.json_columns import json_values
from lienthong.sources.text_cleaning import clean
from lienthong.sources.typing_columns import Typed, is_zero_date, typed

_ARROW: dict[ValueType, pa.DataType] = {
    ValueType.TEXT: pa.string(),
    ValueType.SMALLINT: pa.int16(),
    ValueType.BIGINT: pa.int64(),
    ValueType.BOOLEAN: pa.bool_(),
    ValueType.INSTANT: pa.timestamp("us", "UTC"),
    ValueType.TEXTS: pa.list_(pa.string()),
}
_POLARS: dict[ValueType, pl.DataType] = {
    ValueType.TEXT: pl.String(),
    ValueType.SMALLINT: pl.Int16(),
    ValueType.BIGINT: pl.Int64(),
    ValueType.BOOLEAN: pl.Boolean(),
    ValueType.INSTANT: pl.Datetime("us", "UTC"),
    ValueType.TEXTS: pl.List(pl.String()),
}


def is_child(spec: EntitySpec) -> bool:
    """Whether an entity's rows have a key of their own below their record's."""
    return kind_of_entity(spec.entity).root is not spec


def canonical_schema(spec: EntitySpec) -> pa.Schema:
    """Columns of canonical rows of an entity, as `warehouse.staging` takes them."""
    child = [("child_key", pa.string())] if is_child(spec) else []
    place = [("landing_part", pa.int32()), ("landing_row", pa.int64()), ("type_errors", pa.list_(pa.string()))]
    fields = [(field.name, _ARROW[field.type]) for field in spec.fields]
    return pa.schema([("source_id", pa.string()), ("source_key", pa.string()), *child, *place, *fields])


class Chunk:
    """Takes raw columns by name, collects canonical fields, type errors and whether text was in NFC.

    A raw column that the source doesn't have reads as all null.
    """

    def __init__(self, raw: pa.RecordBatch, zone: str) -> None:
        frame = pl.from_arrow(raw)
        assert isinstance(frame, pl.DataFrame)
        self.raw = frame
        self.rows = frame.height
        self.not_nfc = pl.repeat(False, self.rows, dtype=pl.Boolean, eager=True)
        self._zone = zone
        self._cleaned: dict[str, pl.Series] = {}
        self._fields: dict[str, pl.Series] = {}
        self._bad: dict[str, pl.Series] = {}
        self._unreadable = self._read_unreadable()

    def text(self, column: str) -> pl.Series:
        """The column as cleaned text; remembers which rows were not in NFC."""
        if column not in self._cleaned:
            self._cleaned[column] = self.cleaned(self.column(column))
        return self._cleaned[column]

    def cleaned(self, values: pl.Series) -> pl.Series:
        """`values` as cleaned text; remembers which rows were not in NFC."""
        text, changed = clean(values)
        if changed is not None:
            self.not_nfc = self.not_nfc | changed
        return text

    def column(self, column: str) -> pl.Series:
        """The column as it was landed."""
        if column in self.raw.columns:
            return self.raw[column]
        return pl.Series(column, [None] * self.rows, dtype=pl.String)

    def typed(self, column: str, kind: ValueType) -> Typed:
        """The column as `kind`; values that the source's own type could not hold count as bad."""
        raw = self.column(column)
        values, bad = typed(self.text(column) if raw.dtype == pl.String else raw, kind, self._zone)
        lost = self._unreadable.get(column)
        return Typed(values, lost if bad is None else bad if lost is None else bad | lost)

    def put(self, field: str, values: pl.Series | Typed, *, only: pl.Series | None = None) -> None:
        """Set a canonical field; with `only`, other rows become null."""
        series, bad = values if isinstance(values, Typed) else Typed(values)
        if only is not None:
            mask = only.fill_null(False)
            series = pl.select(pl.when(mask).then(series)).to_series()
            bad = bad & mask if bad is not None else None
        self._fields[field] = series
        if bad is not None and bad.any():
            self._bad[field] = bad
        else:
            self._bad.pop(field, None)

    def field(self, name: str) -> pl.Series:
        """A canonical field that was set."""
        return self._fields[name]

    def edit(self, name: str, change: Callable[[pl.Series], pl.Series]) -> None:
        """Change a canonical field, if it was set."""
        if name in self._fields:
            self._fields[name] = change(self._fields[name])

    def take(self, field: Field, column: str) -> None:
        """Set a canonical field from one column, typed as the field is."""
        self.put(field.name, self.text(column) if field.type is ValueType.TEXT else self.typed(column, field.type))

    def take_json(self, spec: EntitySpec, column: str, keys: Mapping[str, str]) -> None:
        """Set fields from keys of a JSON object. An absent key or '' is null; text that is no object is bad."""
        values, broken = json_values(self.column(column).cast(pl.String), tuple(keys))
        for key, name in keys.items():
            field = spec.field(name)
            found, bad = typed(self.cleaned(values[key]), field.type, self._zone)
            if broken is not None:
                bad = broken if bad is None else bad | broken
            self.put(name, Typed(found, bad))

    def table(
        self, spec: EntitySpec, source_id: str, part: int, places: pa.Array[Any], keys: tuple[str, ...]
    ) -> pa.Table:
        """The canonical rows. `places`: their numbers in the landed part; `keys`: columns of source_key and, for
        children, child_key. A key that the warehouse can't hold is null: the gate rejects its row."""
        schema = canonical_schema(spec)
        columns: dict[str, pl.Series] = {
            "source_id": pl.repeat(source_id, self.rows, dtype=pl.String, eager=True),
            "source_key": self._key(keys[0]),
            "landing_part": pl.repeat(part, self.rows, dtype=pl.Int32, eager=True),
            "landing_row": pl.Series(values=places, dtype=pl.Int64),
            "type_errors": self._type_errors(spec),
        }
        if is_child(spec):
            columns["child_key"] = self._key(keys[1])
        for field in spec.fields:
            values = self._fields.get(field.name)
            if values is None:
                values = pl.Series(field.name, [None] * self.rows, dtype=_POLARS[field.type])
            columns[field.name] = values
        frame = pl.DataFrame({name: columns[name] for name in schema.names})
        table: pa.Table = frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema)
        return table

    def _key(self, column: str) -> pl.Series:
        """Keys as text, null where there is a NUL: without it, one key could become another one's."""
        keys = self.column(column).cast(pl.String)
        holdable = ~keys.str.contains("\x00", literal=True)
        return keys if holdable.all() else pl.select(pl.when(holdable).then(keys)).to_series()

    def _type_errors(self, spec: EntitySpec) -> pl.Series:
        names = [name for name in spec.names if name in self._bad]
        if not names:
            return pl.Series("type_errors", [None] * self.rows, dtype=pl.List(pl.String))
        marks = [pl.when(self._bad[name].fill_null(False)).then(pl.lit(name)) for name in names]
        listed = pl.concat_list(marks).list.drop_nulls()
        return pl.select(pl.when(listed.list.len() > 0).then(listed)).to_series()

    def zero_dates(self) -> dict[str, int]:
        """How many of MySQL's dates of nothing each column has. They read as null: that is what they say."""
        return Counter(column for row in self._remarks().values() for column, text in row.items() if is_zero_date(text))

    def _read_unreadable(self) -> dict[str, pl.Series]:
        """Masks by column of values that landing could only keep as text."""
        rows: dict[str, list[int]] = {}
        for row, remark in self._remarks().items():
            for column, text in remark.items():
                if not is_zero_date(text):
                    rows.setdefault(column, []).append(row)
        nothing = pl.repeat(False, self.rows, dtype=pl.Boolean, eager=True)
        return {column: nothing.clone().scatter(places, True) for column, places in rows.items()}

    def _remarks(self) -> dict[int, dict[str, str]]:
        """Row → column → text of what landing could only keep as text."""
        if UNREADABLE not in self.raw.columns or self.raw[UNREADABLE].null_count() == self.rows:
            return {}
        return {row: json.loads(remark) for row, remark in enumerate(self.raw[UNREADABLE].to_list()) if remark}
