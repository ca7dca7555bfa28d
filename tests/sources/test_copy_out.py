"""PostgreSQL's COPY and the rows of its driver land the same values."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lienthong.landing import UNREADABLE
from lienthong.sources.copy_out import copied
from lienthong.sources.rows_to_arrow import landing_schema, to_batch

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


def both_ways(source: sa.Engine, fill: Callable[[sa.Connection], object]) -> tuple[Any, Any]:
    with source.connect() as connection:
        fill(connection)
        fast = copied(connection, EVERYTHING, SCHEMA)
        return fast, to_batch(connection.execute(EVERYTHING).all(), SCHEMA)


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
    )
)
def test_every_value_lands_as_the_driver_would_land_it(source: sa.Engine, rows: list[dict[str, Any]]) -> None:
    fast, slow = both_ways(source, insert(*({"id": number} | row for number, row in enumerate(rows))))
    assert fast.to_pylist() == slow.to_pylist()


@pytest.mark.parametrize("text", ["", '"', "a,b", "a\nb", "\r\n", "\\N", "\\.", "NULL", " ", "Nguyễn Văn Đức"])
def test_text_that_csv_could_take_for_something_else_is_itself(source: sa.Engine, text: str) -> None:
    fast, slow = both_ways(source, insert({"id": 1, "name": text}, {"id": 2}))
    assert fast.column("name").to_pylist() == slow.column("name").to_pylist() == [text, None]


def test_a_moment_that_no_calendar_has_is_landed_as_text_beside_the_others(source: sa.Engine) -> None:
    with source.connect() as connection:
        insert({"id": 1}, {"id": 2})(connection)
        connection.execute(sa.text("UPDATE things SET made = '2026-10-05 07:30'"))
        connection.execute(sa.text("UPDATE things SET made = 'infinity' WHERE id = 1"))
        batch = copied(connection, EVERYTHING, SCHEMA)
    assert batch is not None
    assert batch.column("made").to_pylist() == [None, datetime(2026, 10, 5, 7, 30)]
    remarks = [json.loads(remark) if remark else None for remark in batch.column(UNREADABLE).to_pylist()]
    assert remarks == [{"made": "infinity"}, None]


def test_conditions_of_every_kind_reach_the_database(source: sa.Engine) -> None:
    with source.connect() as connection:
        insert(*({"id": number, "name": "%s"} for number in range(5)))(connection)
        chosen = EVERYTHING.where(TABLE.c.id.in_([1, 3]), TABLE.c.name == "%s").limit(9)
        batch = copied(connection, chosen, SCHEMA)
    assert batch is not None
    assert batch.column("id").to_pylist() == [1, 3]


def test_nothing_found_is_an_empty_batch(source: sa.Engine) -> None:
    with source.connect() as connection:
        batch = copied(connection, EVERYTHING.where(TABLE.c.id == -1), SCHEMA)
    assert batch is not None
    assert batch.num_rows == 0
    assert batch.schema == SCHEMA


def test_binary_columns_are_left_to_the_driver(source: sa.Engine) -> None:
    with source.connect() as connection:
        assert copied(connection, sa.select(sa.literal(b"x")), landing_schema({"x": sa.LargeBinary()})) is None


def test_what_the_database_refuses_is_an_error_of_the_database(source: sa.Engine) -> None:
    with source.connect() as connection, pytest.raises(sa.exc.DBAPIError):
        copied(connection, sa.select(sa.literal_column("1 / 0")), landing_schema({"x": sa.Integer()}))
