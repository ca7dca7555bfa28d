"""The rows that a unit keeps, in the heads and words of the template that it was given."""

from __future__ import annotations

from datetime import datetime, timedelta

from simulator.facts import Facts
from simulator.plans import Trait
from simulator.steps import SPECS, Step

#: A cell as somebody types it: text, or an instant where the workbook knows dates; None is an empty cell.
Cell = str | datetime | None
_ORIGIN = datetime(1970, 1, 1)
_STATUSES = {
    "1": "Mới đăng ký", "2": "Được tiếp nhận", "3": "Không được tiếp nhận", "4": "Đang xử lý",
    "5": "Yêu cầu bổ sung giấy tờ", "6": "Yêu cầu thực hiện nghĩa vụ tài chính", "7": "Công dân yêu cầu rút hồ sơ",
    "8": "Dừng xử lý", "9": "Đã xử lý xong", "10": "Đã trả kết quả",
}  # fmt: skip
_CHANNELS = {1: "Trực tiếp", 2: "Trực tuyến", 3: "Bưu chính công ích"}
HEADS = (
    "Mã hồ sơ", "Mã thủ tục", "Mã cơ quan", "Đơn vị xử lý", "Chủ hồ sơ", "Số giấy tờ", "Loại đối tượng",
    "Số điện thoại", "Email", "Địa chỉ", "Trích yếu", "Kênh thực hiện", "Hình thức trả kết quả", "Trạng thái",
    "Ngày nộp", "Ngày tiếp nhận", "Ngày hẹn trả", "Ngày kết thúc xử lý", "Ngày trả kết quả", "Ngày từ chối",
)  # fmt: skip


def row(facts: Facts) -> tuple[Cell, ...]:
    """One dossier, in the order of HEADS."""
    plan, who = facts.plan, facts.who
    return (
        plan.code,
        facts.procedure.code,
        facts.agency.code,
        facts.agency.name,
        who.name,
        who.id_number,
        "Doanh nghiệp" if plan.business else "Công dân",
        who.phone or None,
        who.email or None,
        who.address,
        facts.abstract,
        _CHANNELS[plan.channel],
        "Qua bưu chính" if plan.has(Trait.RETURN_BY_POST) else "Trực tiếp",
        _STATUSES[SPECS[plan.last_step].status],
        moment(plan.submitted),
        moment(plan.received),
        moment(facts.due),
        moment(plan.moment_of(Step.FINISHED)),
        moment(plan.moment_of(Step.RETURNED)),
        moment(plan.moment_of(Step.REFUSED)),
    )


def moment(value: int) -> datetime | None:
    return _ORIGIN + timedelta(seconds=value) if value else None


def text(cell: Cell) -> str:
    """As a CSV has it: `dd/MM/yyyy HH:mm:ss`."""
    return cell.strftime("%d/%m/%Y %H:%M:%S") if isinstance(cell, datetime) else cell or ""
