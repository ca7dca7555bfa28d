"""Fingerprints count only for the code that made records of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import lienthong
from lienthong.sources.making import making, making_of

PACKAGE = Path(lienthong.__file__).parent


def copy(folder: Path) -> Path:
    for module in ("landing", "model", "sources"):
        shutil.copytree(PACKAGE / module, folder / module, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_the_same_code_is_the_same_making_wherever_it_lies(tmp_path: Path) -> None:
    assert making_of(copy(tmp_path)) == making()


def test_any_change_of_the_code_that_makes_records_is_another_making(tmp_path: Path) -> None:
    changed = copy(tmp_path) / "sources" / "systems" / "opencps" / "canonical.py"
    changed.write_text(changed.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert making_of(tmp_path) != making()
