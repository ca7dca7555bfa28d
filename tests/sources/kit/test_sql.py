"""The SQL kit reads any declared database: here petitions whose keys are words, in a system that nobody has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from lienthong.landing import LandedBatch, LandingStore, Watermark
from lienthong.model.capabilities import Capability
from lienthong.model.codes import LoadMode
from lienthong.model.errors import CollapsedExtractError, SchemaDriftError
from lienthong.model.kinds.petition import PETITION, PETITION_STEP
from lienthong.sources.chunk import Chunk
from lienthong.sources.contract import SourceContract, load_contract
from lienthong.sources.kit.sql import SqlMap, SqlSystem, TableMap
from lienthong.sources.profile import UnmappedCode, Window, unmapped
from lienthong.sources.profiles import PROFILES
from lienthong.sources.system import Look, Propose, Sample, System, listed_by, services_told
from lienthong.sources.typing_columns import looked_up
from lienthong.sources.words import column_words, count_unknown
from tests.contracts import changed
from tests.sources.conftest import connection_to

DESK, MOVES, AGENCIES = "desk_petition", "desk_move", "desk_agency"
CONTRACT = """
source_id: desk_h17
title: Phản ánh của Đà Nẵng
profile: opencps
connection: src_desk_h17
tenant: H17
agency: H17
time_zone: Asia/Ho_Chi_Minh
schedule: "@hourly"
overlap: 2d
read: {page_rows: 3, key_rows: 3, fetch_rows: 2}
petition:
  codes:
    classification: {hanh_vi: 1}
    status: {moi: 1, tra_loi: 5}
"""
DDL = (
    f"CREATE TABLE {DESK} (ma text PRIMARY KEY, loai text, trang_thai text, gui timestamp, sua timestamp)",
    f"CREATE TABLE {MOVES} (id uuid PRIMARY KEY, ma text, den text, sua timestamp)",
    f"CREATE TABLE {AGENCIES} (ten text)",
)
_ENTITIES = {
    PETITION.entity: TableMap(
        DESK, "ma", ("ma", "sua", "trang_thai"), ("loai", "gui"), frozenset({"ghi_chu"}), "ma", "sua"
    ),
    PETITION_STEP.entity: TableMap(MOVES, "id", ("id", "ma", "sua"), ("den",), frozenset(), "ma", "sua"),
}


class Desk(SqlSystem):
    """As a vendor's system is written: a map, and what rows mean."""

    declared = SqlMap(
        "Desk", _ENTITIES, (TableMap(AGENCIES, None, ("ten",)),), frozenset({AGENCIES}), "gui", PETITION_STEP.entity
    )

    def capabilities(self, contract: SourceContract) -> frozenset[Capability]:
        return frozenset()

    def canonicalise(self, contract: SourceContract, batch: LandedBatch) -> Iterator[tuple[str, pa.Table]]:
        codes = contract.petition.codes
        for part, places, raw in batch.batches(MOVES):
            chunk = Chunk(raw, contract.time_zone)
            chunk.take(PETITION_STEP.field("agency_name"), "den")
            yield PETITION_STEP.entity, chunk.table(PETITION_STEP, contract.source_id, part, places, ("ma", "id"))
        for part, places, raw in batch.batches(DESK):
            chunk = Chunk(raw, contract.time_zone)
            chunk.put("status", looked_up(chunk.text("trang_thai"), codes.status.get, _SMALL))
            chunk.take(PETITION.field("sent_at"), "gui")
            yield PETITION.entity, chunk.table(PETITION, contract.source_id, part, places, ("ma",))

    def unmapped_codes(self, contract: SourceContract, batch: LandedBatch) -> list[UnmappedCode]:
        codes = contract.petition.codes
        lists = column_words("status", "trang_thai", codes.status)
        lists += column_words("classification", "loai", codes.classification)
        return unmapped(count_unknown(contract, batch, {DESK: lists}))


def _small() -> Any:
    import polars as pl

    return pl.Int16


_SMALL = _small()
SYSTEM: System = Desk()


@dataclass
class Petitions:
    """A database of petitions, its contract, and what earlier loads left behind."""

    engine: sa.Engine
    url: str
    contract: SourceContract
    store: LandingStore
    marks: Mapping[str, Watermark] = field(default_factory=dict)
    loads: int = 0

    def run(self, *statements: str) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))

    def add(self, *keys: str, modified: str = "2026-10-01 08:00:00", status: str = "moi") -> None:
        for key in keys:
            self.run(
                f"INSERT INTO {DESK} VALUES ('{key}', 'hanh_vi', '{status}', '2026-10-01 07:00', '{modified}')",
                f"INSERT INTO {MOVES} VALUES (gen_random_uuid(), '{key}', 'Sở Y tế', '{modified}')",
            )

    def load(self, mode: LoadMode = LoadMode.INCREMENTAL, window: Window | None = None, **changes: Any) -> LandedBatch:
        self.loads += 1
        contract = changed(self.contract, **changes)
        writer = self.store.writer(contract.tenant, contract.source_id, self.loads, 1)
        url = SYSTEM.extract(contract, connection_to(self.url), writer, self.marks, mode, window)
        batch = self.store.open(url)
        batch.verify()
        self.marks = batch.manifest.facts.watermarks or self.marks
        return batch

    def canonical(self, batch: LandedBatch) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {entity: [] for entity in self.contract.kind.entity_names}
        for entity, table in SYSTEM.canonicalise(self.contract, batch):
            found[entity] += table.to_pylist()
        return found


@pytest.fixture
def desk(new_database: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Petitions]:
    monkeypatch.setitem(PROFILES, "opencps", {"petition": "nowhere"})
    path = tmp_path / "desk_h17.yaml"
    path.write_text(CONTRACT, encoding="utf-8")
    url = new_database("desk", "template0")
    engine = sa.create_engine(url)
    made = Petitions(engine, url, load_contract(path), LandingStore(str(tmp_path / "landing")))
    made.run(*DDL)
    yield made
    engine.dispose()


KEYS = ["PA-9", "PA-10", "b", "B", "Đ-1", "x y", "0"]


def keys_of(batch: LandedBatch, table: str = DESK, column: str = "ma") -> list[str]:
    return [row[column] for _, _, piece in batch.batches(table) for row in piece.to_pylist()]


def test_a_first_load_reads_all_pages_of_word_keys_with_their_children(desk: Petitions) -> None:
    desk.add(*KEYS)
    desk.run(f"INSERT INTO {MOVES} VALUES (gen_random_uuid(), NULL, 'đâu đó', '2026-10-01 08:00:00')")
    batch = desk.load()
    assert sorted(keys_of(batch)) == sorted(KEYS)
    assert sorted(filter(None, keys_of(batch, MOVES))) == sorted(KEYS)
    assert keys_of(batch, MOVES).count(None) == 1  # type: ignore[arg-type]
    rows = desk.canonical(batch)
    assert sorted(row["source_key"] for row in rows["petition"]) == sorted(KEYS)
    assert {row["status"] for row in rows["petition"]} == {1}
    assert {row["sent_at"] for row in rows["petition"]} == {datetime(2026, 10, 1, 0, 0, tzinfo=UTC)}
    assert all(row["child_key"] for row in rows["petition_step"])
    assert "child_key" not in rows["petition"][0]


def test_nothing_new_reads_the_overlap_and_a_late_row_is_found_by_its_modification(desk: Petitions) -> None:
    desk.add(*KEYS)
    desk.add("old", modified="2026-01-01 08:00:00")
    desk.load()
    assert desk.marks[DESK].last_key in {*KEYS, "old"}
    assert sorted(keys_of(desk.load())) == sorted(KEYS)
    desk.run(f"UPDATE {DESK} SET trang_thai = 'tra_loi', sua = '2026-10-02 08:00:00' WHERE ma = 'old'")
    desk.add("a new one", modified="2026-10-02 08:00:00")
    assert sorted(keys_of(desk.load())) == sorted([*KEYS, "old", "a new one"])


def test_a_change_of_a_child_reads_its_petition_whole(desk: Petitions) -> None:
    desk.add("old", "other", modified="2026-01-01 08:00:00")
    desk.add("new")
    desk.load()
    desk.run(f"UPDATE {MOVES} SET sua = '2026-10-01 09:00:00' WHERE ma = 'old'")
    batch = desk.load()
    assert sorted(keys_of(batch)) == ["new", "old"]
    assert sorted(keys_of(batch, MOVES)) == ["new", "old"]


def test_a_window_and_a_full_load_read_what_they_say(desk: Petitions) -> None:
    desk.add("old", modified="2026-01-01 08:00:00")
    desk.add("new")
    window = Window(datetime(2025, 12, 31, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    assert keys_of(desk.load(LoadMode.RANGE, window)) == ["old"]
    assert sorted(keys_of(desk.load(LoadMode.FULL))) == ["new", "old"]
    assert desk.marks == {}


def test_rows_that_are_gone_stop_the_load(desk: Petitions) -> None:
    desk.add(*(f"PA-{number}" for number in range(30)))
    desk.load()
    desk.run(f"DELETE FROM {DESK} WHERE ma <> 'PA-1'")
    with pytest.raises(CollapsedExtractError, match=DESK):
        desk.load()
    desk.run(f"DELETE FROM {DESK}")
    with pytest.raises(CollapsedExtractError, match="is empty"):
        desk.load()


def test_drift_is_told_by_the_declared_names(desk: Petitions) -> None:
    desk.run(f"ALTER TABLE {DESK} ADD COLUMN la text", f"ALTER TABLE {DESK} ADD COLUMN ghi_chu text")
    assert SYSTEM.check_schema(desk.contract, connection_to(desk.url)) == {DESK: ("la",)}
    desk.run(f"ALTER TABLE {DESK} RENAME trang_thai TO trang_thai_moi", f"DROP TABLE {AGENCIES}")
    with pytest.raises(SchemaDriftError) as caught:
        desk.load()
    assert f"column {DESK}.trang_thai (now perhaps trang_thai_moi)" in str(caught.value)
    assert f"table {AGENCIES}" in str(caught.value)
    ignoring = changed(desk.contract, ignore={AGENCIES: ("*",)})
    with pytest.raises(SchemaDriftError) as caught:
        SYSTEM.check_schema(ignoring, connection_to(desk.url))
    assert AGENCIES not in str(caught.value)


def test_words_without_a_code_are_counted_by_list(desk: Petitions) -> None:
    desk.add("a", "b", status="cho")
    desk.add("c")
    assert SYSTEM.unmapped_codes(desk.contract, desk.load()) == [UnmappedCode("status", "cho", 2)]


def test_a_look_and_a_sample_come_with_the_kit(desk: Petitions) -> None:
    desk.add(*KEYS)
    assert isinstance(SYSTEM, Look)
    assert isinstance(SYSTEM, Sample)
    sight = SYSTEM.look(desk.contract, connection_to(desk.url), lambda: datetime.now(UTC))
    assert {table.name: table.rows for table in sight.tables} == {DESK: 7, MOVES: 7, AGENCIES: 0}
    assert [amount for _, amount in sight.days] == [7]
    writer = desk.store.writer("H17", "desk_h17", 99, 1)
    batch = desk.store.open(SYSTEM.sample(desk.contract, connection_to(desk.url), writer, 4))
    assert len(set(keys_of(batch))) == 4


def test_what_a_system_does_not_implement_is_none_and_no_crash(desk: Petitions) -> None:
    desk.add("a")
    batch = desk.load()
    assert not isinstance(SYSTEM, Propose)
    assert listed_by(SYSTEM, batch) == []
    assert services_told(SYSTEM, desk.contract, batch) == []
