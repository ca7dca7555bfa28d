"""A gentle look at a database: what it is, what we may do, how much there is, and what its clock says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

import sqlalchemy as sa

from lienthong.connections import Connection
from lienthong.model.periods import BUSINESS_ZONE
from lienthong.sources.contract import SourceContract
from lienthong.sources.kit.sql import look_statements as ask
from lienthong.sources.kit.sql.database import SourceDatabase, reading
from lienthong.sources.kit.sql.schema import BoundTable, FoundSchema, find
from lienthong.sources.kit.sql.tables import SqlMap
from lienthong.sources.profile import SourceSight, TableSight

#: No single question of a look may take longer.
STATEMENT_TIMEOUT_S = 20
#: Days of which the records are told.
DAYS = 7
_PRODUCTS = {"postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB"}


#: What else a vendor has to say, in Vietnamese words without data.
Remarks = Callable[[SourceDatabase, SourceContract, FoundSchema], tuple[str, ...]]


def look(
    declared: SqlMap, contract: SourceContract, connection: Connection, now: Callable[[], datetime], remarks: Remarks
) -> SourceSight:
    """See `system.look`. The newest modification is that of the newest rows by key: the column may have no index of its
    own."""
    with reading(connection, contract.source_id, timeout_s=STATEMENT_TIMEOUT_S) as source:
        before = now()
        clock = source.clock()  # first of all: PostgreSQL tells when the transaction began
        after = now()
        limit_time(source)
        found = find(declared, source, contract)
        hours = [0] * 24
        sights = tuple(_sight(source, contract, table, hours) for table in found.bound.values())
        return SourceSight(
            server=_server(source),
            clock=clock.astimezone(contract.zone),
            clock_ahead=clock - (before + (after - before) / 2),
            may_write=_may_write(source, found),
            tables=sights,
            unmapped_columns=found.unmapped,
            missing=found.missing,
            unreadable=found.unreadable,
            days=_days(source, declared, found.bound),
            remarks=remarks(source, contract, found),
            hours=tuple(hours),
        )


def limit_time(source: SourceDatabase) -> None:
    """No statement of this connection takes longer than STATEMENT_TIMEOUT_S."""
    setting = ask.limit_time(_dialect(source), STATEMENT_TIMEOUT_S)
    if setting is not None:
        source.connection.execute(setting)


def _dialect(source: SourceDatabase) -> str:
    dialect = source.connection.dialect
    return "mariadb" if getattr(dialect, "is_mariadb", False) else dialect.name


def _server(source: SourceDatabase) -> str:
    version = source.connection.dialect.server_version_info or ()
    product = _PRODUCTS.get(_dialect(source), source.connection.dialect.name)
    return " ".join([product, ".".join(str(part) for part in version if isinstance(part, int))]).strip()


def _quoted(source: SourceDatabase, table: BoundTable) -> str:
    return source.connection.dialect.identifier_preparer.format_table(table.table)


def _may_write(source: SourceDatabase, found: FoundSchema) -> tuple[str, ...]:
    if _dialect(source) != "postgresql":
        rows = [row for statement in ask.grants() for row in source.connection.execute(statement)]
        return tuple(sorted({f"{row.privilege} {row.place}" for row in rows}))
    general = source.row(ask.may_define())._mapping
    if general["SUPERUSER"]:
        return ("SUPERUSER",)
    rights = ["CREATE"] if general["CREATE"] else []
    for table in found.bound.values():
        held = source.row(ask.may_write(_quoted(source, table)))._mapping
        rights += [f"{right} {table.name}" for right, granted in held.items() if granted]
    return tuple(rights)


def _sight(source: SourceDatabase, contract: SourceContract, table: BoundTable, hours: list[int]) -> TableSight:
    rows = _rows(source, table)
    if table.map.key is None:
        return TableSight(table.name, rows, None)
    clock = table.clock(contract.zone)
    newest: datetime | None = None
    for row in source.connection.execute(ask.newest_modified(table)):
        if isinstance(row.modified, datetime):  # MySQL's date of nothing is handed out as text
            moment = clock.to_instant(row.modified)
            hours[moment.astimezone(BUSINESS_ZONE).hour] += 1
            newest = moment if newest is None else max(newest, moment)
    return TableSight(table.name, rows, newest, _indexed(source, table))


def _rows(source: SourceDatabase, table: BoundTable) -> int | None:
    """The planner's estimate; a table that was never analysed is counted, up to a limit."""
    found = source.connection.execute(ask.estimate(table, _dialect(source), _quoted(source, table))).one_or_none()
    if found is not None and found.rows is not None and found.rows >= 0:
        return int(found.rows)
    counted = int(source.row(ask.count_up_to(table)).rows)
    return counted if counted <= ask.COUNT_UP_TO else None


def _indexed(source: SourceDatabase, table: BoundTable) -> bool:
    """Whether an index begins with the modification: (status, modification) doesn't help a walk by time."""
    indexes = sa.inspect(source.connection).get_indexes(table.table.name)
    firsts = (next(iter(index["column_names"]), None) for index in indexes)
    return any(first is not None and first.lower() == table.map.modified.lower() for first in firsts)


def _days(source: SourceDatabase, declared: SqlMap, readable: Mapping[str, BoundTable]) -> tuple[tuple[date, int], ...]:
    """Records received by day, of the newest days; the oldest day of a full answer is cut off and left out."""
    root = readable.get(declared.root.name)
    if root is None or declared.received is None or declared.received not in root.table.c:
        return ()
    rows = [(row.day, int(row.rows)) for row in source.connection.execute(ask.days(root, declared.received))]
    whole = rows if sum(amount for _, amount in rows) < ask.DAY_ROWS else rows[:-1]
    return tuple(whole[:DAYS])
