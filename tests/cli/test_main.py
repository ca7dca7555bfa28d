"""The entry point: whatever goes wrong, a terminal shows sentences, not a traceback with somebody's data."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

from lienthong.cli import main
from lienthong.pipeline.runtime import Runtime

NAME = "Nguyễn Thị Hoa, 048190001234"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """`lienthong status`, which meets an error that nobody foresaw; the folder for what it leaves behind."""

    def broken() -> Runtime:
        try:
            raise KeyError(NAME)
        except KeyError as error:
            logging.getLogger("some.library").warning("went wrong \x1b[2J", exc_info=True)
            raise RuntimeError(f"{NAME} \x1b[2J") from error

    monkeypatch.setattr(Runtime, "from_environment", broken)
    monkeypatch.setattr(sys, "argv", ["lienthong", "status"])
    monkeypatch.setenv("LIENTHONG_VAR", str(tmp_path))
    return tmp_path


def test_an_error_that_nobody_foresaw_is_one_sentence_and_a_traceback_without_values(
    typed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    shown = capsys.readouterr()
    [kept] = (typed / "errors").iterdir()
    assert shown.out == ""
    [sentence] = [line for line in shown.err.splitlines() if line.startswith("Lỗi: Lỗi của chương trình.")]
    assert str(kept) in sentence
    assert "RuntimeError at status.py:" in shown.err
    written = kept.read_text(encoding="utf-8")
    assert "RuntimeError" in written
    assert "KeyError" in written
    assert "in broken" in written
    for told in (shown.err, written):
        assert "Nguyễn" not in told
        assert "0481" not in told
        assert "\x1b" not in told


def test_where_no_file_can_be_written_the_traceback_without_values_is_shown(
    typed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (typed / "file").touch()
    monkeypatch.setenv("LIENTHONG_VAR", str(typed / "file"))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert "kèm các dòng dưới đây" in told
    assert "in broken" in told
    assert "Nguyễn" not in told


def test_an_error_of_ours_is_told_without_what_could_change_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["lienthong", "score", "2026-\x1b[2J\u202e"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert told.startswith("Lỗi: Tham số không hợp lệ.")
    assert not [one for one in told if not one.isprintable() and one != "\n"]
