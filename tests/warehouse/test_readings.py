"""Which reading of a source is the newer one is told by their order, never by a clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from lienthong.model.codes import LoadMode
from lienthong.model.kinds.dossier import Entity
from lienthong.warehouse import ledger, merge
from lienthong.warehouse.bootstrap.migrate import upgrade
from lienthong.warehouse.engine import engine_for
from lienthong.warehouse.ledger import Load
from tests.warehouse.staged import NOON, TENANT, dossier, load_rows, open_and_stage
from tests.warehouse.test_ledger import SOURCE
from tests.warehouse.test_merge import rows_of

D = Entity.DOSSIER
AHEAD = timedelta(days=365)


@pytest.mark.parametrize("mode", [LoadMode.INCREMENTAL, LoadMode.FULL])
def test_a_load_taken_while_the_sources_clock_was_ahead_freezes_nothing(warehouse: Engine, mode: LoadMode) -> None:
    load_rows(warehouse, {D: [dossier("1", status=4)]}, run_key="ahead", observed_at=NOON + AHEAD)
    counts = load_rows(warehouse, {D: [dossier("1", status=9)]}, run_key="right again", mode=mode)
    assert counts == {"dossier": {"updated": 1}}


def test_a_warehouse_that_was_frozen_before_heals_with_the_next_load(new_database: Callable[..., str]) -> None:
    engine = engine_for(new_database("warehouse"))
    upgrade(engine, "0009")
    with engine.begin() as connection:
        connection.execute(text("SELECT ops.ensure_tenant('H17')"))
        connection.execute(
            text(
                "INSERT INTO ops.load (tenant, source_id, run_key, mode, state, contract_hash, fence, opened_at, "
                "observed_at) VALUES (:tenant, 'test', 'old', 'full', 'merged', '', 1, :now, :ahead)"
            ),
            {"tenant": TENANT, "now": NOON, "ahead": NOON + AHEAD},
        )
        connection.execute(
            text(
                "INSERT INTO dossier.source_record (tenant, source_id, source_key, dossier_id, version, record_hash, "
                "recipe, observed_at, load_id) SELECT :tenant, 'test', '1', gen_random_uuid(), 1, '', 2, :ahead, "
                "load_id FROM ops.load"
            ),
            {"tenant": TENANT, "ahead": NOON + AHEAD},
        )
    upgrade(engine)
    assert load_rows(engine, {D: [dossier("1")]}, run_key="next") == {"dossier": {"updated": 1}}
    engine.dispose()


def extracted(warehouse: Engine, claims: int, began: int | None = None, clock_ahead: timedelta | None = None) -> Load:
    """A load claimed so many times, of which the claim `began` started the reading that was finished."""
    with warehouse.begin() as connection:
        load_id = ledger.open_load(
            connection, SOURCE, f"{claims} {began}", mode=LoadMode.INCREMENTAL, window=None, now=NOON
        )
        fence = 0
        for _ in range(claims):
            fence = ledger.claim_extract(connection, load_id) or 0
        ledger.finish_extract(
            connection,
            ledger.read_load(connection, load_id),
            fence,
            manifest_url="memory://",
            observed_at=NOON,
            now=NOON,
            clock_ahead=clock_ahead,
            began_fence=began,
        )
        return ledger.read_load(connection, load_id)


def test_what_an_earlier_try_had_read_counts_as_read_then(warehouse: Engine) -> None:
    whole, continued = extracted(warehouse, 3), extracted(warehouse, 3, began=2)
    numbers = rows_of(warehouse, "SELECT load_id, fence, reading_no FROM ops.reading")
    assert (whole.load_id, 3, whole.reading_no) in numbers
    assert (continued.load_id, 2, continued.reading_no) in numbers


@pytest.mark.parametrize(
    ("ahead", "noted"), [(AHEAD, NOON - AHEAD), (-AHEAD, NOON), (None, NOON)], ids=["ahead", "behind", "untold"]
)
def test_when_a_load_looked_is_never_later_than_our_own_clock(
    warehouse: Engine, ahead: timedelta | None, noted: datetime
) -> None:
    load = extracted(warehouse, 1, clock_ahead=ahead)
    assert (load.observed_at, load.clock_ahead) == (noted, ahead)


def test_a_watermark_goes_back_only_from_beyond_our_clock(warehouse: Engine) -> None:
    load = open_and_stage(warehouse, {}, run_key="a")

    def move(modified_at: datetime) -> datetime:
        mark = merge.TableWatermark("t", modified_at, "1", 0)
        with warehouse.begin() as connection:
            merge.advance_watermarks(connection, load, [mark], NOON)
        [(now,)] = rows_of(warehouse, "SELECT modified_at FROM ops.watermark")
        return now

    hour = timedelta(hours=1)
    assert move(NOON - hour) == NOON - hour
    assert move(NOON - 2 * hour) == NOON - hour, "loads may merge in any order"
    assert move(NOON + AHEAD) == NOON + AHEAD
    assert move(NOON - hour) == NOON - hour


@pytest.mark.parametrize(
    ("keys", "kept"),
    [(("9", "10"), "10"), (("10", "9"), "10"), (("-5", "-10"), "-5"), (("b", "a"), "a"), (("9", None), "9")],
)
def test_the_last_key_is_the_highest_number_or_the_newest_word(
    warehouse: Engine, keys: tuple[str, str | None], kept: str
) -> None:
    load = open_and_stage(warehouse, {}, run_key="keys")
    for key in keys:
        with warehouse.begin() as connection:
            merge.advance_watermarks(connection, load, [merge.TableWatermark("t", NOON, key, 0)], NOON)
    assert rows_of(warehouse, "SELECT last_key FROM ops.watermark") == [(kept,)]
