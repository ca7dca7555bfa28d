"""Errors in Vietnamese: what happened and what to do, by the class of an error. Pure: nothing is read for it."""

from __future__ import annotations

import re

from lienthong.model import errors
from lienthong.views.labels import ERROR_PARTS

#: What a failed task means, by the class of our error: (what happened, what to do).
ERROR_WORDS = {
    "SourceUnreachableError": ("Hệ thống nguồn không trả lời", "kiểm tra mạng và hệ thống nguồn rồi chạy lại"),
    "SourceAnswerError": ("Hệ thống nguồn trả lời sai", "kiểm tra hệ thống nguồn; nếu kéo dài, báo đơn vị quản lý"),
    "SourceAccessError": ("Hệ thống nguồn từ chối tài khoản", "kiểm tra tài khoản và quyền đọc của kết nối"),
    "SchemaDriftError": ("Cấu trúc dữ liệu nguồn đã đổi", "sửa hợp đồng nguồn theo cấu trúc mới"),
    "CollapsedExtractError": (
        "Nguồn trả về ít hồ sơ bất thường, chưa nạp gì",
        "kiểm tra nguồn; nếu đúng là dữ liệu đã bị xóa, chạy lại với accept_collapse",
    ),
    "LandingCorruptError": ("Tệp dữ liệu thô bị hỏng", "khôi phục tệp hoặc chạy lần nạp mới"),
    "ConservationError": ("Số dòng của lần nạp không khớp", "báo nhóm phát triển; dữ liệu cũ còn nguyên"),
    "GateError": ("Bước kiểm tra chất lượng dừng cả lô", "xem nhật ký của tác vụ kiểm tra"),
    "ArgumentError": ("Tham số không hợp lệ", "gõ lại lệnh (hoặc sửa tham số của lần chạy DAG) theo gợi ý"),
    "ContractError": ("Cấu hình không dùng được", "sửa tệp cấu hình hoặc kết nối được nêu"),
    "PortalUnreachableError": ("Cổng Dịch vụ công quốc gia không trả lời", "chờ lần gửi sau; nếu kéo dài, báo Cổng"),
    "PortalAccessError": ("Cổng từ chối tài khoản", "kiểm tra tài khoản của tỉnh trên Cổng"),
    "HistoryUndecidedError": (
        "Hồ sơ cũ của nguồn chưa được quyết định, chưa gửi gì của nguồn này",
        "quyết định một lần theo docs/cutting-over.md",
    ),
    "FinalScoreExistsError": (
        "Tháng đã có điểm chính thức, không chấm lại và không thay tệp đã công bố",
        "giữ điểm đã công bố; muốn có lại đúng tệp đó thì chạy `lienthong score <tháng> --final --again`",
    ),
    "DefectError": ("Lỗi của chương trình", "báo nhóm phát triển, kèm nhật ký của tác vụ"),
    "AlertChannelError": ("Không gửi được cảnh báo", "kiểm tra kết nối của kênh cảnh báo được nêu"),
    "NotReadyError": ("Chưa đủ điều kiện để chạy", "chạy bước còn thiếu được nêu"),
    "BusyError": ("Dữ liệu đang bị lần chạy khác giữ", "chờ lần chạy kia xong rồi chạy lại"),
    "UnreadableConnectionError": ("Không hiểu được cấu hình kết nối", "viết lại kết nối được nêu theo docs/sources.md"),
    "LoadStateError": ("Lần nạp không ở trạng thái cho bước này", "chạy lần nạp mới"),
    "WarehouseUnreachableError": ("Kho dữ liệu không trả lời", "kiểm tra máy chủ PostgreSQL của kho rồi chạy lại"),
    "WarehouseTroubleError": (
        "Kho dữ liệu thiếu tài nguyên hoặc gặp lỗi",
        "xem nhật ký của PostgreSQL rồi chạy lại",
    ),
    "WarehouseRefusedError": (
        "Kho dữ liệu từ chối một lệnh hoặc một dòng; dữ liệu cũ còn nguyên",
        "báo nhóm phát triển, kèm mã lỗi và nơi xảy ra",
    ),
    "DiskFullError": ("Đĩa đã đầy", "giải phóng hoặc thêm dung lượng rồi chạy lại"),
    "FencedError": ("Một lần chạy khác đã làm thay việc này", "không cần làm gì"),
    "AirflowTaskTimeout": ("Tác vụ chạy quá thời gian cho phép", "xem nhật ký của tác vụ; nguồn có thể chậm"),
}
#: What our errors name before their words: `[source opencps_h17, load 3, key …] `, in the ledger after a step.
_NAMED = re.compile(r"(?:\w+: )?\[(?P<named>[^\]]*)\] ")
_UNEXPECTED = ("Lỗi ngoài dự kiến", "xem nhật ký của tác vụ")


def failure_words(kind: str, error: str) -> tuple[str, str]:
    """What failed and what to do, by the class of an error and, where that has no words here, its own sentence."""
    return ERROR_WORDS.get(kind) or _own_sentence(kind, error) or _UNEXPECTED


def named_parts(error: str) -> str:
    """`nguồn opencps_h17, lần nạp 7, khóa …`: what an error names, without its English words."""
    found = _NAMED.match(error)
    if found is None:
        return ""
    parts = (part.partition(" ") for part in found["named"].split(", "))
    return ", ".join(f"{ERROR_PARTS.get(name, name)} {value}".rstrip() for name, _, value in parts)


def _own_sentence(kind: str, error: str) -> tuple[str, str] | None:
    """What an error of ours without Vietnamese words says itself. The words of foreign classes are never told here."""
    found = getattr(errors, kind, None)
    if not (isinstance(found, type) and issubclass(found, errors.LienThongError)):
        return None
    what, _, next_step = re.sub(r"^\[[^]]*\] ", "", " ".join(error.split())).partition(" Next: ")
    return (what.rstrip("."), next_step.rstrip(".") or _UNEXPECTED[1]) if what else None
