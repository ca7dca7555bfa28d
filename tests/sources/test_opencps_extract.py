"""Reading an OpenCPS database: nothing that changed is missed, and whole dossiers are read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lienthong.connections import Connection
from lienthong.landing import LandedBatch
from lienthong.model.codes import LoadMode
from lienthong.model.kinds.dossier import Entity
from lienthong.sources.contract_parts import ReadLimits
from lienthong.sources.kit.sql import extract
from lienthong.sources.profile import Window
from lienthong.sources.systems.opencps.tables import ENTITY_TABLES, REFERENCE_TABLES
from tests.sources.conftest import Province, at, landed

DOSSIER, ACTION, FILE, FEE = "opencps_dossier", "opencps_dossieraction", "opencps_dossierfile", "opencps_paymentfile"
SMALL = ReadLimits(page_rows=2, key_rows=2, fetch_rows=2)


def dossiers(batch: LandedBatch) -> list[int]:
    return landed(batch, DOSSIER)


def three_dossiers(province: Province) -> None:
    """Dossiers 1-3, last modified on 1, 10 and 20 October, each with a step, a file and a fee of the same time."""
    for key, day in ((1, "01"), (2, "10"), (3, "20")):
        moment = f"2026-10-{day} 08:00:00"
        province.add(DOSSIER, key, modifiedDate=moment)
        province.add(ACTION, key * 10, dossierId=key, modifiedDate=moment)
        province.add(FILE, key * 10, dossierId=key, modifiedDate=moment)
        province.add(FEE, key * 10, dossierId=key, modifiedDate=moment)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
def test_the_first_load_reads_every_row_once_whatever_the_page_size(province: Province, count: int) -> None:
    for key in range(1, count + 1):
        province.add(DOSSIER, key)
        province.add(ACTION, key * 10, key * 10 + 1, key * 10 + 2, dossierId=key)
    batch = province.load(read=SMALL)
    assert dossiers(batch) == list(range(1, count + 1))
    assert landed(batch, ACTION) == [key * 10 + step for key in range(1, count + 1) for step in range(3)]


def test_the_first_load_sees_children_whose_dossier_is_missing(province: Province) -> None:
    three_dossiers(province)
    province.add(FILE, 1, dossierId=-5)
    province.add(FILE, 2, dossierId=None)
    province.add(FILE, 3, dossierId=999)
    province.run('DELETE FROM opencps_dossier WHERE "dossierId" = 2')
    batch = province.load(read=SMALL)
    assert dossiers(batch) == [1, 3]
    assert sorted(landed(batch, FILE)) == [1, 2, 3, 10, 20, 30]


def test_a_load_without_changes_reads_only_the_overlap_and_the_watermark_stays(province: Province) -> None:
    three_dossiers(province)
    province.load()
    before = dict(province.marks)
    assert before[DOSSIER].modified_at == datetime(2026, 10, 20, 1, tzinfo=UTC)
    assert (before[DOSSIER].last_key, before[DOSSIER].overlap_rows) == ("3", 1)
    batch = province.load()
    assert dossiers(batch) == [3]
    assert dict(province.marks) == before


@pytest.mark.parametrize("table", [ACTION, FILE, FEE])
def test_a_change_of_a_child_alone_brings_the_whole_dossier(province: Province, table: str) -> None:
    three_dossiers(province)
    province.load()
    province.run(f'UPDATE {table} SET "modifiedDate" = \'2026-10-20 09:00:00\' WHERE "dossierId" = 1')
    batch = province.load()
    assert dossiers(batch) == [1, 3]
    for child in (ACTION, FILE, FEE):
        assert landed(batch, child) == [10, 30]


def test_a_new_child_of_an_old_dossier_with_an_old_date_brings_the_dossier(province: Province) -> None:
    three_dossiers(province)
    province.load()
    province.add(FILE, 99, dossierId=1, modifiedDate="2020-01-01 00:00:00")
    assert dossiers(province.load()) == [1, 3]


def test_an_import_with_an_old_modified_date_is_found_by_its_key(province: Province) -> None:
    three_dossiers(province)
    province.load()
    province.add(DOSSIER, 4, modifiedDate="2019-05-05 00:00:00")
    province.add(DOSSIER, 5, modifiedDate=None)
    assert dossiers(province.load(read=SMALL)) == [3, 4, 5]


def test_a_modified_date_that_goes_back_within_the_overlap_is_still_read(province: Province) -> None:
    three_dossiers(province)
    province.load()
    province.run(
        "UPDATE opencps_dossier SET \"modifiedDate\" = '2026-10-18 08:00:00', \"dossierStatus\" = 'done' "
        'WHERE "dossierId" = 3'
    )
    batch = province.load()
    assert landed(batch, DOSSIER, "dossierStatus") == ["done"]
    assert province.marks[DOSSIER].modified_at == datetime(2026, 10, 18, 1, tzinfo=UTC)


@pytest.mark.parametrize("key_rows", [1, 2, 3, 7, 8, 20])
def test_rows_of_the_same_second_are_not_lost_at_a_page_border(province: Province, key_rows: int) -> None:
    province.add(DOSSIER, 1, modifiedDate="2026-10-01 08:00:00")
    province.load()
    province.add(DOSSIER, *range(2, 9), modifiedDate="2026-10-20 08:00:00")
    province.run("UPDATE opencps_dossier SET \"modifiedDate\" = '2026-10-20 08:00:00'")
    batch = province.load(read=ReadLimits(page_rows=3, key_rows=key_rows, fetch_rows=2))
    assert dossiers(batch) == list(range(1, 9))


def test_rows_of_one_second_are_found_by_their_date_alone(province: Province) -> None:
    province.add(DOSSIER, *range(1, 10), modifiedDate="2026-09-01 08:00:00")
    province.add(DOSSIER, 10, modifiedDate="2026-10-01 08:00:00")
    province.load()
    province.run('UPDATE opencps_dossier SET "modifiedDate" = \'2026-10-20 08:00:00\' WHERE "dossierId" < 10')
    assert dossiers(province.load(read=SMALL)) == list(range(1, 11))


def test_a_modification_in_the_future_is_read_but_does_not_move_the_watermark(province: Province) -> None:
    three_dossiers(province)
    province.add(DOSSIER, 4, modifiedDate="2999-01-01 00:00:00")
    province.load()
    assert province.marks[DOSSIER].modified_at == datetime(2026, 10, 20, 1, tzinfo=UTC)
    province.run('UPDATE opencps_dossier SET "modifiedDate" = \'2026-10-20 10:00:00\' WHERE "dossierId" = 1')
    assert dossiers(province.load()) == [1, 3, 4]


def test_an_orphan_that_appears_later_is_read_without_its_dossier(province: Province) -> None:
    three_dossiers(province)
    province.load()
    province.add(FEE, 98, dossierId=777)
    province.add(FEE, 99, dossierId=None)
    batch = province.load()
    assert (dossiers(batch), landed(batch, FEE)) == ([3], [30, 98, 99])


def test_a_range_reads_dossiers_modified_in_the_window_and_moves_no_watermark(province: Province) -> None:
    three_dossiers(province)
    province.load()
    window = Window(at("2026-10-10T08:00:00+07:00"), at("2026-10-20T08:00:00+07:00"))
    batch = province.load(LoadMode.RANGE, window)
    assert (dossiers(batch), landed(batch, FILE)) == ([2], [20])
    assert batch.manifest.facts.watermarks == {}
    assert (batch.manifest.facts.window_from, batch.manifest.facts.window_to) == (window.start, window.end)


def test_a_full_load_reads_everything_and_moves_no_watermark(province: Province) -> None:
    three_dossiers(province)
    province.load()
    batch = province.load(LoadMode.FULL)
    assert dossiers(batch) == [1, 2, 3]
    assert batch.manifest.facts.watermarks == {}


def test_an_entity_that_the_contract_leaves_out_is_not_read(province: Province) -> None:
    three_dossiers(province)
    batch = province.load(entities=tuple(entity for entity in province.contract.section.entities if entity != "fee"))
    assert FEE not in batch.tables
    assert dossiers(batch) == [1, 2, 3]


def test_memory_is_bounded_by_the_fetch_size(province: Province) -> None:
    province.add(DOSSIER, 1)
    province.add(ACTION, *range(1, 200), dossierId=1)
    steps: list[int] = []
    before: dict[str, int] = {}

    def progress(table: str, rows: int) -> None:
        steps.append(rows - before.get(table, 0))
        before[table] = rows

    province.load(progress=progress, read=ReadLimits(page_rows=100, fetch_rows=7))
    assert max(steps) == 7
    assert before[ACTION] == 199


def test_very_many_orphans_within_one_page_are_landed_whole_in_bounded_batches(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dossiers were purged and their steps remain: 20,000 of them between the dossiers of one page."""
    province.add(DOSSIER, 1, 2, 3, 20_000)
    province.run(
        r"""
        INSERT INTO opencps_dossieraction ("dossierActionId", "dossierId", "modifiedDate", "stepName", "dueDate")
        SELECT n, 3 + n / 2, '2026-10-01 08:00:00',
            (ARRAY[E'một\nhai', '', NULL, E'"\n"', ','])[1 + n % 5],
            CASE n % 7 WHEN 0 THEN timestamp 'infinity' WHEN 1 THEN '2026-11-01 17:00' END
        FROM generate_series(1, 20000) AS n
        """
    )
    steps: list[int] = []
    landed_rows: dict[str, int] = {}

    def progress(table: str, rows: int) -> None:
        steps.append(rows - landed_rows.get(table, 0))
        landed_rows[table] = rows

    batch = province.load(progress=progress, read=ReadLimits(page_rows=2, fetch_rows=1_501))
    assert (landed_rows[ACTION], max(steps)) == (20_000, 1_501)
    rows = [row for _, _, piece in batch.batches(ACTION) for row in piece.to_pylist()]
    assert [row["dossierActionId"] for row in rows] == list(range(1, 20_001))
    assert [bool(row["_unreadable"]) for row in rows] == [number % 7 == 0 for number in range(1, 20_001)]

    province.run('UPDATE opencps_dossieraction SET "dueDate" = NULL WHERE "dueDate" = \'infinity\'')
    monkeypatch.setattr(extract, "copy_out", lambda *_: False)
    row_by_row = province.load(LoadMode.FULL, read=ReadLimits(page_rows=2, fetch_rows=1_501))
    expected = [row for _, _, piece in row_by_row.batches(ACTION) for row in piece.to_pylist()]
    assert [row | {"_unreadable": None} for row in rows] == expected


def test_a_load_sees_the_source_at_one_instant(province: Province) -> None:
    """What arrives while we read is not half seen: no child without its dossier."""
    province.add(DOSSIER, 1, 2, 3)

    def meanwhile(table: str, rows: int) -> None:
        if table == DOSSIER and rows == 2:
            province.add(DOSSIER, 4)
            province.add(ACTION, 40, dossierId=4)

    batch = province.load(progress=meanwhile, read=SMALL)
    assert (dossiers(batch), landed(batch, ACTION)) == ([1, 2, 3], [])
    later = province.load(read=SMALL)
    assert (4 in dossiers(later), landed(later, ACTION)) == (True, [40])


def test_what_stops_the_reading_leaves_nothing_behind(province: Province) -> None:
    three_dossiers(province)

    def stop(table: str, rows: int) -> None:
        raise RuntimeError("lease lost")

    with pytest.raises(RuntimeError):
        province.load(progress=stop)
    assert province.files() == []


def test_the_batch_is_dated_by_the_clock_of_the_source(province: Province) -> None:
    with province.engine.connect() as connection:
        before = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    observed = province.load().manifest.facts.observed_at
    assert observed.utcoffset() == timedelta(0)
    assert before <= observed


def test_values_are_landed_as_they_came(province: Province) -> None:
    province.add(DOSSIER, 1, dossierNo=" H17.05-261001-0001 ", submitDate="2026-10-01 23:59:59", online_=True)
    row = next(iter(province.load().batches(DOSSIER)))[2].to_pylist()[0]
    assert row["dossierNo"] == " H17.05-261001-0001 "
    assert row["submitDate"] == datetime(2026, 10, 1, 23, 59, 59)
    assert row["online_"] is True


def test_the_hash_of_the_code_maps_follows_the_mapping_tables(province: Province) -> None:
    first = province.load().manifest.facts.codes_hash
    assert province.load().manifest.facts.codes_hash == first
    province.add("opencps_dossierstatusmapping", 1, statusCode="archiving", subStatusCode="", statusCodeDVCQG="10")
    assert province.load().manifest.facts.codes_hash != first


def test_another_database_is_read_the_same_way(province: Province, tmp_path: Path) -> None:
    """SQLite has neither zones nor our snapshot: what we ask of a database must be what all of them have."""
    other = Connection("src_opencps_h17", "sqlite", schema=str(tmp_path / "opencps.db"))
    metadata = sa.MetaData()
    tables = {
        table.name: sa.Table(table.name, metadata, *(sa.Column(name, kind_of(name)) for name in table.read))
        for table in (*ENTITY_TABLES.values(), *REFERENCE_TABLES)
    }
    engine = sa.create_engine(other.sqlalchemy_url())
    metadata.create_all(engine)
    moment = datetime(2026, 10, 20, 8)
    with engine.begin() as connection:
        connection.execute(
            tables[DOSSIER].insert(), [{"dossierId": key, "modifiedDate": moment, "online_": True} for key in (1, 2, 3)]
        )
        connection.execute(tables[FEE].insert(), [{"paymentFileId": 9, "dossierId": 2, "modifiedDate": moment}])
    for _ in range(2):
        batch = province.load(connection=other, read=SMALL, extensions={})
        assert (dossiers(batch), landed(batch, FEE)) == ([1, 2, 3], [9])
    assert province.marks[DOSSIER].modified_at == datetime(2026, 10, 20, 1, tzinfo=UTC)
    assert [row["channel"] for row in province.canonical(batch, extensions={})[Entity.DOSSIER]] == [2, 2, 2]
    engine.dispose()


def kind_of(column: str) -> sa.types.TypeEngine[Any]:
    if column.endswith(("Date", "Datetime")):
        return sa.DateTime()
    return sa.BigInteger() if column.endswith(("Id", "Amount")) else sa.Boolean() if column == "online_" else sa.Text()


def test_after_the_first_load_nothing_is_counted_outside_the_overlap(province: Province) -> None:
    """A province's database is live and large: its highest key comes from an index, all else is bounded by date."""
    three_dossiers(province)
    province.load()
    asked: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(" ".join(statement.split()))

    sa.event.listen(sa.Engine, "before_cursor_execute", listen)
    try:
        assert dossiers(province.load()) == [3]
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", listen)
    for table in (DOSSIER, ACTION, FILE, FEE):
        counting = [text for text in asked if re.search(rf"(count|max|sum)\(.* FROM {table}\b", text)]
        bounded = [text for text in counting if f'WHERE {table}."modifiedDate" >= ' in text]
        (other,) = [text for text in counting if text not in bounded]
        assert re.fullmatch(rf'SELECT max\({table}\."\w+"\) AS last_key FROM {table}', other)


def test_a_modified_date_that_goes_back_beyond_the_overlap_is_found_by_a_full_load(province: Province) -> None:
    """The limit of incremental loads that docs/sources.md names."""
    three_dossiers(province)
    province.load()
    province.run(
        "UPDATE opencps_dossier SET \"modifiedDate\" = '2026-01-01 08:00:00', \"dossierStatus\" = 'done' "
        'WHERE "dossierId" = 2'
    )
    assert dossiers(province.load()) == [3]
    found = province.load(LoadMode.FULL)
    assert dict(zip(dossiers(found), landed(found, DOSSIER, "dossierStatus"), strict=True))[2] == "done"
