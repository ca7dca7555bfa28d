"""Landed items decoded into columns: one text column per mapped path, asked for by canonical field."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import polars as pl
import pyarrow as pa
from pydantic_core import from_json

from lienthong.landing import UNREADABLE
from lienthong.model.kinds.dossier import SPECS, Entity
from lienthong.model.kinds.spec import EntitySpec, ValueType
from lienthong.sources.chunk import Chunk
from lienthong.sources.contract import SourceContract
from lienthong.sources.igate.json_paths import dump, find, word
from lienthong.sources.igate.mapping import paths_of
from lienthong.sources.typing_columns import Typed, looked_up, typed

#: Before a path's name as a column, so that it can't be mistaken for a landed one.
_MARK = "$."
_INSTANT = "%Y-%m-%dT%H:%M:%S%.f%z"


class Columns:
    """A piece of a landed table. `items` are its decoded items, `chunk` collects the canonical fields."""

    def __init__(
        self, entity: Entity, raw: pa.RecordBatch, contract: SourceContract, besides: tuple[str, ...] = ()
    ) -> None:
        self.spec: EntitySpec = SPECS[entity]
        self.paths = paths_of(contract, entity)
        self.items: list[Any] = [from_json(str(text)) for text in raw.column("item").to_pylist()]
        self._zone = contract.time_zone
        self.chunk = Chunk(self._decoded(raw, (*self.paths.values(), *besides)), contract.time_zone)

    def text(self, field: str) -> pl.Series:
        """A field's value as cleaned text."""
        return self.chunk.text(_MARK + self.paths[field])

    def typed(self, field: str, kind: ValueType) -> Typed:
        """A field's value as `kind`; objects and lists where a value should be count as bad."""
        return self.chunk.typed(_MARK + self.paths[field], kind)

    def coded(self, field: str, translate: Callable[[str], object], dtype: pl.DataType | type[pl.DataType]) -> Typed:
        """A field's word as what it means."""
        there = self.typed(field, ValueType.TEXT)
        return Typed(looked_up(there.values, translate, dtype), there.bad)

    def at(self, path: str, kind: ValueType) -> pl.Series:
        """A value that no field holds as it is."""
        return self.chunk.typed(_MARK + path, kind).values

    def raw(self, path: str) -> pl.Series:
        """The text of a path as it came."""
        return self.chunk.column(_MARK + path)

    def take(self, *besides: str) -> None:
        """Set every mapped field except `besides`."""
        for name in self.paths:
            if name in besides:
                continue
            kind = self.spec.field(name).type
            self.chunk.put(name, self.instants(name) if kind is ValueType.INSTANT else self.typed(name, kind))

    def instants(self, field: str) -> Typed:
        """Dates of the wire: UTC, an offset without a colon; midnight in Vietnam is 17:00 the day before (§6.4)."""
        there = self.typed(field, ValueType.TEXT)
        moments, bad = self.moments(there.values)
        return Typed(moments, there.bad if bad is None else bad if there.bad is None else bad | there.bad)

    def moments(self, text: pl.Series) -> Typed:
        """Instants in a column of text; without an offset, local times of the contract's zone."""
        text = text.str.replace("Z$", "+0000")
        moments = text.str.to_datetime(_INSTANT, time_unit="us", strict=False, time_zone="UTC")
        if moments.null_count() > text.null_count():
            moments = pl.select(pl.coalesce([moments, typed(text, ValueType.INSTANT, self._zone).values])).to_series()
        bad = text.is_not_null() & (text != "") & moments.is_null()
        return Typed(moments, bad if bad.any() else None)

    def _decoded(self, raw: pa.RecordBatch, paths: tuple[str, ...]) -> pa.RecordBatch:
        """The landed columns but `item`, and a text column per path; what is no scalar is kept as unreadable."""
        lists = {self.paths.get(field.name) for field in self.spec.fields if field.type is ValueType.TEXTS}
        split = {path: tuple(path.split(".")) for path in paths}
        texts: dict[str, list[str | None]] = {path: [] for path in split}
        unreadable: list[str | None] = []
        for item in self.items:
            odd: dict[str, str] = {}
            for path, names in split.items():
                value = find(item, names)
                if isinstance(value, dict | list) and path not in lists:
                    odd[_MARK + path] = dump(value)
                    value = None
                texts[path].append(word(value))
            unreadable.append(json.dumps(odd) if odd else None)
        kept = [name for name in raw.schema.names if name != "item"]
        arrays = [
            *(raw.column(name) for name in kept),
            *(pa.array(values, pa.string()) for values in texts.values()),
            pa.array(unreadable, pa.string()),
        ]
        return pa.record_batch(arrays, names=[*kept, *(_MARK + path for path in split), UNREADABLE])
