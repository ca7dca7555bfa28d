"""The template: which headings a list of dossiers has, which words its columns take, and the workbook to hand out."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lienthong.model.codes import DossierStatus

SHEET, TITLE = "Hồ sơ", "DANH SÁCH HỒ SƠ THỦ TỤC HÀNH CHÍNH"
_ROWS = 5_000
_STATUSES = tuple(status.label_vi for status in DossierStatus)
_NOTES = (
    "Mỗi dòng là một hồ sơ. Giữ nguyên dòng tiêu đề và tên trang 'Hồ sơ'; không gộp ô, không thêm cột.",
    "Mỗi lần nộp là toàn bộ danh sách, kể cả hồ sơ đã xong: hồ sơ vắng mặt được coi là không còn trong danh sách.",
    "Mã hồ sơ không đổi và không lặp lại. Mã thủ tục là mã quốc gia, ví dụ 1.012605.",
    "Ngày ghi dd/mm/yyyy hoặc dd/mm/yyyy hh:mm:ss. Ngày hẹn trả không có giờ được hiểu là đến hết ngày.",
    "Số giấy tờ và số điện thoại là chữ, để không mất số 0 ở đầu.",
    "Lưu dưới dạng .xlsx, hoặc 'CSV UTF-8'. Chép xong mới đổi tên tệp thành tên cuối cùng.",
)


@dataclass(frozen=True)
class Column:
    """One column. `words`: what may stand in it; none: anything. `needed`: without the column a list can't be read."""

    label: str
    field: str
    words: tuple[str, ...] = ()
    needed: bool = False
    date: bool = False
    width: int = 16


COLUMNS = (
    Column("Mã hồ sơ", "dossier_code", needed=True, width=22),
    Column("Mã thủ tục", "procedure_code_raw", needed=True),
    Column("Mã cơ quan", "agency_code_raw", needed=True),
    Column("Đơn vị xử lý", "agency_name", width=34),
    Column("Chủ hồ sơ", "applicant_name", width=28),
    Column("Số giấy tờ", "applicant_id_number"),
    Column("Loại đối tượng", "subject_type", ("Công dân", "Doanh nghiệp", "Cơ quan nhà nước", "Tổ chức khác")),
    Column("Số điện thoại", "applicant_phone"),
    Column("Email", "applicant_email", width=24),
    Column("Địa chỉ", "applicant_address", width=34),
    Column("Trích yếu", "abstract", width=44),
    Column("Kênh thực hiện", "channel", ("Trực tiếp", "Trực tuyến", "Bưu chính công ích")),
    Column("Hình thức trả kết quả", "return_method", ("Trực tiếp", "Qua bưu chính")),
    Column("Trạng thái", "status_raw", _STATUSES, needed=True, width=24),
    Column("Ngày nộp", "submitted_at", date=True, width=19),
    Column("Ngày tiếp nhận", "received_at", needed=True, date=True, width=19),
    Column("Ngày hẹn trả", "due_at", date=True, width=19),
    Column("Ngày kết thúc xử lý", "finished_at", date=True, width=19),
    Column("Ngày trả kết quả", "returned_at", date=True, width=19),
    Column("Ngày từ chối", "refused_at", date=True, width=19),
)
#: Heading → our field.
LABELS: Mapping[str, str] = MappingProxyType({column.label: column.field for column in COLUMNS})


def workbook() -> bytes:
    """The template as XLSX: title, headings, lists of words to choose from, and a page of notes."""
    import xlsxwriter

    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        sheet, notes = book.add_worksheet(SHEET), book.add_worksheet("Hướng dẫn")
        title = book.add_format({"bold": True, "font_size": 14})
        needed = book.add_format({"bold": True, "bg_color": "#F8D9A8", "border": 1, "text_wrap": True})
        other = book.add_format({"bold": True, "bg_color": "#DDE8F5", "border": 1, "text_wrap": True})
        text, dates = book.add_format({"num_format": "@"}), book.add_format({"num_format": "dd/mm/yyyy hh:mm:ss"})
        sheet.write_string(0, 0, TITLE, title)
        for place, column in enumerate(COLUMNS):
            sheet.set_column(place, place, column.width, dates if column.date else text)
            sheet.write_string(1, place, column.label, needed if column.needed else other)
            if column.words:
                rule = {"validate": "list", "source": list(column.words), "error_title": "Không có trong danh mục"}
                sheet.data_validation(2, place, _ROWS, place, rule)
        sheet.freeze_panes(2, 1)
        notes.set_column(0, 0, 110)
        notes.write_string(0, 0, "Hướng dẫn", title)
        for row, note in enumerate(_NOTES, start=2):
            notes.write_string(row, 0, note)
    return made.getvalue()
