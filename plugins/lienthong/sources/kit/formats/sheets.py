"""Sheets that people fill in, CSV or XLSX, as rows of text below a header that is looked for by its labels."""

from __future__ import annotations

import codecs
import csv
import io
import unicodedata
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from lienthong.sources.kit.formats.garbled import GarbledError
from lienthong.sources.kit.formats.json_paths import decoded, word

if TYPE_CHECKING:
    import pandas as pd

MOST_BYTES = 32 << 20
#: Of an XLSX, unpacked; it is a zip of XML, and sheets of people pack to a tenth.
MOST_UNPACKED, MOST_PARTS = 256 << 20, 1_000
MOST_ROWS, MOST_COLUMNS = 200_000, 200
#: Rows above the header that may hold a title, a date, a note.
_HEADER_WITHIN = 30
_OLE = b"\xd0\xcf\x11\xe0"
_TEMPLATE = "use the template as it is: one row of headings, no merged cells"


@dataclass(frozen=True)
class Sheet:
    """Rows by canonical name of their column. `numbers`: the row of the sheet that each one stands in, from 1.

    `unknown`: headings that nobody expects; `missing`: labels that no heading has.
    """

    rows: tuple[dict[str, str | None], ...]
    numbers: tuple[int, ...]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]


def read_sheet(content: bytes, labels: Mapping[str, str], *, encoding: str = "", name: str = "") -> Sheet:
    """The rows below the header, from CSV or XLSX, whichever the content is.

    `labels`: heading as the template has it → name of the column; case, accents' form and spaces around don't matter.
    `encoding`: of a CSV that is neither UTF-8 nor marked as UTF-16. `name`: of the sheet in a workbook; else the first.
    GarbledError for what can't be read: a file in half, a zip bomb, a workbook with a password or of the old format, an
    unknown encoding, merged headings, headings that are not those of the template, a heading twice.
    """
    if len(content) > MOST_BYTES:
        raise GarbledError(f"a file of more than {MOST_BYTES >> 20} MiB")
    if content.startswith(_OLE):
        raise GarbledError("a workbook of the old format (.xls), or one with a password; save it as .xlsx without one")
    if content.startswith(b"PK"):
        cells, merged = _workbook(content, name)
    else:
        cells, merged = _csv(content, encoding), ()
    wanted = {_plain(label): column for label, column in labels.items()}
    at = _header(cells, wanted)
    _refuse_merged(merged, at)
    headings = [_plain(value) if value else "" for value in cells[at]]
    twice = sorted({heading for heading in headings if heading in wanted and headings.count(heading) > 1})
    if twice:
        raise GarbledError(f"the heading {twice[0]!r} twice; {_TEMPLATE}")
    columns = [wanted.get(heading) for heading in headings]
    rows, numbers = [], []
    for number, row in enumerate(cells[at + 1 :], start=at + 2):
        if any(value not in (None, "") for value in row):
            rows.append({column: value for column, value in zip(columns, row, strict=False) if column})
            numbers.append(number)
    unknown = tuple(str(value) for value, column in zip(cells[at], columns, strict=True) if value and not column)
    missing = tuple(label for label in labels if _plain(label) not in headings)
    return Sheet(tuple(rows), tuple(numbers), unknown, missing)


def _header(cells: list[list[str | None]], wanted: Mapping[str, str]) -> int:
    """The row with the most labels; at least half of them, or two."""
    if not cells:
        raise GarbledError("an empty sheet")
    found = [sum(1 for value in row if value and _plain(value) in wanted) for row in cells[:_HEADER_WITHIN]]
    best = max(range(len(found)), key=found.__getitem__)
    if found[best] < min(2, len(wanted)):
        raise GarbledError(f"no row with the headings of the template in the first {_HEADER_WITHIN}; {_TEMPLATE}")
    return best


def _refuse_merged(merged: tuple[tuple[int, int, str], ...], at: int) -> None:
    """Cells merged in the header's row would shift headings; above it stand titles."""
    for first, last, place in merged:
        if first - 1 <= at <= last - 1:
            raise GarbledError(f"merged headings at {place}; {_TEMPLATE}")


def _workbook(content: bytes, name: str) -> tuple[list[list[str | None]], tuple[tuple[int, int, str], ...]]:
    import pandas as pd

    _look_into(content)
    try:
        with pd.ExcelFile(io.BytesIO(content), engine="openpyxl", engine_kwargs={"read_only": False}) as file:
            sheet = name or str(file.sheet_names[0])
            if sheet not in file.sheet_names:
                raise GarbledError("a workbook without the sheet of the template")
            frame = file.parse(sheet, header=None, dtype=object, na_filter=False)
            ranges = file.book[sheet].merged_cells.ranges
            merged = tuple((int(area.min_row), int(area.max_row), str(area.coord)) for area in ranges)
    except GarbledError:
        raise
    except Exception as error:  # openpyxl raises anything for a part that is not what it should be
        raise GarbledError(f"not a workbook that can be read ({type(error).__name__}); save it anew") from None
    return _cells(frame), merged


def _look_into(content: bytes) -> None:
    """Whether the zip may be unpacked: bounded, whole, and without a document type in its XML."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            parts = file.infolist()
            if len(parts) > MOST_PARTS:
                raise GarbledError("a workbook of more parts than any has")
            if any(part.flag_bits & 1 for part in parts):
                raise GarbledError("a workbook with a password; save it without one")
            left = MOST_UNPACKED
            for part in parts:  # what the directory says of sizes is the file's own word
                with file.open(part) as unpacked:
                    text = unpacked.read(left + 1)
                left -= len(text)
                if left < 0:
                    raise GarbledError(f"a workbook that unpacks to more than {MOST_UNPACKED >> 20} MiB")
                if part.filename.endswith((".xml", ".rels")) and _has_doctype(text):
                    raise GarbledError("a workbook with a document type in its XML, which is refused")
    except GarbledError:
        raise
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError, NotImplementedError, ValueError):
        raise GarbledError("a workbook that is not whole; copy it again") from None
    except Exception as error:  # zlib.error and what else a torn stream raises
        raise GarbledError(f"a workbook that is not whole ({type(error).__name__}); copy it again") from None


def _has_doctype(text: bytes) -> bool:
    sign = "<!DOCTYPE"
    return any(sign.encode(encoding) in text for encoding in ("ascii", "utf-16-le", "utf-16-be"))


def _csv(content: bytes, encoding: str) -> list[list[str | None]]:
    import pandas as pd

    text = _text(content, encoding)
    if "\x00" in text:
        raise GarbledError("a file that is neither a workbook nor text")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max((";", ",", "\t"), key=lambda sign: max(line.count(sign) for line in [first, *text.split("\n")[:5]]))
    widths = [len(row) for row in _quoted(text, delimiter)]
    if not widths:
        return []
    if max(widths) > MOST_COLUMNS:
        raise GarbledError(f"a sheet of more than {MOST_COLUMNS} columns")
    if len(widths) > 1 and widths[-1] < widths[-2] and not text.endswith(("\n", "\r")):
        raise GarbledError("a CSV that ends in the middle of a row; copy it again")
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=delimiter,
            header=None,
            names=list(range(max(widths))),
            index_col=False,
            dtype=str,
            na_filter=False,
            skip_blank_lines=False,
            engine="python",
            quoting=csv.QUOTE_MINIMAL,
            nrows=MOST_ROWS + 1,
        )
    except Exception as error:  # pandas has no common class for what its parsers raise
        raise GarbledError(f"a CSV that is not whole ({type(error).__name__})") from None
    return _cells(frame)


def _quoted(text: str, delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error:
        raise GarbledError("a CSV that is not whole: a quotation mark that never ends") from None


def _text(content: bytes, encoding: str) -> str:
    if content.startswith(codecs.BOM_UTF8):
        return decoded(content, "utf-8-sig")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return decoded(content, "utf-16")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        if encoding:
            return decoded(content, encoding)
    raise GarbledError("a CSV that is not in UTF-8; save it as 'CSV UTF-8', or as a workbook")


def _cells(frame: pd.DataFrame) -> list[list[str | None]]:
    if frame.shape[0] > MOST_ROWS or frame.shape[1] > MOST_COLUMNS:
        raise GarbledError(f"a sheet of more than {MOST_ROWS} rows or {MOST_COLUMNS} columns")
    return [[_as_text(value) for value in row] for row in frame.itertuples(index=False, name=None)]


def _as_text(value: Any) -> str | None:
    """A cell as text; dates as `dd/MM/yyyy[ HH:mm:ss]`, as people write them."""
    if value is None or value != value:
        return None
    if isinstance(value, datetime):
        return f"{value:%d/%m/%Y}" if value.time() == time() else f"{value:%d/%m/%Y %H:%M:%S}"
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    text = word(value.item() if hasattr(value, "item") else value) if not isinstance(value, time) else f"{value:%H:%M}"
    return text.strip() if text is not None else None


def _plain(label: str) -> str:
    """As labels are compared: NFC, without case, and single spaces (line breaks too)."""
    return " ".join(unicodedata.normalize("NFC", label).casefold().split()).rstrip("*: ")


#: Reads one sheet of a dropped file.
ReadSheet = Callable[[bytes], Sheet]
