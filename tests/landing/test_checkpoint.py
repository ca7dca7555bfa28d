"""What a killed extraction leaves behind, and who may go on from it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from lienthong.landing import Checkpoint, LandingStore

LOAD = ("H21", "igate_h21", 5)


def checkpoint(folder: Path, fence: int, plan: str = "all") -> Checkpoint:
    return LandingStore(str(folder)).writer(*LOAD, fence).checkpoint(plan)


def rows(*numbers: int) -> pa.Table:
    return pa.table({"n": list(numbers)})


def read(found: Checkpoint, kind: str = "items", first: int = 0) -> list[int]:
    return [number for piece in found.read(kind, first=first) for number in piece["n"].to_pylist()]


def test_the_next_try_goes_on_from_what_was_saved(tmp_path: Path) -> None:
    first = checkpoint(tmp_path, 1)
    assert not first.note
    first.add("items", rows(1, 2))
    first.save({"page": 1})
    first.add("items", rows(3))
    second = checkpoint(tmp_path, 2)
    assert (second.note, read(second)) == ({"page": 1}, [1, 2])
    second.add("items", rows(4))
    second.add("papers", rows(9))
    second.save({"page": 2})
    third = checkpoint(tmp_path, 3)
    assert (third.note, read(third), read(third, "papers")) == ({"page": 2}, [1, 2, 4], [9])
    assert (third.pieces("items"), read(third, first=1)) == (2, [4])


def test_a_copy_that_was_taken_over_does_not_disturb_its_successor(tmp_path: Path) -> None:
    old = checkpoint(tmp_path, 1)
    old.add("items", rows(1))
    old.save({"page": 1})
    new = checkpoint(tmp_path, 2)
    new.add("items", rows(2))
    new.save({"page": 2})
    old.add("items", rows(7))
    old.save({"page": 9})
    assert read(new) == [1, 2]
    assert (checkpoint(tmp_path, 3).note, read(checkpoint(tmp_path, 3))) == ({"page": 2}, [1, 2])


def test_another_plan_starts_anew(tmp_path: Path) -> None:
    first = checkpoint(tmp_path, 1)
    first.add("items", rows(1))
    first.save({"page": 1})
    other = checkpoint(tmp_path, 2, "a window")
    assert (other.note, read(other)) == ({}, [])


def test_a_reading_that_is_to_begin_anew_leaves_no_row_to_the_next_try(tmp_path: Path) -> None:
    first = checkpoint(tmp_path, 1)
    first.add("items", rows(1))
    first.save({"page": 1})
    first.restart()
    second = checkpoint(tmp_path, 2)
    assert (second.note, read(second)) == ({}, [])


def test_a_note_that_is_torn_or_whose_pieces_are_gone_is_passed_over(tmp_path: Path) -> None:
    first = checkpoint(tmp_path, 1)
    first.add("items", rows(1))
    first.save({"page": 1})
    second = checkpoint(tmp_path, 2)
    second.add("items", rows(2))
    second.save({"page": 2})
    third = checkpoint(tmp_path, 3)
    third.save({"page": 3})
    folder = tmp_path / "H21/igate_h21/5/progress"
    (folder / "p3.json").write_text('{"plan": "al')
    (folder / "items-2-000000.parquet").unlink()
    assert checkpoint(tmp_path, 4).note == {"page": 1}


def test_progress_goes_once_the_load_has_been_extracted(tmp_path: Path) -> None:
    first = checkpoint(tmp_path, 1)
    first.add("items", rows(1))
    first.save({"page": 1})
    store = LandingStore(str(tmp_path))
    store.writer(*LOAD, 2).discard()
    assert list(tmp_path.rglob("items-*")), "a try that failed leaves it to the next"
    store.discard_uncommitted(*LOAD, before_fence=3)
    assert not list(tmp_path.rglob("progress"))
