"""What a failing step becomes for Airflow."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from lienthong.model.errors import SchemaDriftError, SourceUnreachableError
from tests.orchestration import conftest as _environment  # noqa: F401  # before Airflow is imported

pytestmark = pytest.mark.xdist_group("airflow")


def _run(error: Exception) -> BaseException:
    from lienthong.orchestration.failures import guarded

    @guarded
    def step() -> None:
        raise error

    with pytest.raises(Exception) as caught:  # noqa: PT011  # which one is what the tests ask
        step()
    return caught.value


def test_a_terminal_error_is_not_tried_again_and_keeps_its_words() -> None:
    from airflow.sdk.exceptions import AirflowFailException

    error = SchemaDriftError("Column x is gone.", next_step="extend the contract.", source="opencps_h17", load=7)
    failure = _run(error)
    assert isinstance(failure, AirflowFailException)
    assert str(failure) == str(error)


def test_a_transient_error_is_tried_again() -> None:
    from airflow.sdk.exceptions import AirflowFailException

    failure = _run(SourceUnreachableError("No answer.", next_step="it is tried again.", source="opencps_h17"))
    assert not isinstance(failure, AirflowFailException)
    assert "opencps_h17" in str(failure)


def test_an_unexpected_error_of_the_database_loses_its_words_but_not_its_code(warehouse: Engine) -> None:
    from lienthong.orchestration.failures import guarded

    @guarded
    def step() -> None:
        with warehouse.connect() as connection:
            connection.execute(text("SELECT CAST(:name AS integer)"), {"name": "Nguyễn Thị Hoa"})

    with pytest.raises(Exception, match="SQLSTATE 22P02") as caught:
        step()
    failure = caught.value
    assert "Nguyễn" not in str(failure)
    assert failure.__cause__ is None
    assert failure.__context__ is None, "Airflow would log the original's words"


def test_a_defect_of_the_code_is_not_tried_again() -> None:
    from airflow.sdk.exceptions import AirflowFailException

    failure = _run(KeyError("Nguyễn Thị Hoa"))
    assert isinstance(failure, AirflowFailException)
    assert "Nguyễn" not in str(failure)


def test_a_full_disk_is_tried_again() -> None:
    from airflow.sdk.exceptions import AirflowFailException

    assert not isinstance(_run(OSError(28, "No space left on device")), AirflowFailException)


def test_the_log_says_what_failed_and_what_to_do_before_airflow_adds_its_frames(
    caplog: pytest.LogCaptureFixture,
) -> None:
    _run(SourceUnreachableError("No answer.", next_step="wait.", source="opencps_h17", load=7))
    what, detail = (record.getMessage() for record in caplog.records)
    assert what.startswith("LỖI: Hệ thống nguồn không trả lời. Việc cần làm: kiểm tra mạng")
    assert detail == "Chi tiết: [source opencps_h17, load 7] No answer. Next: wait."


def test_the_log_of_an_unexpected_error_or_a_timeout_has_a_sentence_too_and_no_foreign_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    from airflow.sdk.exceptions import AirflowTaskTimeout

    from lienthong.orchestration.failures import guarded

    _run(KeyError("Nguyễn Thị Hoa"))

    @guarded
    def slow() -> None:
        raise AirflowTaskTimeout("Nguyễn Thị Hoa")

    with pytest.raises(AirflowTaskTimeout):
        slow()
    unexpected, _, timeout = (record.getMessage() for record in caplog.records)
    assert unexpected.startswith("LỖI: Lỗi ngoài dự kiến.")
    assert timeout.startswith("LỖI: Tác vụ chạy quá thời gian cho phép.")
    assert "Nguyễn" not in caplog.text


def test_airflows_own_signals_pass_unchanged() -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    signal = AirflowSkipException("nothing to do")
    assert _run(signal) is signal
