"""Files that no list should be, as people and machines make them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from enum import StrEnum

import xlsxwriter

from simulator.sheets.drop import SHEET, Rows, content
from simulator.sheets.rows import HEADS

#: Bytes that the sheet of a zip bomb unfolds to.
BOMB_BYTES = 512 * 1024**2


class Spoiled(StrEnum):
    """One way in which a file is no good."""

    HALF_XLSX = "half_xlsx"  # the copying stopped in the middle
    HALF_CSV = "half_csv"
    UNKNOWN_ENCODING = "unknown_encoding"  # a CSV in the Vietnamese code page of the nineties
    UTF16_CSV = "utf16_csv"
    MERGED_HEADS = "merged_heads"  # two rows of heads, joined over groups of columns
    ZIP_BOMB = "zip_bomb"
    XML_BOMB = "xml_bomb"  # entities in the sheet that unfold without end
    NOT_A_WORKBOOK = "not_a_workbook"  # a web page under the name of one
    EMPTY = "empty"
    NO_HEADS = "no_heads"
    UNKNOWN_COLUMN = "unknown_column"
    MISSING_COLUMN = "missing_column"
    TWICE_THE_COLUMN = "twice_the_column"
    DUPLICATE_ROWS = "duplicate_rows"  # five rows stand there twice
    TWO_VERSIONS = "two_versions"  # a code with two different rows


def spoiled(kind: Spoiled, rows: Rows) -> tuple[str, bytes]:
    """A name that fits, and the bytes."""
    return _MAKERS[kind](rows)


def _half(name: str) -> Callable[[Rows], tuple[str, bytes]]:
    def made(rows: Rows) -> tuple[str, bytes]:
        whole = content(name, rows)
        return name, whole[: len(whole) // 2]

    return made


def _recoded(encoding: str) -> Callable[[Rows], tuple[str, bytes]]:
    def made(rows: Rows) -> tuple[str, bytes]:
        return "ho-so.csv", content("x.csv", rows).decode("utf-8-sig").encode(encoding, "replace")

    return made


def _merged(rows: Rows) -> tuple[str, bytes]:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet(SHEET)
        for first, last, group in ((0, 3, "Hồ sơ"), (4, 9, "Chủ hồ sơ"), (10, 13, "Nội dung"), (14, 19, "Ngày")):
            sheet.merge_range(0, first, 0, last, group)
        for place, cells in enumerate(rows, start=1):
            for column, cell in enumerate(cells):
                if isinstance(cell, str):
                    sheet.write_string(place, column, cell)
    return "ho-so.xlsx", made.getvalue()


def _with_sheet(sheet: bytes, rows: Rows) -> bytes:
    """A workbook whose sheet is other XML."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content("x.xlsx", rows))) as good,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bad,
    ):
        for entry in good.infolist():
            bad.writestr(entry.filename, sheet if entry.filename.endswith("sheet1.xml") else good.read(entry))
    return made.getvalue()


def _zip_bomb(rows: Rows) -> tuple[str, bytes]:
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content("x.xlsx", rows))) as good,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bad,
    ):
        for entry in good.infolist():
            if not entry.filename.endswith("sheet1.xml"):
                bad.writestr(entry.filename, good.read(entry))
                continue
            with bad.open(entry.filename, "w") as sheet:
                for _ in range(BOMB_BYTES // 1024**2):
                    sheet.write(b" " * 1024**2)
    return "ho-so.xlsx", made.getvalue()


def _xml_bomb(rows: Rows) -> tuple[str, bytes]:
    levels = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(9))
    sheet = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">{levels}]><worksheet>&a9;</worksheet>'
    return "ho-so.xlsx", _with_sheet(sheet.encode(), rows)


def _other(name: str, change: Callable[[list[str], Rows], tuple[list[str], Rows]]) -> Callable[..., tuple[str, bytes]]:
    def made(rows: Rows) -> tuple[str, bytes]:
        heads, changed = change(list(HEADS), rows)
        return name, content(name, changed, heads)

    return made


def _without(heads: list[str], rows: Rows) -> tuple[list[str], Rows]:
    place = heads.index("Trạng thái")
    return heads[:place] + heads[place + 1 :], [[*cells[:place], *cells[place + 1 :]] for cells in rows]


def _two_versions(heads: list[str], rows: Rows) -> tuple[list[str], Rows]:
    other = list(rows[0])
    other[heads.index("Đơn vị xử lý")] = "Một cách viết khác"
    return heads, [*rows, other]


_MAKERS: dict[Spoiled, Callable[[Rows], tuple[str, bytes]]] = {
    Spoiled.HALF_XLSX: _half("ho-so.xlsx"),
    Spoiled.HALF_CSV: _half("ho-so.csv"),
    Spoiled.UNKNOWN_ENCODING: _recoded("cp1258"),
    Spoiled.UTF16_CSV: _recoded("utf-16"),
    Spoiled.MERGED_HEADS: _merged,
    Spoiled.ZIP_BOMB: _zip_bomb,
    Spoiled.XML_BOMB: _xml_bomb,
    Spoiled.NOT_A_WORKBOOK: lambda _: (
        "ho-so.xlsx",
        b"<html><body>Phi\xc3\xaan l\xc3\xa0m vi\xe1\xbb\x87c</body></html>",
    ),
    Spoiled.EMPTY: lambda _: ("ho-so.xlsx", b""),
    Spoiled.NO_HEADS: _other("ho-so.xlsx", lambda heads, rows: ([""] * len(heads), rows)),
    Spoiled.UNKNOWN_COLUMN: _other(
        "ho-so.xlsx", lambda heads, rows: ([*heads, "Ghi chú riêng"], [[*cells, "x"] for cells in rows])
    ),
    Spoiled.MISSING_COLUMN: _other("ho-so.xlsx", _without),
    Spoiled.TWICE_THE_COLUMN: _other(
        "ho-so.xlsx", lambda heads, rows: ([*heads, "Trạng thái"], [[*cells, "Đang xử lý"] for cells in rows])
    ),
    Spoiled.DUPLICATE_ROWS: _other("ho-so.xlsx", lambda heads, rows: (heads, [*rows, *rows[:5]])),
    Spoiled.TWO_VERSIONS: _other("ho-so.xlsx", _two_versions),
}
