"""PostgreSQL's COPY and the rows of its driver land the same values."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lienthong.landing import UNREADABLE
from lienthong.sources.kit.sql.copy_out import copy_out
from lienthong.sources.kit.sql.rows_to_arrow import landing_schema, to_batch

COLUMNS: dict[str, sa.types.TypeEngine[Any]] = {
    "id": sa.BigInteger(),
    "name": sa.Text(),
    "amount": sa.Numeric(12, 2),
    "share": sa.Float(53),
    "online": sa.Boolean(),
    "made": sa.DateTime(),
    "seen": sa.DateTime(timezone=True),
    "day": sa.Date(),
}
TABLE = sa.Table("things", sa.MetaData(), *(sa.Column(name, kind) for name, kind in COLUMNS.items()))
SCHEMA = landing_schema(COLUMNS)
EVERYTHING = sa.select(TABLE).order_by(TABLE.c.id)


@pytest.fixture(scope="module")
def source(postgres: Any) -> Any:
    postgres.drop_database("copy_out")
    postgres.create_database("copy_out")
    engine = sa.create_engine(postgres.url("copy_out"))
    TABLE.metadata.create_all(engine)
    yield engine
    engine.dispose()
    postgres.drop_database("copy_out")


def copied(connection: sa.Connection, statement: sa.Select[Any], rows: int = 5_000) -> list[pa.RecordBatch]:
    taken: list[pa.RecordBatch] = []
    assert copy_out(connection, statement, SCHEMA, rows, taken.append)
    return taken


def values(batches: list[pa.RecordBatch]) -> list[dict[str, Any]]:
    return [row for batch in batches for row in batch.to_pylist()]


def both_ways(
    source: sa.Engine, fill: Callable[[sa.Connection], object], rows: int = 5_000
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    with source.connect() as connection:
        fill(connection)
        fast = copied(connection, EVERYTHING, rows)
        assert all(0 < batch.num_rows <= rows and batch.schema == SCHEMA for batch in fast)
        return values(fast), to_batch(connection.execute(EVERYTHING).all(), SCHEMA).to_pylist()


def insert(*rows: dict[str, Any]) -> Callable[[sa.Connection], object]:
    return lambda connection: connection.execute(sa.insert(TABLE), [dict.fromkeys(COLUMNS) | row for row in rows])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "name": st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
                "amount": st.none() | st.decimals(-(10**9), 10**9, places=2),
                "share": st.none() | st.floats(allow_nan=False),
                "online": st.none() | st.booleans(),
                "made": st.none() | st.datetimes(),
                "seen": st.none() | st.datetimes(timezones=st.timezones()),
                "day": st.none() | st.dates(),
            }
        ),
        min_size=1,
        max_size=4,
    ),
    st.integers(1, 5),
)
def test_every_value_lands_as_the_driver_would_land_it(
    source: sa.Engine, rows: list[dict[str, Any]], most: int
) -> None:
    fast, slow = both_ways(source, insert(*({"id": number} | row for number, row in enumerate(rows))), most)
    assert fast == slow


TRICKY = ["", '"', "a,b", "a\nb", "\r\n", "\\N", "\\.", "NULL", " ", "Nguyễn Văn Đức", '"\n"', "\n\n", ',"']


@pytest.mark.parametrize("text", TRICKY)
def test_text_that_csv_could_take_for_something_else_is_itself(source: sa.Engine, text: str) -> None:
    fast, slow = both_ways(source, insert({"id": 1, "name": text}, {"id": 2}))
    assert [row["name"] for row in fast] == [row["name"] for row in slow] == [text, None]


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 7, 1_000])
def test_rows_at_the_border_of_two_batches_are_themselves(source: sa.Engine, rows: int) -> None:
    """Quoted newlines, empty text beside null: each at the start and at the end of a batch."""
    texts = [*TRICKY, None, None] * 20
    fast, slow = both_ways(source, insert(*({"id": number, "name": text} for number, text in enumerate(texts))), rows)
    assert fast == slow
    assert [row["name"] for row in fast] == texts


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 1_000])
def test_what_a_type_can_not_hold_is_remarked_beside_its_own_row_in_every_batch(source: sa.Engine, rows: int) -> None:
    with source.connect() as connection:
        insert(*({"id": number, "name": "a\nb"} for number in range(20)))(connection)
        connection.execute(sa.text("UPDATE things SET made = CASE id % 3 WHEN 1 THEN timestamp 'infinity' END"))
        batches = copied(connection, EVERYTHING, rows)
    assert max(batch.num_rows for batch in batches) == min(rows, 20)
    remarks = {row["id"]: row[UNREADABLE] for row in values(batches)}
    assert remarks == {number: '{"made": "infinity"}' if number % 3 == 1 else None for number in range(20)}


def test_long_rows_fill_a_batch_by_their_size(source: sa.Engine) -> None:
    with source.connect() as connection:
        insert(*({"id": number} for number in range(5)))(connection)
        connection.execute(sa.text("UPDATE things SET name = repeat(E'Đ\\n\"', 1 << 20)"))
        batches = copied(connection, EVERYTHING)
    assert [batch.num_rows for batch in batches] == [2, 2, 1]
    assert {row["name"] for row in values(batches)} == {'Đ\n"' * (1 << 20)}


def test_a_moment_that_no_calendar_has_is_landed_as_text_beside_the_others(source: sa.Engine) -> None:
    with source.connect() as connection:
        insert({"id": 1}, {"id": 2})(connection)
        connection.execute(sa.text("UPDATE things SET made = '2026-10-05 07:30'"))
        connection.execute(sa.text("UPDATE things SET made = 'infinity' WHERE id = 1"))
        (batch,) = copied(connection, EVERYTHING)
    assert batch.column("made").to_pylist() == [None, datetime(2026, 10, 5, 7, 30)]
    remarks = [json.loads(remark) if remark else None for remark in batch.column(UNREADABLE).to_pylist()]
    assert remarks == [{"made": "infinity"}, None]


def test_conditions_of_every_kind_reach_the_database(source: sa.Engine) -> None:
    with source.connect() as connection:
        insert(*({"id": number, "name": "%s"} for number in range(5)))(connection)
        chosen = EVERYTHING.where(TABLE.c.id.in_([1, 3]), TABLE.c.name == "%s").limit(9)
        (batch,) = copied(connection, chosen)
    assert batch.column("id").to_pylist() == [1, 3]


def test_nothing_found_is_no_batch(source: sa.Engine) -> None:
    with source.connect() as connection:
        assert copied(connection, EVERYTHING.where(TABLE.c.id == -1)) == []


def test_a_row_of_one_empty_column_is_a_row(source: sa.Engine) -> None:
    lonely = sa.select(sa.func.nullif(sa.func.generate_series(1, 3), 2).label("x"))
    taken: list[pa.RecordBatch] = []
    with source.connect() as connection:
        assert copy_out(connection, lonely, landing_schema({"x": sa.Integer()}), 5, taken.append)
    assert [row["x"] for row in values(taken)] == [1, None, 3]


def test_binary_columns_are_left_to_the_driver(source: sa.Engine) -> None:
    with source.connect() as connection:
        schema = landing_schema({"x": sa.LargeBinary()})
        assert not copy_out(connection, sa.select(sa.literal(b"x")), schema, 5, pytest.fail)


def test_what_the_database_refuses_is_an_error_of_the_database(source: sa.Engine) -> None:
    with source.connect() as connection, pytest.raises(sa.exc.DBAPIError):
        copy_out(connection, sa.select(sa.literal_column("1 / 0")), landing_schema({"x": sa.Integer()}), 5, pytest.fail)


def test_what_stops_the_taking_is_raised_and_the_connection_lives_on(source: sa.Engine) -> None:
    def stop(_: pa.RecordBatch) -> None:
        raise RuntimeError("lease lost")

    many = sa.select(sa.func.generate_series(1, 100_000).label("x"))
    with source.connect() as connection:
        with pytest.raises(RuntimeError, match="lease lost"):
            copy_out(connection, many, landing_schema({"x": sa.Integer()}), 10, stop)
        assert connection.execute(sa.select(sa.literal(1))).scalar_one() == 1


@pytest.fixture(params=["LATIN1", "SQL_ASCII"])
def other_encoding(request: pytest.FixtureRequest, postgres: Any) -> Iterator[tuple[str, sa.Engine]]:
    postgres.drop_database("copy_out_encoded")
    admin = sa.create_engine(postgres.url("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(
            f"CREATE DATABASE copy_out_encoded ENCODING '{request.param}' LOCALE 'C' TEMPLATE template0"
        )
    admin.dispose()
    engine = sa.create_engine(postgres.url("copy_out_encoded"))
    yield request.param, engine
    engine.dispose()
    postgres.drop_database("copy_out_encoded")


def test_text_of_another_encoding_is_converted_or_refused_but_never_garbled(
    other_encoding: tuple[str, sa.Engine],
) -> None:
    """Ã© of LATIN1 is the two bytes of é in UTF-8."""
    encoding, engine = other_encoding
    with engine.connect() as connection:
        TABLE.metadata.create_all(connection)
        connection.exec_driver_sql("INSERT INTO things (id, name) VALUES (1, E'\\303\\251'), (2, E'\\351')")
        if encoding == "LATIN1":
            assert [row["name"] for row in values(copied(connection, EVERYTHING))] == ["Ã©", "é"]
        else:
            with pytest.raises(sa.exc.DBAPIError):
                copied(connection, EVERYTHING)
