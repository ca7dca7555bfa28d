"""`lienthong score` as it is typed, with a month that can't be scored."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from lienthong.cli import app
from lienthong.cli.errors import error_lines
from lienthong.model.errors import ArgumentError
from lienthong.pipeline.failures import failure_of
from lienthong.pipeline.score import chosen_month

#: Already December in Vietnam.
NOW = datetime(2026, 11, 30, 17, 25, 43, 923253, tzinfo=UTC)


@pytest.mark.parametrize("month", ["2026-13", "abc", "10/2026"])
def test_what_is_no_month_is_one_clear_error_before_anything_is_done(month: str) -> None:
    done = CliRunner().invoke(app, ["score", month])
    assert isinstance(done.exception, ArgumentError)
    what, detail = error_lines(failure_of(done.exception))
    assert what.startswith("Lỗi: Tham số không hợp lệ. Việc cần làm: gõ lại lệnh")
    assert detail == f"  Chi tiết: [key month] {month!r} is not a month. Next: write YYYY-MM, e.g. 2026-10."


@pytest.mark.parametrize(
    ("month", "final", "told"),
    [
        ("2027-03", False, "Month 2027-03 can't have a provisional score: it has not begun yet"),
        ("2026-12", True, "Month 2026-12 can't have a final score: it has not ended yet"),
    ],
)
def test_a_month_that_is_too_early_to_score_is_told_in_vietnams_time(month: str, final: bool, told: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        chosen_month(month, final, NOW)
    assert caught.value.what == f"{told} (in Vietnam it is 01/12/2026 00:25)."
    assert caught.value.next_step.startswith(f"choose {'2026-11' if final else '2026-12'} or an earlier month")


def test_the_running_month_is_provisional_and_the_one_just_ended_final() -> None:
    for final, month in ((False, "2026-12"), (True, "2026-11")):
        assert str(chosen_month(month, final, NOW)) == str(chosen_month(None, final, NOW)) == month
