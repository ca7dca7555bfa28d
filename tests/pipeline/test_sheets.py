"""A unit without a system: its dropped list end to end, and every way in which a file can be no good."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from lienthong.cli import app
from lienthong.model.errors import CollapsedExtractError, LienThongError, SchemaDriftError, SourceAnswerError
from lienthong.model.kinds.dossier import DOSSIER
from lienthong.onboarding.check import check
from lienthong.sources.systems.sheet.template import LABELS, workbook
from simulator.sheets import SheetDrop, Spoiled, spoiled
from simulator.sheets.rows import HEADS
from tests.pipeline.sectors import running_unit
from tests.pipeline.test_truth import wire_text
from tests.world import Live

SOURCE = "sheet_h21"
pytestmark = pytest.mark.xdist_group("sheets")
Unit = tuple[Live, SheetDrop]


@pytest.fixture(scope="module")
def shared(request: pytest.FixtureRequest) -> Iterator[Unit]:
    """The list loaded once and pushed."""
    with running_unit(request) as (live, unit):
        live.sync_catalogue()
        unit.drop("ho-so.xlsx")
        live.load(SOURCE)
        live.push("H21")
        yield live, unit


@pytest.fixture
def loaded(shared: Unit) -> Unit:
    """The same, with only the good list in the folder when the test begins."""
    _clear(shared[1])
    shared[1].drop("ho-so.xlsx")
    return shared


def _clear(unit: SheetDrop) -> None:
    for name in unit.names():
        unit.remove(name)


def later(unit: SheetDrop, name: str, seconds: int) -> None:
    """Let a file be so many seconds newer than it is."""
    path = Path(unit.folder.removeprefix("file://")) / name
    moment = path.stat().st_mtime + seconds
    os.utime(path, (moment, moment))


def believed(live: Live) -> list[tuple[Any, ...]]:
    return live.rows("SELECT source_key, record_hash FROM dossier.source_record WHERE source_id = :s", s=SOURCE)


def test_the_warehouse_believes_the_list_field_by_field_and_the_portal_gets_it(shared: Unit) -> None:
    live, _ = shared
    fields = [field for field in DOSSIER.fields if field.wire and field.name != "database_codes"]
    columns = ", ".join(f"{'p' if field.personal else 'r'}.{field.name}" for field in fields)
    rows = live.rows(
        f"SELECT r.source_key, {columns} FROM dossier.source_record r "
        "JOIN dossier.person p USING (tenant, source_id, source_key) WHERE r.source_id = :source",
        source=SOURCE,
    )
    told = {row[0]: {f.wire: wire_text(v, f.type) for f, v in zip(fields, row[1:], strict=True)} for row in rows}
    entries = list(live.world.ledger(SOURCE))
    wrong = {
        entry.code: {name: (true, told[entry.code][name]) for name, true in entry.truth.items()}
        for entry in entries
        if any(told[entry.code].get(name) != true for name, true in entry.truth.items())  # type: ignore[index]
    }
    assert wrong == {}
    assert len(entries) == 24
    for entry in entries:
        stored = live.portal.store.dossier(entry.code or "")
        assert stored is not None
        assert all(stored.body.get(name, "") == true for name, true in entry.truth.items()), entry.code


def test_a_csv_says_the_same_and_a_file_renamed_or_dropped_twice_changes_nothing(loaded: Unit) -> None:
    live, unit = loaded
    before = believed(live)
    for act in (
        lambda: unit.drop("ho-so.csv"),
        lambda: unit.drop("ho-so-lan-2.xlsx"),
        lambda: unit.rename("ho-so-lan-2.xlsx", "danh-sach-cuoi-cung.xlsx"),
    ):
        act()
        counts = live.load(SOURCE)["dossier"]
        assert (counts["inserted"], counts["updated"], counts["extracted"]) == (0, 0, len(before))
    assert believed(live) == before


def test_a_row_that_is_gone_from_the_next_list_is_noticed_by_a_full_load_and_stays_believed(loaded: Unit) -> None:
    live, unit = loaded
    before, rows = believed(live), unit.rows()
    unit.drop("ho-so-moi.xlsx", rows[1:])
    live.load(SOURCE, mode="full")
    assert live.rows("SELECT source_key FROM dossier.vanished WHERE source_id = :s", s=SOURCE) == [(rows[0][0],)]
    assert believed(live) == before
    unit.drop("ho-so-lai.xlsx", rows)
    live.load(SOURCE, mode="full")
    assert live.rows("SELECT 1 FROM dossier.vanished") == []


def test_a_changed_row_is_an_update_and_a_new_row_a_dossier(request: pytest.FixtureRequest) -> None:
    with running_unit(request) as (live, unit):
        live.sync_catalogue()
        unit.drop("ho-so-0000.xlsx")
        live.load(SOURCE)
        changed = {change.dossier_id for change in unit.advance(5, 8)}
        counts = live.load(SOURCE)["dossier"]
        assert counts["inserted"] == 4
        assert counts["inserted"] + counts["updated"] == len(changed)


ERRORS: dict[Spoiled, tuple[type[LienThongError], str]] = {
    Spoiled.HALF_XLSX: (SourceAnswerError, "not whole"),
    Spoiled.HALF_CSV: (SourceAnswerError, "middle of a row|not whole"),
    Spoiled.UNKNOWN_ENCODING: (SourceAnswerError, "not in UTF-8"),
    Spoiled.MERGED_HEADS: (SourceAnswerError, "headings"),
    Spoiled.ZIP_BOMB: (SourceAnswerError, "unpacks to more than"),
    Spoiled.XML_BOMB: (SourceAnswerError, "document type"),
    Spoiled.NOT_A_WORKBOOK: (SourceAnswerError, "headings|empty"),
    Spoiled.EMPTY: (SourceAnswerError, "empty"),
    Spoiled.NO_HEADS: (SourceAnswerError, "headings"),
    Spoiled.TWICE_THE_COLUMN: (SourceAnswerError, "twice"),
    Spoiled.MISSING_COLUMN: (SchemaDriftError, "status_raw"),
}


@pytest.mark.parametrize("kind", list(ERRORS))
def test_a_file_that_is_no_good_is_one_clear_error_and_the_list_before_stays(loaded: Unit, kind: Spoiled) -> None:
    live, unit = loaded
    before = believed(live)
    name, made = spoiled(kind, unit.rows())
    unit.put(f"xem-{name}", made)
    later(unit, f"xem-{name}", 60)
    error, words = ERRORS[kind]
    with pytest.raises(error, match=words) as failed:
        live.load(SOURCE)
    assert SOURCE in str(failed.value)
    assert not [row for row in unit.rows() if str(row[4]) in str(failed.value)]
    assert believed(live) == before


def test_an_unknown_column_is_a_finding_and_the_rest_is_loaded(loaded: Unit) -> None:
    live, unit = loaded
    unit.put("xem.xlsx", spoiled(Spoiled.UNKNOWN_COLUMN, unit.rows())[1])
    live.load(SOURCE)
    names = [name for (name,) in live.rows("SELECT name FROM ops.finding WHERE kind = 'column'")]
    assert len(names) == 1
    assert names[0].startswith("dossier.")


def test_rows_written_twice_count_once_and_two_versions_are_a_finding(loaded: Unit) -> None:
    live, unit = loaded
    before = len(believed(live))
    unit.put("lap.xlsx", spoiled(Spoiled.DUPLICATE_ROWS, unit.rows())[1])
    counts = live.load(SOURCE)["dossier"]
    assert (counts["extracted"], counts["duplicate"]) == (before + 5, 5)
    assert live.rows("SELECT 1 FROM ops.finding WHERE kind = 'written_twice'") == []
    unit.put("lap-2.xlsx", spoiled(Spoiled.TWO_VERSIONS, unit.rows())[1])
    live.load(SOURCE)
    assert live.rows("SELECT seen FROM ops.finding WHERE kind = 'written_twice'") == [(1,)]
    assert len(believed(live)) == before


def test_a_utf16_csv_is_read(loaded: Unit) -> None:
    live, unit = loaded
    live.load(SOURCE)
    before = believed(live)
    unit.put("excel.csv", spoiled(Spoiled.UTF16_CSV, unit.rows())[1])
    live.load(SOURCE)
    assert believed(live) == before


def test_a_list_that_lost_most_of_its_rows_is_not_believed(loaded: Unit) -> None:
    live, unit = loaded
    before = believed(live)
    unit.drop("it.xlsx", unit.rows()[:2])
    with pytest.raises(CollapsedExtractError):
        live.load(SOURCE, mode="full")
    assert believed(live) == before


def test_a_folder_without_a_list_is_one_clear_error(loaded: Unit) -> None:
    live, unit = loaded
    _clear(unit)
    with pytest.raises(SourceAnswerError, match="no list"):
        live.load(SOURCE)


def test_the_template_has_the_heads_that_units_fill_in_and_reads_as_an_empty_list(loaded: Unit, tmp_path: Path) -> None:
    target = tmp_path / "mau.xlsx"
    done = CliRunner().invoke(app, ["source", "template", str(target)])
    assert done.exit_code == 0, done.output
    assert target.read_bytes()
    book = openpyxl.load_workbook(io.BytesIO(workbook()))
    sheet = book["Hồ sơ"]
    assert tuple(cell.value for cell in sheet[2]) == HEADS == tuple(LABELS)
    lists = {str(rule.sqref).rstrip("0123456789"): rule.formula1 for rule in sheet.data_validations.dataValidation}
    assert len(lists) == 4
    assert "Đang xử lý" in "".join(lists.values())
    assert "Hướng dẫn" in book.sheetnames


def test_a_check_looks_at_the_dropped_list(loaded: Unit) -> None:
    told: list[str] = []
    report = check(loaded[0].rt, SOURCE, 20, lambda line: told.append(f"{line.level.mark} {line.text}"))
    assert report.ok, told
