"""What can happen to a dossier, in OpenCPS' words and in the portal's (portal-exchange §4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Step(IntEnum):
    """Kinds of steps. Small integers: millions of them are kept in memory."""

    SUBMITTED = 1
    RECEIVED = 2
    PROCESSING = 3
    SUPPLEMENT_ASKED = 4
    SUPPLEMENT_DONE = 5
    DUTY_ASKED = 6
    DUTY_DONE = 7
    FINISHED = 8
    RETURNED = 9
    REFUSED = 10
    WITHDRAWN = 11
    STOPPED = 12


@dataclass(frozen=True, slots=True)
class StepSpec:
    """`code` is OpenCPS' stepCode, `status` the portal's, `word` the dossierStatus that the step leads to."""

    code: str
    status: str
    word: str
    word_text: str
    name: str
    notes: tuple[str, ...]
    role: str


SPECS: dict[int, StepSpec] = {
    Step.SUBMITTED: StepSpec(
        "100", "1", "receiving", "Chờ tiếp nhận", "Nộp hồ sơ trực tuyến", ("Công dân nộp hồ sơ qua mạng",), "citizen"
    ),
    Step.RECEIVED: StepSpec(
        "200", "2", "new", "Mới tiếp nhận", "Tiếp nhận hồ sơ",
        ("Hồ sơ hợp lệ, đã tiếp nhận", "Tiếp nhận và hẹn trả kết quả"), "desk",
    ),
    Step.PROCESSING: StepSpec(
        "300", "4", "processing", "Đang xử lý", "Thẩm định hồ sơ",
        ("Phân công thụ lý", "Đang thẩm định nội dung hồ sơ", "Chuyển phòng chuyên môn xử lý"), "expert",
    ),
    Step.SUPPLEMENT_ASKED: StepSpec(
        "350", "5", "waiting", "Chờ bổ sung", "Yêu cầu bổ sung hồ sơ",
        ("Đề nghị bổ sung bản sao giấy tờ chứng minh", "Tờ khai chưa đủ thông tin, đề nghị hoàn thiện"), "expert",
    ),
    Step.SUPPLEMENT_DONE: StepSpec(
        "360", "4", "processing", "Đang xử lý", "Đã bổ sung hồ sơ", ("Công dân đã bổ sung đủ giấy tờ",), "desk"
    ),
    Step.DUTY_ASKED: StepSpec(
        "370", "6", "paying", "Chờ thực hiện nghĩa vụ tài chính", "Yêu cầu thực hiện nghĩa vụ tài chính",
        ("Đề nghị nộp phí thẩm định theo thông báo",), "expert",
    ),
    Step.DUTY_DONE: StepSpec(
        "300", "4", "processing", "Đang xử lý", "Thẩm định hồ sơ",
        ("Đã xác nhận nghĩa vụ tài chính, tiếp tục xử lý",), "expert",
    ),
    Step.FINISHED: StepSpec(
        "400", "9", "releasing", "Đã có kết quả", "Kết thúc xử lý", ("Đã ký ban hành kết quả",), "leader"
    ),
    Step.RETURNED: StepSpec(
        "500", "10", "done", "Đã trả kết quả", "Trả kết quả", ("Đã trả kết quả cho công dân",), "desk"
    ),
    Step.REFUSED: StepSpec(
        "210", "3", "denied", "Từ chối tiếp nhận", "Từ chối hồ sơ",
        ("Hồ sơ không thuộc thẩm quyền giải quyết", "Thành phần hồ sơ không hợp lệ"), "desk",
    ),
    Step.WITHDRAWN: StepSpec(
        "220", "7", "cancelled", "Rút hồ sơ", "Công dân rút hồ sơ", ("Công dân có đơn xin rút hồ sơ",), "desk"
    ),
    Step.STOPPED: StepSpec(
        "230", "8", "unresolved", "Dừng xử lý", "Dừng xử lý hồ sơ", ("Hồ sơ không đủ điều kiện giải quyết",), "leader"
    ),
}  # fmt: skip

#: Steps after which nothing more happens.
CLOSING = frozenset({Step.RETURNED, Step.REFUSED, Step.WITHDRAWN, Step.STOPPED})
