"""What the commands print of a running world: Vietnamese for people, with --json one document for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from lienthong.cli import app
from lienthong.cli.summary import print_deliveries
from lienthong.model.numbers import grouped
from lienthong.pipeline.runtime import Runtime
from lienthong.views.labels import DELIVERY_COLUMNS
from tests.pipeline.conftest import running
from tests.world import MONTH, Live


@pytest.fixture(scope="module")
def typed(request: pytest.FixtureRequest, small_loaded_warehouse: str) -> Iterator[Live]:
    """The loaded world, with the command line pointed at it; one for all tests here."""
    world = running(request, warehouse_template=small_loaded_warehouse, small=True)
    with world as live, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(Runtime, "from_environment", classmethod(lambda _: live.rt))
        monkeypatch.setenv("COLUMNS", "100")
        yield live


def output(*words: str) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == 0, done.exception
    return done.output


def test_load_prints_its_rows_by_outcome_and_says_when_nothing_was_new(typed: Live) -> None:
    told = output("load", "opencps_h17")
    [(load_id, read)] = typed.rows(
        "SELECT load_id, extracted FROM ops.load_count WHERE tenant = 'H17' AND entity = 'dossier'"
        " ORDER BY load_id DESC LIMIT 1"
    )
    assert f"Nguồn opencps_h17 (H17), lần nạp {load_id}" in told
    [dossiers] = [line for line in told.splitlines() if line.startswith("Hồ sơ")]
    assert dossiers.split()[2] == str(read)
    assert "Không có gì mới" in told
    assert "{" not in told


def test_push_prints_what_was_sent_and_where_the_province_stands(typed: Live) -> None:
    first = output("push", "H17")
    [(delivered,)] = typed.rows(
        "SELECT count(*) FROM exchange.delivery WHERE tenant = 'H17' AND state = 'acknowledged'"
    )
    assert f"Đã gửi {delivered} hồ sơ ({delivered} mới, 0 cập nhật)" in first
    [row] = [line for line in first.splitlines() if line.startswith("H17 ") and ":" not in line]
    assert row.split()[1] == str(delivered)
    assert "H26" not in first
    again = output("push", "H17")
    assert "H17: 0 hồ sơ có thay đổi" in again
    assert "Đã gửi 0 hồ sơ" in again


def test_dossiers_loaded_since_the_last_push_are_told_as_still_to_be_looked_at(typed: Live) -> None:
    from rich.console import Console

    console = Console(record=True, width=80, force_terminal=False)
    print_deliveries(typed.rt, console, "H26")
    [(dossiers,)] = typed.rows("SELECT count(*) FROM dossier.dossier WHERE tenant = 'H26'")
    assert f"H26: {dossiers} hồ sơ mới nạp, lần gửi tới sẽ xét." in console.export_text()


def test_a_push_of_a_province_that_is_only_observed_says_that_nothing_is_sent(typed: Live) -> None:
    contract = typed.settings.sources / "opencps_h26.yaml"
    contract.write_text(contract.read_text(encoding="utf-8").replace("mode: own", "mode: observe"), encoding="utf-8")
    told = output("push", "H26")
    assert "Không gửi gì: chưa có nguồn nào của tỉnh ở chế độ own." in told
    [(dossiers,)] = typed.rows("SELECT count(*) FROM dossier.dossier WHERE tenant = 'H26'")
    assert f"0 chờ tiếp nhận, {dossiers} chỉ theo dõi" in told
    [row] = [line.split() for line in told.splitlines() if line.split()[:1] == ["H26"]]
    columns = dict(zip(DELIVERY_COLUMNS, row[1:], strict=False))
    assert {name.replace("\n", " "): int(number) for name, number in columns.items() if number != "0"} == {
        "Chỉ theo dõi": dossiers
    }


def test_catalogue_prints_how_much_is_listed_and_how_much_changed(typed: Live) -> None:
    told = output("catalogue")
    [(procedures,)] = typed.rows("SELECT count(*) FROM registry.procedure WHERE NOT vanished")
    assert f"{grouped(procedures)} thủ tục (0 mới hoặc thay đổi, 0 không còn)" in told


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("load", "opencps_h17"), "counts"),
        (("push", "H17"), "derived"),
        (("catalogue",), "procedures"),
        (("score", MONTH), "units"),
        (("shadow", "H17", "--limit", "1", "--show", "1"), "verdicts"),
        (("adopt", "H17", "--accept-presence"), "undecided"),
        (("contracts",), "usable"),
        (("freshness",), "open"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_with_json_a_command_prints_one_document(typed: Live, words: tuple[str, ...], key: str) -> None:
    assert key in json.loads(output(*words, "--json"))


def test_score_prints_the_provinces_and_three_sentences_and_where_the_rest_is(typed: Live) -> None:
    told = output("score", MONTH)
    table = told[told.index("Hạng") :]
    assert "Hà Nội" in table
    assert "dẫn đầu với" in table
    assert re.search(r"\(XLSX\): \S+bo-chi-so-766_2026-10_tam-tinh\.xlsx", table)
    assert "Sở, ban, ngành" not in table
    assert "Đà Nẵng – Sở, ban, ngành" in output("score", MONTH, "--all-units")


def test_score_as_json_is_one_document_with_every_unit(typed: Live) -> None:
    document = json.loads(output("score", MONTH, "--json"))
    [(units,)] = typed.rows("SELECT count(*) FROM registry.agency WHERE listed AND tenant IN ('H17', 'H26')")
    assert len(document["units"]) == units
    assert {unit["idle"] for unit in document["units"]} == {True, False}
    assert document["reports"]["workbook"].endswith(".xlsx")
