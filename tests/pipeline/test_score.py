"""Scores of the simulated month, checked against what the portal's store really holds."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import openpyxl
import pytest
from rich.console import Console
from typer.testing import CliRunner

from lienthong.cli import app
from lienthong.cli.errors import error_lines
from lienthong.indices import ScoreTable, scores
from lienthong.indices.table import UnitKind, UnitScore
from lienthong.model.errors import BusyError, FinalScoreExistsError, LienThongError
from lienthong.pipeline.failures import failure_of
from lienthong.pipeline.runtime import Runtime
from lienthong.pipeline.score import chosen_month, publish, score
from lienthong.views.labels import DELIVERY_COLUMNS
from tests.world import MONTH, PROVINCES, Live

pytestmark = pytest.mark.xdist_group("truth")  # one world, `delivered`


@pytest.fixture(scope="module")
def scored(delivered: Live) -> tuple[Live, int]:
    """Both provinces loaded and pushed, the month scored: once for this module, which only reads."""
    delivered.clock += timedelta(hours=1)  # a score knows what the portal took up to its own instant
    return delivered, score(delivered.rt, MONTH, "the-month")


@pytest.fixture
def table(scored: tuple[Live, int]) -> ScoreTable:
    live, run_id = scored
    return scores(live.engine, run_id)


def province(table: ScoreTable, tenant: str) -> UnitScore:
    return next(unit for unit in table.provinces if unit.agency_code == tenant)


@pytest.mark.parametrize("tenant", PROVINCES)
def test_synced_dossiers_are_those_the_portal_holds_with_a_reception_in_the_month(
    scored: tuple[Live, int], table: ScoreTable, tenant: str
) -> None:
    live, _ = scored
    month = MONTH.replace("-", "")
    held = [stored for stored in live.portal.store.dossiers(tenant) if stored.body["NgayTiepNhan"].startswith(month)]
    sync = province(table, tenant).components["1.4"]
    assert sync.numerator == len(held)
    assert sync.denominator is not None
    assert sync.denominator > len(held), "blocked and refused dossiers were received as well"
    assert "TEMP_NATIONAL_REPORT_DENOMINATOR" in sync.flags


@pytest.mark.parametrize("tenant", PROVINCES)
def test_online_dossiers_are_counted_among_those_received_in_the_month(
    scored: tuple[Live, int], table: ScoreTable, tenant: str
) -> None:
    live, _ = scored
    [(received,)] = live.rows(
        "SELECT count(*) FROM dossier.dossier d JOIN dossier.source_record r USING (tenant, source_id, source_key) "
        "WHERE d.tenant = :tenant AND to_char(r.received_at AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM') = :month",
        tenant=tenant,
        month=MONTH,
    )
    online = province(table, tenant).components["3.3"]
    assert online.denominator == received
    assert online.numerator is not None
    assert 0 < online.numerator < received


def test_what_no_source_feeds_has_no_score_and_is_not_zero(table: ScoreTable) -> None:
    unfed = {"1.1", "1.2", "1.3", "5.2", "5.3"}
    for unit in table.units:
        assert {id_ for id_ in unfed if unit.components[id_].score is not None} == set()
        assert unit.available < Decimal(100)


def test_a_total_is_the_sum_of_its_rounded_components(table: ScoreTable) -> None:
    for unit in table.units:
        known = [component.score for component in unit.components.values() if component.score is not None]
        assert unit.total == sum(known, Decimal(0))


def test_departments_and_communes_of_both_provinces_are_ranked_but_for_idle_ones(table: ScoreTable) -> None:
    assert [unit.rank for unit in table.provinces] == [1, 2]
    for tenant in PROVINCES:
        for kind, least in ((UnitKind.DEPARTMENT, 10), (UnitKind.COMMUNE, 20)):
            units = table.units_of(tenant, kind)
            assert len(units) >= least
            assert {unit.rank is None for unit in units if unit.idle} <= {True}
            busy = {unit.agency_code: unit.percent for unit in units if not unit.idle}
            assert len(set(busy.values())) > 1, "else there is nothing to rank"
            assert {unit.agency_code: unit.rank for unit in units if not unit.idle} == {
                code: 1 + sum(other > percent for other in busy.values()) for code, percent in busy.items()
            }


def test_the_same_run_scored_again_is_the_same_run(scored: tuple[Live, int]) -> None:
    live, run_id = scored
    assert score(live.rt, MONTH, "the-month") == run_id
    assert live.rows("SELECT count(*) FROM indices.score_run") == [(1,)]


@pytest.mark.parametrize(
    ("month", "final", "chosen"),
    [(None, False, "2026-11"), (None, True, "2026-10"), ("2026-09", False, "2026-09")],
)
def test_without_a_month_a_provisional_run_takes_the_running_one_and_a_final_run_the_one_just_ended(
    month: str | None, final: bool, chosen: str
) -> None:
    midnight_in_hanoi = datetime(2026, 10, 31, 17, tzinfo=UTC)
    assert str(chosen_month(month, final, midnight_in_hanoi)) == chosen


def test_another_run_over_the_same_data_gives_the_same_scores(scored: tuple[Live, int], table: ScoreTable) -> None:
    live, _ = scored
    again = scores(live.engine, score(live.rt, MONTH, "once-more"))
    assert [(unit.agency_code, unit.total) for unit in again.units] == [
        (unit.agency_code, unit.total) for unit in table.units
    ]
    with live.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM indices.score_run WHERE run_key = 'once-more'")


def test_publishing_writes_a_workbook_with_a_sheet_per_province_and_the_quarantine_report(
    scored: tuple[Live, int],
) -> None:
    live, run_id = scored
    paths = {name: Path(path) for name, path in publish(live.rt, run_id).items()}
    sheets = openpyxl.load_workbook(paths["workbook"]).sheetnames
    assert any("Đà Nẵng" in name for name in sheets)
    assert any("Hà Nội" in name for name in sheets)
    page = paths["quarantine"].read_text(encoding="utf-8")
    people = [entry.truth["ChuHoSo"] for entry in live.world.ledger("H17") if entry.truth]
    assert not [name for name in people if name and name in page]


@pytest.fixture
def after_the_month(scored: tuple[Live, int], monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """The world on the third of November; scores made in it are forgotten afterwards."""
    live, _ = scored
    monkeypatch.setattr(Runtime, "from_environment", classmethod(lambda _: live.rt))
    monkeypatch.setenv("COLUMNS", "100")
    before, live.clock = live.clock, datetime(2026, 11, 3, 2, tzinfo=UTC)
    yield live
    live.clock = before
    with live.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM indices.final_score")
        connection.exec_driver_sql("DELETE FROM indices.score_run WHERE run_key <> 'the-month'")
    for workbook in live.rt.settings.reports.glob("*_chinh-thuc.xlsx"):
        workbook.unlink()


def finals(live: Live) -> dict[str, str]:
    """Name and hash of every final workbook."""
    return {
        path.name: sha256(path.read_bytes()).hexdigest() for path in live.rt.settings.reports.glob("*_chinh-thuc.xlsx")
    }


def test_a_published_final_score_is_kept_and_a_second_one_is_told_when_the_first_was_made(
    after_the_month: Live,
) -> None:
    live = after_the_month
    first = CliRunner().invoke(app, ["score", MONTH, "--final"])
    assert first.exit_code == 0, first.exception
    published = finals(live)
    assert list(published) == [f"bo-chi-so-766_{MONTH}_chinh-thuc.xlsx"]
    live.clock += timedelta(days=2)
    second = CliRunner().invoke(app, ["score", MONTH, "--final"])
    assert isinstance(second.exception, FinalScoreExistsError)
    what, detail = error_lines(failure_of(second.exception))
    assert what.startswith("Lỗi: Tháng đã có điểm chính thức, không chấm lại và không thay tệp đã công bố. Việc cần")
    assert "made on 03/11/2026 09:00 by cli__score" in detail
    assert f"`lienthong score {MONTH}`" in detail
    assert finals(live) == published
    assert live.rows("SELECT count(*) FROM indices.score_run WHERE kind = 'final'") == [(1,)]
    lost = live.rt.settings.reports / f"bo-chi-so-766_{MONTH}_chinh-thuc.xlsx"
    lost.unlink()
    again = CliRunner().invoke(app, ["score", MONTH, "--final", "--again"])
    assert again.exit_code == 0, again.exception
    assert finals(live) == published, "a lost workbook is written again as it was"
    assert CliRunner().invoke(app, ["score", MONTH]).exit_code == 0, "provisional scores stay repeatable"


def test_a_final_score_that_was_cut_off_before_its_workbook_is_finished_by_whoever_comes_next(
    after_the_month: Live,
) -> None:
    live = after_the_month
    run_id = score(live.rt, MONTH, "index_scores_final/october", final=True)
    assert finals(live) == {}
    live.clock += timedelta(days=2)
    assert score(live.rt, MONTH, "index_scores_final/october", final=True) == run_id, "the same run, tried again"
    assert score(live.rt, MONTH, "by-hand", final=True) == run_id, "another run finishes what nobody has seen"
    publish(live.rt, run_id)
    published = finals(live)
    assert len(published) == 1
    assert score(live.rt, MONTH, "index_scores_final/october", final=True) == run_id, "a cleared run"
    publish(live.rt, run_id)
    assert finals(live) == published
    with pytest.raises(FinalScoreExistsError):
        score(live.rt, MONTH, "by-hand", final=True)


def test_a_final_run_that_is_not_the_months_own_never_reaches_the_workbook(
    after_the_month: Live,
) -> None:
    live = after_the_month
    publish(live.rt, score(live.rt, MONTH, "first", final=True))
    published = finals(live)
    with live.engine.begin() as connection:
        stray = connection.exec_driver_sql(
            "INSERT INTO indices.score_run (run_key, definition_hash, month, kind, as_of, computed_at, tenants, loads) "
            "SELECT 'stray', definition_hash, month, kind, as_of, computed_at, '{}', loads FROM indices.score_run "
            "WHERE run_key = 'first' RETURNING run_id"
        ).scalar_one()
    with pytest.raises(FinalScoreExistsError, match="by first"):
        publish(live.rt, stray)
    assert finals(live) == published


def test_of_two_final_runs_at_once_one_is_the_months_score(after_the_month: Live) -> None:
    live = after_the_month
    made: list[int] = []
    told: list[LienThongError] = []

    def one(key: str) -> None:
        try:
            made.append(score(live.rt, MONTH, key, final=True))
        except LienThongError as error:
            told.append(error)

    threads = [threading.Thread(target=one, args=(key,)) for key in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 1
    assert {type(error) for error in told} <= {BusyError, FinalScoreExistsError}
    assert live.rows("SELECT count(*) FROM indices.score_run WHERE kind = 'final'") == [(1,)]


def test_the_summary_tells_loads_deliveries_and_scores_in_vietnamese(scored: tuple[Live, int]) -> None:
    from lienthong.cli.summary import print_summary

    live, run_id = scored
    console = Console(record=True, width=80, force_terminal=False)
    print_summary(live.rt, console, run_id=run_id, reports={"workbook": "x.xlsx"}, logs="logs")
    text = console.export_text()
    for words in ("Nguồn opencps_h17", "Trích", "Cách", "đồng", "bị chặn vì", "Đà Nẵng", "Chưa có dữ liệu"):
        assert words in text, words
    [(delivered,)] = live.rows("SELECT count(*) FROM exchange.delivery WHERE tenant = 'H17' AND state = 'acknowledged'")
    assert str(delivered) in text
    assert "…" not in text, "nothing is cut off in 80 columns"
    scores_told = text[text.index("BỘ CHỈ SỐ") : text.index("Xem tiếp ở đâu")]
    assert max(len(line) for line in scores_told.splitlines()) <= 80
    assert "dẫn đầu với" in scores_told
    assert "Việc nên làm trước" in scores_told
    assert "Bảng điểm đầy đủ, từng sở, từng xã, từng thành phần (XLSX): x.xlsx" in text


@pytest.mark.parametrize("tenant", PROVINCES)
def test_the_records_of_a_province_less_the_doubles_told_are_the_dossiers_of_the_delivery_table(
    scored: tuple[Live, int], tenant: str
) -> None:
    live, _ = scored
    [(records,)] = live.rows("SELECT count(*) FROM dossier.source_record WHERE tenant = :tenant", tenant=tenant)
    told = deliveries_told(live)
    table = sum(dossiers_by_column(told, tenant))
    [line] = [line for line in told.splitlines() if line.startswith(f"{tenant}: ")]
    doubles = records - table
    assert doubles > 0, "the world has records that share a dossier code"
    assert line == f"{tenant}: {records} bản ghi nguồn là {table} hồ sơ " + (
        f"({doubles} bản ghi trùng mã hồ sơ với bản ghi khác)."
    )


def deliveries_told(live: Live) -> str:
    """What `print_deliveries` says at a terminal of 80 columns."""
    from lienthong.cli.summary import print_deliveries

    console = Console(record=True, width=80, force_terminal=False)
    print_deliveries(live.rt, console)
    return console.export_text()


def dossiers_by_column(told: str, tenant: str) -> list[int]:
    """The numbers of dossiers in a province's row of the delivery table."""
    [row] = [line.split() for line in told.splitlines() if re.match(rf"{tenant} +\d", line)]
    return [int(number.replace(".", "")) for number in row[1 : 1 + len(DELIVERY_COLUMNS)]]
