"""What a source's database says about a row is no part of any error."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from lienthong.model.errors import LienThongError, SourceAccessError
from lienthong.model.traces import chain
from lienthong.sources.kit.sql.database import reading
from tests.world import database_connection

NAME = "Nguyễn Thị Hoa"


def test_an_error_of_a_source_quotes_no_row_not_even_in_what_is_chained_to_it(
    new_database: Callable[..., str],
) -> None:
    connection = database_connection("src_h17", new_database("source"))
    with (
        pytest.raises(LienThongError) as caught,
        reading(connection, "opencps_h17", 7) as source,
    ):
        source.row(sa.select(sa.cast(sa.bindparam("name", NAME, literal_execute=True), sa.Integer)))
    assert isinstance(caught.value, SourceAccessError)
    assert "22P02" in str(caught.value)
    told = [str(one) + repr(one.args) + str(getattr(one, "pgerror", "")) for one in chain(caught.value)]
    assert len(told) > 1, "the driver's error is in the chain"
    assert not [one for one in told if NAME in one]
    assert NAME not in "".join(traceback.format_exception(caught.value))
