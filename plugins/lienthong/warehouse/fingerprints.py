"""Fingerprints of landed records in the warehouse: which of them are known, and what the others came to."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from sqlalchemy.engine import Connection

from lienthong.warehouse.copying import copy_in
from lienthong.warehouse.planning import without_nested_loops
from lienthong.warehouse.statements import of_kind, run

if TYPE_CHECKING:
    import polars as pl

    from lienthong.warehouse.ledger import GateBasis, Load

COPY_ROWS = 50_000


def find_known(
    connection: Connection, load: Load, landed: pl.DataFrame, asked: pl.Expr, judged: GateBasis
) -> pl.Series:
    """Which rows of `landed` (owner, low, high) are records that the warehouse believes as they were landed, and that
    `judged` would judge as before: a mask.

    `asked`: of which rows to ask; those have none of the three null, and each owner once. They stay in the transaction
    for `remember`.
    """
    import polars as pl

    run(connection, "landing/create_landed")
    places = pl.int_range(pl.len(), dtype=pl.Int32).alias("place")
    for start in range(0, landed.height, COPY_ROWS):
        piece = landed.slice(start, COPY_ROWS).select(places + start, "owner", "low", "high", asked=asked)
        piece = piece.filter("asked").drop("asked")
        rows = io.BytesIO(piece.write_csv(include_header=False, quote_style="non_numeric").encode())
        copy_in(connection, "COPY pg_temp.landed (place, source_key, low, high) FROM STDIN WITH (FORMAT csv)", rows)
    run(connection, "landing/analyze_landed")
    found = run(
        connection,
        of_kind(load.kind, "find_landed"),
        tenant=load.tenant,
        source_id=load.source_id,
        reading_no=load.reading_no,
        recipe=load.kind.recipe,
        judged_rules=judged.rules,
    ).scalar_one()
    known = pl.repeat(False, landed.height, dtype=pl.Boolean, eager=True)
    return known.scatter(found, True) if found else known


def remember(connection: Connection, load: Load) -> None:
    """Keep what the records that were given to `find_known` and then staged came to. Before any is set aside."""
    with without_nested_loops(connection):
        run(connection, "landing/remember", tenant=load.tenant, source_id=load.source_id, load_id=load.load_id)
