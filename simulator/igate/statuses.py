"""iGate's numbers for what can happen to a dossier. Only 0 "Mới đăng ký" is known; the others are our assumption."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.steps import Step


@dataclass(frozen=True)
class Status:
    """`number` is dossierStatus.id, `task` the id in dossierTaskStatus and in the task that led there."""

    number: int
    name: str
    task: str
    task_name: str


_TASK = "60e409823dfc9609723e"
_PROCESSING = (2, "Đang xử lý")
STATUSES: dict[Step, Status] = {
    Step.SUBMITTED: Status(0, "Mới đăng ký", f"{_TASK}493c", "Mới đăng ký"),
    Step.RECEIVED: Status(17, "Đã tiếp nhận", f"{_TASK}0002", "Đã tiếp nhận"),
    Step.PROCESSING: Status(*_PROCESSING, f"{_TASK}0003", "Đang xử lý"),
    Step.SUPPLEMENT_ASKED: Status(3, "Chờ bổ sung", f"{_TASK}0004", "Yêu cầu bổ sung"),
    Step.SUPPLEMENT_DONE: Status(*_PROCESSING, f"{_TASK}0005", "Đã bổ sung"),
    Step.DUTY_ASKED: Status(
        16, "Chờ thực hiện nghĩa vụ tài chính", f"{_TASK}0006", "Yêu cầu thực hiện nghĩa vụ tài chính"
    ),
    Step.DUTY_DONE: Status(*_PROCESSING, f"{_TASK}0007", "Đã thực hiện nghĩa vụ tài chính"),
    Step.FINISHED: Status(4, "Đã có kết quả", f"{_TASK}0008", "Đã có kết quả"),
    Step.RETURNED: Status(5, "Đã trả kết quả", "60ebf17309cbf91d41f87f8e", "Đã trả kết quả"),
    Step.REFUSED: Status(9, "Từ chối tiếp nhận", f"{_TASK}000a", "Từ chối tiếp nhận"),
    Step.WITHDRAWN: Status(8, "Rút hồ sơ", f"{_TASK}000b", "Rút hồ sơ"),
    Step.STOPPED: Status(10, "Dừng xử lý", f"{_TASK}000c", "Dừng xử lý"),
}

#: A dossier that was deleted softly: still listed unless `remove-status` leaves it out.
DELETED = Status(18, "Đã xóa", f"{_TASK}000d", "Đã xóa")

#: A number that clients filter by, and nobody says what it means.
ELEVEN = 11

#: Numbers without a known meaning, for the fault `unknown_status`.
UNKNOWN = (ELEVEN, 27, 99)
