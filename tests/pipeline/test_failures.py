"""What an error that ended a job means, whoever asked for the job."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from lienthong.model.errors import ContractError, PortalUnreachableError, WarehouseRefusedError
from lienthong.pipeline.failures import Failure, failure_of

NAME = "Nguyễn Thị Hoa"


def test_an_error_of_ours_keeps_its_words_and_a_terminal_one_lasts() -> None:
    broken = ContractError("No such field.", next_step="correct it.", source="opencps_h17")
    assert failure_of(broken) == Failure("ContractError", str(broken), lasting=True, foreseen=True)
    away = PortalUnreachableError("No answer.", next_step="wait.")
    assert failure_of(away) == Failure("PortalUnreachableError", str(away), lasting=False, foreseen=True)


def test_a_full_disk_is_foreseen_whoever_met_it() -> None:
    failure = failure_of(OSError(28, "No space left on device"))
    assert (failure.kind, failure.lasting, failure.foreseen) == ("DiskFullError", False, True)
    assert failure.sentence == "Đĩa đã đầy. Việc cần làm: giải phóng hoặc thêm dung lượng rồi chạy lại."


def test_what_the_database_refused_is_told_by_its_code(warehouse: Engine) -> None:
    with pytest.raises(Exception) as caught, warehouse.connect() as connection:  # noqa: PT011  # of the driver
        connection.execute(text("SELECT CAST(:name AS integer)"), {"name": NAME})
    failure = failure_of(caught.value)
    assert failure.kind == WarehouseRefusedError.__name__
    assert "SQLSTATE 22P02" in failure.said
    assert NAME not in failure.said


def test_what_nobody_foresaw_is_told_without_its_words_and_a_defect_lasts() -> None:
    defect, odd = failure_of(KeyError(NAME)), failure_of(RuntimeError(NAME))
    assert (defect.lasting, odd.lasting) == (True, False)
    for failure in (defect, odd):
        assert not failure.foreseen
        assert failure.sentence == "Lỗi ngoài dự kiến. Việc cần làm: xem nhật ký của tác vụ."
        assert NAME not in failure.said
