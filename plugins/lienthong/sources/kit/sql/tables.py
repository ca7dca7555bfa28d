"""What a vendor's database is declared to have: tables with the columns we read, and those we deliberately don't."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TableMap:
    """One table. `key` is its primary key, None for reference tables, which are always read whole.

    `owner`: the column that names the record that a row belongs to; `modified`: the column of its last modification.
    `required` columns can't be ignored by a contract; `known` are the vendor's other columns that nothing is made of.
    """

    name: str
    key: str | None
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    known: frozenset[str] = field(default_factory=frozenset)
    owner: str = ""
    modified: str = ""

    @property
    def read(self) -> tuple[str, ...]:
        return (*self.required, *self.optional)


@dataclass(frozen=True)
class SqlMap:
    """What a vendor's database has of one kind of record.

    `entities`: entity → its table, in the order in which they are read, the root first; the root's key is the owner of
    all. `references`: tables that are read whole; of those named in `deciding` the rows decide codes. `received`: a
    date column of the root by whose days a look counts. `moves`: the entity whose newest rows tell which records are
    further on than the newest ones. `vendor`: what such a system is called in messages.
    """

    vendor: str
    entities: Mapping[str, TableMap]
    references: tuple[TableMap, ...] = ()
    deciding: frozenset[str] = frozenset()
    received: str | None = None
    moves: str | None = None

    @property
    def root(self) -> TableMap:
        return next(iter(self.entities.values()))

    @property
    def tables(self) -> tuple[TableMap, ...]:
        return (*self.entities.values(), *self.references)
