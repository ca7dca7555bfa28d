"""The real OpenCPS runs on MySQL: every statement we can send must be one that MySQL understands."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.engine import Dialect

from lienthong.sources.kit.sql import statements
from lienthong.sources.kit.sql.schema import BoundTable
from lienthong.sources.systems.opencps.tables import ENTITY_TABLES, SERVICE_INFO

NOW = datetime(2026, 10, 12, 8, 30)
POSTGRESQL: type[Dialect] = postgresql.dialect


def bound(table: str) -> BoundTable:
    maps = {entry.name: entry for entry in (*ENTITY_TABLES.values(), SERVICE_INFO)}
    columns = [sa.Column(name, sa.DateTime if name.endswith("Date") else sa.BigInteger) for name in maps[table].read]
    return BoundTable(maps[table], sa.Table(table, sa.MetaData(), *columns))


def every_statement() -> dict[str, sa.Select[object]]:
    dossier, file, service = bound("opencps_dossier"), bound("opencps_dossierfile"), bound("opencps_serviceinfo")
    return {
        "last_key": statements.last_key(file),
        "recent, first": statements.recent(dossier, NOW, None, None),
        "recent": statements.recent(file, NOW, NOW, 7),
        "count_window": statements.count_window(file, NOW, NOW),
        "count_all": statements.count_all(service),
        "changed, first page": statements.changed(dossier, NOW, None, None, 10),
        "changed, next page": statements.changed(file, NOW, NOW, (NOW, 7), 10),
        "changed, from the beginning": statements.changed(file, None, None, None, 10),
        "added": statements.added(file, 7, None, 10),
        "added, next page": statements.added(file, 7, 9, 10),
        "root_page": statements.root_page(dossier, None, 10),
        "root_page, next": statements.root_page(dossier, 7, 10),
        "children_between": statements.children_between(file, 1, 7),
        "children_between, first": statements.children_between(file, None, 7),
        "children_between, last": statements.children_between(file, 7, None),
        "children_between, only": statements.children_between(file, None, None),
        "rows_of_owners": statements.rows_of_owners(file, [1, 2, 3]),
        "rows_without_owner": statements.rows_without_owner(file),
        "whole": statements.whole(service),
    }


@pytest.mark.parametrize("name", every_statement())
def test_a_statement_compiles_for_mysql(name: str) -> None:
    statement = every_statement()[name]
    assert isinstance(statement, sa.Select)
    text = str(statement.compile(dialect=mysql.dialect(), compile_kwargs={"literal_binds": True}))
    assert text.startswith("SELECT ")
    for foreign in ('"', "::", "FILTER (", "NULLS ", " ILIKE "):
        assert foreign not in text
    assert not re.search(r"\([^()]*,[^()]*\) *[<>]", text), "a row comparison"


def test_the_tests_cover_every_statement() -> None:
    builders = {
        name
        for name, value in vars(statements).items()
        if callable(value) and getattr(value, "__module__", "") == statements.__name__ and not name.startswith("_")
    }
    assert builders == {name.partition(",")[0] for name in every_statement()}


def test_camel_case_names_are_quoted_where_case_matters() -> None:
    text = str(every_statement()["changed, next page"].compile(dialect=POSTGRESQL()))
    assert 'opencps_dossierfile."modifiedDate" >' in text


def test_a_keyset_is_written_out() -> None:
    text = str(every_statement()["changed, next page"].compile(dialect=mysql.dialect()))
    assert re.search(r"> %s OR .*= %s AND .*> %s", text)
