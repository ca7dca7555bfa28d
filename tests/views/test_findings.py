"""What is told of a finding."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lienthong.connections import UnreadableConnectionError
from lienthong.freshness.findings import CloseReason, Finding, FindingKind, FindingSeverity
from lienthong.model import errors
from lienthong.views.errors import ERROR_WORDS
from lienthong.views.findings import FindingView, finding_view
from lienthong.views.labels import CLOSE_REASONS

AT = datetime(2026, 11, 5, 1, tzinfo=UTC)
OURS = sorted(
    name
    for name, found in vars(errors).items()
    if isinstance(found, type) and issubclass(found, errors.LienThongError) and name not in ERROR_WORDS
)


def told(kind: str, error: str) -> FindingView:
    details = {"class": kind, "error": error}
    return finding_view(
        Finding(
            1, "", "", FindingKind.TASK_FAILED, "portal_push.push", FindingSeverity.ERROR, AT, details, AT, AT, None,
            None, (),
        )
    )  # fmt: skip


@pytest.mark.parametrize("kind", OURS)
def test_an_error_of_ours_without_words_of_its_own_says_its_own_sentence(kind: str) -> None:
    error = getattr(errors, kind)("The load is closed.", source="opencps_h17", load=3, next_step="start a new load.")
    found = told(kind, str(error))
    assert (found.what, found.next_step) == ("The load is closed", "start a new load")
    assert found.detail == "nguồn opencps_h17, lần nạp 3", "what it names, not its English words"


def test_every_error_that_is_raised_has_vietnamese_words() -> None:
    bases = {"LienThongError", "TerminalError", "TransientError"}
    assert set(OURS) == bases
    assert {found.__name__ for found in (UnreadableConnectionError, errors.DiskFullError)} <= set(ERROR_WORDS)


def test_words_in_vietnamese_go_first() -> None:
    error = errors.SourceUnreachableError("No answer.", next_step="wait.")
    assert told("SourceUnreachableError", str(error)).what == "Hệ thống nguồn không trả lời"


@pytest.mark.parametrize("kind", ["TypeError", "annotations", "", "OperationalError"])
def test_an_error_that_is_not_ours_says_nothing_of_its_own(kind: str) -> None:
    found = told(kind, "Nguyễn Văn A Next: call him")
    assert (found.what, found.next_step) == ("Lỗi ngoài dự kiến", "xem nhật ký của tác vụ")


def test_an_error_of_ours_without_a_sentence_is_unexpected() -> None:
    assert told("TerminalError", "").what == "Lỗi ngoài dự kiến"


def told_of_source(kind: FindingKind, **details: object) -> FindingView:
    severity = FindingSeverity.WARNING
    return finding_view(Finding(1, "H17", "opencps_h17", kind, "", severity, AT, details, AT, AT, None, None, ()))


def test_a_clock_that_is_ahead_says_by_how_much() -> None:
    found = told_of_source(FindingKind.SOURCE_CLOCK_AHEAD, ahead_s=7_260)
    assert (found.where, found.what) == (
        "nguồn opencps_h17",
        "đồng hồ của nguồn chạy nhanh 2 giờ so với máy này",
    )
    assert "NTP" in found.next_step


@pytest.mark.parametrize(
    ("records", "keys", "shown"), [(2, ["7", "8"], "7, 8"), (9, list("1234567"), "1, 2, 3, 4, 5, …")]
)
def test_vanished_records_say_how_many_and_name_some(records: int, keys: list[str], shown: str) -> None:
    found = told_of_source(FindingKind.RECORDS_VANISHED, records=records, keys=keys)
    assert found.what == f"{records} hồ sơ đã nạp không còn ở nguồn (khóa {shown})"
    assert "không xóa gì" in found.next_step


def test_every_reason_to_close_a_finding_has_words() -> None:
    assert set(CLOSE_REASONS) == set(CloseReason)
