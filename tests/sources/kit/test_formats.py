"""Content of others is read in bounded time and space, or refused in words that help; it is never quoted."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from openpyxl import Workbook

from lienthong.sources.kit.formats.garbled import GarbledError
from lienthong.sources.kit.formats.hardened_xml import parse_xml, text_of
from lienthong.sources.kit.formats.json_paths import decode_json, find, word
from lienthong.sources.kit.formats.sheets import Sheet, read_sheet

SECRET = "Nguyễn Thị Hoa"


def complaint(read: Callable[[], object]) -> str:
    began = time.monotonic()
    with pytest.raises(GarbledError) as caught:
        read()
    assert time.monotonic() - began < 10
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_values_are_found_by_path_and_told_as_columns_hold_them() -> None:
    body = decode_json(b'\xef\xbb\xbf{"a": {"b": 1.0, "c": true, "d": [{"l": 1}, {"l": 228, "n": "x"}]}}')
    assert word(find(body, ("a", "b"))) == "1"
    assert word(find(body, ("a", "c"))) == "true"
    assert find(body, ("a", "d", "n")) is None
    assert find(body, ("a", "d", "n"), lambda some: next(one for one in some if one["l"] == 228)) == "x"
    assert find(body, ("a", "nowhere", "n")) is None
    assert word({"x": SECRET}) == f'{{"x":"{SECRET}"}}'


def test_broken_json_is_told_by_its_size() -> None:
    assert "broken JSON of 26 bytes" in complaint(lambda: decode_json(f'{{"x": "{SECRET}"'.encode()))
    assert "broken JSON" in complaint(lambda: decode_json(b"[" * 100_000))


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "{"&a;" if n == 0 else f"&a{n - 1};" * 10}">' for n in range(12))
    + "]><x>&a11;</x>"
)
HOSTILE = {
    "bomb": (BOMB.encode(), "a document type"),
    "a file of ours": (b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', "a document type"),
    "a remote type": (b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><x/>', "a document type"),
    "undeclared entity": (b"<x>&e;</x>", "broken XML at line 1"),
    "deep": (b"<x>" * 100_000, "deeper than 100 levels"),
    "torn": (f"<x><name>{SECRET}</na".encode(), "broken XML"),
    "not XML": (f"{SECRET}".encode(), "broken XML"),
    "HTML": (f"<!DOCTYPE html><html>{SECRET}</html>".encode(), "a document type"),
    "unknown encoding": (b'<?xml version="1.0" encoding="martian"?><x/>', "XML"),
    "wrong encoding": (b"<x>\xc3(</x>", "broken XML"),
    "nothing": (b"", "broken XML"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_xml_is_refused_at_once(name: str) -> None:
    content, words = HOSTILE[name]
    assert words in complaint(lambda: parse_xml(content))


def test_xml_with_more_elements_than_any_answer_is_refused() -> None:
    assert "more elements" in complaint(lambda: parse_xml(b"<x>" + b"<y/>" * 20 + b"</x>", most_elements=20))


def test_good_xml_is_read_with_its_namespaces_texts_and_attributes() -> None:
    text = f'<a xmlns="urn:x" xmlns:y="urn:y"><name y:k="1"> {SECRET} </name><b>1 &lt; 2</b></a>'
    for content in (text.encode(), ('<?xml version="1.0" encoding="utf-16"?>' + text).encode("utf-16")):
        root = parse_xml(content)
        assert root.tag == "{urn:x}a"
        assert text_of(root, "{urn:x}name") == SECRET
        assert text_of(root, "{urn:x}b") == "1 < 2"
        assert root[0].attrib == {"{urn:y}k": "1"}
        assert text_of(root, "{urn:x}nowhere") is None


LABELS = {"Mã hồ sơ": "code", "Họ và tên": "name", "Ngày nhận": "received", "Số điện thoại": "phone"}
ROWS: list[list[Any]] = [["H17-1", SECRET, date(2026, 10, 1), "0905123456"], ["H17-2", "An", None, 905]]
READ = (
    {"code": "H17-1", "name": SECRET, "received": "01/10/2026", "phone": "0905123456"},
    {"code": "H17-2", "name": "An", "received": None, "phone": "905"},
)


def workbook(rows: list[list[Any]], change: Callable[[Any], None] = lambda sheet: None) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    change(book.active)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def filled(sheet: Sheet) -> tuple[dict[str, str | None], ...]:
    return tuple({column: value or None for column, value in row.items()} for row in sheet.rows)


def test_a_workbook_is_read_below_its_headings_wherever_they_stand() -> None:
    title = [["DANH SÁCH HỒ SƠ"], ["Tháng 10/2026"], []]
    content = workbook(
        [*title, [*LABELS, "Ghi chú"], *ROWS, [], ["H17-3", "Bình"]], lambda sheet: sheet.merge_cells("A1:D1")
    )
    sheet = read_sheet(content, LABELS)
    assert filled(sheet)[:2] == READ
    assert filled(sheet)[2] == {"code": "H17-3", "name": "Bình", "received": None, "phone": None}
    assert sheet.numbers == (5, 6, 8)
    assert sheet.unknown == ("Ghi chú",)
    assert sheet.missing == ()


def csv_of(delimiter: str = ",") -> str:
    rows = [list(LABELS), ["H17-1", f'"{SECRET}"', "01/10/2026", "0905123456"], ["H17-2", "An", "", "905"]]
    return "\r\n".join(delimiter.join(row) for row in rows) + "\r\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_csv_is_read_whatever_excel_made_of_it(delimiter: str, encoding: str) -> None:
    assert filled(read_sheet(csv_of(delimiter).encode(encoding), LABELS)) == READ


def test_a_csv_in_another_encoding_is_read_where_the_contract_says_which() -> None:
    content = csv_of().replace(SECRET, "Hoa é").replace("Mã hồ sơ", "Ma").replace("Họ và tên", "Ten")
    content = content.replace("Ngày nhận", "Ngay").replace("Số điện thoại", "So")
    labels = {"Ma": "code", "Ten": "name", "Ngay": "received", "So": "phone"}
    written = content.encode("cp1258")
    assert filled(read_sheet(written, labels, encoding="cp1258"))[0]["name"] == "Hoa é"
    assert "not in UTF-8" in complaint(lambda: read_sheet(written, labels))
    assert "encoding that nobody knows" in complaint(lambda: read_sheet(written, labels, encoding="martian"))


def test_headings_are_known_in_any_case_form_and_with_stars() -> None:
    import unicodedata

    rows = [[unicodedata.normalize("NFD", "MÃ HỒ SƠ *"), " họ  và\ntên", "Ngày nhận:", "Số điện thoại"], *ROWS]
    assert filled(read_sheet(workbook(rows), LABELS)) == READ


def test_a_heading_that_is_missing_is_told_and_one_that_is_twice_is_refused() -> None:
    short = workbook([list(LABELS)[:3], *(row[:3] for row in ROWS)])
    assert read_sheet(short, LABELS).missing == ("Số điện thoại",)
    twice = workbook([[*LABELS, "Mã hồ sơ"], *ROWS])
    assert "twice" in complaint(lambda: read_sheet(twice, LABELS))


def bomb() -> bytes:
    """Ten kilobytes that are a gigabyte of spaces in a sheet."""
    good = workbook([list(LABELS), *ROWS])
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            with new.open(part.filename, "w") as out:
                if part.filename.endswith("sheet1.xml"):
                    for _ in range(300):
                        out.write(b" " * (1 << 20))
                out.write(old.read(part))
    return file.getvalue()


def with_doctype() -> bytes:
    good = workbook([list(LABELS), *ROWS])
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as old, zipfile.ZipFile(file, "w") as new:
        for part in old.infolist():
            text = old.read(part)
            if part.filename.endswith("sheet1.xml"):
                text = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + text
            new.writestr(part.filename, text)
    return file.getvalue()


def many_parts() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as new:
        for number in range(1_001):
            new.writestr(str(number), b"")
    return file.getvalue()


GOOD = workbook([list(LABELS), *ROWS])
BAD_SHEETS: dict[str, tuple[bytes, str]] = {
    "zip bomb": (bomb(), "unpacks to more than 256 MiB"),
    "document type": (with_doctype(), "a document type"),
    "many parts": (many_parts(), "more parts"),
    "half a workbook": (GOOD[: len(GOOD) // 2], "not whole"),
    "a workbook torn inside": (GOOD[:2000] + b"\x00" * 500 + GOOD[2500:], "not whole"),
    "a zip of something else": (many_parts()[:0] or b"PK\x05\x06" + b"\x00" * 18, "not a workbook"),
    "old format or password": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 512, "old format"),
    "merged headings": (
        workbook(
            [["Mã hồ sơ", "Họ và tên", "", ""], ["", "", "Ngày nhận", "x"], *ROWS],
            lambda sheet: sheet.merge_cells("B1:D1"),
        ),
        "merged headings at B1:D1",
    ),
    "headings over two rows": (
        workbook([["Mã hồ sơ", "Họ và tên", "Ngày nhận"], ["", "", ""], *ROWS], lambda s: s.merge_cells("A1:A2")),
        "merged headings at A1:A2",
    ),
    "another form": (workbook([["STT", "Nội dung"], [1, SECRET]]), "no row with the headings of the template"),
    "empty workbook": (workbook([]), "sheet"),
    "empty file": (b"", "empty sheet"),
    "half a CSV": (csv_of().encode()[:-9], "in the middle of a row"),
    "an open quotation mark": (csv_of().replace(f'{SECRET}"', SECRET).encode(), "not whole"),
    "not text": (b"\x00\x01\x02" * 50, "neither a workbook nor text"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "UTF-8"),
    "too wide": (("," * 400 + "\n").encode() + csv_of().encode(), "200 columns"),
}


@pytest.mark.parametrize("name", BAD_SHEETS)
def test_a_bad_sheet_is_refused_in_words_that_help(name: str) -> None:
    content, words = BAD_SHEETS[name]
    assert words in complaint(lambda: read_sheet(content, LABELS))


def test_a_workbook_without_the_sheet_that_is_asked_for_is_refused() -> None:
    assert "without the sheet" in complaint(lambda: read_sheet(GOOD, LABELS, name="Hồ sơ"))


def test_times_of_day_and_moments_are_written_as_people_do() -> None:
    rows = [["H17-1", "An", datetime(2026, 10, 1, 8, 30), 5.0]]
    [row] = read_sheet(workbook([list(LABELS), *rows]), LABELS).rows
    assert row["received"] == "01/10/2026 08:30:00"
    assert row["phone"] == "5"
