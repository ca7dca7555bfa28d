"""A dossier that comes again as it was has the fingerprint it had, and any difference gives another one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from lienthong.landing import LandedBatch, LandingStore, Sieve, fingerprints
from lienthong.landing import writer as writing
from lienthong.landing.fingerprints import fingerprints as fingerprints_of
from tests.landing.test_landing import FACTS

DOSSIER, FILE = "dossier", "file"
OWNERS = {DOSSIER: "id", FILE: "dossierId"}
SCHEMAS = {
    DOSSIER: pa.schema(
        [
            ("id", pa.int64()),
            ("no", pa.string()),
            ("name", pa.string()),
            ("modified", pa.timestamp("us")),
            ("day", pa.date32()),
            ("open", pa.bool_()),
            ("scan", pa.binary()),
        ]
    ),
    FILE: pa.schema([("dossierId", pa.int64()), ("key", pa.int64()), ("name", pa.string())]),
}
ONE = {
    "id": 1,
    "no": "H17.05-261012-0001",
    "name": "a",
    "modified": datetime(2026, 10, 12, 8),
    "day": date(2026, 10, 12),
    "open": True,
    "scan": b"\x00\xff",
}
TWO = ONE | {"id": 2, "no": "H17.05-261012-0002"}
FILES = [{"dossierId": 1, "key": key, "name": f"file {key}"} for key in (11, 12)] + [
    {"dossierId": 2, "key": 21, "name": "file 21"}
]


def land(
    dossiers: Sequence[Mapping[str, Any]] = (ONE, TWO), files: Sequence[Mapping[str, Any]] = FILES, **schemas: pa.Schema
) -> LandedBatch:
    store = LandingStore(f"memory://{uuid.uuid4()}")
    known = SCHEMAS | schemas
    with store.writer("H17", "opencps_h17", 12, 1) as writer:
        for table, rows in ((DOSSIER, dossiers), (FILE, files)):
            writer.declare(table, known[table])
            writer.write(table, pa.Table.from_pylist([dict(row) for row in rows], known[table]))
        return store.open(writer.commit(FACTS))


def prints(batch: LandedBatch, version: str = "1") -> dict[str | None, tuple[Any, ...]]:
    """owner → (low, high), (rows per table)."""
    found = fingerprints_of(batch, OWNERS, version)
    return {row["owner"]: (row["low"], row["high"]) for row in found.iter_rows(named=True)}


def test_the_same_rows_in_another_order_and_other_pieces_are_the_same_dossier(monkeypatch: pytest.MonkeyPatch) -> None:
    before = prints(land())
    monkeypatch.setattr(writing, "ROW_GROUP_ROWS", 1)
    monkeypatch.setattr(writing, "PART_BYTES", 1)
    monkeypatch.setattr(fingerprints, "_FOLD_ROWS", 1)
    monkeypatch.setattr(fingerprints, "_PARTS", 3)
    assert prints(land((TWO, ONE), FILES[::-1])) == before
    assert len(before) == 2
    assert before["1"] != before["2"]


@pytest.mark.parametrize(
    ("dossier", "files"),
    [
        pytest.param(ONE | {"name": "b"}, FILES, id="a text"),
        pytest.param(ONE | {"name": ""}, FILES, id="an empty text"),
        pytest.param(ONE | {"name": None}, FILES, id="no text"),
        pytest.param(ONE | {"no": ONE["name"], "name": ONE["no"]}, FILES, id="two texts in each other's place"),
        pytest.param(ONE | {"modified": datetime(2026, 10, 12, 8, 0, 0, 1)}, FILES, id="a microsecond"),
        pytest.param(ONE | {"day": date(2026, 10, 13)}, FILES, id="a day"),
        pytest.param(ONE | {"open": False}, FILES, id="a yes that became a no"),
        pytest.param(ONE | {"scan": b"\x00\xfe"}, FILES, id="a byte"),
        pytest.param(ONE, FILES[1:], id="a file that is gone"),
        pytest.param(ONE, [*FILES, FILES[0]], id="a file that came twice"),
        pytest.param(ONE, [*FILES, FILES[0], FILES[0]], id="a file that came three times"),
        pytest.param(ONE, [*FILES[1:], FILES[0] | {"key": 99}], id="a file under another key"),
        pytest.param(ONE, [*FILES[1:], FILES[0] | {"dossierId": 7}], id="a file of another dossier"),
    ],
)
def test_any_difference_is_another_fingerprint_of_that_dossier_alone(
    dossier: Mapping[str, Any], files: Sequence[Mapping[str, Any]]
) -> None:
    before, after = prints(land()), prints(land((dossier, TWO), files))
    assert after["1"] != before["1"]
    assert after["2"] == before["2"]


def test_no_two_texts_are_taken_for_each_other() -> None:
    names = ("a", "", None, "-", "0:", "1:a", ",", "\x00", "\x01", "x")
    assert len({prints(land((ONE | {"name": name}, TWO)))["1"] for name in names}) == len(names)
    pairs = (("a", "b,1:c"), ("a,1:b", "c"), ("a\x00b", "c"), ("a", "b\x00c"), ("a\x01b", "c"), ("", "-"), ("-", ""))
    assert len({prints(land((ONE | {"name": name, "no": no}, TWO)))["1"] for name, no in pairs}) == len(pairs)


def test_rows_that_swap_a_value_are_another_dossier() -> None:
    swapped = [FILES[0] | {"name": FILES[1]["name"]}, FILES[1] | {"name": FILES[0]["name"]}, FILES[2]]
    assert prints(land(files=swapped))["1"] != prints(land())["1"]


@pytest.mark.parametrize("half", [0, 1])
def test_each_half_of_a_fingerprint_tells_a_difference_by_itself(half: int) -> None:
    changes = [ONE | {"name": f"name {number}"} for number in range(200)]
    assert len({prints(land((dossier, TWO)))["1"][half] for dossier in changes}) == len(changes)
    files = [[*FILES[1:], FILES[0] | {"key": number}] for number in range(200)]
    assert len({prints(land(files=rows))["1"][half] for rows in files}) == len(files)


def test_another_version_or_another_set_of_columns_makes_every_fingerprint_new() -> None:
    before = prints(land())
    wider = pa.schema([*SCHEMAS[DOSSIER], ("new", pa.string())])
    for other in (prints(land(), version="2"), prints(land(dossier=wider))):
        assert not set(before.values()) & set(other.values())


def test_rows_are_counted_by_table_and_those_without_a_dossier_are_kept_apart() -> None:
    found = fingerprints_of(land((ONE, ONE, TWO), [*FILES, {"dossierId": None, "key": 5, "name": ""}]), OWNERS, "1")
    rows = {row["owner"]: (row[DOSSIER], row[FILE]) for row in found.iter_rows(named=True)}
    assert rows == {"1": (2, 2), "2": (1, 1), None: (0, 1)}
    assert found.schema["owner"] == pl.String


def test_a_batch_without_rows_or_tables_has_no_fingerprints() -> None:
    assert fingerprints_of(land((), ()), OWNERS, "1").is_empty()
    assert fingerprints_of(land(), {"elsewhere": "id"}, "1").is_empty()


@pytest.mark.parametrize("keeps", [True, False])
def test_a_sieve_reads_the_rows_of_some_owners_with_their_places_and_leaves_other_tables_alone(keeps: bool) -> None:
    files = [*FILES, {"dossierId": None, "key": 5, "name": ""}]
    listed = pl.Series(["2", None] if keeps else ["1"], dtype=pl.String)
    batch = land((ONE, TWO), files).through(Sieve({FILE: "dossierId"}, listed, keeps))
    read = [
        (part, place, key)
        for part, places, piece in batch.batches(FILE, ["key"])
        for place, key in zip(places.to_pylist(), piece.column("key").to_pylist(), strict=True)
    ]
    assert read == [(0, 2, 21), (0, 3, 5)]
    assert sum(piece.num_rows for _, _, piece in batch.batches(DOSSIER)) == 2


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("listed", [range(0), range(1), range(0, 3_000, 3), range(2_999, -1, -7)], ids=repr)
def test_a_sieve_finds_each_of_many_owners_and_no_other(listed: range, keeps: bool) -> None:
    sieve = Sieve({}, pl.Series([str(key) for key in listed], dtype=pl.String), keeps)
    asked = pa.array([*range(3_000), None], pa.int64())
    found = {key for key, read in zip(asked.to_pylist(), sieve.pick(asked).to_pylist(), strict=True) if read}
    assert found == (set(listed) if keeps else {*asked.to_pylist()} - set(listed))
