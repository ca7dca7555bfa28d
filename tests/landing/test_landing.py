"""Landing: a batch is whole, unchanged and written once, or there is no batch."""

from __future__ import annotations

import os
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fsspec import AbstractFileSystem

from lienthong.landing import BatchFacts, LandingStore, Watermark
from lienthong.landing import writer as writing
from lienthong.landing.files import write_once
from lienthong.model.codes import LoadMode
from lienthong.model.errors import LandingCorruptError, LoadStateError

COLUMNS: list[tuple[str, pa.DataType]] = [
    ("dossierId", pa.int64()),
    ("dossierNo", pa.string()),
    ("modifiedDate", pa.timestamp("us")),
]
SCHEMA = pa.schema(COLUMNS)
FACTS = BatchFacts(
    mode=LoadMode.INCREMENTAL,
    observed_at=datetime(2026, 10, 12, 1, 2, 3, tzinfo=UTC),
    contract_hash="c" * 64,
    codes_hash="d" * 64,
    watermarks={"opencps_dossier": Watermark("opencps_dossier", datetime(2026, 10, 12, tzinfo=UTC), 7, 3)},
    unmapped_columns={"opencps_dossier": ("newColumn",)},
)


def rows(first: int, count: int) -> pa.RecordBatch:
    keys = list(range(first, first + count))
    return pa.record_batch(
        [
            pa.array(keys, pa.int64()),
            pa.array([f"H17.05-261012-{key:04d}" for key in keys]),
            pa.array([None] * count, pa.timestamp("us")),
        ],
        schema=SCHEMA,
    )


def land(store: LandingStore, *batches: pa.RecordBatch, fence: int = 1) -> str:
    with store.writer("H17", "opencps_h17", 12, fence) as writer:
        writer.declare("opencps_dossier", SCHEMA)
        writer.declare("opencps_paymentfile", pa.schema([("paymentFileId", pa.int64())]))
        for batch in batches:
            writer.write("opencps_dossier", batch)
        return writer.commit(FACTS)


def files_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> LandingStore:
    return LandingStore(f"memory://{uuid.uuid4()}" if request.param == "memory" else (tmp_path / "landing").as_uri())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "landing"


def test_what_was_written_is_read_back_with_its_facts(store: LandingStore) -> None:
    batch = store.open(land(store, rows(0, 3), rows(3, 4)))
    batch.verify()
    assert batch.manifest.facts == FACTS
    assert (batch.manifest.tenant, batch.manifest.source_id, batch.manifest.load_id) == ("H17", "opencps_h17", 12)
    assert batch.tables == ("opencps_dossier", "opencps_paymentfile")
    assert batch.manifest.tables["opencps_dossier"].columns[2] == ("modifiedDate", "timestamp[us]")
    assert pa.Table.from_batches([piece for _, _, piece in batch.batches("opencps_dossier")]).equals(
        pa.Table.from_batches([rows(0, 7)])
    )


def test_a_table_without_rows_is_declared_in_the_manifest(store: LandingStore) -> None:
    batch = store.open(land(store))
    assert batch.manifest.tables["opencps_paymentfile"].rows == 0
    assert list(batch.batches("opencps_paymentfile")) == []


def test_every_row_can_be_found_by_part_and_row(store: LandingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "ROW_GROUP_ROWS", 4)
    monkeypatch.setattr(writing, "PART_BYTES", 1)
    batch = store.open(land(store, *(rows(first, 3) for first in range(0, 30, 3))))
    assert len(batch.manifest.tables["opencps_dossier"].files) > 2
    read = list(batch.batches("opencps_dossier", ["dossierId"], rows=4))
    assert max(piece.num_rows for _, _, piece in read) <= 4
    found: dict[tuple[int, int], Any] = {
        (part, place): key
        for part, places, piece in read
        for place, key in zip(places.to_pylist(), piece.column(0).to_pylist(), strict=True)
    }
    assert sorted(found.values()) == list(range(30))
    assert [found[key] for key in sorted(found)] == list(range(30))


def test_rows_wait_in_memory_for_one_row_group_at_most(store: LandingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "ROW_GROUP_ROWS", 10)
    with store.writer("H17", "opencps_h17", 12, 1) as writer:
        writer.declare("opencps_dossier", SCHEMA)
        for first in range(0, 100, 3):
            writer.write("opencps_dossier", rows(first, 3))
            assert sum(state.waiting_rows for state in writer._tables.values()) < 10


def test_a_manifest_is_never_overwritten(store: LandingStore) -> None:
    url = land(store, rows(0, 3))
    with pytest.raises(LoadStateError, match="opencps_h17"):
        land(store, rows(0, 9))
    batch = store.open(url)
    batch.verify()
    assert batch.manifest.tables["opencps_dossier"].rows == 3


def test_two_copies_of_one_attempt_can_not_both_commit(store: LandingStore) -> None:
    first = store.writer("H17", "opencps_h17", 12, 1)
    second = store.writer("H17", "opencps_h17", 12, 1)
    first.commit(FACTS)
    with pytest.raises(LoadStateError, match="already has a manifest"):
        second.commit(replace(FACTS, codes_hash="e" * 64))


def test_an_attempt_without_a_manifest_leaves_nothing(folder: Path) -> None:
    with LandingStore(str(folder)).writer("H17", "opencps_h17", 12, 1) as writer:
        writer.declare("opencps_dossier", SCHEMA)
        writer.write("opencps_dossier", rows(0, 20_000))
        assert files_of(folder) == ["opencps_dossier-00000.parquet.partial"]
    assert files_of(folder) == []


def test_the_manifest_is_written_last(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there: list[list[str]] = []

    def note(fs: AbstractFileSystem, path: str, text: str) -> None:
        there.append(files_of(folder))
        write_once(fs, path, text)

    monkeypatch.setattr(writing, "write_once", note)
    land(LandingStore(str(folder)), rows(0, 3))
    assert there == [["opencps_dossier-00000.parquet"]]
    assert files_of(folder) == ["manifest.json", "opencps_dossier-00000.parquet"]


def test_older_attempts_that_died_are_removed_and_committed_ones_stay(folder: Path) -> None:
    store = LandingStore(str(folder))
    store.writer("H17", "opencps_h17", 12, 1).declare("opencps_dossier", SCHEMA)
    kept = land(store, rows(0, 1), fence=2)
    store.writer("H17", "opencps_h17", 12, 3)
    assert store.discard_uncommitted("H17", "opencps_h17", 12, before_fence=3) == 1
    store.open(kept).verify()
    assert sorted(path.name for path in (folder / "H17/opencps_h17/12").iterdir()) == ["a2", "a3"]


def test_a_local_landing_area_is_for_its_owner_only(folder: Path) -> None:
    land(LandingStore(str(folder)), rows(0, 1))
    assert folder.stat().st_mode & 0o077 == 0


def parquet_in(folder: Path) -> Path:
    return next(folder.rglob("opencps_dossier-00000.parquet"))


def test_a_truncated_file_is_named_with_source_load_and_next_step(folder: Path) -> None:
    store = LandingStore(str(folder))
    url = land(store, rows(0, 50))
    path = parquet_in(folder)
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(LandingCorruptError) as caught:
        store.open(url).verify()
    assert "opencps_h17" in str(caught.value)
    assert "load 12" in str(caught.value)
    assert "opencps_dossier-00000.parquet" in str(caught.value)
    assert "Next: restore" in str(caught.value)
    with pytest.raises(LandingCorruptError, match="can't be read"):
        list(store.open(url).batches("opencps_dossier"))


def test_an_altered_or_missing_file_is_noticed(folder: Path) -> None:
    store = LandingStore(str(folder))
    url = land(store, rows(0, 50))
    path = parquet_in(folder)
    content = bytearray(path.read_bytes())
    content[10] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(LandingCorruptError, match="was altered"):
        store.open(url).verify()
    path.unlink()
    with pytest.raises(LandingCorruptError, match="is missing"):
        store.open(url).verify()


def test_a_missing_or_garbled_manifest_is_noticed(folder: Path) -> None:
    store = LandingStore(str(folder))
    url = land(store, rows(0, 1))
    manifest = next(folder.rglob("manifest.json"))
    text = manifest.read_text()
    manifest.write_text(text[: len(text) // 2])
    with pytest.raises(LandingCorruptError, match=r"source opencps_h17, load 12.*can't be understood"):
        store.open(url)
    manifest.unlink()
    with pytest.raises(LandingCorruptError, match="is missing"):
        store.open(url)
