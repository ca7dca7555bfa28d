"""Landed rows decoded into columns: one text column per path, asked for by our field."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
import pyarrow as pa
from pydantic_core import from_json

from lienthong.landing import UNREADABLE
from lienthong.model.kinds.spec import EntitySpec, ValueType
from lienthong.sources.chunk import Chunk
from lienthong.sources.kit.formats.json_paths import dump, find, word
from lienthong.sources.typing_columns import Typed, looked_up, typed

#: Before a path's name as a column, so that it can't be mistaken for a landed one.
_MARK = "$."
_INSTANTS = ("%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M:%S%.f%z")


class Columns:
    """A piece of a landed table; `chunk` collects the canonical fields. `paths`: our field → path; `items`: the rows as
    they came.
    """

    def __init__(self, spec: EntitySpec, paths: Mapping[str, str], raw: pa.RecordBatch, zone: str) -> None:
        self.spec, self.paths, self._zone = spec, paths, zone
        self.items: list[Any] = [from_json(str(text)) for text in raw.column("item").to_pylist()]
        self.chunk = Chunk(self._decoded(raw), zone)

    def text(self, field: str) -> pl.Series:
        """A field's value as cleaned text; all null where it has no path."""
        return self.chunk.text(_MARK + self.paths.get(field, ""))

    def take(self) -> None:
        """Set every field that has a path, as its type."""
        for name in self.paths:
            kind = self.spec.field(name).type
            there = self.chunk.typed(
                _MARK + self.paths[name], kind if kind is not ValueType.INSTANT else ValueType.TEXT
            )
            if kind is ValueType.TEXT:  # what is empty was not said
                there = Typed(there.values.replace("", None), there.bad)
            self.chunk.put(name, self._moments(there) if kind is ValueType.INSTANT else there)

    def coded(self, field: str, of: str, codes: Mapping[str, object]) -> None:
        """Set `field` from the word in field `of`; a word without a code is null."""
        dtype = {ValueType.SMALLINT: pl.Int16, ValueType.BOOLEAN: pl.Boolean}.get(
            self.spec.field(field).type, pl.String
        )
        self.chunk.put(field, looked_up(self.text(of), codes.get, dtype))

    def made(self, field: str, of: str, make: Callable[[str], str | None]) -> None:
        """Set a text `field` from what stands in field `of`."""
        self.chunk.put(field, looked_up(self.text(of), make, pl.String))

    def _moments(self, there: Typed) -> Typed:
        """Instants with an offset, or local ones of the contract's zone."""
        text = there.values.str.replace("Z$", "+00:00")
        found = [text.str.to_datetime(form, time_unit="us", strict=False, time_zone="UTC") for form in _INSTANTS]
        moments = pl.select(pl.coalesce([*found, typed(text, ValueType.INSTANT, self._zone).values])).to_series()
        bad = text.is_not_null() & (text != "") & moments.is_null()
        bad = bad if there.bad is None else bad | there.bad
        return Typed(moments, bad if bad.any() else None)

    def _decoded(self, raw: pa.RecordBatch) -> pa.RecordBatch:
        """The landed columns but `item`, and a text column per path; what is no scalar is kept as unreadable."""
        split = {path: tuple(path.split(".")) for path in self.paths.values()}
        texts: dict[str, list[str | None]] = {path: [] for path in split}
        unreadable: list[str | None] = []
        for item in self.items:
            odd: dict[str, str] = {}
            for path, names in split.items():
                value = find(item, names)
                if isinstance(value, dict | list):
                    odd[_MARK + path] = dump(value)
                    value = None
                texts[path].append(word(value))
            unreadable.append(json.dumps(odd) if odd else None)
        kept = [name for name in raw.schema.names if name != "item"]
        arrays: list[Any] = [
            *(raw.column(name) for name in kept),
            *(pa.array(values, pa.string()) for values in texts.values()),
            pa.array(unreadable, pa.string()),
        ]
        return pa.record_batch(arrays, names=[*kept, *(_MARK + path for path in split), UNREADABLE])
