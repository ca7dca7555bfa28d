"""Volumes follow what is believed, whatever loads insert, change or move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from lienthong.freshness.volumes import record_volumes
from lienthong.model.kinds.dossier import Entity
from lienthong.warehouse.bootstrap.migrate import upgrade
from tests.warehouse.staged import NOON, TENANT, dossier, merge_load, open_and_stage

LATE = datetime(2026, 10, 5, 18, tzinfo=UTC)  # one o'clock on the 6th in Vietnam

RECOUNT = """
SELECT source_id, (coalesce(received_at, submitted_at) AT TIME ZONE 'Asia/Ho_Chi_Minh')::date::text,
       coalesce(agency_code, ''), count(*)
FROM dossier.source_record WHERE coalesce(received_at, submitted_at) IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
KEPT = """
SELECT source_id, day::text, agency_code, dossiers FROM freshness.volume WHERE dossiers <> 0 ORDER BY 1, 2, 3
"""


def load(engine: Engine, run_key: str, rows: Iterable[Mapping[str, Any]], **options: Any) -> None:
    """Stage, merge and count, as the pipeline does."""
    staged = open_and_stage(engine, {Entity.DOSSIER: list(rows)}, run_key=run_key, **options)
    with engine.begin() as connection:
        merge_load(connection, staged)
        record_volumes(connection, staged, len(list(rows)))


def read(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_a_dossier_counts_on_the_day_of_vietnam_on_which_it_was_received(warehouse: Engine) -> None:
    load(warehouse, "a", [dossier("1"), dossier("2", received_at=LATE), dossier("3", agency_code=None)])
    assert read(warehouse, KEPT) == [
        ("test", "2026-10-05", "", 1),
        ("test", "2026-10-05", "H17.05", 1),
        ("test", "2026-10-06", "H17.05", 1),
    ]


def test_a_dossier_that_moves_to_another_day_or_agency_leaves_the_old_count(warehouse: Engine) -> None:
    submitted = {"received_at": None, "submitted_at": NOON - timedelta(days=3), "dossier_code": None, "status": 1}
    load(warehouse, "a", [dossier("1", **submitted), dossier("2"), dossier("3")])
    later = {"observed_at": NOON + timedelta(hours=1)}
    load(warehouse, "b", [dossier("1"), dossier("2", agency_code="H17.06"), dossier("3", abstract="khác")], **later)
    assert read(warehouse, KEPT) == [("test", "2026-10-05", "H17.05", 2), ("test", "2026-10-05", "H17.06", 1)]
    assert read(warehouse, KEPT) == read(warehouse, RECOUNT)


def test_a_reread_without_changes_and_a_duplicate_count_nothing(warehouse: Engine) -> None:
    load(warehouse, "a", [dossier("1"), dossier("1"), dossier("2")])
    load(warehouse, "b", [dossier("1"), dossier("2")], observed_at=NOON + timedelta(hours=1))
    assert read(warehouse, KEPT) == [("test", "2026-10-05", "H17.05", 2)]


def test_two_sources_of_a_province_are_counted_apart(warehouse: Engine) -> None:
    load(warehouse, "a", [dossier("1")])
    load(warehouse, "b", [dossier("1"), dossier("2")], source_id="other", precedence=20)
    assert read(warehouse, KEPT) == [("other", "2026-10-05", "H17.05", 2), ("test", "2026-10-05", "H17.05", 1)]


def test_modifications_are_counted_by_hour_and_the_newest_instants_are_kept(warehouse: Engine) -> None:
    ahead = NOON + timedelta(days=400)
    load(warehouse, "a", [dossier("1"), dossier("2", received_at=ahead, source_modified_at=ahead)])
    load(
        warehouse, "b", [dossier("1", status=9, source_modified_at=NOON + timedelta(minutes=90))],
        observed_at=NOON + timedelta(hours=2),
    )  # fmt: skip
    hours = read(warehouse, "SELECT hour, dossiers FROM freshness.modified WHERE dossiers <> 0 ORDER BY hour")
    assert hours == [(NOON + timedelta(hours=1), 1), (ahead, 1)]
    assert read(
        warehouse, "SELECT records, full_rows, newest_arrival_at, newest_modified_at FROM freshness.source_state"
    ) == [(2, 2, NOON, NOON + timedelta(minutes=90))], "what is dated ahead is not the newest"


def test_a_warehouse_that_was_filled_before_is_counted_when_it_is_migrated(
    new_database: Any, warehouse_template: str
) -> None:
    from lienthong.warehouse.engine import engine_for

    engine = engine_for(new_database("warehouse"))
    upgrade(engine, "0004")
    with engine.begin() as connection:
        connection.execute(text("SELECT ops.ensure_tenant('H17')"))
        connection.execute(
            text(
                "INSERT INTO dossier.source_record (tenant, source_id, source_key, dossier_id, version, record_hash, "
                "recipe, observed_at, load_id, agency_code, received_at, source_modified_at) "
                "SELECT :tenant, 'test', n::text, gen_random_uuid(), 1, '', 1, :now, 1, 'H17.05', :now, :now "
                "FROM generate_series(1, 7) AS n"
            ),
            {"tenant": TENANT, "now": NOON},
        )
    upgrade(engine)
    assert read(engine, KEPT) == read(engine, RECOUNT) == [("test", "2026-10-05", "H17.05", 7)]
    assert read(engine, "SELECT records, full_rows FROM freshness.source_state") == [(7, 7)]
    engine.dispose()
