"""Comparing a database with what is declared of it: every column is mapped, ignored on purpose, or reported."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import exc

from lienthong.model.errors import ContractError, SchemaDriftError, SourceAccessError
from lienthong.sources.contract import SourceContract
from lienthong.sources.kit.sql.database import SourceDatabase
from lienthong.sources.kit.sql.rights import hidden, may_read, refuses
from lienthong.sources.kit.sql.rows_to_arrow import landing_schema
from lienthong.sources.kit.sql.tables import SqlMap, TableMap

#: In a contract's `ignore`: this reference table does not exist here.
ABSENT = "*"


@dataclass(frozen=True)
class SourceClock:
    """Instants as a table's column writes them: naive local time, or aware where the column has a zone."""

    zone: ZoneInfo
    aware: bool

    def to_source(self, instant: datetime) -> datetime:
        return instant.astimezone(UTC) if self.aware else instant.astimezone(self.zone).replace(tzinfo=None)

    def to_instant(self, moment: datetime) -> datetime:
        return (moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).astimezone(UTC)


@dataclass(frozen=True)
class BoundTable:
    """A table as it is in this database. `table.c` is addressed by the declared names, whatever the database's case.

    `zero_dates`: this is a database that may write 0000-00-00 for "none".
    """

    map: TableMap
    table: sa.Table
    zero_dates: bool = False

    @cached_property
    def schema(self) -> pa.Schema:
        return landing_schema({column.key: column.type for column in self.table.c})

    @property
    def name(self) -> str:
        return self.map.name

    @property
    def key(self) -> sa.Column[Any]:
        assert self.map.key is not None, "reference tables are read whole"
        return self.table.c[self.map.key]

    @property
    def grows(self) -> bool:
        """Whether keys are numbers, of which later rows have higher ones. Other keys tell nothing of order."""
        return isinstance(self.key.type, sa.Integer)

    def typed(self, key: str) -> Any:
        """A key, which is text everywhere else, as the table's column has it."""
        return int(key) if self.grows else key

    @property
    def modified(self) -> sa.Column[Any]:
        return self.table.c[self.map.modified]

    def clock(self, zone: ZoneInfo) -> SourceClock:
        kind = self.modified.type
        return SourceClock(zone, isinstance(kind, sa.DateTime) and bool(kind.timezone))

    @property
    def owner(self) -> sa.Column[Any]:
        return self.table.c[self.map.owner]


@dataclass(frozen=True)
class BoundSchema:
    """All tables that a load reads, and by table the columns that nobody maps or ignores."""

    root: BoundTable
    children: tuple[BoundTable, ...]
    references: tuple[BoundTable, ...]
    unmapped: Mapping[str, tuple[str, ...]]

    @property
    def moving(self) -> tuple[BoundTable, ...]:
        """The tables with a watermark each."""
        return (self.root, *self.children)


def wanted_columns(contract: SourceContract, table: TableMap, entity: str | None) -> tuple[str, ...]:
    """Columns to read: those declared, those the contract names besides, minus those it ignores.

    ContractError when it ignores a column that nothing works without, or one that it reads itself.
    """
    ignored = set(contract.section.ignore.get(table.name, ()))
    extensions = contract.section.more_columns(entity) if entity else ()
    for column in (*table.required, *extensions):
        if column in ignored:
            raise ContractError(
                f"The contract ignores {table.name}.{column}, which is needed.",
                next_step="remove it from `ignore`.",
                source=contract.source_id,
                key=f"ignore.{table.name}",
            )
    return tuple(dict.fromkeys(column for column in (*table.read, *extensions) if column not in ignored))


@dataclass(frozen=True)
class FoundSchema:
    """What of the mapped tables is there: bound tables by name with the columns that exist, and what is not.

    `unreadable`: tables on which our account lacks SELECT; MySQL doesn't say which of them exist.
    """

    bound: Mapping[str, BoundTable]
    unmapped: Mapping[str, tuple[str, ...]]
    missing: tuple[str, ...]
    unreadable: tuple[str, ...] = ()


def bind(declared: SqlMap, source: SourceDatabase, contract: SourceContract) -> BoundSchema:
    """Find every mapped table and column in the database.

    SourceAccessError names the tables that we may not read; SchemaDriftError names all that are missing, with the
    nearest unknown name where there is one.
    """
    found = find(declared, source, contract)
    if found.unreadable:
        raise SourceAccessError(
            f"Our account lacks SELECT on {', '.join(found.unreadable)}.",
            next_step="have SELECT granted on each of them: without it nobody can tell what they hold. Nothing was "
            "loaded.",
            source=source.source_id,
            load=source.load,
            key=found.unreadable[0],
        )
    if found.missing:
        raise SchemaDriftError(
            f"The source no longer has: {'; '.join(found.missing)}.",
            next_step="ask the system's operator what changed; then list the column under `ignore` in the contract, "
            "or have the mapping extended. Nothing was loaded.",
            source=source.source_id,
            load=source.load,
            key=found.missing[0].split()[1],
        )
    bound = found.bound
    return BoundSchema(
        bound[declared.root.name],
        tuple(table for table in bound.values() if table.map.key and table.map is not declared.root),
        tuple(table for table in bound.values() if table.map.key is None),
        found.unmapped,
    )


def find(declared: SqlMap, source: SourceDatabase, contract: SourceContract) -> FoundSchema:
    """As `bind`, but what is missing is told instead of raised ("table a", "column a.b (now perhaps c)")."""
    inspector = sa.inspect(source.connection)
    present = {name.lower(): name for name in (*inspector.get_table_names(), *inspector.get_view_names())}
    section = contract.section
    entities = {table.name: entity for entity, table in declared.entities.items()}
    maps = [table for entity, table in declared.entities.items() if entity in section.entities]
    maps += [table for table in declared.references if ABSENT not in section.ignore.get(table.name, ())]
    bound: dict[str, BoundTable] = {}
    unmapped: dict[str, tuple[str, ...]] = {}
    missing: list[str] = []
    unreadable: list[str] = []
    zero_dates = source.connection.dialect.name in ("mysql", "mariadb")
    for table in maps:
        actual_name = present.get(table.name.lower())
        if actual_name is None and (told := hidden(source, table.name)):
            unreadable.append(told)
            continue
        if actual_name is None:
            missing.append(f"table {table.name}{_renamed(table.name, present.values())}")
            continue
        wanted = wanted_columns(contract, table, entities.get(table.name))
        actual = _columns(inspector, actual_name)
        if actual is None:
            unreadable.append(table.name)
            continue
        used = {column.lower() for column in wanted}
        expected = used | {column.lower() for column in (*table.known, *section.ignore.get(table.name, ()))}
        extra = tuple(str(column["name"]) for lower, column in actual.items() if lower not in expected)
        missing += [
            f"column {table.name}.{name}{_renamed(name, extra)}" for name in wanted if name.lower() not in actual
        ]
        if extra:
            unmapped[table.name] = extra
        columns = [
            sa.Column(str(actual[name.lower()]["name"]), actual[name.lower()]["type"], key=name)
            for name in wanted
            if name.lower() in actual
        ]
        found = sa.Table(actual_name, sa.MetaData(), *columns)
        if may_read(source, found):
            bound[table.name] = BoundTable(table, found, zero_dates)
        else:
            unreadable.append(table.name)
    return FoundSchema(bound, unmapped, tuple(missing), tuple(unreadable))


def _columns(inspector: sa.Inspector, table: str) -> dict[str, Any] | None:
    """A table's columns by name in lower case; None where we have no right to know them."""
    try:
        return {column["name"].lower(): column for column in inspector.get_columns(table)}
    except exc.DBAPIError as error:
        if refuses(error):
            return None
        raise


def _renamed(name: str, candidates: Iterable[str]) -> str:
    near = difflib.get_close_matches(name.lower(), [word.lower() for word in candidates], n=1, cutoff=0.5)
    found = next((word for word in candidates if near and word.lower() == near[0]), None)
    return f" (now perhaps {found})" if found else ""
