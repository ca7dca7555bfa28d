"""The newest dossiers of an OpenCPS database, whole, into landing."""

from __future__ import annotations

from itertools import chain, zip_longest

from lienthong.connections import Connection
from lienthong.landing import BatchFacts, BatchWriter
from lienthong.model.codes import LoadMode
from lienthong.sources.contract import SourceContract, digest
from lienthong.sources.database import SourceDatabase, reading
from lienthong.sources.opencps import look_statements as ask
from lienthong.sources.opencps import statements
from lienthong.sources.opencps.look import STATEMENT_TIMEOUT_S, limit_time
from lienthong.sources.opencps.schema import BoundSchema, bind
from lienthong.sources.opencps.tables import ACTION
from lienthong.sources.rows_to_arrow import to_batch


def sample(contract: SourceContract, connection: Connection, writer: BatchWriter, dossiers: int) -> str:
    """See `profile.Profile.sample`. Half are the newest by key, half those of the newest steps: dossiers that are
    further on. Reference tables come whole."""
    with writer, reading(connection, contract.source_id, timeout_s=STATEMENT_TIMEOUT_S) as source:
        limit_time(source)
        observed_at = source.clock()
        schema = bind(source, contract)
        for table in (*schema.moving, *schema.references):
            writer.declare(table.name, table.schema)
        for table in schema.references:
            for page in source.pages(statements.whole(table), contract.read.fetch_rows):
                writer.write(table.name, to_batch(page, table.schema))
        chosen = _newest(source, schema, dossiers)
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
                codes_hash=digest(contract.dossier.codes.model_dump(mode="json")),
                unmapped_columns=schema.unmapped,
            )
        )


def _newest(source: SourceDatabase, schema: BoundSchema, dossiers: int) -> list[int]:
    """Keys of the dossiers to read, ascending."""
    newest = [row.owner for row in source.connection.execute(ask.newest_keys(schema.dossier, dossiers))]
    actions = next((table for table in schema.children if table.map is ACTION), None)
    moved: list[int] = []
    if actions is not None:  # a dossier has a dozen steps or so
        rows = source.connection.execute(ask.newest_keys(actions, 20 * dossiers))
        moved = list(dict.fromkeys(row.owner for row in rows))
    both = chain.from_iterable(zip_longest(newest, moved))
    return sorted(list(dict.fromkeys(key for key in both if key is not None))[:dossiers])
