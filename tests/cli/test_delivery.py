"""What `lienthong shadow` and `lienthong adopt` print, and what they say of a wrong word."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from lienthong.cli import app
from lienthong.cli.delivery import adoption_lines, shadow_lines
from lienthong.exchange.adoption import AdoptionSummary
from lienthong.exchange.compare import Difference, Verdict
from lienthong.exchange.shadow import ShadowSummary
from lienthong.model.errors import ArgumentError, ContractError, LienThongError


def typed(*words: str) -> LienThongError:
    done = CliRunner().invoke(app, list(words))
    assert isinstance(done.exception, LienThongError), done.exception
    return done.exception


@pytest.fixture
def contracts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the contracts of two provinces; no warehouse."""
    import shutil

    from lienthong.settings import PROJECT

    folder = tmp_path / "sources"
    folder.mkdir()
    for name in ("opencps_h17", "opencps_h26"):
        shutil.copy(PROJECT / "include" / "sources" / f"{name}.yaml", folder)
    monkeypatch.setenv("LIENTHONG_SOURCES", str(folder))
    monkeypatch.delenv("AIRFLOW_CONN_LIENTHONG_WAREHOUSE", raising=False)
    return folder


def test_a_comparison_counts_with_dots_and_tells_each_kind_where_it_belongs() -> None:
    verdicts = {Verdict.SAME: 12345, Verdict.MISSING: 1200, Verdict.DIFFERENT: 40, Verdict.UNKNOWN: 7}
    kinds = {
        Difference.MISSING: 1200,
        Difference.STATUS: 1001,
        Difference.DATES: 3,
        Difference.REFUSED: 7,
        Difference.BLOCKED: 1100,
        Difference.OTHER: 0,
    }
    lines = shadow_lines(ShadowSummary("H17", 15592, 2000, verdicts, kinds, {"TrangThaiHoSo": 1001}))
    assert lines == [
        "H17: 15.592 hồ sơ có thể gửi, 2.000 chưa so với Cổng",
        "  Giống hệt: 12.345",
        "  Cổng chưa có: 1.200",
        "  Cổng có nhưng khác: 40",
        "  Chưa biết: 7",
        "    Cổng từ chối trả lời: 7",
        "  Trong số chưa có hoặc khác: bị chặn, sẽ không gửi: 1.100",
        "  Khác ở chỗ nào (một hồ sơ có thể khác nhiều chỗ):",
        "    khác trạng thái: 1.001",
        "    khác ngày: 3",
        "  Trường khác nhau: TrangThaiHoSo 1.001",
    ]


def test_a_take_over_counts_with_dots_and_does_not_call_owed_what_is_blocked() -> None:
    lines = adoption_lines(AdoptionSummary("H17", verified=12345, assumed=1000, delta=1050, ours=0, undecided=2000))
    assert "  Đã hỏi Cổng, giống: coi là đã đồng bộ: 12.345" in lines
    assert "  Đã hỏi Cổng, chưa có hoặc khác (sẽ gửi, trừ hồ sơ bị chặn): 1.050" in lines
    assert "  Chưa quyết định: 2.000" in lines
    assert "còn nợ" not in "\n".join(lines)


def test_a_kind_of_difference_that_does_not_exist_is_a_wrong_argument() -> None:
    error = typed("shadow", "H17", "--kind", "sttus")
    assert isinstance(error, ArgumentError)
    assert "status" in error.next_step


@pytest.mark.parametrize("command", ["push", "shadow"])
def test_a_province_without_a_contract_is_told_which_there_are(contracts: Path, command: str) -> None:
    error = typed(command, "H99")
    assert isinstance(error, ArgumentError)
    assert (error.what, error.next_step) == ("No contract has tenant 'H99'.", "choose one of H17, H26.")


def test_a_province_whose_contract_may_be_the_broken_one_is_told_to_correct_it(contracts: Path) -> None:
    path = contracts / "opencps_h26.yaml"
    path.write_text(path.read_text().replace("tenant: H26", "tenant: H 26"))
    error = typed("push", "H26")
    assert type(error) is ContractError
    assert "lienthong contracts" in error.next_step
