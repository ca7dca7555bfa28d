"""`lienthong status` and `lienthong freshness`, as an engineer sees them."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from typer.testing import CliRunner, Result

from lienthong.cli import app
from lienthong.warehouse.ledger import read_load
from lienthong.warehouse.merge import Unmapped, record_unmapped
from tests.freshness.conftest import COMMUNES
from tests.freshness.world import SOURCE, Province, at

QUIET_COMMUNE = "H17.120"
HOUR = timedelta(hours=1)
LARGE = ("source_record", "dossier.person", "dossier.step", "dossier.document", "dossier.fee", "dossier_fact")


@pytest.fixture
def province(warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Province:
    """A province with a silent commune; the command line is pointed at it."""
    province = Province(warehouse, tmp_path, date(2026, 10, 22))
    province.agencies(*COMMUNES)
    province.history(COMMUNES, date(2026, 6, 1), date(2026, 10, 22))
    province.execute(
        "DELETE FROM freshness.volume WHERE agency_code = :code AND day >= '2026-10-20'", [{"code": QUIET_COMMUNE}]
    )
    url = province.engine.url
    monkeypatch.setenv(
        "AIRFLOW_CONN_LIENTHONG_WAREHOUSE", f"postgres://{url.username}@{url.host}:{url.port}/{url.database}"
    )
    monkeypatch.setenv("LIENTHONG_SOURCES", str(province.settings.sources))
    monkeypatch.setattr("lienthong.pipeline.runtime.Runtime.from_environment", lambda: province.rt)
    monkeypatch.setenv("COLUMNS", "80")
    return province


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_a_source_that_was_never_loaded_is_told_to_be_loaded(province: Province) -> None:
    result = run("status")
    assert result.exit_code == 0
    assert "chưa nạp" in result.output
    assert f"dossier_sync__{SOURCE}" in result.output


def test_the_silent_commune_is_named_on_one_screen_of_80_columns(province: Province) -> None:
    load_id = province.read(opened_at=at(date(2026, 10, 22), 8))
    province.execute(
        "INSERT INTO ops.load_count VALUES ('H17', :load_id, 'dossier', 1204, 3, 17, 1184, 0, 0, 0)",
        [{"load_id": load_id}],
    )
    before = " ".join(run("status").output.split())
    assert f"{SOURCE}: chưa đánh giá lần nào; DAG freshness chạy mỗi giờ" in before
    assert "tạm dừng" not in before, "the DAG may well be on"
    assert "Phát hiện mới: 1" in run("freshness").output
    result = run("status")
    assert result.exit_code == 0, "a silent commune is a warning"
    assert max(len(line) for line in result.output.splitlines()) <= 80
    flat = " ".join(result.output.split())
    for words in (
        f"Xã {QUIET_COMMUNE} ({QUIET_COMMUNE})",
        "không có hồ sơ mới 2 ngày làm việc",
        "20/1.204",
        "Việc cần làm",
    ):
        assert words in flat
    assert "đánh giá" not in flat
    [(seen, expected)] = province.rows(
        "SELECT sum(dossiers), max(expected) FROM freshness.volume LEFT JOIN freshness.source_day USING (day) "
        "WHERE day = '2026-10-22'"
    )
    assert f"{seen}/~{round(expected)}" in flat


def test_a_judgement_of_hours_ago_asks_to_look_at_the_dag(province: Province) -> None:
    province.read()
    run("freshness")
    province.execute("UPDATE freshness.source_state SET evaluated_at = evaluated_at - :ago", [{"ago": 4 * HOUR}])
    flat = " ".join(run("status").output.split())
    assert "xem DAG freshness có bị tạm dừng hoặc lỗi không" in flat
    assert "lần nào" not in flat


@pytest.mark.parametrize(("mode", "blocked"), [("observe", 2), ("shadow", 2), ("own", 0)])
def test_blocked_dossiers_are_counted_before_any_of_them_could_be_sent(
    province: Province, mode: str, blocked: int
) -> None:
    contract = province.settings.sources / f"{SOURCE}.yaml"
    contract.write_text(re.sub(r"^  mode: \w+", f"  mode: {mode}", contract.read_text(), flags=re.MULTILINE))
    load_id = province.read()
    broken = (  # dossier, entity, rule, severity, load that found it mended
        ("1", "dossier", "a_code", "block", None),
        ("1", "dossier", "an_agency", "block", None),
        ("2", "step", "a_step", "block", None),
        ("3", "dossier", "a_date", "warn", None),
        ("4", "dossier", "a_code", "block", load_id),
        ("5", "dossier", "a_code", "block", None),
        ("5", "dossier", "no_key", "reject", None),
    )
    province.execute(
        "INSERT INTO quality.violation VALUES "
        "('H17', :source, :entity, :key, '', :rule, :severity, :load_id, :load_id, :mended)",
        [
            {"source": SOURCE, "load_id": load_id}
            | dict(zip(("key", "entity", "rule", "severity", "mended"), row, strict=True))
            for row in broken
        ],
    )
    found = json.loads(run("status", "--json").output)
    assert found["sources"][0]["mode"] == mode
    assert found["backlogs"]["H17"]["blocked"] == blocked


def test_one_source_in_depth_shows_its_days_and_its_agencies(province: Province) -> None:
    province.read()
    run("freshness")
    result = run("status", SOURCE)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert max(len(line) for line in lines) <= 80
    agencies = [line.split()[0] for line in lines if line.startswith("H17.")]
    assert agencies[0] == QUIET_COMMUNE
    assert len(agencies) == len(COMMUNES)
    assert "17/10/2026 cuối tuần" in " ".join(result.output.split())


def test_a_failed_load_ends_with_exit_code_1_and_its_own_words(province: Province) -> None:
    province.read(at(date(2026, 10, 22), 7))
    province.read(
        at(date(2026, 10, 22), 8), state="opened", merged_at=None,
        error="extract: [source opencps_h17] No answer. Next: wait.", failed_at=at(date(2026, 10, 22), 8),
    )  # fmt: skip
    result = run("status")
    assert result.exit_code == 1
    assert "No answer. Next: wait." in " ".join(result.output.split())
    assert "LỖI" in result.output


def test_a_broken_contract_is_an_error_of_its_own(province: Province) -> None:
    (province.settings.sources / "opencps_h26.yaml").write_text("source_id: opencps_h26\n")
    result = run("status")
    assert result.exit_code == 1
    assert "opencps_h26.yaml" in " ".join(result.output.split())


def test_programs_get_json(province: Province) -> None:
    province.read()
    run("freshness")
    found = json.loads(run("status", "--json").output)
    assert found["sources"][0]["health"] == "fine"
    assert found["findings"][0]["subject"] == QUIET_COMMUNE
    assert found["backlogs"]["H17"]["owed"] == 0
    deep = json.loads(run("status", SOURCE, "--json").output)
    assert deep["agencies"][0]["agency_code"] == QUIET_COMMUNE
    assert deep["agencies"][0]["last_day"] == "2026-10-19"


WORDS = (
    ("column", "opencps_dossier.maSoMoi", 0),
    ("status", "done/[bold]", 1204),
    ("status", "khac", 3),
)


def meets(province: Province, load_id: int, words: tuple[tuple[str, str, int], ...]) -> None:
    """A merge that met words nobody maps."""
    with province.engine.begin() as connection:
        record_unmapped(connection, read_load(connection, load_id), [Unmapped(*word) for word in words])


def test_words_and_columns_that_nobody_maps_are_counted_by_source(province: Province) -> None:
    assert "chưa ánh xạ" not in run("status").output
    meets(province, province.read(), WORDS)
    result = run("status")
    assert result.exit_code == 0
    assert max(len(line) for line in result.output.splitlines()) <= 80
    assert f"{SOURCE}: 3 (cột 1, trạng thái hồ sơ 2)." in " ".join(result.output.split())


def test_one_source_lists_them_with_their_rows_and_since_which_load(province: Province) -> None:
    first = province.read()
    meets(province, first, WORDS)
    second = province.read()
    meets(province, second, (("status", "khac", 17),))
    result = run("status", SOURCE)
    assert max(len(line) for line in result.output.splitlines()) <= 80
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert f"cột opencps_dossier.maSoMoi – {first} {first}" in lines
    assert f"trạng thái hồ sơ done/[bold] 1.204 {first} {first}" in lines
    assert f"trạng thái hồ sơ khac 17 {first} {second}" in lines
    for arguments in (("status", "--json"), ("status", SOURCE, "--json")):
        found = json.loads(run(*arguments).output)
        [source] = found.get("sources") or found["status"]["sources"]
        assert source["unmapped"][2] == {
            "kind": "status", "name": "khac", "seen": 17, "first_load_id": first, "last_load_id": second
        }  # fmt: skip


def test_more_words_than_a_screen_holds_are_counted(province: Province) -> None:
    meets(province, province.read(), tuple(("procedure", f"1.{number:03}", 1) for number in range(40)))
    result = run("status", SOURCE)
    assert "1.029" in result.output
    assert "1.030" not in result.output
    assert "… và 10 từ hoặc cột khác: thêm --all." in result.output
    assert "1.039" in run("status", SOURCE, "--all").output


def test_what_a_full_load_no_longer_meets_is_settled(province: Province) -> None:
    meets(province, province.read(), WORDS)
    province.read(mode="full", state="gated")
    assert "trạng thái hồ sơ 2" in run("status").output, "not merged yet"
    meets(province, province.read(mode="full"), WORDS[2:])
    assert f"{SOURCE}: 1 (trạng thái hồ sơ 1)." in " ".join(run("status").output.split())


def test_another_sources_words_are_not_shown(province: Province) -> None:
    meets(province, province.read(source_id="opencps_h26", tenant="H26"), WORDS)
    assert "chưa ánh xạ" not in run("status").output


def test_the_status_reads_no_table_of_dossiers_through(province: Province) -> None:
    province.read()
    run("freshness")
    asked: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    engine = province.rt.warehouse()
    event.listen(engine, "before_cursor_execute", listen)
    run("status")
    run("status", SOURCE)
    event.remove(engine, "before_cursor_execute", listen)
    assert len(asked) > 10
    assert not [statement for statement in asked if any(table in statement for table in LARGE)]
    partial = (
        "delivery.state IN ('owed', 'unsettled', 'sending')",
        "delivery.state IN ('blocked', 'rejected', 'parked')",
    )
    for statement in (one for one in asked if "exchange.delivery" in one):
        held = sum(statement.count(f"AND {condition}") for condition in partial)
        assert statement.count("exchange.delivery") == held, "only what the partial indexes hold"
