"""`lienthong delivery …`: from the work list to a decision, previewed first; nothing personal on the way."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lienthong.cli import app
from lienthong.freshness.backlog import judge_backlog, read_backlog
from lienthong.freshness.findings import FindingKind
from lienthong.model.errors import ArgumentError, LienThongError
from lienthong.pipeline.freshness import freshness_settings
from lienthong.pipeline.runtime import Runtime
from lienthong.reports.deliveries import write_page
from lienthong.settings import PROJECT
from simulator.portal import FaultKind
from tests.exchange.conftest import exchange_warehouse, portal, running_portal, warehouse  # noqa: F401
from tests.exchange.conftest import province as province_of_exchange  # noqa: F401
from tests.exchange.world import PERSONAL, TENANT, Province, code

STEPS = "CapNhatTienDoHoSoMC"


@pytest.fixture
def province(province_of_exchange: Province, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Province:  # noqa: F811
    """H17 with doubtful steps of two dossiers: those of the first arrived, those of the second didn't."""
    folder = tmp_path / "sources"
    folder.mkdir()
    shutil.copy(PROJECT / "include" / "sources" / "opencps_h17.yaml", folder)
    monkeypatch.setenv("LIENTHONG_SOURCES", str(folder))
    url = province_of_exchange.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    monkeypatch.setenv("AIRFLOW_CONN_LIENTHONG_WAREHOUSE", url)
    for number, fault in ((1, FaultKind.DROP_AFTER), (2, FaultKind.DROP_BEFORE)):
        province_of_exchange.believe(number, steps=2)
        province_of_exchange.derive()
        province_of_exchange.portal.fail_next(STEPS, fault)
        province_of_exchange.drain()
    return province_of_exchange


def output(*words: str) -> str:
    done = CliRunner().invoke(app, ["delivery", *words])
    assert done.exception is None, done.exception
    return done.output


def refused(*words: str) -> LienThongError:
    done = CliRunner().invoke(app, ["delivery", *words])
    assert isinstance(done.exception, LienThongError), done.exception
    return done.exception


def test_the_work_list_says_what_waits_and_what_to_do(province: Province) -> None:
    told = output("list", TENANT)
    assert "Bước xử lý chưa rõ đã tới Cổng hay chưa: 2 hồ sơ, 4 bước" in told
    assert "lienthong delivery settle" in told
    assert code(1) in told
    assert json.loads(output("list", TENANT, "--json"))[0]["kind"] == "steps"


def test_a_decision_is_previewed_and_takes_effect_only_with_yes(province: Province) -> None:
    words = ("settle", TENANT, "--arrived", "--code", code(1), "--reason", "đã xem trên Cổng")
    told = output(*words)
    assert "sẽ coi 2 bước xử lý của 1 hồ sơ là đã có trên Cổng" in told
    assert "--yes" in told
    assert len(json.loads(output("list", TENANT, "--json"))) == 2
    told = output(
        "settle", TENANT, "--arrived", "--code", code(1), "--reason", "đã xem trên Cổng", "--yes", "--by", "chi.lan"
    )
    assert "đã coi 2 bước" in told
    with province.engine.begin() as connection:
        kept = connection.exec_driver_sql("SELECT action, reason, decided_by, steps FROM exchange.decision").one()
    assert tuple(kept) == ("arrived", "đã xem trên Cổng", "chi.lan", 2)


def test_a_work_list_that_was_shortened_in_a_spreadsheet_is_taken_back(province: Province, tmp_path: Path) -> None:
    listing = tmp_path / "viec.csv"
    output("list", TENANT, "--csv", str(listing))
    lines = listing.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    assert len(lines) == 1 + 4
    kept = [lines[0], *(line for line in lines[1:] if code(2) in line)]
    listing.write_text("".join(kept[:-1]), encoding="utf-8-sig")  # one of the two steps
    told = output("settle", TENANT, "--resend", "--file", str(listing), "--reason", "Cổng chưa có", "--yes")
    assert "gửi lại 1 bước xử lý của 1 hồ sơ" in told
    assert province.push().steps_sent == 1


def test_a_line_about_a_dossier_decides_nothing_about_its_steps(province: Province, tmp_path: Path) -> None:
    output("park", TENANT, "--code", code(1), "--reason", "x", "--yes")
    listing = tmp_path / "viec.csv"
    output("list", TENANT, "--csv", str(listing))
    lines = listing.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    kept = [line for line in lines if "Bước xử lý chưa rõ" not in line]
    assert len(kept) == 2  # the headings, and that the dossier is parked
    listing.write_text("".join(kept), encoding="utf-8-sig")
    assert "gửi lại 0 bước" in output("settle", TENANT, "--resend", "--file", str(listing), "--reason", "x", "--yes")
    assert "cho gửi tiếp 1 hồ sơ" in output("resume", TENANT, "--file", str(listing), "--yes")


def test_parked_dossiers_are_named_with_their_reason_until_they_are_resumed(province: Province, tmp_path: Path) -> None:
    codes = tmp_path / "ma.txt"
    codes.write_text(f"{code(1)}\n\nH17.05-261012-8888\n", encoding="utf-8")
    told = output("park", TENANT, "--file", str(codes), "--reason", "chờ sở xác minh", "--yes")
    assert "đã tạm dừng gửi 1 hồ sơ" in told
    assert "H17.05-261012-8888" in told
    assert "chờ sở xác minh (1 hồ sơ)" in output("list", TENANT)
    assert "sẽ cho gửi tiếp 1 hồ sơ" in output("resume", TENANT, "--all")
    assert "đã cho gửi tiếp 1 hồ sơ" in output("resume", TENANT, "--all", "--yes")
    assert "Tạm dừng gửi" not in output("list", TENANT)


def test_a_look_at_the_portal_is_ordered_for_a_period(province: Province) -> None:
    told = output("look", TENANT, "--from", "2026-01-01", "--to", "2027-01-01", "--reason", "đường truyền lỗi", "--yes")
    assert "đã hỏi lại Cổng về 2 hồ sơ trong lần gửi tới" in told


@pytest.mark.parametrize(
    "words",
    [
        ("park", TENANT, "--reason", "x"),
        ("park", TENANT, "--reason", "x", "--all", "--code", "c"),
        ("settle", TENANT, "--reason", "x", "--all"),
        ("settle", TENANT, "--reason", "x", "--all", "--arrived", "--resend"),
        ("resume", "H99", "--all"),
        ("park", TENANT, "--reason", "x", "--file", "/nowhere"),
        ("look", TENANT, "--reason", "x", "--from", "hôm qua"),
    ],
)
def test_what_was_not_said_clearly_changes_nothing(province: Province, words: tuple[str, ...]) -> None:
    assert isinstance(refused(*words), ArgumentError)


def test_status_and_findings_count_what_waits_for_a_person(province: Province) -> None:
    output("park", TENANT, "--code", code(1), "--reason", "x", "--yes")
    rt = Runtime.from_environment()
    with rt.warehouse().connect() as connection:
        backlog = read_backlog(connection, TENANT)
    assert (backlog.parked, backlog.steps_unsettled) == (1, 4)
    kinds = {sight.kind for sight in judge_backlog(backlog, freshness_settings(rt), rt.now())}
    assert FindingKind.UNDECIDED in kinds
    shown = CliRunner().invoke(app, ["status"]).output
    assert "Bước chưa" in shown


def test_page_and_listing_hold_keys_and_no_personal_data(province: Province, tmp_path: Path) -> None:
    page = write_page(province.engine, [TENANT], tmp_path / "viec-gui-cong.html")
    for path in (page, page.with_suffix(".csv")):
        text = path.read_text(encoding="utf-8")
        assert code(1) in text
        assert not [value for value in PERSONAL if value in text]
