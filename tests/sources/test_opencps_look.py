"""A look at an OpenCPS database and a sample of it: true, bounded, and in questions that MySQL understands too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import mysql

from lienthong.landing import LandedBatch
from lienthong.model.codes import LoadMode
from lienthong.model.errors import LandingCorruptError
from lienthong.sources.kit.sql import look_statements
from lienthong.sources.kit.sql.schema import BoundTable
from lienthong.sources.profile import SourceSight, TableSight
from lienthong.sources.profiles import profile_of
from lienthong.sources.scaffold_sample import sampled
from lienthong.sources.systems.opencps.tables import DOSSIER, ENTITY_TABLES
from tests.sources.conftest import Province, landed

NOW = datetime(2026, 10, 12, 8, 30, tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


def look(province: Province) -> SourceSight:
    return profile_of(province.contract).look(province.contract, province.connection, now)


def sight_of(seen: SourceSight, table: str) -> TableSight:
    return next(entry for entry in seen.tables if entry.name == table)


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """Every statement that any engine sends."""
    statements: list[str] = []

    def note(_: Any, __: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    event.listen(sa.Engine, "before_cursor_execute", note)
    yield statements
    event.remove(sa.Engine, "before_cursor_execute", note)


def test_volumes_are_the_planners_estimates(province: Province) -> None:
    province.add("opencps_dossier", *range(1, 51))
    assert sight_of(look(province), "opencps_dossier").rows == 50  # never analysed: counted
    province.run("ANALYZE opencps_dossier")
    province.run('DELETE FROM opencps_dossier WHERE "dossierId" > 10')
    assert sight_of(look(province), "opencps_dossier").rows == 50  # told by statistics, not by a count


def test_no_table_is_read_through(province: Province, asked: list[str]) -> None:
    province.add("opencps_dossier", *range(1, 51))
    province.run("ANALYZE")
    asked.clear()
    look(province)
    reads = [statement for statement in asked if "FROM opencps_" in statement]
    assert reads
    assert [statement for statement in reads if "LIMIT" not in statement] == []


def test_statements_end_after_a_time(province: Province, asked: list[str]) -> None:
    look(province)
    assert any("set_config" in statement for statement in asked)


def test_the_newest_change_is_an_instant(province: Province) -> None:
    province.add("opencps_dossier", 1, modifiedDate="2026-10-01 07:59:00")
    province.add("opencps_dossier", 2, modifiedDate="2026-10-01 07:00:00")
    assert sight_of(look(province), "opencps_dossier").newest_at == datetime(2026, 10, 1, 0, 59, tzinfo=UTC)
    assert sight_of(look(province), "opencps_dossieraction").newest_at is None


def test_changes_are_told_by_hour_in_vietnam(province: Province) -> None:
    province.add("opencps_dossier", 1, 2, modifiedDate="2026-10-01 09:10:00")
    province.add("opencps_dossieraction", 1, modifiedDate="2026-10-01 14:10:00")
    hours = look(province).hours
    assert (hours[9], hours[14], sum(hours)) == (2, 1, 3)


def test_dossiers_are_told_by_day_the_newest_first(province: Province) -> None:
    province.add("opencps_dossier", 1, 2, receiveDate="2026-10-02 09:10:00")
    province.add("opencps_dossier", 3, receiveDate="2026-10-05 23:59:59")
    province.add("opencps_dossier", 4, receiveDate=None)
    assert look(province).days == ((date(2026, 10, 5), 1), (date(2026, 10, 2), 2))


def test_an_index_helps_only_when_it_begins_with_the_modification(province: Province) -> None:
    assert sight_of(look(province), "opencps_dossier").indexed is False  # (dossierStatus, modifiedDate)
    province.run('CREATE INDEX ON opencps_dossier ("modifiedDate", "dossierId")')
    assert sight_of(look(province), "opencps_dossier").indexed is True
    assert sight_of(look(province), "opencps_serviceinfo").indexed is None


def test_the_clock_is_compared_with_ours_when_it_is_asked(province: Province) -> None:
    behind = profile_of(province.contract).look(
        province.contract, province.connection, lambda: now() - timedelta(hours=1)
    )
    assert behind.clock_ahead is not None
    assert abs(behind.clock_ahead - timedelta(hours=1)) < timedelta(seconds=20)


def test_what_is_missing_is_told_and_the_rest_still_looked_at(province: Province) -> None:
    province.run('ALTER TABLE opencps_dossier DROP COLUMN "briefNote"')
    province.run("DROP TABLE opencps_dictitemmapping")
    seen = look(province)
    assert [what.split()[1] for what in seen.missing] == ["opencps_dossier.briefNote", "opencps_dictitemmapping"]
    assert len(seen.tables) == 8


def sample(province: Province, dossiers: int) -> list[int]:
    with sampled(profile_of(province.contract).sample, province.contract, province.connection, dossiers) as batch:
        assert batch.manifest.facts.mode is LoadMode.RANGE
        assert not batch.manifest.facts.watermarks
        batch.verify()
        return landed(batch, "opencps_dossier")


def test_a_sample_is_the_newest_dossiers_and_those_that_moved_last(province: Province) -> None:
    province.add("opencps_dossier", *range(1, 101))
    for key, owner in enumerate((3, 50, 3, 7), 1):
        province.add("opencps_dossieraction", key, dossierId=owner)
    assert sample(province, 4) == [3, 7, 99, 100]
    assert sample(province, 1_000) == list(range(1, 101))


def test_a_sample_has_whole_dossiers(province: Province) -> None:
    province.add("opencps_dossier", 1, 2)
    province.add("opencps_dossieraction", 1, 2, 3, dossierId=2)
    province.add("opencps_dossierfile", 1, dossierId=2)
    province.add("opencps_paymentfile", 1, dossierId=1)
    with sampled(profile_of(province.contract).sample, province.contract, province.connection, 2) as batch:
        rows = {name: table.rows for name, table in batch.manifest.tables.items() if table.rows}
    assert rows == {
        "opencps_dossier": 2, "opencps_dossieraction": 3, "opencps_dossierfile": 1, "opencps_paymentfile": 1,
    }  # fmt: skip


def test_a_sample_is_gone_afterwards(province: Province) -> None:
    province.add("opencps_dossier", 1)
    with sampled(profile_of(province.contract).sample, province.contract, province.connection, 1) as batch:
        kept: LandedBatch = batch
        assert landed(kept, "opencps_dossier") == [1]
    with pytest.raises(LandingCorruptError):
        landed(kept, "opencps_dossier")


def bound() -> BoundTable:
    columns = [sa.Column(name, sa.DateTime if name.endswith("Date") else sa.BigInteger) for name in DOSSIER.read]
    return BoundTable(ENTITY_TABLES[next(iter(ENTITY_TABLES))], sa.Table(DOSSIER.name, sa.MetaData(), *columns))


@pytest.mark.parametrize(
    "statement",
    [
        look_statements.newest_modified(bound()),
        look_statements.newest_keys(bound(), 5),
        look_statements.days(bound(), "receiveDate"),
        look_statements.count_up_to(bound()),
        look_statements.estimate(bound(), "mysql", DOSSIER.name),
        look_statements.peek(bound().table),
        look_statements.touch(DOSSIER.name),
        look_statements.count_among_newest(bound(), "viaPostal", 7),
        *look_statements.grants(),
    ],
)
def test_what_is_asked_of_mysql_is_mysql(statement: sa.Select[Any]) -> None:
    text = str(statement.compile(dialect=mysql.dialect()))
    for foreign in ('"', "::", "NULLS ", "||"):
        assert foreign not in text
    assert "information_schema" in text or "LIMIT" in text


def test_each_database_has_its_own_way_to_end_a_statement() -> None:
    settings = {name: str(look_statements.limit_time(name, 20)) for name in ("postgresql", "mysql", "mariadb", "mssql")}
    assert "set_config" in settings["postgresql"]
    assert settings["mysql"] == "SET SESSION max_execution_time = 20000"
    assert settings["mariadb"] == "SET SESSION max_statement_time = 20"
    assert settings["mssql"] == "None"
