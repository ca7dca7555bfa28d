"""Writes the unit's whole list as one file, again and again: each file is the list as it stands then."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Sequence
from typing import Any

import fsspec
import xlsxwriter

from simulator import sectors
from simulator.changes import Change
from simulator.sheets.rows import HEADS, Cell, row, text
from simulator.world import World

Rows = Sequence[Sequence[Cell]]
#: The template has its name of the sheet, its title and the heads below it.
SHEET, TITLE = "Hồ sơ", "DANH SÁCH HỒ SƠ THỦ TỤC HÀNH CHÍNH"


class SheetDrop:
    """One unit's folder, on any fsspec URL: `SheetDrop(world, folder).drop("thang-10.xlsx")`."""

    def __init__(self, world: World, folder: str, source_id: str = "sheet_h21") -> None:
        self.world, self.source_id, self.folder = world, source_id, folder
        self.lock = threading.RLock()
        self._files, self._root = fsspec.core.url_to_fs(folder)
        self._files.makedirs(self._root, exist_ok=True)

    def rows(self) -> list[tuple[Cell, ...]]:
        """Every dossier of the unit, as its list has it."""
        with self.lock:
            return [row(self.world.facts(plan)) for plan in self.world.held[self.source_id]]

    def drop(self, name: str, rows: Rows | None = None, heads: Sequence[str] = HEADS) -> str:
        """Put the list (or `rows`) into the folder; the ending says which form. Returns the file's path."""
        return self.put(name, content(name, self.rows() if rows is None else rows, heads))

    def put(self, name: str, made: bytes) -> str:
        """Put any bytes into the folder, in one step."""
        path = f"{self._root}/{name}"
        with self._files.open(f"{path}.part", "wb") as file:
            file.write(made)
        self._files.mv(f"{path}.part", path)
        return path

    def names(self) -> list[str]:
        return sorted(path.rsplit("/", 1)[-1] for path in self._files.ls(self._root, detail=False))

    def remove(self, name: str) -> None:
        self._files.rm(f"{self._root}/{name}")

    def rename(self, name: str, other: str) -> None:
        self._files.mv(f"{self._root}/{name}", f"{self._root}/{other}")

    def advance(self, seed: int, changes: int = 20, at: int = 0) -> list[Change]:
        """A day passes at the unit (`sectors.advance`), and the list is dropped anew."""
        with self.lock:
            made = sectors.advance(self.world, self.source_id, seed, changes, at)
            self.drop(f"ho-so-{self.world.moves[self.source_id]:04d}.xlsx")
        return made

    def service(self) -> dict[str, Any]:
        """Where to find it."""
        return {"url": self.folder}


def content(name: str, rows: Rows, heads: Sequence[str] = HEADS) -> bytes:
    """The bytes of a list as .xlsx or .csv (UTF-8 with the mark that Excel writes)."""
    if name.endswith(".csv"):
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow(heads)
        writer.writerows([text(cell) for cell in cells] for cells in rows)
        return buffer.getvalue().encode("utf-8-sig")
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet(SHEET)
        dates = book.add_format({"num_format": "dd/mm/yyyy hh:mm:ss"})
        sheet.write_string(0, 0, TITLE)
        for column, head in enumerate(heads):
            sheet.write_string(1, column, head)
        for place, cells in enumerate(rows, start=2):
            for column, cell in enumerate(cells):
                if isinstance(cell, str):
                    sheet.write_string(place, column, cell)
                elif cell is not None:
                    sheet.write_datetime(place, column, cell, dates)
        book.add_worksheet("Hướng dẫn").write_string(0, 0, "Mỗi dòng là một hồ sơ.")
    return made.getvalue()
