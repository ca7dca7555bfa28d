"""Dropped files are read when they stand still, whole, and nothing but files of the folder is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest

from lienthong.connections import Connection
from lienthong.model.errors import ContractError, SourceAnswerError, SourceUnreachableError
from lienthong.sources.kit.files import DroppedFile, Folder
from lienthong.sources.kit.files.folder import fingerprint
from tests.sources.igate import contract_of


def connection(url: str) -> Connection:
    return Connection("src_folder", "fs", extra={"url": url})


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "nộp hồ sơ"
    place.mkdir()
    return place


def folder(place: Path, sleep: Callable[[float], None] = lambda seconds: None) -> Folder:
    return Folder(contract_of(), connection(place.as_uri().replace("%20", " ")), 7, sleep=sleep)


def names(files: list[DroppedFile]) -> list[str]:
    return [file.name for file in files]


@pytest.fixture(autouse=True)
def decoded_url(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths with Vietnamese names, as people type them."""
    monkeypatch.setattr(Path, "as_uri", lambda self: f"file://{self}")


def test_only_whole_files_of_the_folder_itself_are_listed(place: Path) -> None:
    for name in ("b.xlsx", "a.CSV", "~$b.xlsx", ".hidden.csv", "c.csv.part", "note.txt"):
        (place / name).write_text("x")
    (place / "inner").mkdir()
    (place / "inner" / "d.csv").write_text("x")
    (place / "link.csv").symlink_to("/etc/passwd")
    assert names(folder(place).files(["*.csv", "*.xlsx"])) == ["a.CSV", "b.xlsx"]


def test_a_file_that_is_still_growing_waits_for_the_next_load(place: Path) -> None:
    (place / "done.csv").write_text("x")
    (place / "empty.csv").write_text("")
    growing = place / "growing.csv"
    growing.write_text("x")
    gone = place / "gone.csv"
    gone.write_text("x")

    def meanwhile(seconds: float) -> None:
        growing.write_text("xx")
        gone.unlink()

    there = folder(place, meanwhile)
    still, moving = there.settled(there.files())
    assert names(still) == ["done.csv"]
    assert names(moving) == ["empty.csv", "gone.csv", "growing.csv"]


def test_a_file_that_changes_while_it_is_read_is_not_read(place: Path) -> None:
    path = place / "Nguyễn Thị Hoa.csv"
    path.write_text("x" * 10)
    there = folder(place)
    [file] = there.files()
    assert there.read(file) == b"x" * 10
    path.write_text("x" * 5)
    with pytest.raises(SourceAnswerError, match="still being written") as caught:
        there.read(file)
    assert "Hoa" not in str(caught.value)
    path.unlink()
    with pytest.raises(SourceUnreachableError, match="not there"):
        there.read(file)


def test_a_file_that_was_replaced_by_one_of_the_same_size_is_noticed(place: Path) -> None:
    path = place / "a[1].csv"
    path.write_text("old")
    there = folder(place)
    [file] = there.files()
    path.write_text("new")
    os.utime(path, (1, 1))
    with pytest.raises(SourceAnswerError, match="still being written"):
        there.read(file)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(place: Path) -> None:
    path = place / "large.csv"
    with path.open("wb") as file:
        file.truncate(3 << 20)
    there = folder(place)
    with pytest.raises(SourceAnswerError, match="larger than 2 MiB"):
        there.read(there.files()[0], most_bytes=2 << 20)


def test_a_folder_that_is_not_there_is_told_with_what_to_check(place: Path) -> None:
    with pytest.raises(SourceUnreachableError, match="share is mounted") as caught:
        folder(place / "nowhere").files()
    assert "source igate_h21" in str(caught.value)


@pytest.mark.parametrize("url", ["", "/srv/x", "nosuch://x/y"])
def test_a_connection_without_a_folder_is_a_contract_error(url: str) -> None:
    with pytest.raises(ContractError, match="src_folder"):
        Folder(contract_of(), connection(url))


def test_a_bucket_is_read_as_a_folder_is() -> None:
    bucket = fsspec.filesystem("memory")
    bucket.pipe("/bucket/in/a.csv", b"x")
    there = Folder(contract_of(), connection("memory://bucket/in"), sleep=lambda seconds: None)
    [file] = there.files(["*.csv"])
    assert there.read(file) == b"x"
    assert there.settled([file]) == ([file], [])


def test_the_same_content_is_the_same_file_under_any_name() -> None:
    assert fingerprint(b"x") == fingerprint(b"x") != fingerprint(b"y")
