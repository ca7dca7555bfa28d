"""A source database whose clock is off for a while: nothing is lost, nothing is doubled, nothing is frozen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lienthong.model.periods import BUSINESS_ZONE
from lienthong.pipeline.views import status
from lienthong.sources.kit.sql.database import SourceDatabase
from lienthong.views.findings import finding_view
from simulator.opencps.install import install
from simulator.portal.server import PortalServer
from simulator.world import World
from tests.sources.conftest import Province, landed
from tests.world import MONTH, SEED, Live

DOSSIER, FILE = "opencps_dossier", "opencps_dossierfile"
NOW = datetime(2026, 11, 1, 1, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
#: The shortest that a contract may have.
OVERLAP = timedelta(hours=2)

off_by_an_hour = pytest.mark.parametrize("off", [HOUR, -HOUR], ids=["ahead", "behind"])


def written(moment: datetime) -> str:
    """An instant as the source writes it: Vietnam's time, without a zone."""
    return moment.astimezone(BUSINESS_ZONE).strftime("%Y-%m-%d %H:%M:%S")


@pytest.fixture
def clock_says(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Put the clock that the source's database answers with."""
    return lambda moment: monkeypatch.setattr(SourceDatabase, "clock", lambda _: moment)


@off_by_an_hour
def test_what_is_dated_inside_the_hour_is_read_and_the_watermark_keeps_to_the_clock(
    province: Province, clock_says: Callable[[datetime], None], off: timedelta
) -> None:
    before, inside = NOW - 90 * MINUTE, max(NOW, NOW + off) - MINUTE
    province.add(DOSSIER, 1, modifiedDate=written(before))
    province.add(DOSSIER, 2, modifiedDate=written(inside))
    province.add(FILE, 20, dossierId=2, modifiedDate=written(inside))
    clock_says(NOW + off)
    first = province.load(overlap=OVERLAP)
    assert (landed(first, DOSSIER), landed(first, FILE)) == ([1, 2], [20])
    assert first.manifest.facts.observed_at == NOW + off
    assert province.marks[DOSSIER].modified_at == (inside if off > timedelta() else before)

    # The clock is put right: what changes now may be older than what was read while it was ahead.
    province.run(f'UPDATE {DOSSIER} SET "modifiedDate" = \'{written(NOW + 5 * MINUTE)}\' WHERE "dossierId" = 1')
    province.add(DOSSIER, 3, modifiedDate=written(NOW + 5 * MINUTE))
    province.add(FILE, 30, dossierId=1, modifiedDate=written(NOW + 5 * MINUTE))
    clock_says(NOW + 10 * MINUTE)
    second = province.load(overlap=OVERLAP)
    assert (landed(second, DOSSIER), landed(second, FILE)) == ([1, 2, 3], [30, 20])
    assert second.manifest.facts.observed_at == NOW + 10 * MINUTE
    assert province.marks[DOSSIER].modified_at == NOW + 5 * MINUTE
    assert province.marks[DOSSIER].last_key == "3"


@pytest.fixture
def live(new_database: Callable[..., str], warehouse_url: str, tmp_path: Path) -> Iterator[Live]:
    """A small province and a warehouse that knows the catalogue."""
    world = World.generate(SEED, 30, MONTH, provinces=("H17",))
    source = new_database("opencps")
    install(world, "H17", source)
    with PortalServer(world) as portal:
        started = Live(world, {"H17": source}, portal, warehouse_url, tmp_path, clock=NOW)
        started.sync_catalogue()
        yield started
    started.engine.dispose()


@off_by_an_hour
def test_the_warehouse_holds_every_change_once_when_the_hour_is_over(
    live: Live, clock_says: Callable[[datetime], None], off: timedelta
) -> None:
    def load_at(moment: datetime, clock: datetime) -> None:
        live.clock = moment
        clock_says(clock)
        live.load("opencps_h17")

    def versions() -> dict[str, int]:
        return dict(live.rows("SELECT source_key, version FROM dossier.source_record"))

    load_at(NOW, NOW + off)
    first = versions()
    assert set(first.values()) == {1}
    dossiers = sorted(live.rows("SELECT dossier_id, source_key FROM dossier.dossier"))
    [(changed, due)] = live.rows(
        "SELECT source_key, due_at FROM dossier.source_record WHERE due_at IS NOT NULL ORDER BY 1 LIMIT 1"
    )
    live.at_source(
        "H17",
        f'UPDATE {DOSSIER} SET "dueDate" = "dueDate" + INTERVAL \'1 day\', '
        f'"modifiedDate" = \'{written(NOW + 5 * MINUTE)}\' WHERE "dossierId" = {changed}',
    )
    # While the clock says less than it said before, a later reading is the later one all the same.
    for minutes in (10, 70):
        load_at(NOW + minutes * MINUTE, NOW + minutes * MINUTE)
        assert versions() == first | {changed: 2}
    assert live.rows("SELECT due_at FROM dossier.source_record WHERE source_key = :key", key=changed) == [
        (due + timedelta(days=1),)
    ]
    assert live.rows("SELECT source_key, version FROM dossier.source_record_history") == [(changed, 1)]
    assert sorted(live.rows("SELECT dossier_id, source_key FROM dossier.dossier")) == dossiers
    assert live.rows("SELECT modified_at FROM ops.watermark WHERE table_name = :name", name=DOSSIER) == [
        (NOW + 5 * MINUTE,)
    ]


def test_a_watermark_keeps_to_our_clock_while_the_sources_is_days_ahead(
    province: Province, clock_says: Callable[[datetime], None]
) -> None:
    ours = datetime.now(UTC)
    province.add(DOSSIER, 1, modifiedDate=written(ours - 30 * MINUTE))
    province.add(DOSSIER, 2, modifiedDate=written(ours + 72 * HOUR))
    clock_says(ours + 73 * HOUR)
    first = province.load(overlap=OVERLAP)
    ahead = first.manifest.facts.clock_ahead
    assert ahead is not None
    assert 72 * HOUR < ahead <= 73 * HOUR
    assert province.marks[DOSSIER].modified_at == (ours - 30 * MINUTE).replace(microsecond=0)
    clock_says(ours)
    province.run(f'UPDATE {DOSSIER} SET "modifiedDate" = \'{written(ours)}\' WHERE "dossierId" = 1')
    assert landed(province.load(overlap=OVERLAP), DOSSIER) == [1, 2]


def test_a_watermark_that_a_wrong_clock_left_in_the_future_makes_the_next_load_read_everything(
    province: Province, clock_says: Callable[[datetime], None]
) -> None:
    ours = datetime.now(UTC)
    province.add(DOSSIER, 1, modifiedDate=written(ours - 300 * HOUR))
    province.load(overlap=OVERLAP)
    province.marks = {
        name: replace(mark, modified_at=ours + 720 * HOUR, overlap_rows=5) for name, mark in province.marks.items()
    }
    second = province.load(overlap=OVERLAP)
    assert landed(second, DOSSIER) == [1], "changed long before the overlap, and after the clock was put right"
    assert province.marks[DOSSIER].modified_at == (ours - 300 * HOUR).replace(microsecond=0)


def test_a_source_whose_clock_is_ahead_is_a_finding_until_it_is_put_right(
    live: Live, clock_says: Callable[[datetime], None]
) -> None:
    ours = datetime.now(UTC)
    changes = f'UPDATE {DOSSIER} SET "dueDate" = "dueDate" + INTERVAL \'1 day\' WHERE "dueDate" IS NOT NULL'
    for number, (ahead, told) in enumerate(((2 * HOUR, [7200]), (4 * MINUTE, []), (3 * HOUR, [10800]), (-HOUR, []))):
        clock_says(ours + ahead)
        if number:
            live.at_source("H17", changes)
        counts = live.load("opencps_h17", mode="full")["dossier"]
        assert counts["stale"] == 0
        assert counts["updated"] > 10 or not number
        found = [finding for finding in status(live.rt).findings if finding.kind == "source_clock_ahead"]
        assert [round(finding.details["ahead_s"], -2) for finding in found] == told
        if found:
            assert finding_view(found[0]).what.startswith("đồng hồ của nguồn chạy nhanh")
