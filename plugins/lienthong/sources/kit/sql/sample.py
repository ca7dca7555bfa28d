"""The newest records of a database, whole, into landing."""

from __future__ import annotations

from itertools import chain, zip_longest
from typing import Any

from lienthong.connections import Connection
from lienthong.landing import BatchFacts, BatchWriter
from lienthong.model.codes import LoadMode
from lienthong.sources.contract import SourceContract, digest
from lienthong.sources.kit.sql import look_statements as ask
from lienthong.sources.kit.sql import statements
from lienthong.sources.kit.sql.database import SourceDatabase, reading
from lienthong.sources.kit.sql.look import STATEMENT_TIMEOUT_S, limit_time
from lienthong.sources.kit.sql.rows_to_arrow import to_batch
from lienthong.sources.kit.sql.schema import BoundSchema, bind
from lienthong.sources.kit.sql.tables import SqlMap


def sample(
    declared: SqlMap, contract: SourceContract, connection: Connection, writer: BatchWriter, records: int
) -> str:
    """See `system.sample`. Half are the newest by key, half those of the newest rows of `declared.moves`:
    records that are further on. Reference tables come whole."""
    with writer, reading(connection, contract.source_id, timeout_s=STATEMENT_TIMEOUT_S) as source:
        limit_time(source)
        observed_at = source.clock()
        schema = bind(declared, source, contract)
        for table in (*schema.moving, *schema.references):
            writer.declare(table.name, table.schema)
        for table in schema.references:
            for page in source.pages(statements.whole(table), contract.read.fetch_rows):
                writer.write(table.name, to_batch(page, table.schema))
        chosen = _newest(declared, source, schema, records)
        for start in range(0, len(chosen), contract.read.page_rows):
            owners = chosen[start : start + contract.read.page_rows]
            for table in schema.moving:
                for page in source.pages(statements.rows_of_owners(table, owners), contract.read.fetch_rows):
                    writer.write(table.name, to_batch(page, table.schema))
        return writer.commit(
            BatchFacts(
                mode=LoadMode.RANGE,
                observed_at=observed_at,
                contract_hash=contract.contract_hash,
                codes_hash=digest(contract.section.codes.model_dump(mode="json")),
                unmapped_columns=schema.unmapped,
            )
        )


def _newest(declared: SqlMap, source: SourceDatabase, schema: BoundSchema, records: int) -> list[Any]:
    """Keys of the records to read, ascending."""
    newest = [row.owner for row in source.connection.execute(ask.newest_keys(schema.root, records))]
    moves = declared.entities.get(declared.moves) if declared.moves else None
    steps = next((table for table in schema.children if table.map is moves), None)
    moved: list[Any] = []
    if steps is not None:  # a record has a dozen steps or so
        rows = source.connection.execute(ask.newest_keys(steps, 20 * records))
        moved = list(dict.fromkeys(row.owner for row in rows))
    both = chain.from_iterable(zip_longest(newest, moved))
    return sorted(list(dict.fromkeys(key for key in both if key is not None))[:records])
